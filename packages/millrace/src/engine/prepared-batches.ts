import type { Prepare } from '../contracts/preparing.ts'
import type { Source } from '../contracts/source.ts'
import type { Batch } from '../records/batch.ts'
import { untilAborted } from '../resilience/abort.ts'

/**
 * Makes a source return a batch only when everything is there that its steps need, a schema for instance. So the wait lies
 * ahead of whatever is done with it: of the steps of a transaction, and with `at_most_once` of its commit.
 */
export function prepareBatches(source: Source, prepare: Prepare | undefined): void {
  if (prepare === undefined) return
  const read = source.batches.bind(source)
  source.batches = (signal) => prepared(read(signal), prepare, signal)
}

/** Ends when the signal fires; a batch that waits then is left for the next run, or the next attempt. */
export async function* prepared(
  batches: AsyncIterable<Batch>,
  prepare: Prepare,
  signal: AbortSignal,
): AsyncGenerator<Batch, void, undefined> {
  for await (const batch of batches) {
    const preparation = prepare(batch, signal)
    if (preparation !== undefined && !(await isReady(preparation, signal))) return
    yield batch
  }
}

async function isReady(preparation: Promise<void>, signal: AbortSignal): Promise<boolean> {
  try {
    await untilAborted(preparation, 'Preparing a batch', signal)
    return true
  } catch (error) {
    if (signal.aborted) return false
    throw error
  }
}
