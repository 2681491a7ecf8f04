/**
 * `$match`: keeps the documents that satisfy a condition of MongoDB's query language.
 *
 * Values of different types never compare (`$gte: 100` is false for the text "100"), an array satisfies a condition
 * when any of its elements does, and `null` is equal to a missing field. Dates in JSON are text and compare as text.
 */
import type { RowFailed, Stage, StageNeeds } from '../contracts/stage.ts'
import type { Batch } from '../records/batch.ts'
import type { Document } from './field-path.ts'
import { createQuery } from './expressions/mingo.ts'
import { stageFailed } from './rows.ts'
import { compileSimpleQuery, UNSURE, YES, type SimpleQuery } from './expressions/simple-query.ts'

export class MatchStage implements Stage {
  readonly name = '$match'
  readonly needs: StageNeeds
  readonly fields?: readonly string[]
  readonly #simple: SimpleQuery
  readonly #query: (document: Document) => boolean
  #kept = new Int32Array(0)

  /** @throws {Error} when the condition is not valid */
  constructor(condition: Document) {
    const fields = fieldsOfQuery(condition)
    this.needs = fields === undefined ? 'documents' : 'fields'
    if (fields !== undefined) this.fields = fields
    this.#query = createQuery(condition)
    this.#simple = compileSimpleQuery(condition) ?? (() => UNSURE)
  }

  process(batch: Batch, failed?: RowFailed): Batch | undefined {
    const documents = batch.documents as Document[]
    const length = batch.length
    if (this.#kept.length < length) this.#kept = new Int32Array(length)
    const kept = this.#kept
    let count = 0
    for (let row = 0; row < length; row++) {
      try {
        for (; row < length; row++) {
          const document = documents[row]!
          const answer = this.#simple(document)
          if (answer === YES || (answer === UNSURE && this.#query(document))) kept[count++] = row
        }
      } catch (error) {
        stageFailed(batch, row, this.name, error, failed)
      }
    }
    return batch.pick(kept, count)
  }
}

/** The fields of the outermost object that a condition looks at; undefined when it may look at others. */
function fieldsOfQuery(condition: Document): readonly string[] | undefined {
  const names = new Set<string>()
  for (const [name, operand] of Object.entries(condition)) {
    if (name.startsWith('$')) {
      const parts =
        LISTS.has(name) && Array.isArray(operand) ? operand.map((part: Document) => fieldsOfQuery(part)) : []
      if (parts.length === 0 || parts.includes(undefined)) return undefined
      for (const part of parts.flat()) names.add(part!)
    } else {
      const [field] = name.split('.')
      if (field === '' || field === '__proto__') return undefined
      names.add(field!)
    }
  }
  return [...names]
}

const LISTS: ReadonlySet<string> = new Set(['$and', '$or', '$nor'])
