/**
 * Values in Avro, Protobuf and JSON Schema for programs, through a schema registry or with a schema of one's own.
 *
 * ```ts
 * await using orders = new SchemaDeserializer<Order>({ format: 'avro', schemaRegistry: 'http://localhost:8081' })
 * for await (const { value } of source) if (value !== null) console.log((await orders.deserialize(value)).amount)
 * ```
 */
import { SchemaReader } from '../codecs/schemas/reader.ts'
import { SchemaWriter } from '../codecs/schemas/writer.ts'
import { SCHEMA_TYPE_OF, type SchemaCodecName } from '../contracts/codec-names.ts'
import type { SchemaUse } from '../contracts/schemas.ts'
import { ClosedError, ConfigError, EncodeError } from '../errors/index.ts'
import { isObject } from '../options/values.ts'
import type { InputOptions, Options } from '../options/declaration.ts'
import { field } from '../options/fields.ts'
import { parseOptions } from '../options/parse.ts'
import type { REGISTRY_FIELDS } from '../schema-registry/fields.ts'
import { schemaProblems, SINK_SCHEMA_FIELDS } from '../schema-registry/format-fields.ts'
import { schemaHeaderIn, splitSchemaId } from '../schema-registry/record-headers.ts'
import { sinkSchemas, sourceSchemas, type ComponentSchemas } from '../schema-registry/schema-uses.ts'
import { SCHEMA_ID_HEADERS } from '../schema-registry/wire-format.ts'
import type { Header } from '../records/record.ts'
import type { MessageSerializer } from './sink/serializers.ts'

const FORMATS = Object.keys(SCHEMA_TYPE_OF) as [SchemaCodecName, ...SchemaCodecName[]]

const DESERIALIZER_FIELDS = {
  format: field.oneOf(FORMATS).doc('Format of the values: `avro`, `protobuf` or `json-schema`.').example('avro'),
  schemaRegistry: SINK_SCHEMA_FIELDS.schemaRegistry,
  schema: SINK_SCHEMA_FIELDS.valueSchema.doc(
    'Schema as a file or inline: to read with, or to write with. By default the one that a value was written with, or the latest of the subject.',
  ),
  references: SINK_SCHEMA_FIELDS.valueReferences.doc(
    'Schemas that `schema` refers to, each before those that refer to it.',
  ),
  message: SINK_SCHEMA_FIELDS.valueMessage,
  part: field
    .oneOf(['key', 'value'])
    .default('value')
    .doc('Whether it is for keys or values, which is part of the names of subjects and of headers.'),
}
const SERIALIZER_FIELDS = {
  ...DESERIALIZER_FIELDS,
  subject: SINK_SCHEMA_FIELDS.valueSubject,
  subjectNameStrategy: SINK_SCHEMA_FIELDS.subjectNameStrategy,
  autoRegisterSchemas: SINK_SCHEMA_FIELDS.autoRegisterSchemas,
  normalizeSchemas: SINK_SCHEMA_FIELDS.normalizeSchemas,
}

/** A schema that another one refers to. */
export interface WrittenReference {
  /** What the schema calls it: a type in Avro, the file of an `import` in Protobuf, a `$ref` in JSON Schema. */
  readonly name: string
  /** Its subject in the registry; its name when omitted. */
  readonly subject?: string | undefined
  /** Its version in that subject; the latest one when omitted. */
  readonly version?: number | undefined
  /** Name of a file, or the schema as text or as an object; needed without a registry. */
  readonly schema?: string | object | undefined
}

/** What may be written in more than one way. */
interface Written {
  /** Address of the registry, or an object with credentials. */
  readonly schemaRegistry?: string | readonly string[] | InputOptions<typeof REGISTRY_FIELDS> | undefined
  /** Name of a file, or a schema as text or as an object. */
  readonly schema?: string | object | undefined
  /** Schemas that it refers to, each before those that refer to it: given as well, or of the registry. */
  readonly references?: readonly WrittenReference[] | undefined
  /** Called with what is not an error, for instance that the registry does not answer for a while. */
  readonly onWarning?: (message: string) => void
}
/** Options of a `SchemaDeserializer`: those of the schema registry, and how schemas are used. */
export type SchemaDeserializerOptions = Omit<InputOptions<typeof DESERIALIZER_FIELDS>, keyof Written> & Written
/** Options of a `SchemaSerializer`: those of the schema registry, and how subjects and schemas are chosen. */
export type SchemaSerializerOptions = Omit<InputOptions<typeof SERIALIZER_FIELDS>, keyof Written> & Written

/** Options of one call of `deserialize`. */
export interface DeserializeOptions {
  /** Headers of the record. */
  readonly headers?: readonly Header[]
  /** Ends waiting for the schema. */
  readonly signal?: AbortSignal
}

/** A value whose schema is named by a header, to be written with it. */
export interface HeadedValue {
  /** The data, without a schema id in front. */
  readonly value: Buffer
  /** The header that names the schema. */
  readonly headers: readonly (readonly [name: string, value: Buffer])[]
}

/**
 * Reads values, each with the schema that it names. A schema is fetched once per process.
 *
 * Documents are those of pipelines (see docs/schemas.md), except that whole numbers beyond 2^53 are `bigint`, and decimals that no double holds
 * are text. A value that is no record, message or object is itself, not a field.
 */
export class SchemaDeserializer<T = unknown> {
  readonly #schemas: ComponentSchemas
  readonly #reader: SchemaReader
  readonly #part: 'key' | 'value'
  readonly #closing = new AbortController()

  /** @throws {ConfigError} with all problems of the options */
  constructor({ onWarning, ...options }: SchemaDeserializerOptions) {
    const parsed = read('SchemaDeserializer', DESERIALIZER_FIELDS, options)
    const { format, schemaRegistry, schema, references, message, part } = parsed
    const surroundings = { directory: process.cwd(), warn: onWarning ?? (() => {}) }
    const ofPart = { [`${part}Schema`]: schema, [`${part}References`]: references, [`${part}Message`]: message }
    const given = { schemaRegistry, ...ofPart }
    const classes = { key: 'string', value: 'string', [part]: format }
    this.#part = part
    this.#schemas = sourceSchemas(given, classes, surroundings)
    // The part that has the format has a use.
    this.#reader = new SchemaReader(format, { ...this.#schemas[part]!, forProgram: true })
  }

  /**
   * Reads one value. It waits for the schema on its first use, for as long as the registry is down.
   * @param options with `headers` those of the record, where the schema id may be in one of them instead of in front of the data
   * @throws {DecodeError} when the value cannot be read; {RegistryError} {AuthenticationError}; {AbortedError} when the signal fires
   */
  async deserialize(bytes: Buffer, { headers = [], signal }: DeserializeOptions = {}): Promise<T> {
    const stop = stopOf(this.#closing.signal, signal, 'a SchemaDeserializer')
    const header = schemaHeaderIn(headers, this.#part)
    await this.#reader.prepareValue(bytes, header, stop)
    // The caller declares with T what the schema describes.
    return this.#reader.decodeValue(bytes, header) as T
  }

  /** Ends what waits for the registry. May be called twice. */
  async close(): Promise<void> {
    this.#closing.abort()
    await this.#schemas.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

/** Content types of what is written. */
const CONTENT_TYPES = {
  avro: 'application/avro',
  protobuf: 'application/x-protobuf',
  'json-schema': 'application/json',
} as const

/** Writes values with the schema of their topic's subject, or with one that is registered there. For `serializer` of a `KafkaSink`, or alone. */
export class SchemaSerializer<T = unknown> implements MessageSerializer<T> {
  /** `application/avro`, `application/x-protobuf` or `application/json`, by its format. */
  readonly contentType: string
  readonly #options: Options<typeof SERIALIZER_FIELDS>
  readonly #warn: (message: string) => void
  readonly #closing = new AbortController()
  readonly #byTopic = new Map<string, { readonly schemas: ComponentSchemas; readonly writer: SchemaWriter }>()

  /** @throws {ConfigError} with all problems of the options */
  constructor({ onWarning, ...options }: SchemaSerializerOptions) {
    this.#options = read('SchemaSerializer', SERIALIZER_FIELDS, options)
    this.#warn = onWarning ?? (() => {})
    this.contentType = CONTENT_TYPES[this.#options.format]
  }

  /**
   * Writes one value. It waits for the schema on the first use of a topic, for as long as the registry is down.
   * @param topic of the record, after which its subject is named; not needed with `subject`
   * @throws {EncodeError} when the value does not fit the schema, with the path of the field; {RegistryError} {AuthenticationError}
   */
  async serialize(value: T, topic = ''): Promise<Buffer> {
    const stop = stopOf(this.#closing.signal, undefined, 'a SchemaSerializer')
    const writer = this.#writerOf(topic)
    await writer.prepare(stop)
    const document = isObject(value) ? value : { value }
    const payload = writer.encode(document)
    if (payload === null)
      throw new EncodeError('Cannot serialize {value: null}, which is a tombstone: write null instead')
    return typeof payload === 'string' ? Buffer.from(payload) : payload
  }

  /**
   * The same with the schema id in a header instead of in front of the data:
   *
   * ```ts
   * await sink.send({ key: 'o-1', ...(await serializer.serializeWithHeader(order, 'orders')) })
   * ```
   * @throws as `serialize`; {ConfigError} without a registry, where there is no id
   */
  async serializeWithHeader(value: T, topic = ''): Promise<HeadedValue> {
    const { format, part, schemaRegistry } = this.#options
    if (schemaRegistry === undefined)
      throw new ConfigError('Cannot write a schema id into a header without a schema registry: set schemaRegistry')
    const { header, data } = splitSchemaId(await this.serialize(value, topic), format === 'protobuf')!
    return { value: data, headers: [[SCHEMA_ID_HEADERS[part], header]] }
  }

  /** Ends what waits for the registry. May be called twice. */
  async close(): Promise<void> {
    this.#closing.abort()
    for (const { schemas } of this.#byTopic.values()) await schemas.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #writerOf(topic: string): SchemaWriter {
    const known = this.#byTopic.get(topic)
    if (known !== undefined) return known.writer
    const { format, part, schema, references, message, subject, ...rest } = this.#options
    if (topic === '' && subject === undefined && rest.schemaRegistry !== undefined)
      throw new ConfigError(
        'Cannot serialize a value without a topic, after which its subject is named: pass the topic, or set subject',
      )
    const ofPart = { [`${part}Schema`]: schema, [`${part}References`]: references, [`${part}Message`]: message }
    const given = { ...rest, ...ofPart, [`${part}Subject`]: subject }
    const classes = { key: 'string', value: 'string', [part]: format }
    const schemas = sinkSchemas(given, classes, topic, { directory: process.cwd(), warn: this.#warn })
    // The part that has the format has a use.
    const use: SchemaUse = schemas[part]!
    const writer = new SchemaWriter(format, use)
    this.#byTopic.set(topic, { schemas, writer })
    return writer
  }
}

function read<F extends typeof DESERIALIZER_FIELDS>(what: string, fields: F, options: object): Options<F> {
  const rules = [
    ({ format, schemaRegistry, schema, references, message }: Options<typeof DESERIALIZER_FIELDS>) =>
      schemaProblems(
        { schemaRegistry, valueSchema: schema, valueReferences: references, valueMessage: message },
        { key: 'string', value: format },
        'deserializer',
      ),
  ]
  const parsed = parseOptions<F>({ options: fields, rules: rules as never }, options)
  if (parsed.problems.length > 0) throw ConfigError.of(`Cannot create a ${what}`, parsed.problems)
  return parsed.options
}

function stopOf(closing: AbortSignal, signal: AbortSignal | undefined, what: string): AbortSignal {
  if (closing.aborted) throw new ClosedError(what)
  return signal === undefined ? closing : AbortSignal.any([closing, signal])
}
