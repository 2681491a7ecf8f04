/**
 * `$unwind`: gives one document for each element of an array.
 *
 * A field that is not an array counts as an array of one. Documents whose field is missing, null or an empty array are
 * dropped, unless `preserveNullAndEmptyArrays` keeps them; of those an empty array is taken away.
 */
import type { Stage } from '../contracts/stage.ts'
import type { Batch } from '../records/batch.ts'
import { isTombstone } from './rows.ts'
import { readField, THROUGH_ARRAY, withField, withoutField, type Document } from './field-path.ts'

export interface UnwindOptions {
  /** With its dollar sign, for instance `$items`. */
  readonly path: string
  /** Field that gets the position of the element; null when the field was not an array. */
  readonly includeArrayIndex?: string | undefined
  readonly preserveNullAndEmptyArrays?: boolean | undefined
}

export class UnwindStage implements Stage {
  readonly name = '$unwind'
  readonly needs = 'documents'
  readonly #path: readonly string[]
  readonly #indexPath: readonly string[] | undefined
  readonly #preserve: boolean

  constructor(options: UnwindOptions) {
    this.#path = options.path.slice(1).split('.')
    this.#indexPath = options.includeArrayIndex?.split('.')
    this.#preserve = options.preserveNullAndEmptyArrays ?? false
  }

  process(batch: Batch): Batch | undefined {
    const rows: number[] = []
    const documents: unknown[] = []
    const replaced: number[] = []
    const keys: Batch['keys'] = batch.keys && []
    let changed = false
    const push = (row: number, document: Document, before: Document): void => {
      const isNew = document !== before
      rows.push(batch.recordOf(row))
      documents.push(document)
      replaced.push(isNew ? 1 : (batch.replaced?.[row] ?? 0))
      keys?.push(batch.keys![row])
      changed ||= isNew
    }
    for (let row = 0; row < batch.length; row++) {
      const document = batch.documents![row] as Document
      const found = readField(document, this.#path)
      const value = found === THROUGH_ARRAY ? undefined : found
      if (Array.isArray(value) && value.length > 0) {
        for (let i = 0; i < value.length; i++)
          push(row, this.#withIndex(withField(document, this.#path, value[i] ?? null) as Document, i), document)
      } else if (Array.isArray(value)) {
        if (this.#preserve) push(row, this.#withIndex(withoutField(document, this.#path) as Document, null), document)
      } else if (isTombstone(batch, row, document)) {
        push(row, document, document)
      } else if (this.#preserve || (value !== null && value !== undefined)) {
        push(row, this.#withIndex(document, null), document)
      }
    }
    if (rows.length === 0) return undefined
    if (!changed && rows.length === batch.length) return batch
    return batch.derive({
      rows: Int32Array.from(rows),
      documents,
      replaced: changed || batch.replaced !== undefined ? Uint8Array.from(replaced) : undefined,
      keys,
    })
  }

  #withIndex(document: Document, index: number | null): Document {
    return this.#indexPath === undefined ? document : (withField(document, this.#indexPath, index) as Document)
  }
}
