/**
 * JSON Schema of linear files.
 */
import { SINKS, SOURCES } from '../../catalog.ts'
import type { AnyField, Fields, JsonSchema } from '../../options/declaration.ts'
import { spellings } from '../../options/spellings.ts'
import { BESIDE_TYPE } from './blocks.ts'
import { connectionFields } from './connections.ts'
import { errorPolicyFields } from '../error-policy.ts'
import { pipelineFields } from './fields.ts'
import { BESIDE_SINK } from './sinks.ts'
import { namedPipelineFields } from '../named-pipelines.ts'
import { breakerFields, resilienceFields, retryFields } from './resilience-fields.ts'
import { definitionOf, onlyNames, openSchema, optionsSchema, when } from '../options-schema.ts'

interface Listed {
  readonly name: string
  readonly summary: string
  readonly options: Fields
}

const STAGES = { $ref: definitionOf('stages') }
const STEPS = { $ref: definitionOf('steps') }
const SINK = { $ref: definitionOf('sink') }
const SINK_LIST: JsonSchema = { type: 'array', minItems: 1, items: SINK }

export function linearSchema(): JsonSchema {
  const { source, stages, errorPolicy, circuitBreaker, connections, pipelines } = pipelineFields
  const policies = optionsSchema(errorPolicyFields) as { readonly properties: { readonly type: JsonSchema } }
  const policy = { anyOf: [policies.properties.type, policies], description: errorPolicy.meta.doc }
  const special: { readonly [field: string]: JsonSchema } = {
    source: componentSchema('source', SOURCES, source),
    sink: { anyOf: [SINK] },
    stages: { anyOf: [STEPS, { type: 'null' }], description: stages.meta.doc },
    errorPolicy: policy,
    circuitBreaker: breakerSchema(circuitBreaker),
    resilience: resilienceSchema(),
    connections: {
      anyOf: [{ type: 'string' }, { type: 'array', items: optionsSchema(connectionFields) }],
      description: connections.meta.doc,
    },
    pipelines: { anyOf: pipelineSections(), description: pipelines.meta.doc },
  }
  const { properties } = openSchema(pipelineFields) as { properties: { readonly [name: string]: JsonSchema } }
  const replaced = Object.entries(special).flatMap(([name, schema]) =>
    spellings(name, pipelineFields[name as keyof typeof pipelineFields]).map((each) => [each, schema]),
  )
  return {
    type: 'object',
    properties: { $schema: { type: 'string' }, ...properties, ...Object.fromEntries(replaced) },
    patternProperties: { '^x-': {} },
    additionalProperties: false,
    // A file may hold stages alone; what reads also writes.
    ...when(
      { required: ['source'] },
      { anyOf: spellings('sink', pipelineFields.sink).map((name) => ({ required: [name] })) },
    ),
  }
}

/** To stand under `definitions`: a sink may hold sinks. */
export function linearDefinitions(): { readonly [name: string]: JsonSchema } {
  const { sink, circuitBreaker } = pipelineFields
  const schema = componentSchema('sink', SINKS, sink, BESIDE_SINK) as { readonly properties: JsonSchema }
  const { type } = schema.properties as { readonly type: { readonly enum: readonly string[] } }
  return {
    sink: {
      ...schema,
      anyOf: ['type', 'connectionRef', 'fanout'].map((name) => ({ required: [name] })),
      properties: {
        ...schema.properties,
        type: { ...type, enum: [...type.enum, 'pipeline'] },
        fanout: { ...SINK_LIST, description: 'Sinks that each receive every record, in turn.' },
        pipeline: {
          anyOf: [STEPS, { type: 'string' }],
          description: 'With type `pipeline`: stages, or the name of a pipeline, to run before `next`.',
        },
        version: { type: ['string', 'number'], description: 'Version of the named pipeline.' },
        next: { anyOf: [SINK, SINK_LIST], description: 'With type `pipeline`: where records go next.' },
        ...Object.fromEntries(
          spellings('circuitBreaker', circuitBreaker).map((name) => [name, breakerSchema(circuitBreaker)]),
        ),
        retry: { ...optionsSchema(retryFields), description: 'How deliveries are retried.' },
        retryInstance: { type: 'string', description: resilienceFields.retry.meta.doc },
        circuitBreakerInstance: { type: 'string', description: resilienceFields.circuitBreaker.meta.doc },
      },
    },
  }
}

function breakerSchema({ meta }: AnyField): JsonSchema {
  return { anyOf: [{ type: 'boolean' }, optionsSchema(breakerFields)], description: meta.doc }
}

/** Instances with names, one or a list. */
function resilienceSchema(): JsonSchema {
  const oneOrMore = (fields: Fields): JsonSchema => {
    const one = optionsSchema(fields)
    return { anyOf: [one, { type: 'array', items: one }] }
  }
  return {
    type: 'object',
    description: pipelineFields.resilience.meta.doc,
    properties: { retry: oneOrMore(retryFields), circuitBreaker: oneOrMore(breakerFields) },
    additionalProperties: false,
  }
}

/** Pipelines with names, as a list and by name. */
function pipelineSections(): JsonSchema[] {
  const entry = (fields: Fields): JsonSchema => {
    const schema = optionsSchema(fields) as { readonly properties: { readonly [name: string]: JsonSchema } }
    const stages = { ...schema.properties['stages'], ...STAGES }
    return { ...schema, properties: { ...schema.properties, stages, pipeline: stages } }
  }
  const { name, ...others } = namedPipelineFields
  return [
    { type: 'array', items: entry({ name, ...others }) },
    { type: 'object', additionalProperties: { anyOf: [STAGES, entry({ ...others, name: name.optional() })] } },
  ]
}

/** A source or a sink: `type`, and its options under `options` or beside it. */
function componentSchema(
  kind: 'source' | 'sink',
  entries: readonly Listed[],
  { meta }: AnyField,
  beside: readonly string[] = BESIDE_TYPE,
): JsonSchema {
  return {
    type: 'object',
    description: meta.doc,
    anyOf: ['type', 'connectionRef'].map((name) => ({ required: [name] })),
    properties: {
      connectionRef: {
        type: 'string',
        description: 'Name of a connection. Its options are the defaults of this block.',
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
        { allOf: [reference, onlyNames(options, beside)] },
      )
      return when({ properties: { type: { const: name } }, required: ['type'] }, chosen)
    }),
  }
}
