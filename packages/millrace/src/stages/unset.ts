/**
 * `$unset`: takes fields away. Dotted names reach into objects and into every element of an array. A document without
 * any of the fields stays as it is, bytes included.
 */
import type { RowFailed, Stage } from '../contracts/stage.ts'
import type { Batch } from '../records/batch.ts'
import { withoutField, type Document } from './field-path.ts'
import { namesKey } from './meta.ts'
import { mapDocuments } from './rows.ts'

export class UnsetStage implements Stage {
  readonly needs = 'documents'
  readonly name: string
  readonly changesKeys: boolean
  readonly #paths: readonly (readonly string[])[]

  /** @param name the stage that errors are to name: `$project` may be nothing but a list of fields to leave out */
  constructor(name: '$unset' | '$project', fields: readonly string[]) {
    this.name = name
    this.#paths = fields.map((field) => field.split('.'))
    this.changesKeys = namesKey(this.#paths)
  }

  process(batch: Batch, failed?: RowFailed): Batch | undefined {
    return mapDocuments(batch, this.name, (document) => this.#unset(document), failed)
  }

  #unset(document: Document): Document {
    let result: unknown = document
    for (let i = 0; i < this.#paths.length; i++) result = withoutField(result, this.#paths[i]!)
    return result as Document
  }
}
