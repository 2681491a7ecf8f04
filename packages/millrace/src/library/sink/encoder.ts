/** What a sink does with records before the producer gets them: values become bytes, headers a list. */
import { EncodeError } from '../../errors/index.ts'
import type { WritableRecord } from '../../kafka/producer/producer.ts'
import { pairsOf } from './headers.ts'
import type { SinkRecord } from './message.ts'
import { JsonSerializer, type MessageSerializer } from './serializers.ts'

const CONTENT_TYPE = 'content-type'

/** What the producer takes, in the order of the records. A record that cannot be written has its error in place of the value. */
export type Encoded = readonly WritableRecord[]

export class RecordEncoder<T> {
  readonly #serializer: MessageSerializer<T> | undefined
  readonly #json = new JsonSerializer()
  readonly #topic: string | undefined
  readonly #needsPartition: boolean
  /** Calls whose serializers have not answered yet: later ones wait for them. */
  #pending: Promise<unknown> | undefined

  /** @param serializer for every value but null; without one, JSON for what is neither bytes nor text */
  constructor(serializer: MessageSerializer<T> | undefined, topic: string | undefined, needsPartition: boolean) {
    this.#serializer = serializer
    this.#topic = topic
    this.#needsPartition = needsPartition
  }

  /** Records that need nothing are passed on as they are, and an array of such records itself. */
  encode(records: readonly SinkRecord<T>[]): Encoded | Promise<Encoded> {
    let encoded: WritableRecord[] | undefined
    let late: Promise<unknown>[] | undefined
    // What is no array the producer refuses, with a message.
    if (Array.isArray(records))
      for (let i = 0; i < records.length; i++) {
        const record: SinkRecord<T> = records[i]
        if (this.#isReady(record)) continue
        // Records that need no serializer hold bytes or text.
        const list = (encoded ??= [...(records as unknown as Encoded)])
        const one = this.#encode(record)
        if (one instanceof Promise) (late ??= []).push(one.then((ready) => (list[i] = ready)))
        else list[i] = one
      }
    const result = encoded ?? (records as unknown as Encoded)
    const before = this.#pending
    if (late === undefined && before === undefined) return result
    const inTurn = Promise.all([before, ...(late ?? [])]).then(() => result)
    const over = (): void => {
      if (this.#pending === inTurn) this.#pending = undefined
    }
    inTurn.then(over, over)
    this.#pending = inTurn
    return inTurn
  }

  #isReady(record: SinkRecord<T>): boolean {
    if (typeof record !== 'object' || record === null) return true
    const { value, headers } = record
    if (headers !== undefined && !Array.isArray(headers)) return false
    if (this.#needsPartition && record.partition === undefined) return false
    if (value === null || value === undefined) return true
    return this.#serializer === undefined && (typeof value === 'string' || value instanceof Uint8Array)
  }

  #encode(record: SinkRecord<T>): WritableRecord | Promise<WritableRecord> {
    const { value } = record
    if (this.#needsPartition && record.partition === undefined)
      return refused(
        'Cannot write a record without a partition, as the partition strategy is custom: name one in the record',
      )
    const isRaw =
      value === null ||
      value === undefined ||
      (this.#serializer === undefined && (typeof value === 'string' || value instanceof Uint8Array))
    // Null and undefined are for the producer to accept or refuse.
    if (isRaw) return written(record, value as Uint8Array | string | null)
    const serializer = this.#serializer ?? this.#json
    try {
      const bytes = serializer.serialize(value, record.topic ?? this.#topic)
      if (!(bytes instanceof Promise)) return written(record, bytes, serializer.contentType)
      return bytes.then((late) => written(record, late, serializer.contentType), cannotSerialize)
    } catch (error) {
      return cannotSerialize(error)
    }
  }
}

function cannotSerialize(error: unknown): WritableRecord {
  return refused(
    `Cannot serialize the value of a record: ${error instanceof Error ? error.message : String(error)}`,
    error,
  )
}

function refused(message: string, cause?: unknown): WritableRecord {
  return { value: new EncodeError(message, { cause }) }
}

function written<T>(record: SinkRecord<T>, value: Uint8Array | string | null, contentType?: string): WritableRecord {
  const { key, topic, partition, timestampMs, headers } = record
  const pairs = pairsOf(headers)
  if (pairs === undefined)
    return refused(
      `Cannot write the headers of a record as they must be a list of pairs of name and value, or an object with them: they are ${headers === null ? 'null' : `of type ${typeof headers}`}`,
    )
  const list = [...pairs]
  if (contentType !== undefined && !list.some(([name]) => name.toLowerCase() === CONTENT_TYPE))
    list.push([CONTENT_TYPE, contentType])
  return {
    value,
    ...(key === undefined ? {} : { key }),
    ...(topic === undefined ? {} : { topic }),
    ...(partition === undefined ? {} : { partition }),
    ...(timestampMs === undefined ? {} : { timestampMs }),
    headers: list,
  }
}
