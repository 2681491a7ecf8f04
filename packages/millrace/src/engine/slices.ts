/**
 * Cuts batches that would keep the process busy for too long.
 *
 * A record batch cannot be cut by the fetcher, and compressed ones may hold hundreds of thousands of records. Working on them
 * in one go would hold up heartbeats, so they are worked on in slices of about 20 ms, with a turn of the event loop after each. Only
 * for pipelines that look at documents: other lanes take a large batch in stride, and verbatim must have it whole. Files and
 * sources may ask for smaller ones; stages that combine the rows of a batch get as many as they may.
 */
import { setImmediate } from 'node:timers/promises'
import type { Source } from '../contracts/source.ts'
import type { Transform } from '../contracts/stage.ts'
import type { Batch } from '../records/batch.ts'
import { ReadingTime } from './watching/part-times.ts'
import { MAX_ROWS, Pace, timeWork } from '../resilience/pace.ts'

/** Most rows worked on in one go. */
export const SLICE_ROWS = MAX_ROWS

/**
 * Rows that go through a stage together that waits for something, such as the response of a service: a few rounds of what it does
 * at the same time. All of them are delivered before a run ends that is asked to stop.
 */
const WAITING_ROWS = 64

/** A size that is asked for and no larger than this is kept, however long its rows take. */
const SMALL_ROWS = 100

/** How many rows may go through the stages together: as the file, the source and, where documents are made, the clock want it. */
export function paceOf(
  { maxBatchRecords: ofPlan = Infinity }: { readonly maxBatchRecords?: number | undefined },
  { maxBatchRecords: ofSource = Infinity, decode }: Pick<Source, 'maxBatchRecords' | 'decode'>,
  stages: Iterable<Pick<Transform, 'combinesRows' | 'waits'>>,
  makesDocuments = decode !== undefined,
): Pace {
  const asked = Math.min(ofPlan, ofSource)
  const combines = Array.from(stages).some(({ combinesRows }) => combinesRows === true)
  const waits = Array.from(stages).some((stage) => stage.waits === true)
  const maxRows = Math.min(asked, waits && !combines ? WAITING_ROWS : makesDocuments ? SLICE_ROWS : Infinity)
  const isTimed = makesDocuments && !combines
  return new Pace(maxRows, !isTimed || asked <= SMALL_ROWS ? maxRows : 1)
}

/**
 * The same rows in the same order, in batches of as many rows as the pace allows. Each counts separately where the source tracks
 * offsets; otherwise a batch is acknowledged with its last slice (I1).
 *
 * @param isLocated whether the records of each batch are looked at anyway. Where their offsets are tracked they are located first, so that the size of the batch is
 *   known, and what comes before a record that cannot be read is not lost with it
 * @param reading counts how long the source works
 * @param stop ends it before the next slice; what was not given is not acknowledged
 */
export async function* inSlices(
  batches: AsyncIterable<Batch>,
  pace: Pick<Pace, 'rows' | 'worked'>,
  isLocated = true,
  reading = new ReadingTime(),
  stop?: AbortSignal,
): AsyncGenerator<Batch, void, undefined> {
  for await (const batch of reading.of(batches)) {
    const cameAt = performance.now()
    const damage = isLocated && batch.acknowledgement.split !== undefined ? damageOf(batch) : undefined
    const whole = damage === undefined ? batch : batch.readable(damage)
    reading.add(performance.now() - cameAt)
    for (const slice of whole?.slices(() => pace.rows) ?? []) {
      if (stop?.aborted === true) return
      const worked = timeWork()
      let workedMs = 0
      try {
        yield slice
      } finally {
        workedMs = worked()
      }
      if (pace.worked(slice.length, workedMs) || slice !== batch) await setImmediate()
    }
    if (damage !== undefined) throw damage
  }
}

/** What is wrong with the records of a batch. Locates them. */
function damageOf(batch: Batch): unknown {
  try {
    void batch.records
    return undefined
  } catch (error) {
    return error
  }
}
