/**
 * The batches of one partition in their order: one is being filled, others wait, others have been sent.
 *
 * Order is kept like this: batches are sent in the order in which they were opened, several at a time. As soon as one
 * of those that were sent has to be sent again, nothing new goes out; when no request with this partition is under way
 * any more, what was sent and not acknowledged is sent again one by one, oldest first.
 */
import type { MillraceError } from '../../errors/index.ts'
import type { Linked } from '../../resilience/linked-list.ts'
import { type Codec, CODEC_BITS } from '../protocol/compression/codecs.ts'
import type { Destination, Segment, Ticket } from './reports.ts'
import { compress } from '../protocol/compression/compression.ts'
import { RecordBatchBuilder, writeBatchHeader } from '../protocol/record-batch-builder.ts'
import { HEADER_BYTES } from '../protocol/record-batch.ts'
import { MAX_IN_FLIGHT_IDEMPOTENT } from '../properties/producer-limits.ts'
import type { IdentityOwner } from './identity.ts'
import { NO_IDENTITY, PartitionSequence } from './identity.ts'

/**
 * After so long without a batch the next one goes alone: the leader may have forgotten the producer (producer.id.expiration.ms, a day
 * unless brokers say otherwise) and takes any sequence for the first.
 */
const IDLE_MS = 60_000

export class PartitionQueue implements Destination {
  readonly index: number
  readonly topic: string
  readonly partition: number
  readonly sequence: PartitionSequence = new PartitionSequence()
  /** The batch that is being filled. */
  open: ProducerBatch | undefined
  /** Closed and not yet sent. */
  readonly waiting: ProducerBatch[] = []
  /**
   * Value of `Accumulator.cutOffs` when everything of the partition failed last: what began to be written before must not be
   * appended behind it.
   */
  cutOff = 0
  /** Sent and not yet settled, in order of their sequences; those that are not in flight have to be sent again. */
  readonly sent: ProducerBatch[] = []
  inFlight = 0
  readonly #owner: IdentityOwner | undefined
  /** `performance.now()` of the last answer. */
  #answeredAt = 0

  /** @param owner of the identities; undefined without idempotence */
  constructor(index: number, topic: string, partition: number, owner: IdentityOwner | undefined) {
    this.index = index
    this.topic = topic
    this.partition = partition
    this.#owner = owner
    if (owner === undefined) {
      this.sequence.begin(NO_IDENTITY)
      this.sequence.established = true
    }
  }

  get isIdempotent(): boolean {
    return this.#owner !== undefined
  }

  /**
   * The batch that may be sent now, if there is one; the one that is being filled where none waits. Without idempotence a leader takes whatever comes, so one that is behind
   * another under way could overtake it when that one has to be sent again.
   */
  get sendable(): ProducerBatch | undefined {
    if (this.sent.length > this.inFlight) return this.inFlight === 0 ? this.sent[0] : undefined
    if (this.inFlight > 0 && (!this.isIdempotent || this.sequence.broken || !this.sequence.established))
      return undefined
    // Brokers limit requests in flight each for itself. When the leader changes meanwhile, the next one would be given more batches
    // than it remembers, and could not tell the first of them, sent again, from a gap.
    if (this.isIdempotent && this.sent.length >= MAX_IN_FLIGHT_IDEMPOTENT) return undefined
    return this.waiting[0] ?? (this.open !== undefined && this.open.count > 0 ? this.open : undefined)
  }

  /**
   * Marks the sendable batch as sent and gives it its sequence.
   * @returns false when an identity is still being asked for
   */
  send(batch: ProducerBatch): boolean {
    const { sequence } = this
    const isRetry = this.sent[0] === batch
    // After a gap: what may have been written is tried once more under its old sequence, as only the leader knows.
    // Everything behind a batch that was certainly not written was not written either.
    const { identity: known } = sequence
    if (
      known === undefined ||
      this.#owner?.isCurrent(known) === false ||
      (sequence.broken && !(isRetry && batch.ambiguous))
    ) {
      const identity = this.#owner!.identityAfter(known)
      if (identity === undefined) return false
      sequence.begin(identity)
      for (const each of this.sent) {
        each.sequence = sequence.take(each.count)
        each.ambiguous = each.isOfUncertain = false
      }
    }
    if (!isRetry) {
      if (this.sent.length === 0 && performance.now() - this.#answeredAt >= IDLE_MS) sequence.established = false
      this.waiting.shift()
      batch.sequence = sequence.take(batch.count)
      this.sent.push(batch)
    }
    batch.inFlight = true
    batch.attempts++
    this.inFlight++
    return true
  }

  /** The answer to a batch has come, or will never come. */
  answered(batch: ProducerBatch): void {
    batch.inFlight = false
    this.inFlight--
    this.#answeredAt = performance.now()
  }

  /** Forgets a batch that is settled. */
  remove(batch: ProducerBatch): void {
    const list = this.sent.includes(batch) ? this.sent : this.waiting
    const at = list.indexOf(batch)
    if (at >= 0) list.splice(at, 1)
  }

  /** Forgets a batch that will never be written; those behind it start a new epoch. */
  lose(batch: ProducerBatch): void {
    if (batch.sequence >= 0 && this.isIdempotent) this.sequence.broken = true
    this.remove(batch)
  }

  /** What is closed and was appended behind a batch. */
  following(batch: ProducerBatch): readonly ProducerBatch[] {
    const all = [...this.sent, ...this.waiting]
    const at = all.indexOf(batch)
    return at < 0 ? [] : all.slice(at + 1)
  }

  /**
   * Whether the leader has written nothing from a batch on, and never will of what was sent so far: then others can have its sequences.
   * No late copy of a batch behind it may still arrive, as it would be taken for another one.
   */
  isUnwrittenFrom(batch: ProducerBatch): boolean {
    return (
      this.inFlight === 0 &&
      !this.sequence.broken &&
      this.sent[0] === batch &&
      this.sent.every(({ ambiguous }) => !ambiguous)
    )
  }

  /**
   * Leaves the first batch out, from which on nothing was written: those behind it take its sequences, in the same epoch.
   * @param rest what is left of it; undefined when that is nothing
   */
  leaveOut(batch: ProducerBatch, rest?: ProducerBatch): void {
    if (rest === undefined) this.remove(batch)
    else this.sent[0] = rest
    this.sequence.next = batch.sequence
    for (const each of this.sent) each.sequence = this.sequence.take(each.count)
  }

  /** The leader has taken a part of a batch under the sequence of the whole, so the whole was never written. */
  wasSplitUnwritten(): void {
    for (const each of this.sent) if (each.isOfUncertain) each.ambiguous = each.isOfUncertain = false
  }

  /**
   * Puts parts of a batch in its place, under its sequences, in its epoch. When the batch may have been written, the leader decides: it
   * takes the first of them only when nothing of the whole was written. Where some records are in no part, there is a gap behind them.
   */
  replace(batch: ProducerBatch, parts: readonly ProducerBatch[]): void {
    let { sequence, count } = batch
    for (const part of parts) {
      part.isOfUncertain = part.ambiguous && this.isIdempotent
      part.sequence = sequence
      sequence = (sequence + part.count) & 0x7fffffff
      count -= part.count
    }
    if (count > 0) this.sequence.broken = this.isIdempotent
    this.sent.splice(this.sent.indexOf(batch), 1, ...parts)
  }
}

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
  /** Whether it came with its checksum. */
  readonly hasCrc?: boolean
}

export class ProducerBatch implements Linked<ProducerBatch> {
  readonly queue: PartitionQueue
  /** `performance.now()` when the first record came. */
  readonly createdAt: number
  readonly segments: Segment[] = []
  before: ProducerBatch | undefined
  after: ProducerBatch | undefined
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
  /** How many attempts were refused, or not answered. */
  refusals = 0
  /** Bytes of the values of its records, as far as they were counted; see `RecordBatchBuilder`. */
  valueBytes = 0
  /** `performance.now()` before which it is not sent again. */
  notBefore = 0
  /** Whether an attempt ended without an answer that says that nothing was written. */
  ambiguous = false
  /** Whether it is a part of a batch that was ambiguous: no leader knows it, whether the whole was written or not. */
  isOfUncertain = false
  /** Why it is not to be sent again: what was before it has failed, with this cause. */
  behind: { readonly cause: MillraceError } | undefined
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

  /** Bytes on the wire; before it is compressed, of what it holds so far. */
  get size(): number {
    return this.closed?.end ?? this.buffer!.builder.length
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
    this.valueBytes = builder.valueBytes
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

  /** Holds the compressed bytes only. */
  dropBuffer(): void {
    this.buffer = undefined
    this.held = this.closed!.end
  }

  /** @param baseOffset of the first record; -1 when it is not known */
  delivered(baseOffset: number): void {
    const { rows, firstRow } = this
    for (const { ticket, start, end } of this.segments)
      ticket.delivered(rows, firstRow + start, firstRow + end, this.queue, baseOffset < 0 ? -1 : baseOffset - firstRow)
  }

  /** Single records failed, by index in the batch; the others are in another batch from now on. */
  failedAlone(errors: ReadonlyMap<number, MillraceError>): void {
    const { rows, firstRow } = this
    for (const { ticket, start, end } of this.segments)
      for (const [index, error] of errors)
        if (index >= start && index < end) ticket.refused(rows === undefined ? firstRow + index : rows[index]!, error)
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
