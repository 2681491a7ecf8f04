/**
 * What every way of running a graph does with a batch at one stage.
 */
import type { Source } from '../../contracts/source.ts'
import type { Transform } from '../../contracts/stage.ts'
import type { Acknowledgement, Batch } from '../../records/batch.ts'
import type { MillraceError } from '../../errors/index.ts'
import { meaningOf } from '../../errors/meaning.ts'
import type { Failures } from '../failures/failures.ts'
import type { ReadingTime } from '../watching/part-times.ts'
import type { Look } from '../watching/stage-tap.ts'
import type { TransformNode } from './nodes.ts'

/** The same rows for one branch of several; what one branch makes of them the others do not see. */
export function copyOf(batch: Batch, acknowledgement: Acknowledgement): Batch {
  const { rows, documents, replaced, keys } = batch
  return batch.derive({ rows, documents, replaced, keys: keys?.slice() }, acknowledgement)
}

/**
 * Gives the rows of a batch as its source read it their documents.
 * @param failures filled with the rows that cannot be read. Without it the first one is thrown
 * @returns the rows that could be read, the batch itself where all could; undefined where none could
 */
export function decoded(
  { source, reading }: { readonly source: Pick<Source, 'decode'>; readonly reading: Pick<ReadingTime, 'add'> },
  batch: Batch,
  failures: Failures | undefined,
): Batch | undefined {
  if (source.decode === undefined) return batch
  const startedAt = performance.now()
  try {
    return readable(source, batch, failures)
  } finally {
    reading.add(performance.now() - startedAt)
  }
}

function readable(source: Pick<Source, 'decode'>, batch: Batch, failures: Failures | undefined): Batch | undefined {
  if (failures === undefined) {
    source.decode!(batch)
    return batch
  }
  const lost = new Set<number>()
  source.decode!(batch, (row, error) => {
    lost.add(row)
    failures.add(batch, row, error)
  })
  return batch.without(lost)
}

/**
 * Gives a batch to a transform. A promise only where the transform waits for something.
 * @param failures filled with the rows that fail; all of them, and the batch is acknowledged, where the transform cannot
 *   tell which. Without it the first failure is thrown
 */
export function processed(
  node: Pick<TransformNode, 'transform' | 'timer'>,
  batch: Batch,
  signal: AbortSignal,
  failures: Failures | undefined,
): readonly Batch[] | Promise<readonly Batch[]> {
  const { timer } = node
  const look = timer.tap.isOpen ? timer.tap.look(batch) : undefined
  const startedAt = performance.now()
  const passed = transformed(node.transform, batch, signal, failures, look)
  const counted = (batches: readonly Batch[]): readonly Batch[] => {
    timer.countAll(batch, batches, startedAt)
    look?.done(batches)
    return batches
  }
  return passed instanceof Promise ? passed.then(counted) : counted(passed)
}

function transformed(
  transform: Transform,
  batch: Batch,
  signal: AbortSignal,
  failures: Failures | undefined,
  look: Look | undefined,
): readonly Batch[] | Promise<readonly Batch[]> {
  if (failures === undefined) return transform.process(batch, signal)
  const allFailed = (error: unknown): readonly Batch[] => {
    if (signal.aborted || meaningOf(error) === 'ends-run') throw error
    for (let row = 0; row < batch.length; row++) failures.add(batch, row, error as MillraceError)
    batch.ack()
    return []
  }
  try {
    const passed = transform.process(batch, signal, (row, error) => {
      look?.failed(row, error)
      failures.add(batch, row, error)
    })
    return passed instanceof Promise ? passed.catch(allFailed) : passed
  } catch (error) {
    return allFailed(error)
  }
}
