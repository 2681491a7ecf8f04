/**
 * Stages of linear pipelines as functions of stage graphs: `function = "$match"`, with what would stand below its name as
 * `config`. They work as they do there: on one batch at a time, `$limit` and `$skip` over the whole run.
 */
import { defineTransform, type TransformFunction } from '../contracts/functions.ts'
import { StageError, type RecordError } from '../errors/index.ts'
import { field } from '../options/fields.ts'
import { STAGES, type StageName } from '../stages/definitions/index.ts'
import { asTransform } from './transforms.ts'

/** What the dialect puts into the plan. */
const options = {
  spec: field.any(),
  /** Where it stands in the file. */
  path: field.string(),
}

/** @param name of a stage that exists */
export function stageFunction(name: StageName): TransformFunction {
  const { made, seesAllFields = false } = STAGES[name]
  return defineTransform({
    name,
    summary: `The stage \`${name}\` of linear pipelines.`,
    options,
    seesAllColumns: ({ spec }) => seesAllFields || WHOLE_DOCUMENT.test(JSON.stringify(spec) ?? ''),
    made: ({ spec }) => made?.(spec) ?? [],
    async create({ spec, path }, { stage: id }) {
      const { createStage } = await import('../stages/index.ts')
      return asTransform(createStage(name, spec, path), (error) => ofStage(id, name, error))
    },
  })
}

/** Errors and dead letters of a graph speak of a stage by its id. */
function ofStage(id: string, name: string, error: RecordError): RecordError {
  if (!(error instanceof StageError) || error.component !== name) return error
  const { message, cause, topic, partition, offset } = error
  return new StageError(message.replace(`"${name}"`, `"${id}"`), { cause, topic, partition, offset, component: id })
}

const WHOLE_DOCUMENT = /\$\$(?:ROOT|CURRENT)\b/
