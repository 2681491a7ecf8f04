/**
 * `transforms` of connectors: those of events, and stages, each by its name.
 *
 * ```yaml
 * transforms:
 *   - $match: { amount: { $gte: 100 } }                      # a stage works on the value; or filter.apply: {...}
 *   - { type: filter, config: { field: status, equals: paid } }   # a transform works on the event that carries it
 * ```
 *
 * In a source events are made of values, in a sink it is the other way round: so stages stand before transforms there, and
 * behind them here. A bridge has values only.
 */
import type { PlannedStage } from '../../engine/plan.ts'
import { transformListBeside } from '../../events/transforms.ts'
import { isObject } from '../../options/values.ts'
import { lintNamed } from '../../stages/lint/index.ts'
import type { LineFunctions } from '../line-functions.ts'
import { definitionOf } from '../options-schema.ts'
import { conditionWarnings } from '../stage-warnings.ts'
import type { Report } from './translate.ts'

/** Whether an entry is a stage: one key, which is its name. */
function isStage(entry: unknown): entry is { readonly [name: string]: unknown } {
  const names = isObject(entry) ? Object.keys(entry) : []
  return names.length === 1 && names[0] !== 'type' && names[0] !== 'config'
}

export const transformsAndStages = transformListBeside(isStage, { $ref: definitionOf('step') })

export interface Transforms {
  /** Of events, as they are written. */
  readonly events: readonly unknown[]
  readonly stages: readonly PlannedStage[]
}

export type Order = 'stages first' | 'events first' | 'stages only'

/**
 * Takes apart what `transformsAndStages` has read without problems.
 * @param place of the connector
 */
export function splitTransforms(
  written: unknown,
  place: readonly string[],
  order: Order,
  { functions, report }: { readonly functions?: LineFunctions | undefined; readonly report: Report },
): Transforms {
  const events: unknown[] = []
  const stages: PlannedStage[] = []
  for (const [i, entry] of (Array.isArray(written) ? (written as unknown[]) : []).entries()) {
    const at = [...place, 'transforms', String(i)]
    if (!isStage(entry)) {
      if (order === 'stages only')
        report({
          path: at,
          message: 'This transform works on events, and a bridge has none',
          suggestion: 'use a stage, for instance $match, $set or $unset',
        })
      else if (order === 'events first' && stages.length > 0) report({ path: at, ...BEHIND_STAGES })
      events.push(entry)
      continue
    }
    const [name, spec] = Object.entries(functions?.withWholeName(entry) ?? entry)[0] as [string, unknown]
    if (order === 'stages first' && events.length > 0) report({ path: [...at, name], ...BEHIND_EVENTS })
    const path = [...at, name].join('.')
    for (const problem of lintNamed(name, spec, path, functions?.lintFunctionStage))
      report({ ...problem, path: [problem.path] })
    if (name === '$match')
      for (const warning of conditionWarnings(spec, path)) report({ ...warning, path: [warning.path], warning: true })
    stages.push({ name, spec, path })
  }
  return { events, stages }
}

const BEHIND_EVENTS = {
  message:
    'A stage works on the value, so in a source it cannot follow a transform, which works on the event made from it',
  suggestion: 'move it before them',
}
const BEHIND_STAGES = {
  message: 'A transform works on the event, so in a sink it cannot follow a stage, which works on the value in it',
  suggestion: 'move it before them',
}
