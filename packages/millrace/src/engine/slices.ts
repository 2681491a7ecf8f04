/**
 * Cuts batches that would keep the process busy for too long.
 *
 * A record batch cannot be cut by the fetcher, and compressed ones may hold hundreds of thousands of records. Parsing them
 * in one go would hold up heartbeats, so they are worked on in slices, with a turn of the event loop after each. Only for
 * pipelines that look at documents: other lanes take a large batch in stride, and verbatim must have it whole. Files and
 * sources may ask for smaller ones.
 */
import { setImmediate } from 'node:timers/promises'
import type { Source } from '../contracts/source.ts'
import type { Batch } from '../records/batch.ts'

/** Rows worked on in one go: about 20 ms of JSON. */
export const SLICE_ROWS = 16_384

/** How many rows may go through the stages together: as the file, the source and, where documents are made, the clock want it. */
export function sliceRowsOf(
  { maxBatchRecords: ofPlan = Infinity }: { readonly maxBatchRecords?: number | undefined },
  { maxBatchRecords: ofSource = Infinity, decode }: Pick<Source, 'maxBatchRecords' | 'decode'>,
  makesDocuments = decode !== undefined,
): number {
  return Math.min(ofPlan, ofSource, makesDocuments ? SLICE_ROWS : Infinity)
}

/**
 * The same rows in the same order, in batches of at most `maxRows`. Each counts separately where the source tracks offsets;
 * otherwise a batch is acknowledged with its last slice (I1).
 */
export async function* inSlices(
  batches: AsyncIterable<Batch>,
  maxRows: number,
): AsyncGenerator<Batch, void, undefined> {
  for await (const batch of batches) {
    for (const slice of batch.slices(maxRows)) {
      yield slice
      if (slice !== batch) await setImmediate()
    }
  }
}
