/**
 * Lays records out anew, as Kafka does: key, value and headers of some rows of a batch with other values, keys or more
 * headers. Offsets, times and the acknowledgement stay those of the batch.
 */
import {
  Batch,
  BODY,
  END,
  FIELDS,
  KEY,
  KEY_LENGTH,
  VALUE,
  VALUE_LENGTH,
  type LocatedRecords,
  type Payload,
} from '../batch.ts'
import type { Header } from '../record.ts'
import { putVarint } from './protocol/record-batch-builder.ts'
import { endOfVarint, VARINT_BYTES, varintAt } from './protocol/varint.ts'

/** Bytes around a record that are not key, value or headers: the lengths of key and value, the number of headers. */
const FRAME_BYTES = 3 * VARINT_BYTES

export interface NewRecord {
  readonly value: Payload
  /** The stored key when omitted. */
  readonly key?: Payload | undefined
  /** Come before those of the record. */
  readonly headers?: readonly Header[]
}

export class BatchWriter {
  readonly #batch: Batch
  #bytes: Buffer
  #position = 0
  #count = 0
  readonly #fields: Int32Array
  readonly #offsets: Float64Array
  readonly #timestamps: Float64Array

  /** @param bytesPerRecord guess; more is taken when it is needed */
  constructor(batch: Batch, bytesPerRecord: number) {
    this.#batch = batch
    this.#bytes = Buffer.allocUnsafeSlow(Math.max(64, batch.length * bytesPerRecord))
    this.#fields = new Int32Array(batch.length * FIELDS)
    this.#offsets = new Float64Array(batch.length)
    this.#timestamps = new Float64Array(batch.length)
  }

  /** Adds what becomes of a row; rows that are not added are dropped. Each row once at the most. */
  add(row: number, { value, key, headers = [] }: NewRecord): void {
    const { bytes, fields, offsets, timestamps } = this.#batch.records
    const record = this.#batch.recordOf(row)
    const from = record * FIELDS
    const storedKey = viewKey(this.#batch, row)
    const newKey = key === undefined ? storedKey : key
    const headersStart = fields[from + VALUE]! + Math.max(0, fields[from + VALUE_LENGTH]!)
    const headersEnd = fields[from + BODY]! < 0 ? headersStart : fields[from + END]!
    const added = headers.reduce((sum, [name, text]) => sum + 10 + Buffer.byteLength(name) + (text?.length ?? 0), 0)
    this.#reserve(sizeOf(newKey) + sizeOf(value) + headersEnd - headersStart + added + FRAME_BYTES)

    const to = this.#count * FIELDS
    this.#fields[to + BODY] = this.#position
    const keyLength = newKey === null ? -1 : byteLength(newKey)
    this.#writeVarint(keyLength)
    this.#fields[to + KEY] = this.#position
    this.#fields[to + KEY_LENGTH] = keyLength
    this.#write(newKey)
    const valueLength = value === null ? -1 : byteLength(value)
    this.#writeVarint(valueLength)
    this.#fields[to + VALUE] = this.#position
    this.#fields[to + VALUE_LENGTH] = valueLength
    this.#write(value)
    this.#writeHeaders(bytes, headersStart, headersEnd, headers)
    this.#fields[to + END] = this.#position
    this.#offsets[this.#count] = offsets[record]!
    this.#timestamps[this.#count] = timestamps[record]!
    this.#count++
  }

  /** The batch of the rows that were added; undefined when none was. */
  finish(): Batch | undefined {
    const count = this.#count
    if (count === 0) return undefined
    const records: LocatedRecords = {
      bytes: this.#bytes.subarray(0, this.#position),
      count,
      fields: this.#fields.subarray(0, count * FIELDS),
      offsets: this.#offsets.subarray(0, count),
      timestamps: this.#timestamps.subarray(0, count),
    }
    const { origin, acknowledgement } = this.#batch
    return new Batch(
      origin,
      {
        byteLength: this.#position,
        count,
        firstOffset: records.offsets[0]!,
        lastOffset: records.offsets[count - 1]!,
        locate: () => records,
        raw: undefined,
      },
      acknowledgement,
    )
  }

  #reserve(size: number): void {
    if (this.#position + size <= this.#bytes.length) return
    const larger = Buffer.allocUnsafeSlow(Math.max(this.#bytes.length * 2, this.#position + size))
    this.#bytes.copy(larger, 0, 0, this.#position)
    this.#bytes = larger
  }

  #write(payload: Payload): void {
    if (payload === null) return
    this.#position +=
      typeof payload === 'string'
        ? this.#bytes.write(payload, this.#position)
        : payload.copy(this.#bytes, this.#position)
  }

  /** The number of headers stands before them, so it is counted anew; the bytes of the stored ones are copied. */
  #writeHeaders(from: Buffer, start: number, end: number, added: readonly Header[]): void {
    const next = start < end ? endOfVarint(from, start, end, VARINT_BYTES) : start
    this.#writeVarint((start < end ? varintAt(from, start) : 0) + added.length)
    for (const [name, value] of added) {
      this.#writeVarint(Buffer.byteLength(name))
      this.#write(name)
      this.#writeVarint(value === null ? -1 : value.length)
      this.#write(value)
    }
    this.#position += from.copy(this.#bytes, this.#position, next, end)
  }

  #writeVarint(value: number): void {
    this.#position = putVarint(this.#bytes, this.#position, value)
  }
}

/** The key as it would go out: what a stage made of it, or the stored one. */
function viewKey(batch: Batch, row: number): Payload {
  const changed = batch.keys?.[row]
  return changed === undefined ? batch.key(row) : changed
}

function byteLength(payload: Exclude<Payload, null>): number {
  return typeof payload === 'string' ? Buffer.byteLength(payload) : payload.length
}

/** At most so many bytes. */
function sizeOf(payload: Payload): number {
  return payload === null ? 0 : typeof payload === 'string' ? payload.length * 3 : payload.length
}
