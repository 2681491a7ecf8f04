/** Writes to `_meta` that change nothing. */
import type { PipelinePlan, PlannedStage } from '../../engine/plan.ts'
import type { ConfigProblem } from '../../errors/index.ts'
import { isObject } from '../../options/values.ts'

/** Stages that set a part of `_meta` other than the key, which neither a later stage nor the sink looks at. */
export function metaWarnings({
  stages,
  sink,
  fanout = [],
}: Pick<PipelinePlan, 'stages' | 'sink' | 'fanout'>): ConfigProblem[] {
  if ([sink, ...fanout].some(({ options }) => options['includeMeta'] === true)) return []
  return stages.flatMap((stage, i) => (isReadLater(stages.slice(i + 1)) ? [] : inVain(stage)))
}

function inVain({ name, spec, path }: PlannedStage): ConfigProblem[] {
  if ((name !== '$set' && name !== '$addFields') || !isObject(spec)) return []
  return Object.keys(spec)
    .filter((field) => field.startsWith('_meta.') && field !== '_meta.key' && !field.startsWith('_meta.key.'))
    .map((field) => ({
      path: `${path}.${field}`,
      message: `${name} of "${field}" has no effect on what is written: of _meta, only _meta.key can be changed`,
      suggestion: 'set a field of the value instead',
    }))
}

function isReadLater(stages: readonly PlannedStage[]): boolean {
  return JSON.stringify(stages.map(({ spec }) => spec)).includes('_meta')
}
