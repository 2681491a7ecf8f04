/**
 * Reads keys or values that name their schema, or whose schema the options name.
 *
 * `prepare` looks through a batch for schemas that are not known yet and fetches them; `decode` finds them by their id. That a
 * schema is not there, or cannot be used, is about the records that name it; that the registry is down is not, so `prepare` waits.
 */
import { SCHEMA_TYPE_OF, type SchemaCodecName } from '../../contracts/codec-names.ts'
import type { ExactDecoding } from '../../contracts/codec.ts'
import type { RegisteredSchema, SchemaStore, SchemaUse } from '../../contracts/schemas.ts'
import { DecodeError, isMillraceError } from '../../errors/index.ts'
import type { Batch } from '../../records/batch.ts'
import { programNumberOf } from '../../records/exact-numbers.ts'
import { schemaHeaderOf } from '../../schema-registry/record-headers.ts'
import { subjectName } from '../../schema-registry/subjects.ts'
import { PREFIX_BYTES, readSchemaHeader, schemaIdOf } from '../../schema-registry/wire-format.ts'
import { JSON_DECODING } from '../decoded-digits.ts'
import { DocumentNumbers } from './document-numbers.ts'
import { loadFormat } from './load-format.ts'
import { parseOwn } from './own-schema.ts'
import { patiently } from './patience.ts'
import { schemaIdsIn, type SchemaId } from './schema-ids.ts'
import type { NumberReader, ReadySchema, SchemaFormat } from './ready-schema.ts'

type Known = { readonly schema: ReadySchema } | { readonly error: string; readonly until: number }

/** How long a schema that is missing or unusable is not asked for again; as the registry's client keeps it. */
const FAILED_MS = 5000
/** Schemas that are fetched at the same time. */
const AT_ONCE = 8

export class SchemaReader {
  readonly #name: SchemaCodecName
  readonly #use: SchemaUse
  readonly #known = new Map<SchemaId, Known>()
  readonly #numbers = new DocumentNumbers()
  readonly #numberReader: NumberReader | undefined
  readonly digits: ExactDecoding
  #format: SchemaFormat | undefined
  /** The schema of the options: the reader's, or the only one. */
  #own: ReadySchema | undefined
  #isReady = false
  /** The schema that was used last, as most records of a topic have the same. */
  #lastId: SchemaId | undefined
  #lastSchema: ReadySchema | undefined

  constructor(name: SchemaCodecName, use: SchemaUse) {
    this.#name = name
    this.#use = use
    // Numbers of JSON are those of its text.
    const ofDocuments = name === 'json-schema' ? undefined : this.#numbers.read
    this.#numberReader = use.forProgram === true ? programNumberOf : ofDocuments
    this.digits = name === 'json-schema' ? JSON_DECODING : this.#digitsOf(this.#numbers)
  }

  #digitsOf(numbers: DocumentNumbers): ExactDecoding {
    return {
      get rounded() {
        return numbers.rounded
      },
      mayDiffer: () => true,
      decode: (bytes, batch, row) => {
        numbers.isExact = true
        try {
          return this.decode(bytes, batch, row)
        } finally {
          numbers.isExact = false
        }
      },
    }
  }

  /** @returns undefined when everything that the batch needs is known */
  prepare(batch: Batch, signal: AbortSignal): Promise<void> | undefined {
    const { store } = this.#use
    const wanted = store === undefined ? undefined : schemaIdsIn(batch, this.#use.part, (id) => this.#isUnknown(id))
    if (this.#isReady && wanted === undefined) return undefined
    return this.#fetch(wanted ?? new Set(), signal)
  }

  /** The same for one value. @param header that names its schema, if there is one */
  prepareValue(bytes: Buffer, header: Buffer | undefined, signal: AbortSignal): Promise<void> | undefined {
    const id = this.#use.store === undefined ? undefined : idOf(bytes, header)
    const isUnknown = id !== undefined && this.#isUnknown(id)
    return this.#isReady && !isUnknown ? undefined : this.#fetch(new Set(isUnknown ? [id] : []), signal)
  }

  /** @throws {DecodeError} without the place of the record, which the caller adds */
  decode(bytes: Buffer, batch?: Batch, row?: number): unknown {
    const { store, part } = this.#use
    if (store === undefined || batch === undefined || row === undefined) return this.decodeValue(bytes, undefined)
    try {
      return this.decodeValue(bytes, schemaHeaderOf(batch, batch.recordOf(row), part))
    } catch (cause) {
      if (!(cause instanceof DecodeError)) throw cause
      // What its schema is called where the producer has no strategy of its own: records do not say, and registries are not asked.
      const subject = subjectName('topic', { topic: batch.topic, part, recordName: '' })
      throw new DecodeError(part, `${cause.message}; by the topic, its subject is "${subject}"`, { cause: cause.cause })
    }
  }

  /** The same for one value. @param header that names its schema, if there is one */
  decodeValue(bytes: Buffer, header: Buffer | undefined): unknown {
    const { part, store } = this.#use
    if (store === undefined) {
      if (this.#own === undefined) throw new DecodeError(part, 'its schema was not prepared')
      return this.#read(this.#own, bytes, 0, false, '')
    }
    const named = header === undefined ? undefined : readSchemaHeader(header)
    if (named !== undefined) {
      const id = 'id' in named ? named.id : named.guid
      // Message indexes are in the header, too.
      const isFramed = this.#name === 'protobuf' && named.end < header!.length
      const data = isFramed ? Buffer.concat([header!.subarray(named.end), bytes]) : bytes
      return this.#read(this.#schema(id), data, 0, isFramed, ` of schema ${id}`)
    }
    const id = schemaIdOf(bytes)
    if (id === undefined)
      throw new DecodeError(
        part,
        bytes.length === 0
          ? 'it is empty, which is neither data nor a tombstone'
          : `it has no schema id: it starts with ${bytes.toString('hex', 0, Math.min(bytes.length, PREFIX_BYTES))}`,
      )
    return this.#read(id === this.#lastId ? this.#lastSchema! : this.#schema(id), bytes, PREFIX_BYTES, true, id)
  }

  #read(schema: ReadySchema, bytes: Buffer, start: number, framed: boolean, id: SchemaId): unknown {
    try {
      // Programs have values as they are, documents are objects.
      if (this.#use.forProgram === true && schema.readValue !== undefined) return schema.readValue(bytes, start)
      return schema.read(bytes, start, framed)
    } catch (cause) {
      const named = schema.name === '' ? '' : ` "${schema.name}"`
      const which =
        typeof id === 'number' ? ` (schema ${id}${named})` : `${id}${named === '' ? '' : ` (schema${named})`}`
      throw new DecodeError(this.#use.part, `${(cause as Error).message}${which}`, { cause })
    }
  }

  /** @throws {DecodeError} why it cannot be used */
  #schema(id: SchemaId): ReadySchema {
    const known = this.#known.get(id)
    if (known === undefined) throw new DecodeError(this.#use.part, `its schema ${id} was not prepared`)
    if ('error' in known) throw new DecodeError(this.#use.part, known.error)
    this.#lastId = id
    this.#lastSchema = known.schema
    return known.schema
  }

  #isUnknown(id: SchemaId): boolean {
    const known = this.#known.get(id)
    return known === undefined || ('error' in known && known.until <= Date.now())
  }

  async #fetch(wanted: ReadonlySet<SchemaId>, signal: AbortSignal): Promise<void> {
    const { store, own, message, warn, waits } = this.#use
    this.#format ??= await loadFormat(this.#name)
    if (!this.#isReady && own !== undefined) {
      const format = this.#format
      const registered = { type: SCHEMA_TYPE_OF[this.#name], store, writing: undefined }
      const parse = (): ReturnType<typeof parseOwn> =>
        parseOwn(format, own, registered, { message, numbers: this.#numberReader })
      const what = `the schema registry at "${store?.urls[0]}"`
      this.#own = (await (store === undefined ? parse() : patiently(what, parse, { signal, warn, waits }))).schema
    }
    this.#isReady = true
    const ids = [...wanted]
    for (let i = 0; i < ids.length; i += AT_ONCE)
      await Promise.all(ids.slice(i, i + AT_ONCE).map((id) => this.#learn(store!, id, signal)))
  }

  async #learn(store: SchemaStore, id: SchemaId, signal: AbortSignal): Promise<void> {
    const { warn, waits } = this.#use
    const what = `the schema registry at "${store.urls[0]}"`
    try {
      const { registered, references } = await patiently(
        what,
        async () => {
          const found = await (typeof id === 'number' ? store.schema(id) : store.schemaByGuid(id))
          return { registered: found, references: await store.references(found) }
        },
        { signal, warn, waits },
      )
      this.#known.set(id, { schema: this.#parse(registered, references) })
    } catch (error) {
      if (isMillraceError(error) && error.code !== 'SCHEMA_NOT_FOUND') throw error
      this.#known.set(id, { error: (error as Error).message, until: Date.now() + FAILED_MS })
    }
  }

  #parse(
    { id, type, text }: RegisteredSchema,
    references: Awaited<ReturnType<SchemaStore['references']>>,
  ): ReadySchema {
    const format = this.#format!
    if (type !== SCHEMA_TYPE_OF[this.#name])
      throw new Error(`its schema ${id} is of type ${type}, which the codec ${this.#name} does not read`)
    let writer: ReadySchema
    try {
      writer = format.parse({
        text,
        references,
        message: this.#own === undefined ? this.#use.message : undefined,
        numbers: this.#numberReader,
      })
    } catch (error) {
      throw new Error(`Cannot use schema ${id}: ${(error as Error).message}`, { cause: error })
    }
    if (this.#own === undefined) return writer
    try {
      return format.evolve(writer, this.#own)
    } catch (error) {
      throw new Error(`Cannot read schema ${id} with ${this.#use.own!.what}: ${(error as Error).message}`, {
        cause: error,
      })
    }
  }
}

function idOf(bytes: Buffer, header: Buffer | undefined): SchemaId | undefined {
  const named = header === undefined ? undefined : readSchemaHeader(header)
  return named === undefined ? schemaIdOf(bytes) : 'id' in named ? named.id : named.guid
}
