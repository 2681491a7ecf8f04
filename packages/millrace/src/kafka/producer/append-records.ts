/**
 * Appends the records of an array, which a program wrote: each is checked before anything else.
 */
import { EncodeError, type MillraceError } from '../../errors/index.ts'
import { HeaderWriter } from '../../records/header-writer.ts'
import type { ProducerRecord } from '../../records/record.ts'
import type { Accumulator, TopicQueues } from './accumulator.ts'
import { NO_HEADERS } from '../protocol/record-batch-builder.ts'
import { RecordAppendJob, mustFit, scratch, type Stop } from './append-job.ts'
import type { Ticket } from './reports.ts'

/** Bytes or text; what the producer writes as key, value or header. */
type Bytes = Uint8Array | string

/** A record that cannot be encoded has the reason in place of its value. */
export interface WritableRecord extends Omit<ProducerRecord<Bytes, Bytes | EncodeError>, 'headers'> {
  readonly headers?: readonly (readonly [name: string, value: Bytes | null])[]
}

const NO_BYTES = new Uint8Array(0)

const headerWriter = new HeaderWriter()

export class AppendRecords extends RecordAppendJob {
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
      const { headers } = record
      const value = record.value as Bytes | null // `problemOf` has seen it
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
      const partition = record.partition ?? topic.settle(topic.partitioner(keyBytes, 0, keyLength, topic.count, record))
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
        const refusal = this.refusal(queue, size)
        if (refusal !== undefined) {
          ticket.refused(row, refusal)
          this.next = row + 1
          continue
        }
        batch = this.nextBatch(topic, queue, size)
        if (batch === undefined) return 'no memory'
        mustFit(batch.buffer!.builder.append(timestampMs, keyBytes, 0, keyLength, value, headerBytes, headersLength))
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
  if (value instanceof EncodeError) return value
  if (typeof value !== 'string' && value !== null && !(value instanceof Uint8Array)) return wrongType('value', value)
  if (key !== undefined && key !== null && typeof key !== 'string' && !(key instanceof Uint8Array))
    return wrongType('key', key)
  if (timestampMs !== undefined && !(Number.isSafeInteger(timestampMs) && timestampMs >= 0))
    return new EncodeError(
      `Cannot write the timestamp ${String(timestampMs)} as it must be a whole number of milliseconds since 1970`,
    )
  if (headers !== undefined) {
    if (!Array.isArray(headers))
      return new EncodeError(
        `Cannot write the headers of a record as they must be a list of pairs of name and value: they are of type ${typeof headers}`,
      )
    for (const header of headers) {
      if (!Array.isArray(header)) return wrongType('header, which is a pair of name and value,', header)
      const [name, content] = header
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
