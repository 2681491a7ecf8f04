/**
 * Stages: what a pipeline does with documents between source and sink, in the words of MongoDB's aggregation language.
 *
 * This file makes them and loads the query engine, so it is imported when a pipeline runs or is explained; lint asks
 * `lint/` and `definitions/` alone. May import contracts, options and errors; no codec, source or sink.
 */
import type { Stage } from '../contracts/stage.ts'
import { ConfigError, isMillraceError, type ConfigProblem } from '../errors/index.ts'
import { parseOptions } from '../options/parse.ts'
import { fromEventFields, toEventFields } from './definitions/events.ts'
import type { Document } from './field-path.ts'
import { AggregateStage } from './aggregate.ts'
import { createDensify } from './densify.ts'
import { FacetStage, SubPipelineStage, type MakeStage, type SubPipeline } from './branches.ts'
import { FromEventStage } from './from-event.ts'
import { LimitStage, SkipStage } from './limit.ts'
import { lintStage } from './lint/index.ts'
import { hasFunction } from './expressions/function-source.ts'
import { createLookup } from './lookup.ts'
import { MatchStage } from './match.ts'
import { isStageName, STAGES, type StageName } from './definitions/index.ts'
import { createProject } from './project.ts'
import { ReplaceRootStage } from './replace-root.ts'
import { LimitedStage } from './expressions/run-function.ts'
import { createGroup } from './running-group.ts'
import { SampleRateStage } from './sample-rate.ts'
import { SetStage } from './set.ts'
import { ToEventStage } from './to-event.ts'
import { UnsetStage } from './unset.ts'
import { UnwindStage, type UnwindOptions } from './unwind.ts'
import { createWindowStage } from './set-window-fields.ts'

/** How each stage is made from a specification that has been checked. */
interface Factory {
  readonly create: (spec: never, path: string) => Stage
}

const FACTORIES: { readonly [name in StageName]: Factory } = {
  $match: { create: (spec: Document) => new MatchStage(spec) },
  $set: { create: (spec: Document) => new SetStage('$set', spec) },
  $addFields: { create: (spec: Document) => new SetStage('$addFields', spec) },
  $unset: { create: (spec: string | string[]) => new UnsetStage('$unset', [spec].flat()) },
  $project: { create: (spec: Document) => createProject(spec) },
  $replaceRoot: {
    create: (spec: { newRoot: unknown }) => new ReplaceRootStage('$replaceRoot', spec.newRoot),
  },
  $replaceWith: { create: (spec: unknown) => new ReplaceRootStage('$replaceWith', spec) },
  $unwind: {
    create: (spec: string | UnwindOptions) => new UnwindStage(typeof spec === 'string' ? { path: spec } : spec),
  },
  $limit: { create: (spec: number) => new LimitStage(spec) },
  $skip: { create: (spec: number) => new SkipStage(spec) },
  $sort: aggregate('$sort'),
  $sortByCount: aggregate('$sortByCount'),
  $count: aggregate('$count'),
  $group: {
    create: createGroup,
  },
  $bucket: aggregate('$bucket'),
  $bucketAuto: aggregate('$bucketAuto'),
  $fill: aggregate('$fill'),
  $densify: { create: createDensify },
  $redact: aggregate('$redact'),
  $setWindowFields: { create: (spec: Document) => createWindowStage(spec) },
  $lookup: { create: (spec: Document) => createLookup(spec) },
  $sampleRate: {
    create: (spec: number | { rate: number; seed?: number }) =>
      new SampleRateStage(typeof spec === 'number' ? { rate: spec } : spec),
  },
  $facet: {
    create: (spec: { readonly [name: string]: readonly Document[] }, path) => new FacetStage(spec, stagesBelow(path)),
  },
  $subPipeline: { create: (spec: readonly SubPipeline[], path) => new SubPipelineStage(spec, stagesBelow(path)) },
  $toEvent: { create: (spec: unknown) => new ToEventStage(parseOptions({ options: toEventFields }, spec).options) },
  $fromEvent: {
    create: (spec: unknown) => new FromEventStage(parseOptions({ options: fromEventFields }, spec).options),
  },
}

/**
 * Makes a stage. A stage counts and compiles for one run: make new ones for the next.
 *
 * @param name with its dollar sign
 * @param spec what the pipeline file says below the name
 * @param path where it stands in the file, for instance `stages.0.$match`
 * @throws {ConfigError} `CONFIG_INVALID` with the path of every problem: wrong shape, unknown operator, invalid query
 */
export function createStage(name: string, spec: unknown, path: string): Stage {
  const problems = lintStage(name, spec, path)
  if (problems.length > 0 || !isStageName(name)) throw invalid(name, problems)
  try {
    const stage = FACTORIES[name].create(spec as never, path)
    // Where stages stand inside, it is those that have a limit of time.
    return STAGES[name].holdsStages !== true && hasFunction(spec) ? new LimitedStage(stage) : stage
  } catch (error) {
    if (isMillraceError(error)) throw error
    throw invalid(
      name,
      [{ path, message: error instanceof Error ? error.message.replace(/\.$/, '') : String(error) }],
      error,
    )
  }
}

function invalid(name: string, problems: readonly ConfigProblem[], cause?: unknown): ConfigError {
  return new ConfigError(`Cannot use stage "${name}": ${problems.map(({ message }) => message).join('; ')}`, problems, {
    cause,
  })
}

function aggregate(name: StageName): Factory {
  return { create: (spec: unknown) => new AggregateStage(name, spec) }
}

/** Makes stages that stand inside another one. */
function stagesBelow(path: string): MakeStage {
  return (name, spec) => createStage(name, spec, `${path}.${name}`)
}
