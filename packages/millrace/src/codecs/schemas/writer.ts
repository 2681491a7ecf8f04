/**
 * Writes keys or values with a schema: the one that the options give, which is registered or looked up, or the latest of the subject.
 *
 * `prepare` gets the schema and its id; `encode` uses them. While the registry is down the schema that is known is used on.
 */
import { SCHEMA_TYPE_OF, type SchemaCodecName } from '../../contracts/codec-names.ts'
import type { SchemaStore, SchemaUse, SchemaWriting } from '../../contracts/schemas.ts'
import { EncodeError, isMillraceError, RegistryError, UnexpectedError } from '../../errors/index.ts'
import type { Payload } from '../../records/batch.ts'
import { PREFIX_BYTES, writePrefix } from '../../schema-registry/wire-format.ts'
import { loadFormat } from './load-format.ts'
import { parseOwn } from './own-schema.ts'
import { patiently } from './patience.ts'
import { FieldError, type ReadySchema, type SchemaFormat } from './ready-schema.ts'

/** A schema to write with; the id is undefined where there is no registry. */
interface Current {
  readonly schema: ReadySchema
  readonly id: number | undefined
  readonly subject: string | undefined
}

/** How long it is taken for granted that a subject has no schema; as the registry's client keeps it. */
const MISSING_MS = 5000

export class SchemaWriter {
  readonly #name: SchemaCodecName
  readonly #use: SchemaUse
  #current: Current | undefined
  /** Why there is no schema; of no concern as long as nothing has to be written with it. */
  #missing: RegistryError | undefined
  #freshUntil = 0

  constructor(name: SchemaCodecName, use: SchemaUse) {
    this.#name = name
    this.#use = use
  }

  prepare(signal: AbortSignal): Promise<void> | undefined {
    return Date.now() < this.#freshUntil ? undefined : this.#renew(signal)
  }

  /** @throws {EncodeError}; {RegistryError} when there is no schema, which is not about the record */
  encode(document: unknown): Payload {
    if (this.#missing !== undefined) throw this.#missing
    if (this.#current === undefined) throw new UnexpectedError(`The schema of a ${this.#use.part} was not prepared`)
    const { schema, id } = this.#current
    const hasId = id !== undefined
    try {
      const bytes = schema.write(document, hasId ? PREFIX_BYTES : 0, hasId)
      if (hasId) writePrefix(bytes, id)
      return bytes
    } catch (cause) {
      if (!(cause instanceof FieldError)) throw cause
      if (isTombstone(document)) return null
      throw new EncodeError(`Cannot write the ${this.#use.part} as ${this.#name}: ${cause.message}${this.#place()}`, {
        cause,
      })
    }
  }

  #place(): string {
    const { schema, id, subject } = this.#current!
    const named = schema.name === '' ? '' : ` "${schema.name}"`
    return id === undefined ? ` (${this.#use.own!.what})` : ` (schema ${id}${named} of subject "${subject}")`
  }

  async #renew(signal: AbortSignal): Promise<void> {
    const { store, writing, warn, waits } = this.#use
    const format = await loadFormat(this.#name)
    if (store === undefined || writing === undefined) {
      const { own, message } = this.#use
      const nowhere = { type: SCHEMA_TYPE_OF[this.#name], store: undefined, writing: undefined }
      const { schema } = await parseOwn(format, own!, nowhere, { message })
      this.#current = { schema, id: undefined, subject: undefined }
      this.#freshUntil = Infinity
      return
    }
    const find = (): Promise<Current> => this.#find(format, store, writing)
    const what = `the schema registry at "${store.urls[0]}"`
    try {
      // What is known will do while the registry is down.
      this.#current = this.#current === undefined ? await patiently(what, find, { signal, warn, waits }) : await find()
      this.#missing = undefined
    } catch (error) {
      if (error instanceof RegistryError && error.code === 'SCHEMA_NOT_FOUND' && this.#use.own === undefined) {
        this.#missing = error
        this.#freshUntil = Date.now() + MISSING_MS
        return
      }
      if (this.#current === undefined || !isMillraceError(error) || !error.retriable) throw error
    }
    this.#freshUntil = this.#use.own === undefined ? Date.now() + this.#use.latestTtlMs : Infinity
  }

  async #find(format: SchemaFormat, store: SchemaStore, writing: SchemaWriting): Promise<Current> {
    const { own, message, part } = this.#use
    const type = SCHEMA_TYPE_OF[this.#name]
    if (own !== undefined) {
      const { schema, text, references } = await parseOwn(format, own, { type, store, writing }, { message })
      const subject = writing.subject(schema.name, text)
      const stored = { type, text, references }
      const id = await (writing.register
        ? store.register(subject, stored, { normalize: writing.normalize })
        : store.lookup(subject, stored))
      return { schema, id, subject }
    }
    const subject = writing.subject('')
    const latest = await store.latest(subject).catch((error: unknown) => {
      if (!(error instanceof RegistryError) || error.code !== 'SCHEMA_NOT_FOUND') throw error
      throw new RegistryError(
        'SCHEMA_NOT_FOUND',
        `Cannot write the ${part} as ${this.#name} as subject "${subject}" has no schema: set ${part}Schema, or ${part}Subject to a subject that has one`,
        { status: error.status, registryCode: error.registryCode, cause: error },
      )
    })
    if (latest.type !== type)
      throw new RegistryError(
        'REGISTRY_ERROR',
        `Cannot write the ${part} as ${this.#name} as the schema of subject "${subject}" is of type ${latest.type}`,
        { status: 200 },
      )
    const references = await store.references(latest)
    try {
      return { schema: format.parse({ text: latest.text, references, message }), id: latest.id, subject }
    } catch (cause) {
      throw new RegistryError(
        'REGISTRY_ERROR',
        `Cannot use schema ${latest.id} of subject "${subject}": ${(cause as Error).message}`,
        {
          status: 200,
          cause,
        },
      )
    }
  }
}

/** What a tombstone is as a document. */
function isTombstone(document: unknown): boolean {
  const names = Object.entries(document as object).filter(([, value]) => value !== undefined)
  return names.length === 1 && names[0]![0] === 'value' && names[0]![1] === null
}
