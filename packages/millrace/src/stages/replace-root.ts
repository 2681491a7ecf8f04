/**
 * `$replaceRoot` and `$replaceWith`: put an object, usually one of the document's own, in the place of the document.
 */
import type { RowFailed, Stage } from '../contracts/stage.ts'
import type { Batch } from '../records/batch.ts'
import type { MovedFields } from '../records/moved-fields.ts'
import { compileExpressions, type Expressions } from './expressions/expressions.ts'
import { isDocument, type Document } from './field-path.ts'
import { asksForTombstones } from './meta.ts'
import { movedBy } from './expressions/moved-fields.ts'
import { mapDocuments } from './rows.ts'

export class ReplaceRootStage implements Stage {
  readonly needs = 'documents'
  readonly name: string
  readonly #expressions: Expressions
  readonly #seesTombstones: boolean
  readonly #moved: MovedFields

  constructor(name: '$replaceRoot' | '$replaceWith', expression: unknown) {
    this.name = name
    this.#seesTombstones = asksForTombstones(expression)
    this.#expressions = compileExpressions([expression])
    this.#moved = movedBy(expression, [])
  }

  /** @throws {StageError} when the expression gives anything but an object */
  process(batch: Batch, failed?: RowFailed): Batch | undefined {
    return mapDocuments(batch, this.name, (document) => this.#root(document), failed, this.#seesTombstones, this.#moved)
  }

  #root(document: Document): Document {
    const [value] = this.#expressions(document)
    if (isDocument(value)) return value
    const kind =
      value === undefined
        ? 'nothing, as the field is missing'
        : value === null
          ? 'null'
          : Array.isArray(value)
            ? 'an array'
            : `a ${typeof value}`
    throw new Error(`the new root must be an object, but the expression returned ${kind}`)
  }
}
