/**
 * One record batch of the producer on its way: filled, closed, sent (perhaps several times), settled.
 */
import type { MillraceError } from '../errors/index.ts'
import type { PartitionQueue } from './accumulator-queue.ts'
import { CODEC_BITS, compress, type Codec } from './protocol/compression.ts'
import { RecordBatchBuilder, writeBatchHeader } from './protocol/record-batch-builder.ts'
import { HEADER_BYTES } from './protocol/record-batch.ts'
import type { Segment, Ticket } from './producer-reports.ts'

/** A builder and the row of each of its records; used again and again. */
export class BatchBuffer {
  readonly builder: RecordBatchBuilder
  rows: Int32Array

  constructor(capacity: number, maxRecords?: number) {
    this.builder = new RecordBatchBuilder(capacity, maxRecords)
    this.rows = new Int32Array(Math.max(16, capacity >> 6))
  }

  get capacity(): number {
    return this.builder.bytes.length
  }
}

/** A closed batch: bytes that can be sent as soon as they are identified. */
export interface ClosedBatch {
  readonly bytes: Buffer
  /** Position after the batch in `bytes`. */
  readonly end: number
  readonly count: number
}

export class ProducerBatch {
  readonly queue: PartitionQueue
  /** `performance.now()` when the first record came. */
  readonly createdAt: number
  readonly segments: Segment[] = []
  /** Buffer that is filled; undefined for bytes that came as a whole batch. */
  buffer: BatchBuffer | undefined
  /** Row of each record; undefined when record `i` is row `firstRow + i`. */
  rows: Int32Array | undefined
  /** 0 when there are `rows`. */
  firstRow = 0
  closed: ClosedBatch | undefined
  /** Bytes of the accumulator's memory that are held. */
  held: number

  /** Number of its transaction; 0 without. */
  readonly transaction: number
  /** -1 until it is sent for the first time. */
  sequence = -1
  inFlight = false
  /** Delivered or failed: an answer that still comes is of no interest. */
  settled = false
  attempts = 0
  /** `performance.now()` before which it is not sent again. */
  notBefore = 0
  /** Whether an attempt ended without an answer that says that nothing was written. */
  ambiguous = false
  /** Why it is not to be sent again: what was before it has failed. */
  behind: MillraceError | undefined
  /** Why the last attempt failed. */
  lastError: MillraceError | undefined
  /** What a broker objected to last: it says more than that a later attempt was not answered. */
  lastAnswer: MillraceError | undefined

  constructor(queue: PartitionQueue, createdAt: number, held: number, buffer?: BatchBuffer, transaction = 0) {
    this.queue = queue
    this.transaction = transaction
    this.createdAt = createdAt
    this.held = held
    this.buffer = buffer
    this.rows = buffer?.rows
  }

  /** Number of records. */
  get count(): number {
    return this.closed?.count ?? this.buffer!.builder.count
  }

  /** Says to whom the record that was just appended belongs. */
  assign(ticket: Ticket, row: number): void {
    const buffer = this.buffer!
    const index = buffer.builder.count - 1
    if (index >= buffer.rows.length) {
      const rows = new Int32Array(buffer.rows.length * 2)
      rows.set(buffer.rows)
      this.rows = buffer.rows = rows
    }
    buffer.rows[index] = row
    const last = this.segments.length === 0 ? undefined : this.segments[this.segments.length - 1]!
    if (last !== undefined && last.ticket === ticket) last.end = index + 1
    else this.segments.push({ ticket, start: index, end: index + 1 })
  }

  /** Ends the batch: compresses it and writes what the header says of the records. */
  close(codec: Codec, level: number | undefined): void {
    const { builder } = this.buffer!
    const { count, baseTimestampMs, maxTimestampMs } = builder
    const facts = { count, baseTimestampMs, maxTimestampMs, codec: CODEC_BITS[codec] }
    if (codec === 'none') {
      writeBatchHeader(builder.bytes, builder.length, facts)
      this.closed = { bytes: builder.bytes, end: builder.length, count }
    } else {
      const records = compress(codec, builder.bytes.subarray(HEADER_BYTES, builder.length), level)
      const bytes = Buffer.allocUnsafeSlow(HEADER_BYTES + records.length)
      records.copy(bytes, HEADER_BYTES)
      writeBatchHeader(bytes, bytes.length, facts)
      this.closed = { bytes, end: bytes.length, count }
    }
  }

  /** @param baseOffset of the first record; -1 when it is not known */
  delivered(baseOffset: number): void {
    const { rows, firstRow } = this
    for (const { ticket, start, end } of this.segments)
      ticket.delivered(rows, firstRow + start, firstRow + end, this.queue, baseOffset < 0 ? -1 : baseOffset - firstRow)
  }

  /** @param own errors of single records, by index in the batch, that take the place of the common one */
  failed(error: MillraceError, own?: ReadonlyMap<number, MillraceError>): void {
    const { rows, firstRow } = this
    for (const { ticket, start, end } of this.segments) {
      // Before the ticket is told that its last row is settled.
      if (own !== undefined)
        for (const [index, ownError] of own)
          if (index >= start && index < end) ticket.own(rows === undefined ? firstRow + index : rows[index]!, ownError)
      ticket.failed(rows, firstRow + start, firstRow + end, error)
    }
  }
}
