/**
 * Lays records out as Kafka does from the key on, one after the other, so that any sink can take them in a batch and a
 * Kafka sink copies them as they are, headers included.
 */
import type { LocatedRecords, Payload } from './batch.ts'
import { HeaderWriter } from './header-writer.ts'
import { LocatedRecordsBuilder } from './located-records-builder.ts'
import type { ProducerRecord } from './record.ts'
import { endOfVarint, putVarint, VARINT_BYTES, varintAt } from './varint.ts'

/** Headers of another record in Kafka's format, number included: `bytes[start, end)`. None when that is empty. */
export interface StoredHeaders {
  readonly bytes: Buffer
  readonly start: number
  readonly end: number
}

const NONE: StoredHeaders = { bytes: Buffer.alloc(0), start: 0, end: 0 }

const headerWriter = new HeaderWriter()

export class RecordWriter {
  readonly #records: LocatedRecordsBuilder
  #bytes: Buffer
  #position = 0

  /** Both are guesses; more is taken when it is needed. */
  constructor(records: number, bytesPerRecord: number) {
    this.#records = new LocatedRecordsBuilder(records)
    this.#bytes = Buffer.allocUnsafeSlow(Math.max(64, records * bytesPerRecord))
  }

  get count(): number {
    return this.#records.count
  }

  /** Adds a record. `stored` headers come after the others. */
  add(
    offset: number,
    timestampMs: number,
    key: Payload,
    value: Payload,
    headers: NonNullable<ProducerRecord['headers']>,
    stored: StoredHeaders = NONE,
  ): void {
    const storedLength = stored.end - stored.start
    // The number of headers stands before them, so it is counted anew.
    const headersLength = headerWriter.write(headers, storedLength === 0 ? 0 : varintAt(stored.bytes, stored.start))
    this.#reserve(sizeOf(key) + sizeOf(value) + 2 * VARINT_BYTES + headersLength + storedLength)

    const body = this.#position
    const keyLength = this.#writeLength(key)
    const keyStart = this.#position
    this.#write(key)
    const valueLength = this.#writeLength(value)
    const valueStart = this.#position
    this.#write(value)
    if (headersLength === 1) this.#bytes[this.#position++] = headerWriter.bytes[0]!
    else this.#position += headerWriter.bytes.copy(this.#bytes, this.#position, 0, headersLength)
    if (storedLength > 0) {
      const first = endOfVarint(stored.bytes, stored.start, stored.end, VARINT_BYTES)
      this.#position += stored.bytes.copy(this.#bytes, this.#position, first, stored.end)
    }
    this.#records.add(offset, timestampMs, body, keyStart, keyLength, valueStart, valueLength, this.#position)
  }

  /** The records that were added. The writer must not be used any more. */
  finish(): LocatedRecords {
    return this.#records.finish(this.#bytes.subarray(0, this.#position))
  }

  #reserve(size: number): void {
    if (this.#position + size <= this.#bytes.length) return
    const larger = Buffer.allocUnsafeSlow(Math.max(this.#bytes.length * 2, this.#position + size))
    this.#bytes.copy(larger, 0, 0, this.#position)
    this.#bytes = larger
  }

  #writeLength(payload: Payload): number {
    const length = payload === null ? -1 : typeof payload === 'string' ? Buffer.byteLength(payload) : payload.length
    this.#position = putVarint(this.#bytes, this.#position, length)
    return length
  }

  #write(payload: Payload): void {
    if (payload === null) return
    this.#position +=
      typeof payload === 'string'
        ? this.#bytes.write(payload, this.#position)
        : payload.copy(this.#bytes, this.#position)
  }
}

/** At most so many bytes. */
function sizeOf(payload: Payload): number {
  return payload === null ? 0 : typeof payload === 'string' ? payload.length * 3 : payload.length
}
