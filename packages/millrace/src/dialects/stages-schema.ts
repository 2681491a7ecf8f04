/**
 * JSON Schema of the stages of linear files: the shape that lint asks for, but no word about the operators inside.
 */
import type { Fields, JsonSchema } from '../options/fields.ts'
import { fromEventFields, toEventFields } from '../stages/event-options.ts'
import { STAGE_NAMES, type StageName } from '../stages/names.ts'
import { STAGE_OPTIONS } from '../stages/options.ts'
import { STAGE_REFERENCE } from '../stages/reference.ts'
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
  $group: openSchema(STAGE_OPTIONS.$group),
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

/** Options of which `pipeline` is a list of stages. */
function withStages(declared: Fields): JsonSchema {
  const schema = optionsSchema(declared) as { readonly properties: { readonly [name: string]: JsonSchema } }
  return { ...schema, properties: { ...schema.properties, pipeline: { ...schema.properties['pipeline'], ...STAGES } } }
}
