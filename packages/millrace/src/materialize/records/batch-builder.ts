/**
 * Gathers the records of one binding into a batch for the producer, laid out as Kafka does, so that they are copied as they are.
 */
import { Batch, type BatchOrigin } from '../../records/batch.ts'
import { LocatedRecordsBuilder, storageOfLocated } from '../../records/located-records-builder.ts'
import { putVarint, VARINT_BYTES } from '../../records/varint.ts'
import { RecordText } from './record-text.ts'

/** Bytes after which a batch is passed on. */
export const BATCH_BYTES: number = 256 << 10
const RECORDS = 1024

const NO_ACKNOWLEDGEMENT = { ack: () => {} }

export class BatchBuilder {
  readonly text: RecordText
  #records = new LocatedRecordsBuilder(RECORDS)
  #body = 0
  #keyStart = 0
  #keyEnd = 0
  #valueStart = 0

  /** @param bytes to be filled; a larger buffer takes its place when that is not enough */
  constructor(bytes: Buffer) {
    this.text = new RecordText(bytes)
  }

  get count(): number {
    return this.#records.count
  }

  get isFull(): boolean {
    return this.text.position >= BATCH_BYTES
  }

  /** Afterwards the key is to be written to `text`. */
  beginKey(): void {
    this.text.reserve(VARINT_BYTES)
    this.#body = this.text.position
    this.text.position += VARINT_BYTES
    this.#keyStart = this.text.position
  }

  /** Afterwards the value is to be written to `text`. */
  beginValue(): void {
    const { text } = this
    this.#keyEnd = text.position
    text.reserve(VARINT_BYTES)
    text.position += VARINT_BYTES
    this.#valueStart = text.position
  }

  /** The record is whole. */
  end(): void {
    const { text } = this
    const keyLength = this.#keyEnd - this.#keyStart
    const valueLength = text.position - this.#valueStart
    const body = this.#putKeyLength(keyLength)
    const size = putVarint(text.bytes, this.#keyEnd, valueLength) - this.#keyEnd
    const valueStart = this.#keyEnd + size
    if (valueStart < this.#valueStart) text.bytes.copyWithin(valueStart, this.#valueStart, text.position)
    this.#finish(body, keyLength, valueStart, valueLength, valueStart + valueLength)
  }

  /** The record is a tombstone: the key is whole, and there is no value. */
  endTombstone(): void {
    const { text } = this
    this.#keyEnd = text.position
    const keyLength = this.#keyEnd - this.#keyStart
    const body = this.#putKeyLength(keyLength)
    text.reserve(VARINT_BYTES)
    const valueStart = putVarint(text.bytes, this.#keyEnd, -1)
    this.#finish(body, keyLength, valueStart, -1, valueStart)
  }

  /** The length goes right before the key, in as many bytes as it takes. */
  #putKeyLength(length: number): number {
    const size = putVarint(this.text.bytes, this.#body, length) - this.#body
    if (size === VARINT_BYTES) return this.#body
    return putVarint(this.text.bytes, this.#keyStart - size, length) - size
  }

  #finish(body: number, keyLength: number, valueStart: number, valueLength: number, end: number): void {
    const { text } = this
    text.position = end
    text.byte(0) // no headers
    this.#records.add(this.count, -1, body, this.#keyStart, keyLength, valueStart, valueLength, text.position)
  }

  /** The records as a batch, and an empty builder. @param bytes to be filled next */
  take(topic: string, bytes: Buffer): Batch {
    const origin: BatchOrigin = {
      component: 'materialize-kafka',
      topic,
      partition: 0,
      partitionCount: 0,
      timestampType: 'CreateTime',
    }
    const { text } = this
    const batch = new Batch(
      origin,
      storageOfLocated(this.#records.finish(text.bytes.subarray(0, text.position))),
      NO_ACKNOWLEDGEMENT,
    )
    this.#records = new LocatedRecordsBuilder(RECORDS)
    text.bytes = bytes
    text.position = 0
    return batch
  }
}
