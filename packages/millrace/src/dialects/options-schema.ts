/**
 * JSON Schema of declared options as a file may write them: under all their names, numbers and booleans also as text,
 * choices in any case, and variables everywhere. Draft 7, which all editors know.
 */
import { anyCase } from '../options/units.ts'
import type { AnyField, Fields, JsonSchema } from '../options/declaration.ts'
import { jsonSchema, VARIABLE, variableSchema } from '../options/describe.ts'
import { spellings } from '../options/spellings.ts'

export const DRAFT = 'http://json-schema.org/draft-07/schema#'

/** How to refer to a schema that stands under `definitions`. */
export function definitionOf(name: string): string {
  return `#/definitions/${name}`
}

/** Of the options of a component. Other names are refused. */
export function optionsSchema(fields: Fields): JsonSchema {
  return { ...openSchema(fields), ...onlyNames(fields) }
}

export function when(condition: JsonSchema, schema: JsonSchema, otherwise?: JsonSchema): JsonSchema {
  // oxlint-disable-next-line unicorn/no-thenable -- a keyword of JSON Schema
  return { if: condition, then: schema, ...(otherwise === undefined ? {} : { else: otherwise }) }
}

/**
 * The properties under all their names; others are not forbidden.
 * @param at where the schema will stand; there the other names of an option point to its first one
 */
export function openSchema(fields: Fields, at?: string): JsonSchema {
  const { properties } = jsonSchema(fields) as { properties: { readonly [name: string]: JsonSchema } }
  const entries = Object.entries(fields).map(([name, declared]) => ({
    name,
    declared,
    names: spellings(name, declared),
  }))
  const required = entries.filter(({ declared }) => declared.presence === 'required')
  return {
    type: 'object',
    properties: Object.fromEntries(
      entries.flatMap(({ name, declared, names }) => {
        const schema = asWritten(properties[name]!, declared)
        const other = at === undefined ? schema : { $ref: `${at}/properties/${name}` }
        return names.map((each) => [each, each === name ? schema : other])
      }),
    ),
    ...(required.length === 0 ? {} : { allOf: required.map(({ names }) => oneOfThem(names)) }),
  }
}

function oneOfThem(names: readonly string[]): JsonSchema {
  return { anyOf: [...new Set(names.flatMap(withFirstPart))].map((name) => ({ required: [name] })) }
}

/** Forbids other names. TOML reads `a.b = 1` as a table `a`, so what stands before a dot is a name too. */
export function onlyNames(fields: Fields, others: readonly string[] = []): JsonSchema {
  const names = Object.entries(fields).flatMap(([name, declared]) => spellings(name, declared))
  return { propertyNames: { enum: [...new Set([...others, ...names.flatMap(withFirstPart)])] } }
}

function withFirstPart(name: string): string[] {
  return name.includes('.') ? [name, name.split('.', 1)[0]!] : [name]
}

/** What a file may say of one option: numbers and booleans also as text, choices in any case, and variables everywhere. */
function asWritten(schema: JsonSchema, { type }: AnyField): JsonSchema {
  const { description, default: standard, examples, deprecated, writeOnly, ...value } = writtenSchema(schema, type)
  const notes = { description, default: standard, examples, deprecated, writeOnly }
  const texts = textsFor(value, type.accepts)
  return {
    ...(texts === undefined ? value : { anyOf: [value, ...texts] }),
    ...Object.fromEntries(Object.entries(notes).filter(([, note]) => note !== undefined)),
  }
}

function writtenSchema(schema: JsonSchema, { fields, shorthand }: AnyField['type']): JsonSchema {
  if (fields === undefined) return schema
  const own = optionsSchema(fields)
  return { ...schema, ...(shorthand === undefined ? own : { anyOf: [shorthand, own] }) }
}

function textsFor(
  { type, enum: choices, pattern }: JsonSchema,
  accepts: readonly string[] | undefined,
): readonly JsonSchema[] | undefined {
  if (choices !== undefined) {
    const words = (accepts ?? []).map(anyCase).join('|')
    const numbers = (accepts ?? []).filter((word) => /^-?\d+$/.test(word)).map(Number)
    // What YAML reads as a number or a boolean: `acks: 1`, and `on` in files of YAML 1.1.
    const booleans = (accepts ?? [])
      .filter((word) => word === 'true' || word === 'false')
      .map((word) => word === 'true')
    return [
      { type: 'string', pattern: `${VARIABLE}|^\\s*(?:${words})\\s*$` },
      ...(numbers.length + booleans.length === 0 ? [] : [{ enum: [...numbers, ...booleans] }]),
    ]
  }
  const types = [type ?? []].flat()
  if (types.length > 0 && pattern !== undefined) return [variableSchema]
  if (types.length === 0 || types.includes('string')) return undefined
  if (types.includes('boolean'))
    return [{ type: 'string', pattern: `${VARIABLE}|^\\s*(?:${anyCase('true')}|${anyCase('false')})\\s*$` }]
  if (types.includes('integer') || types.includes('number'))
    return [{ type: 'string', pattern: String.raw`${VARIABLE}|^\s*[-+]?\d` }]
  return [variableSchema]
}
