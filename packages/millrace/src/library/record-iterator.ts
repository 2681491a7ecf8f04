/** Reads batches record by record, decoded on first access. */
import type { Batch } from '../records/batch.ts'
import { type ConsumerRecord, LazyRecord, type TimestampType, type Header } from '../records/record.ts'

/** Turns stored bytes into what a program works with; never called for null. */
export interface Decoders<K, V> {
  readonly key?: (bytes: Buffer) => K
  readonly value?: (bytes: Buffer) => V
}

/**
 * Gives the records of batches one by one. A promise per record is what `for await` needs; it is resolved already, so it
 * costs one microtask.
 */
export class RecordIterator<K, V> implements AsyncIterator<ConsumerRecord<K, V>> {
  readonly #batches: AsyncGenerator<Batch, void, undefined>
  readonly #decode: Decoders<K, V> | undefined
  #batch: Batch | undefined
  #row = 0
  #length = 0

  constructor(batches: AsyncGenerator<Batch, void, undefined>, decode: Decoders<K, V> | undefined) {
    this.#batches = batches
    this.#decode = decode
  }

  next(): Promise<IteratorResult<ConsumerRecord<K, V>>> {
    return this.#row < this.#length ? Promise.resolve({ done: false, value: this.#record() }) : this.#nextBatch()
  }

  /** A loop that is left early has dealt with the record it was given last, but not with the rest of its batch: that is read again. */
  async return(): Promise<IteratorResult<ConsumerRecord<K, V>>> {
    if (this.#row >= this.#length) this.#batch?.ack()
    this.#batch = undefined
    await this.#batches.return()
    return { done: true, value: undefined }
  }

  async #nextBatch(): Promise<IteratorResult<ConsumerRecord<K, V>>> {
    do {
      this.#batch?.ack()
      const { value, done } = await this.#batches.next()
      this.#batch = done === true ? undefined : value
      if (this.#batch === undefined) return { done: true, value: undefined }
      this.#row = 0
      this.#length = this.#batch.length
    } while (this.#length === 0)
    return { done: false, value: this.#record() }
  }

  #record(): ConsumerRecord<K, V> {
    const batch = this.#batch!
    const row = this.#row++
    // Without decoders K and V are Buffer.
    return this.#decode === undefined
      ? (batch.record(row) as unknown as ConsumerRecord<K, V>)
      : new DecodedRecord(batch.record(row), this.#decode)
  }
}

/** A record whose key and value are decoded when they are first asked for. */
class DecodedRecord<K, V> extends LazyRecord<K, V> {
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
  get key(): K | null {
    return (this.#key ??= decodeWith(this.#decode.key, this.#record.key))
  }
  get value(): V | null {
    return (this.#value ??= decodeWith(this.#decode.value, this.#record.value))
  }
}

function decodeWith<T>(decode: ((bytes: Buffer) => T) | undefined, bytes: Buffer | null): T | null {
  if (bytes === null) return null
  return decode === undefined ? (bytes as T) : decode(bytes)
}
