/** `for await (const batch of source.batches())`: batch by batch. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Consumer } from '../kafka/consumer/consumer.ts'
import type { Batch } from '../records/batch.ts'
import { Pace, timeWork } from '../resilience/pace.ts'
import type { ReadTimes } from './watching/read-times.ts'
import { type Processor, processSpan } from '../telemetry/batch-span.ts'

/** Batches no larger than what the loop deals with at once, so that heartbeats and commits go on beside a synchronous body. */
export async function* paced(
  consumer: Consumer,
  reads: ReadTimes,
  stop: AbortSignal,
  maxRows: number | undefined,
  processor: Processor,
): AsyncGenerator<Batch, void, undefined> {
  const pace = new Pace(maxRows)
  for (;;) {
    const batch = await reads.next(consumer, stop, pace.rows)
    if (batch === undefined) return
    const span = processSpan(batch, processor)
    const worked = timeWork()
    let workedMs = 0
    try {
      yield batch
    } finally {
      workedMs = worked()
      span?.end()
    }
    if (pace.worked(batch.length, workedMs)) await nextTurn()
  }
}
