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

/** Stages that exist on the host but write or search somewhere else; a pipeline here has its sink for that. */
export const REFUSED_STAGES: readonly string[] = ['$merge', '$out', '$search', '$vectorSearch']

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
