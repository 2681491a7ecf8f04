/**
 * JSON Schema of pipeline files, from the same declarations that read them: for editors, which complete and check while
 * one types. Kept to draft 7, which all of them know.
 *
 * A schema accepts every file that `lint` accepts, and finds most of what `lint` finds: it knows nothing of rules across
 * options, and text with `${NAME}` passes everywhere.
 */
import { SINKS, SOURCES } from '../catalog.ts'
import { FUNCTIONS } from '../functions/index.ts'
import type { JsonSchema } from '../options/declaration.ts'
import { STAGE_NAMES } from '../stages/definitions/index.ts'
import { connectorDefinitions, connectorsSchema, isConnectors } from './connectors/schema.ts'
import { httpSchema } from './http.ts'
import { pipelineFields as linearFields } from './linear/fields.ts'
import { linearDefinitions, linearSchema } from './linear/schema.ts'
import { definitionOf, DRAFT, openSchema, optionsSchema, when } from './options-schema.ts'
import { errorFields, globalFields, pipelineFields as graphPipelineFields, stageFields } from './stage-graph/fields.ts'
import { stageDefinitions, stageOfName, stepDefinitions } from './stages-schema.ts'

/** Of a whole file of any shape. */
export function fileSchema(): JsonSchema {
  return {
    $schema: DRAFT,
    title: 'Millrace pipeline',
    properties: { http: httpSchema },
    ...when(isGraph, graphSchema(), when(isConnectors, connectorsSchema(), { anyOf: [linearSchema(), STEPS] })),
    definitions: Object.fromEntries([
      ...SOURCES.map((entry) => [
        `source.${entry.name}`,
        openSchema(entry.options, definitionOf(`source.${entry.name}`)),
      ]),
      ...SINKS.map((entry) => [`sink.${entry.name}`, openSchema(entry.options, definitionOf(`sink.${entry.name}`))]),
      ...Object.entries(linearDefinitions()),
      ...Object.entries(connectorDefinitions),
      ...Object.entries({ ...stageDefinitions, ...stepDefinitions }),
    ]) as JsonSchema,
  }
}

const STEPS = { $ref: definitionOf('steps') }

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
      collections: { type: 'object', description: linearFields.collections.meta.doc },
      stages: {
        type: 'array',
        minItems: 1,
        items: {
          type: 'object',
          properties: { ...(openSchema(stageFields)['properties'] as JsonSchema), function: functionNames() },
          required: ['id'],
          // `kafka` is two functions, and which one is known from the inputs.
          allOf: [
            ...FUNCTIONS.filter(({ name }) => FUNCTIONS.filter((other) => other.name === name).length === 1).map(
              ({ name, options }) => configOf(name, optionsSchema(options)),
            ),
            ...STAGE_NAMES.map((name) => configOf(name, stageOfName(name))),
          ],
        },
      },
    },
  }
}

function configOf(name: string, config: JsonSchema): JsonSchema {
  return when({ properties: { function: { const: name } }, required: ['function'] }, { properties: { config } })
}

function functionNames(): JsonSchema {
  const names = [...new Set([...FUNCTIONS.map(({ name }) => name), ...STAGE_NAMES])]
  return { anyOf: [{ enum: names }, { type: 'string' }], description: stageFields.function.meta.doc }
}
