/**
 * Lays records out anew: key, value and headers of some rows of a batch with other values, keys or more headers. Offsets,
 * times and the acknowledgement stay those of the batch.
 */
import { Batch, BODY, END, FIELDS, VALUE, VALUE_LENGTH, type Payload, type RowSource } from './batch.ts'
import { storageOfLocated } from './located-records-builder.ts'
import type { Header } from './record.ts'
import { RecordWriter } from './record-writer.ts'

export interface NewRecord {
  readonly value: Payload
  /** The stored key when omitted. */
  readonly key?: Payload | undefined
  /** Come before those of the record. */
  readonly headers?: readonly Header[]
  /** Whether the stored headers are left out. */
  readonly replacesHeaders?: boolean
}

export class BatchWriter {
  readonly #batch: Batch
  readonly #writer: RecordWriter
  /** Stored record that each one that is laid out was. */
  readonly #records: number[] = []

  /** @param bytesPerRecord guess; more is taken when it is needed */
  constructor(batch: Batch, bytesPerRecord: number) {
    this.#batch = batch
    this.#writer = new RecordWriter(batch.length, bytesPerRecord)
  }

  /** Adds what becomes of a row; rows that are not added are dropped. Each row once at the most. */
  add(row: number, { value, key = viewKey(this.#batch, row), headers = [], replacesHeaders = false }: NewRecord): void {
    const { bytes, fields, offsets, timestamps } = this.#batch.records
    const record = this.#batch.recordOf(row)
    const at = record * FIELDS
    const start = fields[at + VALUE]! + Math.max(0, fields[at + VALUE_LENGTH]!)
    const isKept = !replacesHeaders && fields[at + BODY]! >= 0
    const stored = isKept ? { bytes, start, end: fields[at + END]! } : undefined
    this.#records.push(record)
    this.#writer.add(offsets[record]!, timestamps[record]!, key, value, headers, stored)
  }

  /** The batch of the rows that were added; undefined when none was. */
  finish(): Batch | undefined {
    if (this.#writer.count === 0) return undefined
    const { origin, acknowledgement } = this.#batch
    // Without the documents, which nothing needs any more; its bytes are held anyway until the batch is acknowledged.
    const before = this.#batch.derive({})
    const records = this.#records
    const sources = {
      of: (record: number): readonly RowSource[] => [
        { batch: before.derive({ rows: Int32Array.of(records[record]!) }), row: 0 },
      ],
    }
    return new Batch(origin, storageOfLocated(this.#writer.finish()), acknowledgement, { sources })
  }
}

/** The key as it would go out: what a stage made of it, or the stored one. */
function viewKey(batch: Batch, row: number): Payload {
  const changed = batch.keys?.[row]
  return changed === undefined ? batch.key(row) : changed
}
