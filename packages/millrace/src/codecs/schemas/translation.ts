/**
 * Keys or values that go to another registry as they are: their schema is registered there, and the id in front of the data is replaced.
 * An id that was in a header is put in front of the data, too; where the sink wants ids is for the sink to see to.
 *
 * Data means the same under either id, so nothing is parsed. Schemas that a schema refers to are registered first, under their own
 * subjects.
 */
import type { SchemaCodecName } from '../../contracts/codec-names.ts'
import type {
  RegisteredSchema,
  Schema,
  SchemaReference,
  SchemaStore,
  SchemaUse,
  SchemaWriting,
} from '../../contracts/schemas.ts'
import { EncodeError, isMillraceError } from '../../errors/index.ts'
import type { Batch } from '../../records/batch.ts'
import { schemaHeaderOf } from '../../schema-registry/record-headers.ts'
import { readSchemaHeader, schemaIdOf, withSchemaId, writePrefix } from '../../schema-registry/wire-format.ts'
import { loadFormat } from './load-format.ts'
import { patiently } from './patience.ts'
import { schemaIdsIn, type SchemaId } from './schema-ids.ts'

type Known = { readonly id: number } | { readonly error: string; readonly until: number }

/** How long a schema that is missing is not asked for again; as the registry's client keeps it. */
const FAILED_MS = 5000

export class Translation {
  readonly #name: SchemaCodecName
  readonly #from: SchemaStore
  readonly #to: SchemaStore
  readonly #part: 'key' | 'value'
  readonly #writing: SchemaWriting
  readonly #listeners: Pick<SchemaUse, 'warn' | 'waits'>
  /** Ids of the target by those of the source. */
  readonly #ids = new Map<SchemaId, Known>()

  constructor(name: SchemaCodecName, from: SchemaStore, to: SchemaStore, { part, writing, warn, waits }: SchemaUse) {
    this.#name = name
    this.#from = from
    this.#to = to
    this.#part = part
    this.#writing = writing!
    this.#listeners = { warn, waits }
  }

  /** @returns undefined when all schemas of the batch are known on both sides */
  prepare(batch: Batch, signal: AbortSignal): Promise<void> | undefined {
    const wanted = schemaIdsIn(batch, this.#part, (id) => {
      const known = this.#ids.get(id)
      return known === undefined || ('error' in known && known.until <= Date.now())
    })
    return wanted === undefined ? undefined : this.#learn([...wanted], signal)
  }

  /** The same data under the id of the target, in front of it. @throws {EncodeError} */
  translate(bytes: Buffer, batch: Batch, row: number): Buffer {
    const header = schemaHeaderOf(batch, batch.recordOf(row), this.#part)
    const named = header === undefined ? undefined : readSchemaHeader(header)
    if (named !== undefined) {
      const id = this.#idFor('id' in named ? named.id : named.guid)
      // Message indexes are in the header, too.
      return withSchemaId(id, Buffer.concat([header!.subarray(named.end), bytes]))
    }
    const id = this.#idFor(schemaIdOf(bytes))
    const translated = Buffer.from(bytes)
    writePrefix(translated, id)
    return translated
  }

  #idFor(id: SchemaId | undefined): number {
    const known = id === undefined ? undefined : this.#ids.get(id)
    if (known === undefined)
      throw new EncodeError(`Cannot write the ${this.#part} for another schema registry as it has no schema id`)
    if ('error' in known) throw new EncodeError(known.error)
    return known.id
  }

  async #learn(ids: readonly SchemaId[], signal: AbortSignal): Promise<void> {
    // One after the other, as several may have the same subject.
    for (const id of ids)
      try {
        const what = `the schema registries at "${this.#from.urls[0]}" and "${this.#to.urls[0]}"`
        const known = await patiently(what, () => this.#register(id), { signal, ...this.#listeners })
        this.#ids.set(id, { id: known })
      } catch (error) {
        if (!isMillraceError(error) || error.code !== 'SCHEMA_NOT_FOUND') throw error
        this.#ids.set(id, { error: error.message, until: Date.now() + FAILED_MS })
      }
  }

  async #register(id: SchemaId): Promise<number> {
    const schema = await (typeof id === 'number' ? this.#from.schema(id) : this.#from.schemaByGuid(id))
    const subject = this.#writing.subject(await this.#recordName(schema))
    const copy = await this.#withReferences(schema, new Set())
    return this.#writing.register
      ? this.#to.register(subject, copy, { normalize: this.#writing.normalize })
      : this.#to.lookup(subject, copy)
  }

  /** A schema whose references are to versions of the target. */
  async #withReferences({ type, text, references }: Schema, open: Set<string>): Promise<Schema> {
    const own: SchemaReference[] = []
    for (const { name, subject, version } of references) {
      const key = `${version} ${subject}`
      if (open.has(key)) continue
      const needed = await this.#withReferences(await this.#from.version(subject, version), new Set([...open, key]))
      if (this.#writing.register) await this.#to.register(subject, needed)
      own.push({ name, subject, version: await this.#to.versionOf(subject, needed) })
    }
    return { type, text, references: own }
  }

  /** Only a subject that is named after the record needs it. */
  async #recordName(schema: RegisteredSchema): Promise<string> {
    if (this.#writing.subject('a') === this.#writing.subject('b')) return ''
    const format = await loadFormat(this.#name)
    return format.parse({ text: schema.text, references: await this.#from.references(schema) }).name
  }
}
