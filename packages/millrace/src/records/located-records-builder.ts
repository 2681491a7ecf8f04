/**
 * Says where records lie that were made here, not fetched: of a file, of a generator, of rows of several batches. Whoever
 * lays out the bytes adds one record after the other; nobody else writes the arrays of `LocatedRecords` by hand, except
 * `kafka/protocol/locate-records.ts`, which is faster for knowing their number beforehand.
 *
 * May import only `batch.ts`.
 */
import {
  BODY,
  END,
  FIELDS,
  KEY,
  KEY_LENGTH,
  VALUE,
  VALUE_LENGTH,
  type LocatedRecords,
  type RecordStorage,
} from './batch.ts'

export class LocatedRecordsBuilder {
  count = 0
  #capacity: number
  #fields: Int32Array
  #offsets: Float64Array
  #timestamps: Float64Array

  /** @param capacity guess of the number of records; more is taken when it is needed */
  constructor(capacity: number) {
    this.#capacity = Math.max(1, capacity)
    this.#fields = new Int32Array(this.#capacity * FIELDS)
    this.#offsets = new Float64Array(this.#capacity)
    this.#timestamps = new Float64Array(this.#capacity)
  }

  /**
   * Adds a record.
   *
   * @param timestampMs -1 when it has none
   * @param body where its part in Kafka's format begins; -1 when it has none, and so no headers
   * @param keyLength -1 when the key is null
   * @param valueLength -1 when the value is null
   */
  add(
    offset: number,
    timestampMs: number,
    body: number,
    key: number,
    keyLength: number,
    value: number,
    valueLength: number,
    end: number,
  ): void {
    const record = this.count++
    if (record === this.#capacity) this.#grow()
    const fields = this.#fields
    const at = record * FIELDS
    fields[at + BODY] = body
    fields[at + KEY] = key
    fields[at + KEY_LENGTH] = keyLength
    fields[at + VALUE] = value
    fields[at + VALUE_LENGTH] = valueLength
    fields[at + END] = end
    this.#offsets[record] = offset
    this.#timestamps[record] = timestampMs
  }

  /** Adds a record that is a value and nothing else. */
  addValue(offset: number, start: number, end: number): void {
    this.add(offset, -1, -1, start, -1, start, end - start, end)
  }

  /** Adds a record of other bytes that were copied, so that its positions are higher by `shift`. */
  addMoved({ fields, offsets, timestamps }: LocatedRecords, record: number, shift: number): void {
    const at = record * FIELDS
    const body = fields[at + BODY]!
    this.add(
      offsets[record]!,
      timestamps[record]!,
      body < 0 ? -1 : body + shift,
      fields[at + KEY]! + shift,
      fields[at + KEY_LENGTH]!,
      fields[at + VALUE]! + shift,
      fields[at + VALUE_LENGTH]!,
      fields[at + END]! + shift,
    )
  }

  /** The records that were added. The builder must not be used any more. */
  finish(bytes: Buffer): LocatedRecords {
    const { count } = this
    return {
      bytes,
      count,
      fields: this.#fields.subarray(0, count * FIELDS),
      offsets: this.#offsets.subarray(0, count),
      timestamps: this.#timestamps.subarray(0, count),
    }
  }

  #grow(): void {
    this.#capacity *= 2
    this.#fields = grown(this.#fields, new Int32Array(this.#capacity * FIELDS))
    this.#offsets = grown(this.#offsets, new Float64Array(this.#capacity))
    this.#timestamps = grown(this.#timestamps, new Float64Array(this.#capacity))
  }
}

function grown<T extends Int32Array | Float64Array>(from: T, to: T): T {
  to.set(from)
  return to
}

/** Records that are located already, as a batch stores them. Their first and last offset are those of its ends. */
export function storageOfLocated(records: LocatedRecords): RecordStorage {
  const { bytes, count, offsets } = records
  return {
    byteLength: bytes.length,
    count,
    firstOffset: offsets[0] ?? 0,
    lastOffset: offsets[count - 1] ?? -1,
    raw: undefined,
    locate: () => records,
  }
}
