/**
 * JSON Schema of the stages of linear files: the shape that lint asks for, but no word about the operators inside. `stage`
 * is what may stand anywhere, `step` what may stand in the list of stages of a file: functions of stage graphs, too.
 */
import type { Fields, JsonSchema } from '../options/declaration.ts'
import { LINE_FUNCTIONS } from '../functions/in-line.ts'
import { fromEventFields, toEventFields } from '../stages/reference/event-options.ts'
import { GROUP_OPTIONS, STAGE_NAMES, type StageName } from '../stages/reference/names.ts'
import { STAGE_OPTIONS } from '../stages/reference/options.ts'
import { STAGE_REFERENCE } from '../stages/reference/index.ts'
import { openSchema, optionsSchema, variableSchema } from './options-schema.ts'

/** Where a list of stages is described, for stages that hold stages. */
const STAGES = { $ref: '#/definitions/stages' }

const object: JsonSchema = { type: 'object' }
const fields: JsonSchema = { type: 'object', minProperties: 1 }
const fieldPath: JsonSchema = { type: 'string', pattern: '^[^$]' }
const reference: JsonSchema = { type: 'string', pattern: '^\\$' }
const anyOf = (...schemas: readonly JsonSchema[]): JsonSchema => ({ anyOf: schemas })
const number = (schema: JsonSchema): JsonSchema => anyOf(schema, variableSchema)
const byOptions = (name: keyof typeof STAGE_OPTIONS): JsonSchema => optionsSchema(STAGE_OPTIONS[name])

const SPECS: { readonly [name in StageName]: JsonSchema } = {
  $match: object,
  $set: fields,
  $addFields: fields,
  $unset: anyOf(fieldPath, { type: 'array', minItems: 1, items: fieldPath }),
  $project: fields,
  $replaceRoot: byOptions('$replaceRoot'),
  $replaceWith: anyOf(object, reference),
  $unwind: anyOf(reference, byOptions('$unwind')),
  $limit: number({ type: 'integer', minimum: 1 }),
  $skip: number({ type: 'integer', minimum: 0 }),
  $sort: { ...fields, additionalProperties: { enum: [1, -1] } },
  $sortByCount: { type: ['string', 'object', 'array', 'number', 'boolean'] },
  $count: { type: 'string', pattern: '^[^$.]+$' },
  $group: groupSchema(),
  $bucket: byOptions('$bucket'),
  $bucketAuto: byOptions('$bucketAuto'),
  $facet: { ...fields, additionalProperties: STAGES },
  $fill: byOptions('$fill'),
  $densify: byOptions('$densify'),
  $setWindowFields: byOptions('$setWindowFields'),
  $lookup: withStages(STAGE_OPTIONS.$lookup),
  $redact: anyOf(object, { type: 'string' }),
  $sampleRate: number(
    anyOf(
      { type: 'number', minimum: 0, maximum: 1 },
      {
        type: 'object',
        properties: { rate: { type: 'number', minimum: 0, maximum: 1 }, seed: { type: 'integer' } },
        required: ['rate'],
        additionalProperties: false,
      },
    ),
  ),
  $subPipeline: { type: 'array', minItems: 1 },
  $toEvent: optionsSchema(toEventFields),
  $fromEvent: optionsSchema(fromEventFields),
}

/** `scope` and `maxGroups` may also be fields of the result, filled by an accumulator. */
function groupSchema(): JsonSchema {
  const { properties, ...rest } = openSchema(STAGE_OPTIONS.$group) as { readonly properties: JsonSchema }
  const options = Object.entries(properties).map(([name, schema]) => [
    name,
    GROUP_OPTIONS.has(name) ? anyOf(schema as JsonSchema, object) : schema,
  ])
  return { ...rest, properties: Object.fromEntries(options) as JsonSchema }
}

/** Of what stands below the name of a stage. */
export function stageSchema(name: StageName): JsonSchema {
  return { description: STAGE_REFERENCE[name].summary, ...SPECS[name] }
}

/** To stand under `definitions` of every schema that speaks of stages. */
export const stageDefinitions: { readonly [name: string]: JsonSchema } = {
  stages: { type: 'array', items: { $ref: '#/definitions/stage' } },
  stage: {
    type: 'object',
    minProperties: 1,
    maxProperties: 1,
    properties: Object.fromEntries(STAGE_NAMES.map((name) => [name, stageSchema(name)])),
    additionalProperties: false,
  },
}

/** To stand beside them in the schema of a whole file. */
export const stepDefinitions: { readonly [name: string]: JsonSchema } = {
  steps: { type: 'array', items: { $ref: '#/definitions/step' } },
  step: {
    type: 'object',
    minProperties: 1,
    maxProperties: 1,
    properties: {
      ...Object.fromEntries(STAGE_NAMES.map((name) => [name, stageOfName(name)])),
      ...functionsAsStages(),
    },
    additionalProperties: false,
  },
}

/** Of what stands below the name of a stage, in a schema with `stageDefinitions`. */
export function stageOfName(name: StageName): JsonSchema {
  return { $ref: `#/definitions/stage/properties/${name}` }
}

/** Functions among stages, and as TOML takes their names apart at the dot. */
function functionsAsStages(): { readonly [name: string]: JsonSchema } {
  const properties: { [name: string]: JsonSchema } = {}
  for (const { name, summary, options } of LINE_FUNCTIONS) {
    const [first, rest] = name.split('.') as [string, string]
    properties[name] = { description: summary, ...optionsSchema(options) }
    const reference = { $ref: `#/definitions/step/properties/${name}` }
    properties[first] = { type: 'object', required: [rest], properties: { [rest]: reference }, maxProperties: 1 }
  }
  return properties
}

/** Options of which `pipeline` is a list of stages. */
function withStages(declared: Fields): JsonSchema {
  const schema = optionsSchema(declared) as { readonly properties: { readonly [name: string]: JsonSchema } }
  return { ...schema, properties: { ...schema.properties, pipeline: { ...schema.properties['pipeline'], ...STAGES } } }
}
