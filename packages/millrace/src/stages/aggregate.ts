/**
 * Stages that look at several documents at once: `$sort`, `$group`, `$bucket`, `$bucketAuto`, `$sortByCount`, `$count`,
 * `$fill`, `$densify`, `$setWindowFields`, `$redact`, `$lookup`.
 *
 * They work on one batch at a time, as on the host, where stages go from list to list; `runtime.microBatchSize` says how
 * many records that are. A document that one of these stages made of several others has no key, and counts as made from
 * the last record of its batch.
 */
import type { RowFailed, Stage } from '../contracts/stage.ts'
import type { Batch, Payload } from '../records/batch.ts'
import { STAGES, type StageName } from './definitions/index.ts'
import type { Document } from './field-path.ts'
import { createAggregation } from './expressions/mingo.ts'
import { asksForTombstones } from './meta.ts'
import { isTombstone, newRows, stageFailed } from './rows.ts'

/** Marks which row a document came from, on its way through the engine. */
const ROW = '\u0000row'

export class AggregateStage implements Stage {
  readonly needs = 'documents'
  readonly name: StageName
  readonly does = 'works on all documents of one batch together'
  readonly combinesRows = true
  readonly #aggregate: (documents: readonly Document[]) => Document[]
  readonly #keepsRows: boolean
  readonly #seesTombstones: boolean

  /**
   * @param specOf gives the specification for a batch, where it depends on the documents
   * @param around does something with documents before and after; they are copies that it may change
   */
  constructor(
    name: StageName,
    spec: unknown,
    specOf?: (documents: readonly Document[]) => unknown,
    around?: (documents: readonly Document[], aggregate: (documents: readonly Document[]) => Document[]) => Document[],
  ) {
    this.name = name
    this.#keepsRows = STAGES[name].keepsDocuments === true
    this.#seesTombstones = asksForTombstones(spec)
    const plain = createAggregation([{ [name]: spec }])
    const aggregate = around === undefined ? plain : (documents: readonly Document[]) => around(documents, plain)
    this.#aggregate =
      specOf === undefined
        ? aggregate
        : (documents) => {
            const own = specOf(documents)
            return own === spec ? aggregate(documents) : createAggregation([{ [name]: own }])(documents)
          }
  }

  process(batch: Batch, failed?: RowFailed): Batch | undefined {
    const before = batch.documents as Document[]
    try {
      return this.#keepsRows
        ? keepRows(
            batch,
            this.#aggregate(before.map((document, row) => ({ ...(copy(document) as object), [ROW]: row }))),
            this.#seesTombstones,
          )
        : newRows(batch, this.#aggregate(before.map((document) => copy(document) as Document)), this.#isSource(before))
    } catch (error) {
      // Nobody knows which of the documents it was, so all of them have failed.
      for (let row = 0; row < batch.length; row++) stageFailed(batch, row, this.name, error, failed)
      return undefined
    }
  }

  /** Whether a group was made of a row: alone, it would have made a group of the same value. */
  #isSource(documents: readonly Document[]): ((made: unknown, row: number) => boolean) | undefined {
    if (STAGES[this.name].groups !== true) return undefined
    return (made, row) => {
      const [alone] = this.#aggregate([copy(documents[row]) as Document])
      return alone !== undefined && isEqual(alone['_id'], (made as Document)['_id'])
    }
  }
}

/**
 * Puts documents in the place of the rows that they carry. Those that are as they were, and tombstones, go out as the bytes that came
 * in. One that carries no row was added by the stage.
 */
function keepRows(batch: Batch, results: readonly Document[], seesTombstones: boolean): Batch | undefined {
  if (results.length === 0) return undefined
  const rows = new Int32Array(results.length)
  const documents: unknown[] = []
  const replaced = new Uint8Array(results.length)
  const keys: (Payload | undefined)[] = []
  results.forEach(({ [ROW]: from, ...document }, i) => {
    const row = (from as number | undefined) ?? batch.length - 1
    rows[i] = batch.recordOf(row)
    keys.push(from === undefined ? null : batch.keys?.[row])
    const original = batch.documents![row] as Document
    const isSame =
      from !== undefined && ((!seesTombstones && isTombstone(batch, row, original)) || isEqual(document, original))
    documents.push(
      isSame
        ? original
        : '_meta' in original && from !== undefined
          ? { ...document, _meta: original['_meta'] }
          : document,
    )
    replaced[i] = isSame ? (batch.replaced?.[row] ?? 0) : 1
  })
  const hasKeys = keys.some((key) => key !== undefined)
  return batch.derive({ rows, documents, replaced, keys: hasKeys ? keys : undefined })
}

/** A deep copy: the engine changes documents in place, and a document may still stand for unchanged bytes. */
function copy(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || value instanceof Date) return value
  if (Array.isArray(value)) return value.map(copy)
  return Object.fromEntries(
    Object.entries(value).map(([name, field]) => [name, name === '_meta' ? copyOfMeta(field) : copy(field)]),
  )
}

/** With the mark that says that it is not part of the value, wherever the stage puts the document. */
function copyOfMeta(meta: unknown): unknown {
  const copied = copy(meta)
  if (typeof copied === 'object' && copied !== null)
    for (const mark of Object.getOwnPropertySymbols(meta))
      (copied as { [mark: symbol]: unknown })[mark] = (meta as { readonly [mark: symbol]: unknown })[mark]
  return copied
}

function isEqual(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (a instanceof Date || b instanceof Date || Array.isArray(a) !== Array.isArray(b)) return false
  const names = Object.keys(a)
  return (
    names.length === Object.keys(b).length &&
    names.every((name) => Object.hasOwn(b, name) && isEqual((a as Document)[name], (b as Document)[name]))
  )
}
