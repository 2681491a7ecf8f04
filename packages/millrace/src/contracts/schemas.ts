/**
 * Schemas: what a registry stores, the registry as codecs use it, and what a source or sink says about the schemas of its keys and values.
 */

/** Formats of schemas, as registries name them. */
export const SCHEMA_TYPES = ['AVRO', 'PROTOBUF', 'JSON'] as const
export type SchemaType = (typeof SCHEMA_TYPES)[number]

/** Another schema that one needs, by the name that it uses for it: a type in Avro, an import in Protobuf, a `$ref` in JSON Schema. */
export interface SchemaReference {
  readonly name: string
  readonly subject: string
  readonly version: number
}

/** A schema to register or to look up. */
export interface Schema {
  readonly type: SchemaType
  /** As its format writes it: JSON for Avro and JSON Schema, a `.proto` file for Protobuf. */
  readonly text: string
  readonly references: readonly SchemaReference[]
}

/** A schema as the registry knows it under its id. */
export interface RegisteredSchema extends Schema {
  readonly id: number
}

/** A version of a subject. */
export interface SchemaVersion extends RegisteredSchema {
  readonly subject: string
  readonly version: number
}

/** The text of a schema that another one needs, and the name that it is needed by. */
export interface ReferencedSchema {
  readonly name: string
  readonly text: string
}

/** A registry as codecs use it; `schema-registry/client.ts` is one. It caches, and each method may be called for every batch. */
export interface SchemaStore {
  /** Addresses; two stores with the same ones have the same schemas under the same ids. */
  readonly urls: readonly string[]
  /** @throws {RegistryError} `SCHEMA_NOT_FOUND`; {ConnectionError} `REGISTRY_UNAVAILABLE` */
  schema(id: number, signal?: AbortSignal): Promise<RegisteredSchema>
  schemaByGuid(guid: string, signal?: AbortSignal): Promise<RegisteredSchema>
  latest(subject: string, signal?: AbortSignal): Promise<SchemaVersion>
  register(subject: string, schema: Schema, options?: RegisterOptions): Promise<number>
  version(subject: string, version: number, signal?: AbortSignal): Promise<SchemaVersion>
  lookup(subject: string, schema: Schema, signal?: AbortSignal): Promise<number>
  versionOf(subject: string, schema: Schema, signal?: AbortSignal): Promise<number>
  references(schema: Pick<Schema, 'references'>, signal?: AbortSignal): Promise<readonly ReferencedSchema[]>
}

export interface RegisterOptions {
  /** Whether the registry may rewrite the schema into its normal form; false when omitted. */
  readonly normalize?: boolean
  readonly signal?: AbortSignal | undefined
}

/** A schema that the user gave: in a file, or in the options. */
export interface OwnSchema {
  /** For messages: `the schema "order.avsc"`. */
  readonly what: string
  /** Two with the same are the same schema. */
  readonly key: string
  /** Schemas that it refers to, each before those that need it; none when omitted. */
  readonly references?: readonly OwnReference[]
  /** @throws {FileError} */
  read(): Promise<string>
}

/** A schema that one of the options refers to: given, too, or in the registry. */
export interface OwnReference {
  /** By which it is referred to. */
  readonly name: string
  readonly subject: string | undefined
  /** The latest one when undefined. */
  readonly version: number | undefined
  /** Undefined for one of the registry. @throws {FileError} */
  readonly read: (() => Promise<string>) | undefined
}

/** How keys or values with schemas are read and written, besides the name of their codec. */
export interface SchemaUse {
  readonly part: 'key' | 'value'
  /** Undefined where data has no schema id in front of it, and the own schema says what it is. */
  readonly store: SchemaStore | undefined
  /** Of a source the schema to read with, of a sink the one to write with. */
  readonly own: OwnSchema | undefined
  /** Message of a Protobuf schema, if not the first one. */
  readonly message: string | undefined
  /** Sinks: what is registered where. */
  readonly writing: SchemaWriting | undefined
  /** How long the latest schema of a subject is used. */
  readonly latestTtlMs: number
  /** Whether a program reads: whole numbers that no double holds are BigInt, and a value that is no object is itself. False when omitted. */
  readonly forProgram?: boolean
  readonly warn: (message: string, facts?: { readonly [name: string]: unknown }) => void
  /** Told what is waited for while the registry does not answer, as part of a sentence. @returns called when that is over */
  readonly waits?: ((problem: string) => () => void) | undefined
}

export interface SchemaWriting {
  /** Subject of a schema, by the full name of its record, and for some by its text. */
  readonly subject: (recordName: string, text?: string) => string
  /** Whether the own schema is registered; otherwise it must be there already. */
  readonly register: boolean
  readonly normalize: boolean
}
