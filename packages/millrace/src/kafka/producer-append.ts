/**
 * Puts what the producer was given into the accumulator: the records of an array, or the rows of a batch. This is the
 * hot path: no object, promise or closure per record.
 *
 * A job works until it is done, until memory is used up, until it meets a topic that is not known yet, or until it has
 * kept the event loop busy long enough; then it says why it stopped and goes on where it was.
 */
import { type Batch, BODY, END, FIELDS, KEY, KEY_LENGTH, type Payload, VALUE, VALUE_LENGTH, viewOf } from '../batch.ts'
import { EncodeError, type MillraceError } from '../errors/index.ts'
import type { ProducerRecord } from '../record.ts'
import type { Accumulator, TopicQueues } from './accumulator.ts'
import type { PartitionQueue } from './accumulator-queue.ts'
import {
  type ByteSource,
  byteSource,
  HeaderWriter,
  NO_HEADERS,
  RECORD_OVERHEAD,
  writeUtf8,
} from './protocol/record-batch-builder.ts'
import { HEADER_BYTES } from './protocol/record-batch.ts'
import type { ProducerBatch } from './producer-batch.ts'
import { deliveryError, type Ticket } from './producer-reports.ts'
import { UNDECIDED } from './partitioners.ts'

/** Bytes or text; what the producer writes as key, value or header. */
type Bytes = Uint8Array | string

export type WritableRecord = ProducerRecord<Bytes, Bytes>

/** Where the rows of a batch go. */
export interface Route {
  readonly topic: string
  /** A partition for all rows, or `keep` for the partition that they came from; the partitioner decides by default. */
  readonly partition?: number | 'keep' | undefined
}

/** Why a job stopped. */
export type Stop = 'done' | 'no memory' | 'unknown topic' | 'time'

export interface AppendJob {
  readonly ticket: Ticket
  /** Topic that has to be learnt before the job can go on. */
  readonly missingTopic: string
  run(): Stop
  /** Gives up on the records of a topic that cannot be learnt. */
  refuseTopic(topic: string, error: MillraceError): void
  /** Fails what was not appended. */
  abandon(error: MillraceError): void
}

/** Longest time for which a job works in one go. */
const SLICE_MS = 8
/** Records between two looks at the clock. */
const SLICE_RECORDS = 512

const NO_BYTES = new Uint8Array(0)

/** What both kinds of jobs share: appending one record to the open batch of a queue. */
abstract class Job implements AppendJob {
  readonly ticket: Ticket
  missingTopic = ''
  protected readonly accumulator: Accumulator
  protected readonly maxRecordBytes: number
  protected next = 0
  readonly #batchClosed: () => void

  constructor(ticket: Ticket, accumulator: Accumulator, maxRecordBytes: number, batchClosed: () => void) {
    this.ticket = ticket
    this.accumulator = accumulator
    this.maxRecordBytes = maxRecordBytes
    this.#batchClosed = batchClosed
  }

  run(): Stop {
    const deadline = performance.now() + SLICE_MS
    const { length } = this.ticket
    while (this.next < length) {
      const stop = this.append(Math.min(length, this.next + SLICE_RECORDS))
      if (stop !== undefined) return stop
      if (performance.now() >= deadline && this.next < length) return 'time'
    }
    return 'done'
  }

  abandon(error: MillraceError): void {
    this.ticket.abandoned(this.next, error)
    this.next = this.ticket.length
  }

  abstract refuseTopic(topic: string, error: MillraceError): void

  /** Appends the records before `end`, moving `next`. */
  protected abstract append(end: number): Stop | undefined

  /** The next batch after the open one was found to be full. undefined when memory is used up or the record is too large. */
  protected nextBatch(topic: TopicQueues, queue: PartitionQueue, recordBytes: number): ProducerBatch | undefined {
    if (queue.open !== undefined) {
      this.accumulator.close(topic, queue)
      this.#batchClosed()
    }
    return this.accumulator.open(queue, recordBytes)
  }

  /** Why no record of this size can be written; undefined when it can. */
  protected tooLarge(queue: PartitionQueue, recordBytes: number): MillraceError | undefined {
    const bytes = recordBytes + HEADER_BYTES + RECORD_OVERHEAD
    if (bytes <= this.maxRecordBytes) return undefined
    return deliveryError(
      queue,
      `the record takes ${bytes} bytes and at most ${this.maxRecordBytes} are allowed: raise max.request.size (and buffer.memory, if it is smaller)`,
      { code: 'RECORD_TOO_LARGE' },
    )
  }

  protected queueOf(topic: TopicQueues, partition: number): PartitionQueue | MillraceError {
    const queue = topic.queues[partition]
    if (queue !== undefined) return queue
    if (partition === UNDECIDED)
      return new EncodeError(
        `Cannot write to topic "${topic.name}" as the record names no partition, which the partitioner "explicit" requires`,
        { topic: topic.name },
      )
    return deliveryError(
      { topic: topic.name, partition },
      `the topic has ${topic.queues.length} partitions, numbered from 0`,
    )
  }
}

/** A text as UTF-8 in a buffer that is used again and again: keys are needed as bytes before they can be hashed. */
class Scratch {
  bytes: Buffer = Buffer.allocUnsafeSlow(4096)

  /** @returns length in bytes; valid until the next call */
  write(text: string): number {
    if (text.length === 0) return 0
    if (text.length * 3 > this.bytes.length) this.bytes = Buffer.allocUnsafeSlow(text.length * 6)
    return writeUtf8(this.bytes, text, 0)
  }
}

const scratch = new Scratch()
const headerWriter = new HeaderWriter()

/** Appends the records of an array. */
export class RecordsJob extends Job {
  readonly #records: readonly WritableRecord[]
  readonly #topic: string | undefined
  readonly #now = Date.now()
  #refused: Map<string, MillraceError> | undefined

  constructor(
    records: readonly WritableRecord[],
    topic: string | undefined,
    ticket: Ticket,
    accumulator: Accumulator,
    maxRecordBytes: number,
    batchClosed: () => void,
  ) {
    super(ticket, accumulator, maxRecordBytes, batchClosed)
    this.#records = records
    this.#topic = topic
  }

  override refuseTopic(topic: string, error: MillraceError): void {
    ;(this.#refused ??= new Map()).set(topic, error)
  }

  protected override append(end: number): Stop | undefined {
    const { ticket, accumulator } = this
    const records = this.#records
    const now = this.#now
    let topicName: string | undefined
    let topic: TopicQueues | undefined
    for (let row = this.next; row < end; row++) {
      const record = records[row]!
      const problem = problemOf(record)
      if (problem !== undefined) {
        ticket.refused(row, problem)
        this.next = row + 1
        continue
      }
      const name = record.topic ?? this.#topic
      if (topic === undefined || name !== topicName) {
        if (name === undefined || name === '') {
          ticket.refused(
            row,
            new EncodeError('Cannot write a record without a topic: name one in the record or in the call'),
          )
          this.next = row + 1
          continue
        }
        topicName = name
        topic = accumulator.topic(name)
        if (topic === undefined) {
          const refusal = this.#refused?.get(name)
          if (refusal === undefined) {
            this.missingTopic = name
            return 'unknown topic'
          }
          ticket.refused(row, refusal)
          this.next = row + 1
          continue
        }
      }
      const { value, headers } = record
      const key = record.key ?? null
      let keyBytes: Uint8Array = NO_BYTES
      let keyLength = -1
      if (typeof key === 'string') {
        keyLength = scratch.write(key)
        keyBytes = scratch.bytes
      } else if (key !== null) {
        keyBytes = key
        keyLength = key.length
      }
      let headerBytes = NO_HEADERS
      let headersLength = 1
      if (headers !== undefined && headers.length > 0) {
        headersLength = headerWriter.write(headers)
        headerBytes = headerWriter.bytes
      }
      const timestampMs = record.timestampMs ?? now
      const partition =
        record.partition ?? topic.settle(topic.partitioner(keyBytes, 0, keyLength, topic.queues.length, record))
      const queue = this.queueOf(topic, partition)
      if (queue instanceof Error) {
        ticket.refused(row, queue)
        this.next = row + 1
        continue
      }
      let batch = queue.open
      if (
        batch === undefined ||
        !batch.buffer!.builder.append(timestampMs, keyBytes, 0, keyLength, value, headerBytes, headersLength)
      ) {
        const size =
          Math.max(0, keyLength) +
          headersLength +
          (typeof value === 'string' ? Buffer.byteLength(value) : (value?.length ?? 0))
        const refusal = this.tooLarge(queue, size)
        if (refusal !== undefined) {
          ticket.refused(row, refusal)
          this.next = row + 1
          continue
        }
        batch = this.nextBatch(topic, queue, size)
        if (batch === undefined) return 'no memory'
        batch.buffer!.builder.append(timestampMs, keyBytes, 0, keyLength, value, headerBytes, headersLength)
      }
      batch.assign(ticket, row)
      this.next = row + 1
    }
    return undefined
  }
}

/** Why a record cannot be written at all; undefined when it can. */
function problemOf(record: WritableRecord): MillraceError | undefined {
  if (typeof record !== 'object' || record === null)
    return new EncodeError(
      `Cannot write a record as it must be an object with a value: it is ${record === null ? 'null' : `of type ${typeof record}`}`,
    )
  const { value, key, timestampMs, headers } = record
  if (typeof value !== 'string' && value !== null && !(value instanceof Uint8Array)) return wrongType('value', value)
  if (key !== undefined && key !== null && typeof key !== 'string' && !(key instanceof Uint8Array))
    return wrongType('key', key)
  if (timestampMs !== undefined && !(Number.isInteger(timestampMs) && timestampMs >= 0))
    return new EncodeError(
      `Cannot write the timestamp ${JSON.stringify(timestampMs)} as it must be a whole number of milliseconds since 1970`,
    )
  if (headers !== undefined) {
    if (!Array.isArray(headers))
      return new EncodeError(
        `Cannot write the headers of a record as they must be a list of pairs of name and value: they are of type ${typeof headers}`,
      )
    for (const [name, content] of headers) {
      if (typeof name !== 'string') return wrongType('name of a header', name)
      if (content !== null && typeof content !== 'string' && !(content instanceof Uint8Array))
        return wrongType(`header "${name}"`, content)
    }
  }
  return undefined
}

function wrongType(what: string, value: unknown): EncodeError {
  const type = value === undefined ? 'undefined' : Array.isArray(value) ? 'an array' : `of type ${typeof value}`
  return new EncodeError(`Cannot write the ${what} of a record as it must be a string, a Buffer or null: it is ${type}`)
}

/** Appends the rows of a batch. Rows that nobody changed are taken over as they stand in the bytes that were read. */
export class BatchJob extends Job {
  readonly #batch: Batch
  readonly #route: Route
  readonly #source: ByteSource
  readonly #now = Date.now()

  constructor(
    batch: Batch,
    route: Route,
    ticket: Ticket,
    accumulator: Accumulator,
    maxRecordBytes: number,
    batchClosed: () => void,
  ) {
    super(ticket, accumulator, maxRecordBytes, batchClosed)
    this.#batch = batch
    this.#route = route
    this.#source = byteSource(batch.records.bytes)
  }

  override refuseTopic(_topic: string, error: MillraceError): void {
    this.abandon(error)
  }

  protected override append(end: number): Stop | undefined {
    const { ticket, accumulator } = this
    const source = this.#source
    const { rows, payloads, keys, records } = this.#batch
    const { fields, timestamps } = records
    const { bytes } = source
    const topic = accumulator.topic(this.#route.topic)
    if (topic === undefined) {
      this.missingTopic = this.#route.topic
      return 'unknown topic'
    }
    const fixed = this.#route.partition === 'keep' ? this.#batch.partition : this.#route.partition
    for (let row = this.next; row < end; row++) {
      const record = rows === undefined ? row : rows[row]!
      const field = record * FIELDS
      const body = fields[field + BODY]!
      const payload: Payload | undefined = payloads === undefined ? undefined : payloads[row]
      const newKey: Payload | undefined = keys === undefined ? undefined : keys[row]
      const stamp = timestamps[record]!
      const timestampMs = stamp < 0 ? this.#now : stamp
      let keyBytes: Uint8Array = bytes
      let keyStart = fields[field + KEY]!
      let keyLength = fields[field + KEY_LENGTH]!
      if (newKey !== undefined) {
        keyStart = 0
        keyLength = -1
        if (typeof newKey === 'string') {
          keyLength = scratch.write(newKey)
          keyBytes = scratch.bytes
        } else if (newKey !== null) {
          keyBytes = newKey
          keyLength = newKey.length
        }
      }
      let partition = fixed
      if (partition === undefined) {
        partition = topic.settle(
          topic.partitioner(
            keyBytes,
            keyStart,
            keyLength,
            topic.queues.length,
            topic.wantsRecord ? this.#batch.record(row) : undefined,
          ),
        )
      }
      const queue = this.queueOf(topic, partition)
      if (queue instanceof Error) {
        ticket.refused(row, queue)
        this.next = row + 1
        continue
      }
      const isVerbatim = body >= 0 && payload === undefined && newKey === undefined
      let batch = queue.open
      if (
        batch !== undefined &&
        isVerbatim &&
        batch.buffer!.builder.appendWire(timestampMs, source, body, fields[field + END]!)
      ) {
        batch.assign(ticket, row)
        this.next = row + 1
        continue
      }
      if (
        batch === undefined ||
        isVerbatim ||
        !this.#rebuild(batch, timestampMs, keyBytes, keyStart, keyLength, payload, field)
      ) {
        const size = this.#sizeOf(keyLength, payload, field)
        const refusal = this.tooLarge(queue, size)
        if (refusal !== undefined) {
          ticket.refused(row, refusal)
          this.next = row + 1
          continue
        }
        batch = this.nextBatch(topic, queue, size)
        if (batch === undefined) return 'no memory'
        if (isVerbatim) batch.buffer!.builder.appendWire(timestampMs, source, body, fields[field + END]!)
        else this.#rebuild(batch, timestampMs, keyBytes, keyStart, keyLength, payload, field)
      }
      batch.assign(ticket, row)
      this.next = row + 1
    }
    return undefined
  }

  /** Appends a record of which key or value are new; its headers stay. */
  #rebuild(
    batch: ProducerBatch,
    timestampMs: number,
    key: Uint8Array,
    keyStart: number,
    keyLength: number,
    payload: Payload | undefined,
    field: number,
  ): boolean {
    const { bytes, fields } = this.#batch.records
    const valueLength = fields[field + VALUE_LENGTH]!
    const valueStart = fields[field + VALUE]!
    const value = payload === undefined ? (valueLength < 0 ? null : viewOf(bytes, valueStart, valueLength)) : payload
    const { builder } = batch.buffer!
    if (fields[field + BODY]! < 0) return builder.append(timestampMs, key, keyStart, keyLength, value, NO_HEADERS, 1)
    const headersStart = valueStart + (valueLength > 0 ? valueLength : 0)
    const headersLength = fields[field + END]! - headersStart
    // Nearly always there are none.
    if (headersLength === 1) return builder.append(timestampMs, key, keyStart, keyLength, value, NO_HEADERS, 1)
    return builder.append(
      timestampMs,
      key,
      keyStart,
      keyLength,
      value,
      viewOf(bytes, headersStart, headersLength),
      headersLength,
    )
  }

  /** Bytes of key, value and headers. */
  #sizeOf(keyLength: number, payload: Payload | undefined, field: number): number {
    const { fields } = this.#batch.records
    const stored = Math.max(0, fields[field + VALUE_LENGTH]!)
    const value =
      payload === undefined
        ? stored
        : payload === null
          ? 0
          : typeof payload === 'string'
            ? Buffer.byteLength(payload)
            : payload.length
    const headers = fields[field + BODY]! < 0 ? 1 : fields[field + END]! - fields[field + VALUE]! - stored
    return Math.max(0, keyLength) + value + headers
  }
}
