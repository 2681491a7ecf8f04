/**
 * `$set` and `$addFields`: set fields to the values of expressions.
 *
 * All expressions see the document as it came in. An expression that gives nothing (a missing field, `$$REMOVE`) takes
 * the field away. Dotted names reach into objects and into every element of an array; an object as value replaces what
 * was there. A document in which every field already has its value stays as it is, bytes included.
 */
import type { RowFailed, Stage } from '../contracts/stage.ts'
import type { Batch } from '../records/batch.ts'
import type { MovedFields } from '../records/moved-fields.ts'
import { compileExpressions, type Expressions } from './expressions/expressions.ts'
import { isDocument, withField, withoutField, type Document } from './field-path.ts'
import { asksForTombstones, namesKey } from './meta.ts'
import { movedByFields } from './expressions/moved-fields.ts'
import { mapDocuments } from './rows.ts'

export class SetStage implements Stage {
  readonly needs = 'documents'
  readonly name: string
  readonly #paths: readonly (readonly string[])[]
  readonly #expressions: Expressions
  readonly #moved: MovedFields
  readonly #seesTombstones: boolean
  readonly #metaIndex: number
  readonly changesKeys: boolean

  constructor(name: '$set' | '$addFields', spec: Document) {
    this.name = name
    this.#seesTombstones = asksForTombstones(spec)
    this.#paths = Object.keys(spec).map((path) => path.split('.'))
    this.changesKeys = namesKey(this.#paths)
    this.#expressions = compileExpressions(Object.values(spec))
    this.#moved = movedByFields(spec)
    this.#metaIndex = Object.keys(spec).indexOf('_meta')
  }

  process(batch: Batch, failed?: RowFailed): Batch | undefined {
    return mapDocuments(batch, this.name, (document) => this.#set(document), failed, this.#seesTombstones, this.#moved)
  }

  #set(document: Document): Document {
    const values = this.#expressions(document)
    let result: unknown = document
    for (let i = 0; i < this.#paths.length; i++) {
      const value = values[i]
      const path = this.#paths[i]!
      if (value === undefined) result = withoutField(result, path)
      else result = withField(result, path, i === this.#metaIndex ? ownCopy(value) : value)
    }
    return result as Document
  }
}

/**
 * A copy of `_meta` without the mark by which the encode step tells what was attached when the record was read. A stage
 * that writes the whole field wants it in the value; one that writes below it (`_meta.key`) only changes the record.
 */
export function ownCopy(value: unknown): unknown {
  return isDocument(value) ? Object.fromEntries(Object.entries(value)) : value
}
