/**
 * JSON Schema of pipeline files, from the same declarations that read them: for editors, which complete and check while
 * one types. Kept to draft 7, which all of them know.
 *
 * A schema accepts every file that `lint` accepts, and finds most of what `lint` finds: it knows nothing of rules across
 * options, and text with `${NAME}` passes everywhere.
 */
import { SINKS, SOURCES } from '../catalog.ts'
import { FUNCTIONS } from '../functions/index.ts'
import type { AnyField, Fields, JsonSchema } from '../options/fields.ts'
import { connectorDefinitions, connectorsSchema, isConnectors } from './connectors/schema.ts'
import { circuitBreakerFields, errorPolicyFields } from './error-policy.ts'
import { BESIDE_TYPE, pipelineFields } from './linear.ts'
import { definitionOf, DRAFT, namesOf, onlyNames, openSchema, optionsSchema, when } from './options-schema.ts'
import { errorFields, globalFields, pipelineFields as graphPipelineFields, stageFields } from './stage-graph-fields.ts'
import { stageDefinitions } from './stages-schema.ts'

interface Listed {
  readonly name: string
  readonly summary: string
  readonly options: Fields
}

/** Of a whole file of any shape. */
export function fileSchema(): JsonSchema {
  return {
    $schema: DRAFT,
    title: 'Millrace pipeline',
    ...when(isGraph, graphSchema(), when(isConnectors, connectorsSchema(), { anyOf: [linearSchema(), STAGES] })),
    definitions: Object.fromEntries([
      ...SOURCES.map((entry) => [
        `source.${entry.name}`,
        openSchema(entry.options, definitionOf(`source.${entry.name}`)),
      ]),
      ...SINKS.map((entry) => [`sink.${entry.name}`, openSchema(entry.options, definitionOf(`sink.${entry.name}`))]),
      ...Object.entries(connectorDefinitions),
      ...Object.entries(stageDefinitions),
    ]) as JsonSchema,
  }
}

const STAGES = { $ref: definitionOf('stages') }

function linearSchema(): JsonSchema {
  const { source, sink, stages, errorPolicy, circuitBreaker } = pipelineFields
  const policy = { anyOf: [{ type: 'string' }, optionsSchema(errorPolicyFields)], description: errorPolicy.meta.doc }
  const special: { readonly [field: string]: JsonSchema } = {
    source: componentSchema('source', SOURCES, source),
    sink: componentSchema('sink', SINKS, sink),
    stages: { anyOf: [STAGES, { type: 'null' }], description: stages.meta.doc },
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
      const reference = { $ref: definitionOf(`${kind}.${name}`) }
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
