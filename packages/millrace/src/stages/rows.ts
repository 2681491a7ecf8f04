/**
 * What stages have in common: how a batch is narrowed to some rows, and how each document is replaced by another.
 */
import { explainEngineError } from './expressions/engine-errors.ts'
import type { RowFailed } from '../contracts/stage.ts'
import { Batch, type Digits, FIELDS, type LocatedRecords, type RowSource } from '../records/batch.ts'
import { sourcesOf } from '../records/sources.ts'
import type { MovedFields } from '../records/moved-fields.ts'
import { RecordError, StageError } from '../errors/index.ts'
import type { Document } from './field-path.ts'

/** The batch with the rows from `start` on, up to but without `end`. */
export function sliceRows(batch: Batch, start: number, end: number): Batch | undefined {
  return batch.pick(Int32Array.from({ length: Math.max(0, end - start) }, (_, i) => start + i))
}

/**
 * The batch with each document replaced by what a function makes of it. A row counts as replaced only when the function
 * gave another document, so that everything else goes out as the bytes that came in.
 *
 * Tombstones pass as they are: a document made of one would take the place of what it deletes. A stage that asks for them by
 * `_meta.tombstone` says so with `seesTombstones`.
 *
 * @param transform must not change the document that it is given
 * @param moved the fields that the function copies
 * @param failed told of each row on which the function failed, which is left out then
 * @throws {StageError} without `failed`, with the place of the record on which the function failed
 */
export function mapDocuments(
  batch: Batch,
  stage: string,
  transform: (document: Document, row: number) => Document,
  failed?: RowFailed,
  seesTombstones = false,
  moved: MovedFields = [],
): Batch | undefined {
  const before = batch.documents!
  const length = batch.length
  const documents: unknown[] = []
  const lost = new Set<number>()
  let replaced: Uint8Array | undefined
  for (let row = 0; row < length; row++) {
    try {
      for (; row < length; row++) {
        const document = before[row] as Document
        const result = !seesTombstones && isTombstone(batch, row, document) ? document : transform(document, row)
        documents.push(result)
        if (result !== document) (replaced ??= batch.replaced?.slice() ?? new Uint8Array(length))[row] = 1
      }
    } catch (error) {
      stageFailed(batch, row, stage, error, failed)
      lost.add(row)
      documents.push(undefined)
    }
  }
  if (replaced === undefined) return batch.without(lost)
  const allMoved = moved.length === 0 ? batch.moved : [...(batch.moved ?? []), moved]
  return batch.derive({ rows: batch.rows, documents, replaced, keys: batch.keys, moved: allMoved }).without(lost)
}

/** Whether a row is a tombstone that no stage has made a document of. Its document tells nearly always: locating records that were made here would write them. */
export function isTombstone(batch: Batch, row: number, document: Document): boolean {
  return (document['value'] === null || document['_kafka_payload'] === null) && batch.isTombstone(row)
}

/**
 * A batch of documents that were made of the rows of another one. They have no key, and the offset, time and headers of the last
 * row.
 *
 * @param isSource whether a document was made of a row; asked only when it fails. All rows count when omitted, or when none is
 * @param numbers the digits of the documents, where it is known which they are; or other batches of which they have numbers, too.
 *   By default they are looked for in the numbers of all rows
 */
export function newRows(
  batch: Batch,
  documents: readonly unknown[],
  isSource?: (made: unknown, row: number) => boolean,
  numbers: { readonly digits?: Digits; readonly also?: readonly Batch[] } = {},
): Batch | undefined {
  if (documents.length === 0) return undefined
  const { length } = documents
  const { origin, acknowledgement, byteLength, range } = batch
  const read = batch.derive({ rows: batch.rows })
  const all = (): readonly RowSource[] => rowsOf(read)
  const { digits, also = [] } = numbers
  const parts = (): readonly RowSource[] => [...(batch.sources?.parts ?? all)(), ...also.flatMap(rowsOf)]
  const sources = {
    of(made: number): readonly RowSource[] {
      const own = isSource === undefined ? [] : all().filter(({ row }) => isSource(documents[made], row))
      return own.length === 0 ? all() : own
    },
    parts: digits === undefined ? parts : undefined,
  }
  const storage = {
    byteLength,
    count: length,
    firstOffset: range.firstOffset,
    lastOffset: range.lastOffset,
    raw: undefined,
    locate: () => repeated(batch.records, batch.recordOf(batch.length - 1), length),
  }
  return new Batch(origin, storage, acknowledgement, {
    documents: [...documents],
    replaced: new Uint8Array(length).fill(1),
    keys: documents.map(() => null),
    range,
    sources,
    digits,
  })
}

function rowsOf(batch: Batch): RowSource[] {
  return Array.from({ length: batch.length }, (_, row) => ({ batch, row }))
}

/** One record several times. */
function repeated(
  { bytes, fields, offsets, timestamps }: LocatedRecords,
  record: number,
  count: number,
): LocatedRecords {
  const repeatedFields = new Int32Array(count * FIELDS)
  const own = fields.subarray(record * FIELDS, (record + 1) * FIELDS)
  for (let i = 0; i < count; i++) repeatedFields.set(own, i * FIELDS)
  return {
    bytes,
    count,
    fields: repeatedFields,
    offsets: new Float64Array(count).fill(offsets[record]!),
    timestamps: new Float64Array(count).fill(timestamps[record]!),
  }
}

/** Tells on which record a stage failed, or throws it when nobody wants to be told. */
export function stageFailed(
  batch: Batch,
  row: number,
  stage: string,
  cause: unknown,
  failed: RowFailed | undefined,
): void {
  const error = stageError(batch, row, stage, cause)
  if (failed === undefined) throw error
  failed(row, error)
}

function stageError(batch: Batch, row: number, stage: string, cause: unknown): RecordError {
  if (cause instanceof RecordError) return cause
  const [source] = sourcesOf(batch, row)
  const { topic, partition } = source!.batch
  const offset = source!.batch.offset(source!.row)
  const reason = cause instanceof Error ? explainEngineError(cause.message.replace(/\.$/, '')) : String(cause)
  return new StageError(
    `Cannot apply "${stage}" to the record at offset ${offset} of "${topic}" partition ${partition}: ${reason}`,
    {
      cause,
      topic,
      partition,
      offset,
      component: stage,
    },
  )
}
