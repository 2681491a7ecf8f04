/**
 * What stages have in common: how a batch is narrowed to some rows, and how each document is replaced by another.
 */
import type { Batch } from '../batch.ts'
import { isMillraceError, StageError } from '../errors/index.ts'
import type { Document } from './field-path.ts'

/** The batch with some of its rows, in ascending order; the same batch when all are kept, undefined when none is. */
export function keepRows(batch: Batch, kept: Int32Array, count: number): Batch | undefined {
  if (count === 0) return undefined
  if (count === batch.length) return batch
  const rows = new Int32Array(count)
  const documents = batch.documents === undefined ? undefined : ([] as unknown[])
  const replaced = batch.replaced === undefined ? undefined : new Uint8Array(count)
  for (let i = 0; i < count; i++) {
    const row = kept[i]!
    rows[i] = batch.recordOf(row)
    if (documents !== undefined) documents.push(batch.documents![row])
    if (replaced !== undefined) replaced[i] = batch.replaced![row]!
  }
  return batch.derive({ rows, documents, replaced })
}

/** The batch with the rows from `start` on, up to but without `end`. */
export function sliceRows(batch: Batch, start: number, end: number): Batch | undefined {
  const count = Math.max(0, end - start)
  return keepRows(
    batch,
    Int32Array.from({ length: count }, (_, i) => start + i),
    count,
  )
}

/**
 * The batch with each document replaced by what a function makes of it. A row counts as replaced only when the function
 * gave another document, so that everything else goes out as the bytes that came in.
 *
 * @param transform must not change the document that it is given
 * @throws {StageError} with the place of the record on which the function failed
 */
export function mapDocuments(batch: Batch, stage: string, transform: (document: Document) => Document): Batch {
  const before = batch.documents!
  const length = batch.length
  const documents: unknown[] = []
  let replaced: Uint8Array | undefined
  let row = 0
  try {
    for (; row < length; row++) {
      const document = before[row] as Document
      const result = transform(document)
      documents.push(result)
      if (result !== document) (replaced ??= batch.replaced?.slice() ?? new Uint8Array(length))[row] = 1
    }
  } catch (error) {
    throw stageError(batch, row, stage, error)
  }
  return replaced === undefined ? batch : batch.derive({ rows: batch.rows, documents, replaced })
}

/** Says on which record a stage failed. */
export function stageError(batch: Batch, row: number, stage: string, cause: unknown): Error {
  if (isMillraceError(cause)) return cause
  const { topic, partition } = batch
  const offset = batch.offset(row)
  const reason = cause instanceof Error ? cause.message.replace(/\.$/, '') : String(cause)
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
