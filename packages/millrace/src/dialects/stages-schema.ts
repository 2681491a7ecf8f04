/**
 * JSON Schema of the stages of linear files: the shape that lint asks for, but no word about the operators inside. `stage`
 * is what may stand anywhere, `step` what may stand in the list of stages of a file: functions of stage graphs, too.
 */
import { LINE_FUNCTIONS } from '../functions/in-line.ts'
import type { JsonSchema } from '../options/declaration.ts'
import { STAGE_NAMES, STAGES, type StageName } from '../stages/definitions/index.ts'
import { optionsSchema } from './options-schema.ts'

/** Of what is below the name of a stage. */
export function stageSchema(name: StageName): JsonSchema {
  const { summary, options = {}, schema = (own) => own } = STAGES[name]
  return { description: summary, ...schema(optionsSchema(options)) }
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
