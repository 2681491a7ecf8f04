/** Records whose key and value are decoded when they are first asked for. */
import { DecodeError } from '../errors/index.ts'
import { type ConsumerRecord, LazyRecord, type TimestampType, type Header } from '../records/record.ts'

/** Turns stored bytes into what a program works with; never called for null. What it throws becomes a `DECODE_FAILED` with topic, partition and offset. */
export interface Decoders<K, V> {
  /** Of a key; without it keys are Buffers. */
  readonly key?: (bytes: Buffer) => K
  /** Of a value; without it values are Buffers. */
  readonly value?: (bytes: Buffer) => V
}

/** Requires a decoder for what is to be something else than a Buffer. */
export type DecodersFor<K, V> = ([Buffer] extends [K] ? unknown : Requires<'key', K>) &
  ([Buffer] extends [V] ? unknown : Requires<'value', V>)

interface Requires<Part extends 'key' | 'value', T> {
  readonly decode: { readonly [P in Part]: (bytes: Buffer) => T }
}

export class DecodedRecord<K, V> extends LazyRecord<K, V> {
  readonly #record: ConsumerRecord
  readonly #decode: Decoders<K, V>
  #key: K | null | undefined
  #value: V | null | undefined

  constructor(record: ConsumerRecord, decode: Decoders<K, V>) {
    super()
    this.#record = record
    this.#decode = decode
  }
  get topic(): string {
    return this.#record.topic
  }
  get partition(): number {
    return this.#record.partition
  }
  get offset(): bigint {
    return this.#record.offset
  }
  get timestampMs(): number {
    return this.#record.timestampMs
  }
  get timestampType(): TimestampType {
    return this.#record.timestampType
  }
  get headers(): readonly Header[] {
    return this.#record.headers
  }
  /** @throws {DecodeError} */
  get key(): K | null {
    return (this.#key ??= this.#decoded('key', this.#decode.key, this.#record.key))
  }
  /** @throws {DecodeError} */
  get value(): V | null {
    return (this.#value ??= this.#decoded('value', this.#decode.value, this.#record.value))
  }

  #decoded<T>(part: 'key' | 'value', decode: ((bytes: Buffer) => T) | undefined, bytes: Buffer | null): T | null {
    if (bytes === null) return null
    if (decode === undefined) return bytes as T
    try {
      return decode(bytes)
    } catch (error) {
      const { topic, partition, offset } = this
      throw new DecodeError(
        part,
        `Cannot decode the ${part} at offset ${offset} of "${topic}" partition ${partition}: ${error instanceof Error ? error.message : String(error)}`,
        { cause: error, topic, partition, offset },
      )
    }
  }
}
