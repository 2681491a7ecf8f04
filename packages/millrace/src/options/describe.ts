/**
 * What can be told about options from their declaration: JSON Schema, rows for help and reference pages, and values
 * without secrets.
 */
import type { AnyField, Fields, JsonSchema } from './declaration.ts'
import { isObject } from './values.ts'

/** Text with a variable is accepted everywhere: its value is not known yet. */
export const VARIABLE = String.raw`\$\{|\{\{`
export const variableSchema: JsonSchema = { type: 'string', pattern: VARIABLE }

/** JSON Schema of an object with these options (draft 2020-12). */
export function jsonSchema(fields: Fields): JsonSchema {
  const entries = Object.entries(fields)
  return {
    type: 'object',
    properties: Object.fromEntries(entries.map(([name, field]) => [name, fieldSchema(field)])),
    required: entries.filter(([, { presence }]) => presence === 'required').map(([name]) => name),
    additionalProperties: false,
  }
}

function fieldSchema({ type, presence, meta }: AnyField): JsonSchema {
  return {
    ...valueSchema(type),
    ...(meta.doc === undefined ? {} : { description: meta.doc }),
    ...(presence === 'defaulted' ? { default: meta.default } : {}),
    ...(meta.examples === undefined ? {} : { examples: meta.examples }),
    ...(meta.deprecated === undefined ? {} : { deprecated: true }),
    ...(meta.secret === true ? { writeOnly: true } : {}),
  }
}

function valueSchema({ fields, schema, shorthand }: AnyField['type']): JsonSchema {
  if (fields === undefined) return schema
  return shorthand === undefined ? jsonSchema(fields) : { anyOf: [shorthand, jsonSchema(fields)] }
}

/** One option, as help and reference pages show it. */
export interface OptionRow {
  readonly name: string
  readonly type: string
  readonly required: boolean
  /** As text; undefined when there is none. */
  readonly default: string | undefined
  readonly unit: string | undefined
  readonly doc: string
  readonly kafka: string | undefined
  readonly aliases: readonly string[]
  readonly secret: boolean
  readonly deprecated: string | undefined
}

/** The options that have an effect, in the order of their declaration. */
export function describe(fields: Fields): OptionRow[] {
  return Object.entries(fields)
    .filter(([, { meta }]) => meta.ignored === undefined)
    .map(([name, { type, presence, meta }]) => ({
      name,
      type: typeText(type),
      required: presence === 'required',
      default: presence === 'defaulted' ? defaultText(meta.default) : undefined,
      unit: meta.unit,
      doc: meta.doc ?? '',
      kafka: meta.kafka,
      aliases: meta.aliases ?? [],
      secret: meta.secret === true,
      deprecated: meta.deprecated,
    }))
}

function typeText({ expected, fields }: AnyField['type']): string {
  const text = expected.replace(/^an? /, '')
  return fields === undefined ? text : `${text} of ${Object.keys(fields).join(', ')}`
}

function defaultText(value: unknown): string {
  if (Array.isArray(value)) return value.join(',')
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value))
}

/** A copy of some options in which secrets are three stars (I8). */
export function redact(
  fields: Fields,
  options: { readonly [name: string]: unknown },
): { readonly [name: string]: unknown } {
  return Object.fromEntries(
    Object.entries(options).map(([name, value]) => {
      const field = fields[name]
      if (value === undefined || field === undefined) return [name, value]
      if (field.meta.secret === true) return [name, '***']
      const inner = field.type.fields
      return [name, inner === undefined || !isObject(value) ? value : redact(inner, value)]
    }),
  )
}
