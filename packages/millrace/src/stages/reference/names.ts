/**
 * The names of the stages that a pipeline may use. Free of dependencies, so that lint can ask for it at no cost.
 */

/** Stages that can be created, in the order of the reference. */
export const STAGE_NAMES = [
  '$match',
  '$set',
  '$addFields',
  '$unset',
  '$project',
  '$replaceRoot',
  '$replaceWith',
  '$unwind',
  '$limit',
  '$skip',
  '$sort',
  '$sortByCount',
  '$count',
  '$group',
  '$bucket',
  '$bucketAuto',
  '$facet',
  '$fill',
  '$densify',
  '$setWindowFields',
  '$lookup',
  '$redact',
  '$sampleRate',
  '$subPipeline',
  '$toEvent',
  '$fromEvent',
] as const

export type StageName = (typeof STAGE_NAMES)[number]

export function isStageName(name: string): name is StageName {
  return (STAGE_NAMES as readonly string[]).includes(name)
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

/** Names below `$group` that are options when they stand for plain values, and else fields of the result. */
export const GROUP_OPTIONS: ReadonlySet<string> = new Set(['scope', 'maxGroups'])

/** Groups that are kept unless the file says otherwise. */
export const MAX_GROUPS = 100_000

/** Accumulators that need no more than what they have made of the values so far, for groups of a whole stream. */
export const RUNNING_ACCUMULATOR_NAMES = [
  '$sum',
  '$avg',
  '$min',
  '$max',
  '$first',
  '$last',
  '$count',
  '$stdDevPop',
  '$stdDevSamp',
  '$mergeObjects',
] as const

export type RunningAccumulatorName = (typeof RUNNING_ACCUMULATOR_NAMES)[number]

/** Stages that see all documents of a batch at once, so that it matters how many those are. */
export const WHOLE_BATCH_STAGES: ReadonlySet<string> = new Set<StageName>([
  '$sort',
  '$sortByCount',
  '$count',
  '$group',
  '$bucket',
  '$bucketAuto',
  '$facet',
  '$fill',
  '$densify',
  '$setWindowFields',
  '$subPipeline',
])
