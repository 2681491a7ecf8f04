/** What a registry stores. */

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
