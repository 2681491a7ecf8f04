/** What `$toEvent` and `$fromEvent` share: they lay records out anew, while stages around them may work on documents. */
import type { Batch, Payload } from '../records/batch.ts'
import { stringifyExactly } from '../records/exact-numbers.ts'
import { exactRow } from '../records/row-digits.ts'
import type { Document } from './field-path.ts'

/** The value of a row as it would be written now. */
export function valueOfRow(batch: Batch, row: number): Buffer | string | null {
  return batch.replaced?.[row] === 1 ? documentText(batch, row) : batch.value(row)
}

/** The document of a row as JSON, whatever format its value has; null for a tombstone. */
export function decodedValueOfRow(batch: Batch, row: number): string | null {
  return batch.isTombstone(row) ? null : documentText(batch, row)
}

function documentText(batch: Batch, row: number): string {
  return stringifyExactly(exactRow(writtenDocument(batch, row), batch, row))
}

function writtenDocument(batch: Batch, row: number): unknown {
  const { _meta, ...rest } = batch.documents![row] as Document
  return isAttached(_meta) ? rest : batch.documents![row]
}

/**
 * Gives the rows of a new batch their documents where those of the old one had theirs, with the same `_meta`.
 * @param kept rows of the old batch that became rows of the new one
 */
export function documentsOf(made: Batch | undefined, before: Batch, kept: readonly number[]): Batch | undefined {
  if (made === undefined || before.documents === undefined) return made
  made.documents = kept.map((row, i) => {
    const document = parseDocument(made.value(i))
    const { _meta: meta } = before.documents![row] as Document
    return isAttached(meta) ? { ...document, _meta: meta } : document
  })
  return made
}

/** As values are read everywhere: an object is the document, anything else becomes `{value}`. */
function parseDocument(bytes: Payload): Document {
  if (bytes === null) return { value: null }
  const text = bytes.toString()
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return { value: text }
  }
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Document) : { value }
}

/** Whether `_meta` was attached when the record was read, and is no part of the value. */
function isAttached(meta: unknown): boolean {
  return typeof meta === 'object' && meta !== null && Object.getOwnPropertySymbols(meta).length > 0
}
