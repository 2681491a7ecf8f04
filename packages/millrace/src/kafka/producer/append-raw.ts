/**
 * Forwards whole record batches still compressed: only their headers are rewritten.
 */
import type { Batch, RawRecordBatches } from '../../records/batch.ts'
import type { MillraceError } from '../../errors/index.ts'
import type { Accumulator, TopicQueues } from './accumulator.ts'
import type { PartitionQueue } from './partition-queue.ts'
import { type AppendJob, cutOffError } from './append-job.ts'
import type { Ticket } from './reports.ts'
import {
  CONTROL_BIT,
  ATTRIBUTES,
  HEADER_BYTES,
  LAST_OFFSET_DELTA,
  LOG_APPEND_TIME_BIT,
  MAGIC,
  RECORD_COUNT,
} from '../protocol/record-batch.ts'

/** Below this average it is better to gather the records of several batches: a request takes one batch per partition. */
const WORTH_FORWARDING_BYTES = 4096

/**
 * The record batches of a batch when all of them can be forwarded as they are; undefined when the records have to be
 * written one by one.
 *
 * A batch with gaps (compaction leaves them) cannot be: its sequences would not match its offsets. Nor can one with
 * LogAppendTime, whose timestamps are not in the records, one that is larger than a request, and many small ones.
 */
export function forwardable(batch: Batch, maxRequestBytes: number): RawRecordBatches | undefined {
  const { raw } = batch
  if (raw === undefined) return undefined
  const { bytes, ranges } = raw
  let total = 0
  for (let i = 0; i < ranges.length; i += 2) {
    const start = ranges[i]!
    const size = ranges[i + 1]! - start
    if (size < HEADER_BYTES || size > maxRequestBytes || bytes[start + MAGIC] !== 2) return undefined
    const count = bytes.readInt32BE(start + RECORD_COUNT)
    if (count <= 0 || bytes.readInt32BE(start + LAST_OFFSET_DELTA) !== count - 1) return undefined
    if ((bytes[start + ATTRIBUTES + 1]! & (CONTROL_BIT | LOG_APPEND_TIME_BIT)) !== 0) return undefined
    total += size
  }
  return total < WORTH_FORWARDING_BYTES * (ranges.length / 2) ? undefined : raw
}

/** Appends whole record batches. */
export class AppendRaw implements AppendJob {
  readonly ticket: Ticket
  readonly missingTopic = ''
  readonly #raw: RawRecordBatches
  readonly #topic: TopicQueues
  readonly #queue: PartitionQueue
  readonly #accumulator: Accumulator
  readonly #batchClosed: () => void
  readonly #cutOffs: number
  #next = 0
  #row = 0

  constructor(
    raw: RawRecordBatches,
    topic: TopicQueues,
    queue: PartitionQueue,
    ticket: Ticket,
    accumulator: Accumulator,
    batchClosed: () => void,
  ) {
    this.#raw = raw
    this.#topic = topic
    this.#queue = queue
    this.ticket = ticket
    this.#accumulator = accumulator
    this.#batchClosed = batchClosed
    this.#cutOffs = accumulator.cutOffs
  }

  run(): 'done' | 'no memory' {
    const { bytes, ranges } = this.#raw
    if (this.#queue.cutOff > this.#cutOffs) {
      this.abandon(cutOffError(this.#queue))
      return 'done'
    }
    for (; this.#next < ranges.length; this.#next += 2) {
      const start = ranges[this.#next]!
      const end = ranges[this.#next + 1]!
      const count = bytes.readInt32BE(start + RECORD_COUNT)
      const batch = this.#accumulator.enqueue(this.#topic, this.#queue, end - start, (target) => {
        bytes.copy(target, 0, start, end)
        return count
      })
      if (batch === undefined) return 'no memory'
      batch.firstRow = this.#row
      batch.segments.push({ ticket: this.ticket, start: 0, end: count })
      this.#row += count
      this.#batchClosed()
    }
    return 'done'
  }

  refuseTopic(): void {}

  abandon(error: MillraceError): void {
    this.ticket.abandoned(this.#row, error)
    this.#row = this.ticket.length
  }
}
