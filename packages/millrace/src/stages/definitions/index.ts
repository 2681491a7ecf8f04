/**
 * All stages: one definition each, from which lint, JSON Schema, `millrace info`, the reference pages and the planner take
 * what they need. Loads no query engine, so that lint is fast; `stages/index.ts` says how stages are made.
 */
import { BRANCH_STAGES } from './branches.ts'
import type { StageDefinition } from './definition.ts'
import { EVENT_STAGES } from './events.ts'
import { FIELD_STAGES } from './fields.ts'
import { GROUP_STAGES } from './groups.ts'
import { ROW_STAGES } from './rows.ts'
import { SEQUENCE_STAGES } from './sequences.ts'

const { $redact, ...fieldStages } = FIELD_STAGES
const { $unwind, $limit, $skip, $sampleRate } = ROW_STAGES
const { $sort, ...sequenceStages } = SEQUENCE_STAGES
const { $facet, $lookup, $subPipeline } = BRANCH_STAGES

/** In the order of the reference. */
const ALL = {
  ...fieldStages,
  $unwind,
  $limit,
  $skip,
  $sort,
  ...GROUP_STAGES,
  $facet,
  ...sequenceStages,
  $lookup,
  $redact,
  $sampleRate,
  $subPipeline,
  ...EVENT_STAGES,
}

export type StageName = keyof typeof ALL

export const STAGES: { readonly [name in StageName]: StageDefinition } = ALL
export const STAGE_NAMES = Object.keys(STAGES) as StageName[]

export function isStageName(name: string): name is StageName {
  return Object.hasOwn(STAGES, name)
}

const WRITES = 'a pipeline writes to its sink only'
const SEARCHES = 'there is no index to search'
const CALLS = 'stages do not call services; use http.fetch of stage graphs'

/** Stages that exist on the host and not here, with the reason. */
export const REFUSED_STAGES: ReadonlyMap<string, string> = new Map([
  ['$merge', WRITES],
  ['$out', WRITES],
  ['$search', SEARCHES],
  ['$vectorSearch', SEARCHES],
  ['$agentCall', CALLS],
  ['$httpCall', CALLS],
  ['$sqlQuery', CALLS],
  ['$enrich', CALLS],
])
