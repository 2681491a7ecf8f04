/**
 * Records in message format `Avro`: key and value in Confluent's wire format, with the ids of schemas that are registered when a
 * session is opened.
 */
import { ConfigError } from '../../errors/index.ts'
import { parseOptions } from '../../options/parse.ts'
import { parseExactly } from '../../records/exact-numbers.ts'
import { SchemaRegistry } from '../../schema-registry/client.ts'
import { REGISTRY_FIELDS } from '../../schema-registry/fields.ts'
import { registrySettings } from '../../schema-registry/settings.ts'
import { PREFIX_BYTES, writePrefix } from '../../schema-registry/wire-format.ts'
import type { RegistryConfig } from '../config.ts'
import type { BatchBuilder } from '../records/batch-builder.ts'
import type { RecordFields } from '../records/fields.ts'
import { writeObject } from '../records/json-records.ts'
import { checkElements, type RecordEncoder } from '../records/record-encoder.ts'
import { RecordText } from '../records/record-text.ts'
import { withContext } from '../with-context.ts'
import type { StoredDocument } from '../wire/stored-document.ts'
import { canonicalForm } from './canonical.ts'
import { AvroEncoder } from './encode.ts'
import type { AvroSchema, BindingSchemas } from './schema.ts'
import { subjectName } from '../../schema-registry/subjects.ts'

/** A binding whose schemas are to be registered. */
export interface AvroBinding {
  readonly topic: string
  readonly fields: RecordFields
  readonly schemas: BindingSchemas
}

/** Bindings that are registered at the same time. */
const AT_ONCE = 10

/**
 * Registers the schemas of all bindings.
 * @returns an encoder for each
 * @throws {ConnectionError} `REGISTRY_UNAVAILABLE`; {RegistryError} `SCHEMA_REFUSED`
 */
export async function registerAvro(config: RegistryConfig, bindings: readonly AvroBinding[]): Promise<RecordEncoder[]> {
  const registry = openRegistry(config)
  try {
    const encoders: RecordEncoder[] = []
    for (let at = 0; at < bindings.length; at += AT_ONCE) {
      const some = bindings.slice(at, at + AT_ONCE)
      encoders.push(...(await Promise.all(some.map((binding) => registerBinding(registry, binding)))))
    }
    return encoders
  } finally {
    await registry.close()
  }
}

/** @throws {ConfigError} */
function openRegistry({ endpoint, username, password }: RegistryConfig): SchemaRegistry {
  const { options, problems } = parseOptions({ options: REGISTRY_FIELDS }, { url: endpoint, username, password })
  if (problems.length > 0)
    throw ConfigError.of('Cannot use the schema registry of the endpoint configuration', problems)
  return new SchemaRegistry(registrySettings(options), process.cwd())
}

async function registerBinding(
  registry: SchemaRegistry,
  { topic, fields, schemas }: AvroBinding,
): Promise<RecordEncoder> {
  const register = (schema: AvroSchema): Promise<number> => {
    const text = canonicalForm(schema)
    return registry.register(subjectOf(topic, text), { type: 'AVRO', text, references: [] }, { normalize: true })
  }
  const keyId = await register(schemas.key)
  const valueId = await register(schemas.value)
  return new AvroRecords(fields, schemas, keyId, valueId)
}

/** The same for keys and values; another schema has another subject. */
export function subjectOf(topic: string, text: string): string {
  return subjectName('topic-hash', { topic, part: 'value', recordName: '', text })
}

export class AvroRecords implements RecordEncoder {
  readonly #fields: RecordFields
  readonly #schemas: BindingSchemas
  readonly #keyPrefix = Buffer.alloc(PREFIX_BYTES)
  readonly #valuePrefix = Buffer.alloc(PREFIX_BYTES)
  readonly #encoder = new AvroEncoder()
  /** The document as JSON, before it is parsed. */
  readonly #text = new RecordText(Buffer.allocUnsafeSlow(4096))

  constructor(fields: RecordFields, schemas: BindingSchemas, keyId: number, valueId: number) {
    this.#fields = fields
    this.#schemas = schemas
    writePrefix(this.#keyPrefix, keyId)
    writePrefix(this.#valuePrefix, valueId)
  }

  encode(document: StoredDocument, into: BatchBuilder): void {
    const { isDelete } = document
    checkElements(document, this.#fields)
    const object = this.#objectOf(document)
    into.beginKey()
    into.text.raw(this.#keyPrefix)
    const parts = this.#fields.keyNames.map((name, i) => [`p${i + 1}`, object[name]])
    this.#write('key', this.#schemas.key, { _flow_key: Object.fromEntries(parts) as unknown }, into.text)
    if (isDelete) return into.endTombstone()
    into.beginValue()
    into.text.raw(this.#valuePrefix)
    this.#write('payload', this.#schemas.value, object, into.text)
    into.end()
  }

  /** The fields of the record; of one that is deleted, those of its key. */
  #objectOf(document: StoredDocument): Readonly<Record<string, unknown>> {
    const { key, value, keyCount } = this.#fields
    const text = this.#text
    text.position = 0
    writeObject(document.isDelete ? key : value, keyCount, document, text)
    return parseExactly(text.bytes.toString('utf8', 0, text.position)) as Record<string, unknown>
  }

  #write(what: 'key' | 'payload', schema: AvroSchema, value: unknown, to: RecordText): void {
    try {
      this.#encoder.encode(schema, value, to)
    } catch (error) {
      throw withContext(`encoding ${what}`, error)
    }
  }
}
