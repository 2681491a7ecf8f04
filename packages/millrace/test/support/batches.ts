/**
 * Batches made by hand, for tests and micro-benchmarks of what happens between source and sink.
 */
import { BODY, END, FIELDS, KEY, KEY_LENGTH, VALUE, VALUE_LENGTH, Batch, type LocatedRecords } from '../../src/batch.ts'

export interface MadeRecord {
  readonly value: string | Buffer | null
  readonly key?: string | Buffer | null
  readonly headers?: readonly (readonly [name: string, value: string | null])[]
  readonly timestampMs?: number
}

export const ORIGIN = {
  component: 'test',
  topic: 'orders',
  partition: 3,
  partitionCount: 6,
  timestampType: 'CreateTime',
} as const

/** A batch of records laid out as Kafka does from the key on, with offsets from `firstOffset`. Texts alone are values. */
export function batchOf(records: readonly (MadeRecord | string | Buffer | null)[], firstOffset = 100): Batch {
  const located = locate(
    records.map((record) =>
      record === null || typeof record === 'string' || Buffer.isBuffer(record) ? { value: record } : record,
    ),
    firstOffset,
  )
  const { bytes, count } = located
  return new Batch(
    ORIGIN,
    {
      byteLength: bytes.length,
      count,
      firstOffset,
      lastOffset: firstOffset + count - 1,
      raw: { bytes, ranges: Int32Array.of(0, bytes.length) },
      locate: () => located,
    },
    { ack() {} },
  )
}

/** A batch whose values are the JSON texts of documents. */
export function batchOfDocuments(documents: readonly unknown[]): Batch {
  return batchOf(documents.map((document) => JSON.stringify(document)))
}

function locate(records: readonly MadeRecord[], firstOffset: number): LocatedRecords {
  const fields = new Int32Array(records.length * FIELDS)
  const parts: Buffer[] = []
  let position = 0
  const append = (bytes: Buffer): number => {
    const start = position
    parts.push(bytes)
    position += bytes.length
    return start
  }
  records.forEach(({ key = null, value, headers = [] }, i) => {
    const field = i * FIELDS
    fields[field + BODY] = append(varint(key === null ? -1 : Buffer.byteLength(key)))
    fields[field + KEY] = append(Buffer.from(key ?? ''))
    fields[field + KEY_LENGTH] = key === null ? -1 : Buffer.byteLength(key)
    append(varint(value === null ? -1 : Buffer.byteLength(value)))
    fields[field + VALUE] = append(Buffer.from(value ?? ''))
    fields[field + VALUE_LENGTH] = value === null ? -1 : Buffer.byteLength(value)
    append(varint(headers.length))
    for (const [name, text] of headers)
      append(
        Buffer.concat([
          varint(Buffer.byteLength(name)),
          Buffer.from(name),
          varint(text === null ? -1 : Buffer.byteLength(text)),
          Buffer.from(text ?? ''),
        ]),
      )
    fields[field + END] = position
  })
  return {
    bytes: Buffer.concat(parts),
    count: records.length,
    fields,
    offsets: Float64Array.from(records, (_, i) => firstOffset + i),
    timestamps: Float64Array.from(records, ({ timestampMs = 1_700_000_000_000 }) => timestampMs),
  }
}

function varint(value: number): Buffer {
  let rest = ((value << 1) ^ (value >> 31)) >>> 0
  const bytes: number[] = []
  for (; rest > 127; rest >>>= 7) bytes.push((rest & 127) | 128)
  return Buffer.from([...bytes, rest])
}
