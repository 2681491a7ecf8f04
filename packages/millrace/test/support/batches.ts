/**
 * Batches made by hand, for tests and micro-benchmarks of what happens between source and sink.
 */
import { Batch, type BatchOrigin } from '../../src/records/batch.ts'
import { makeRecords } from '../../src/records/make-records.ts'

export interface MadeRecord {
  readonly value: string | Buffer | null
  readonly key?: string | Buffer | null
  readonly headers?: readonly (readonly [name: string, value: Buffer | string | null])[]
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
export function batchOf(
  records: readonly (MadeRecord | string | Buffer | null)[],
  firstOffset = 100,
  origin: Partial<BatchOrigin> = {},
): Batch {
  const storage = makeRecords(
    records.map((record, i) => ({
      timestampMs: 1_700_000_000_000,
      offset: firstOffset + i,
      ...(record === null || typeof record === 'string' || Buffer.isBuffer(record) ? { value: record } : record),
    })),
  )
  const { bytes } = storage.locate()
  return new Batch(
    { ...ORIGIN, ...origin },
    { ...storage, raw: { bytes, ranges: Int32Array.of(0, bytes.length) } },
    { ack() {} },
  )
}

/** A batch whose values are the JSON texts of documents. */
export function batchOfDocuments(documents: readonly unknown[]): Batch {
  return batchOf(documents.map((document) => JSON.stringify(document)))
}
