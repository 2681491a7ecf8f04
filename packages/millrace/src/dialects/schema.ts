/**
 * JSON Schema of pipeline files, from the same declarations that read them: for editors, which complete and check while
 * one types. Kept to draft 7, which all of them know.
 *
 * A schema accepts every file that `lint` accepts, and finds most of what `lint` finds: it knows nothing of rules across
 * options, and text with `${NAME}` passes everywhere.
 */
import { SINKS, SOURCES } from '../catalog.ts'
import { FUNCTIONS } from '../functions/index.ts'
import { jsonSchema } from '../options/describe.ts'
import type { AnyField, Fields, JsonSchema } from '../options/fields.ts'
import { STAGE_NAMES } from '../stages/names.ts'
import { circuitBreakerFields, errorPolicyFields } from './error-policy.ts'
import { BESIDE_TYPE, pipelineFields } from './linear.ts'
import { errorFields, globalFields, pipelineFields as graphPipelineFields, stageFields } from './stage-graph-fields.ts'

export const DRAFT = 'http://json-schema.org/draft-07/schema#'
const VARIABLE = String.raw`\$\{|\{\{`

interface Listed {
  readonly name: string
  readonly summary: string
  readonly options: Fields
}

/** Of the options of a component, as a file may write them: under all their names. */
export function optionsSchema(fields: Fields): JsonSchema {
  return { ...openSchema(fields), ...onlyNames(fields) }
}

/** Of a whole file of any shape. */
export function fileSchema(): JsonSchema {
  return {
    $schema: DRAFT,
    title: 'Millrace pipeline',
    ...when(isGraph, graphSchema(), when(isConnectors, { type: 'object' }, { anyOf: [linearSchema(), stagesSchema] })),
    definitions: Object.fromEntries([
      ...SOURCES.map((entry) => [`source.${entry.name}`, openSchema(entry.options, definition('source', entry))]),
      ...SINKS.map((entry) => [`sink.${entry.name}`, openSchema(entry.options, definition('sink', entry))]),
    ]) as JsonSchema,
  }
}

function when(condition: JsonSchema, schema: JsonSchema, otherwise?: JsonSchema): JsonSchema {
  // oxlint-disable-next-line unicorn/no-thenable -- a keyword of JSON Schema
  return { if: condition, then: schema, ...(otherwise === undefined ? {} : { else: otherwise }) }
}

const stagesSchema: JsonSchema = {
  type: 'array',
  items: {
    type: 'object',
    minProperties: 1,
    maxProperties: 1,
    properties: Object.fromEntries(STAGE_NAMES.map((name) => [name, {}])),
    additionalProperties: false,
  },
}

function linearSchema(): JsonSchema {
  const { source, sink, stages, errorPolicy, circuitBreaker } = pipelineFields
  const policy = { anyOf: [{ type: 'string' }, optionsSchema(errorPolicyFields)], description: errorPolicy.meta.doc }
  const special: { readonly [field: string]: JsonSchema } = {
    source: componentSchema('source', SOURCES, source),
    sink: componentSchema('sink', SINKS, sink),
    stages: { anyOf: [stagesSchema, { type: 'null' }], description: stages.meta.doc },
    errorPolicy: policy,
    circuitBreaker: {
      anyOf: [{ type: 'boolean' }, optionsSchema(circuitBreakerFields)],
      description: circuitBreaker.meta.doc,
    },
  }
  const { properties } = openSchema(pipelineFields) as { properties: { readonly [name: string]: JsonSchema } }
  const replaced = Object.entries(special).flatMap(([name, schema]) =>
    namesOf(name, pipelineFields[name as keyof typeof pipelineFields]).map((each) => [each, schema]),
  )
  return {
    type: 'object',
    properties: { $schema: { type: 'string' }, ...properties, ...Object.fromEntries(replaced) },
    additionalProperties: false,
  }
}

function definition(kind: 'source' | 'sink', { name }: Pick<Listed, 'name'>): string {
  return `#/definitions/${kind}.${name}`
}

/** A source or a sink: `type`, and its options under `options` or beside it. */
function componentSchema(kind: 'source' | 'sink', entries: readonly Listed[], { meta }: AnyField): JsonSchema {
  return {
    type: 'object',
    description: meta.doc,
    anyOf: ['type', 'connectionRef'].map((name) => ({ required: [name] })),
    properties: {
      connectionRef: {
        type: 'string',
        description: 'Name of a connection whose options hold where this block says nothing.',
      },
      connectionScope: { type: 'string', description: 'Scope of the connection, as `tenant::pipeline`.' },
      type: {
        enum: entries.map(({ name }) => name),
        description: entries.map(({ name, summary }) => `${name}: ${summary}`).join('\n'),
      },
    },
    allOf: entries.map(({ name, options }) => {
      const reference = { $ref: definition(kind, { name }) }
      const chosen = when(
        { required: ['options'] },
        { properties: { options: { allOf: [reference, onlyNames(options)] } } },
        { allOf: [reference, onlyNames(options, BESIDE_TYPE)] },
      )
      return when({ properties: { type: { const: name } }, required: ['type'] }, chosen)
    }),
  }
}

/** Where `stages` have functions, or `pipeline` is a table. */
const isGraph: JsonSchema = {
  anyOf: [
    { required: ['stages'], properties: { stages: { type: 'array', contains: { type: 'object', required: ['id'] } } } },
    { required: ['pipeline'], properties: { pipeline: { type: 'object' }, source: false, sink: false } },
  ],
}

/** Files of connectors are checked by `lint` alone. */
const isConnectors: JsonSchema = {
  anyOf: [
    ...['sources', 'sinks', 'bridges', 'broker'].map((name) => ({ required: [name] })),
    { properties: { source: false, sink: false }, anyOf: ['config', 'topics'].map((name) => ({ required: [name] })) },
  ],
}

function graphSchema(): JsonSchema {
  return {
    type: 'object',
    properties: {
      pipeline: optionsSchema({ ...graphPipelineFields, name: graphPipelineFields.name.optional() }),
      global: optionsSchema(globalFields),
      error_handling: optionsSchema(errorFields),
      stages: {
        type: 'array',
        minItems: 1,
        items: {
          type: 'object',
          properties: { ...(openSchema(stageFields)['properties'] as JsonSchema), function: functionNames() },
          required: ['id'],
          // `kafka` is two functions, and which one is known from the inputs.
          allOf: FUNCTIONS.filter(({ name }) => FUNCTIONS.filter((other) => other.name === name).length === 1).map(
            ({ name, options }) =>
              when(
                { properties: { function: { const: name } }, required: ['function'] },
                { properties: { config: optionsSchema(options) } },
              ),
          ),
        },
      },
    },
  }
}

function functionNames(): JsonSchema {
  const names = [...new Set(FUNCTIONS.map(({ name }) => name))]
  return { anyOf: [{ enum: names }, { type: 'string' }], description: stageFields.function.meta.doc }
}

/**
 * The properties under all their names; others are not forbidden.
 * @param at where the schema will stand; there the other names of an option point to its first one
 */
function openSchema(fields: Fields, at?: string): JsonSchema {
  const { properties } = jsonSchema(fields) as { properties: { readonly [name: string]: JsonSchema } }
  const entries = Object.entries(fields).map(([name, declared]) => ({ name, declared, names: namesOf(name, declared) }))
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
function onlyNames(fields: Fields, others: readonly string[] = []): JsonSchema {
  const names = Object.entries(fields).flatMap(([name, declared]) => namesOf(name, declared))
  return { propertyNames: { enum: [...new Set([...others, ...names.flatMap(withFirstPart)])] } }
}

function namesOf(name: string, { meta }: AnyField): string[] {
  return [name, ...(meta.kafka === undefined || meta.kafka === name ? [] : [meta.kafka]), ...(meta.aliases ?? [])]
}

function withFirstPart(name: string): string[] {
  return name.includes('.') ? [name, name.split('.', 1)[0]!] : [name]
}

/** What a file may say: numbers and booleans also as text, choices in any case, and variables everywhere. */
function asWritten(schema: JsonSchema, { type }: AnyField): JsonSchema {
  const {
    description,
    default: standard,
    examples,
    deprecated,
    writeOnly,
    ...value
  } = type.fields === undefined ? schema : { ...schema, ...optionsSchema(type.fields) }
  const notes = { description, default: standard, examples, deprecated, writeOnly }
  const texts = textsFor(value, type.accepts)
  return {
    ...(texts === undefined ? value : { anyOf: [value, ...texts] }),
    ...Object.fromEntries(Object.entries(notes).filter(([, note]) => note !== undefined)),
  }
}

function textsFor(
  { type, enum: choices }: JsonSchema,
  accepts: readonly string[] | undefined,
): readonly JsonSchema[] | undefined {
  if (choices !== undefined) {
    const spellings = (accepts ?? []).map(anyCase).join('|')
    return [{ type: 'string', pattern: `${VARIABLE}|^\\s*(?:${spellings})\\s*$` }, { type: ['number', 'boolean'] }]
  }
  const types = [type ?? []].flat()
  if (types.length === 0 || types.includes('string')) return undefined
  if (types.includes('boolean'))
    return [{ type: 'string', pattern: `${VARIABLE}|^\\s*(?:${anyCase('true')}|${anyCase('false')})\\s*$` }]
  if (types.includes('integer') || types.includes('number'))
    return [{ type: 'string', pattern: String.raw`${VARIABLE}|^\s*[-+]?\d` }]
  return [{ type: 'string', pattern: VARIABLE }]
}

/** A pattern for a word in any case; patterns of JSON Schema have no flag for it. */
function anyCase(word: string): string {
  return Array.from(word)
    .map((letter) =>
      /[a-z]/.test(letter) ? `[${letter}${letter.toUpperCase()}]` : letter.replace(/[.*+?^${}()|[\]\\]/, '\\$&'),
    )
    .join('')
}
