/**
 * Stages: what a pipeline does with documents between source and sink, in the words of MongoDB's aggregation language.
 *
 * This file makes them and loads the query engine, so it is imported when a pipeline runs or is explained; lint asks
 * `lint.ts` and `names.ts` alone. May import contracts, options and errors; no codec, source or sink.
 */
import type { Stage } from '../component.ts'
import { ConfigError, isMillraceError, type ConfigProblem } from '../errors/index.ts'
import { parseOptions } from '../options/parse.ts'
import { fromEventFields, toEventFields } from './event-options.ts'
import type { Document } from './field-path.ts'
import { AggregateStage } from './aggregate.ts'
import { createDensify } from './densify.ts'
import { FacetStage, SubPipelineStage, type MakeStage, type SubPipeline } from './branches.ts'
import { FromEventStage } from './from-event.ts'
import { LimitStage, SkipStage } from './limit.ts'
import { lintStage } from './lint.ts'
import { hasFunction } from './function-source.ts'
import { createLookup } from './lookup.ts'
import { MatchStage, matchProblems } from './match.ts'
import { accumulatorProblems, expressionProblems } from './mingo.ts'
import { isStageName, type StageName } from './names.ts'
import { createProject } from './project.ts'
import { ReplaceRootStage } from './replace-root.ts'
import { LimitedStage } from './run-function.ts'
import { createGroup, withoutOptions } from './running-group.ts'
import { SampleRateStage } from './sample-rate.ts'
import { SetStage } from './set.ts'
import { ToEventStage } from './to-event.ts'
import { UnsetStage } from './unset.ts'
import { UnwindStage, type UnwindOptions } from './unwind.ts'
import { createWindowStage } from './window.ts'

/** How each stage is made from a specification whose shape has been checked, and what else can be wrong with it. */
interface Factory {
  readonly create: (spec: never, path: string) => Stage
  readonly check?: (spec: unknown, path: string) => ConfigProblem[]
}

const FACTORIES: { readonly [name in StageName]: Factory } = {
  $match: { create: (spec: Document) => new MatchStage(spec), check: matchProblems },
  $set: { create: (spec: Document) => new SetStage('$set', spec), check: expressionProblems },
  $addFields: { create: (spec: Document) => new SetStage('$addFields', spec), check: expressionProblems },
  $unset: { create: (spec: string | string[]) => new UnsetStage('$unset', [spec].flat()) },
  $project: { create: (spec: Document) => createProject(spec), check: projectionProblems },
  $replaceRoot: {
    create: (spec: { newRoot: unknown }) => new ReplaceRootStage('$replaceRoot', spec.newRoot),
    check: expressionProblems,
  },
  $replaceWith: { create: (spec: unknown) => new ReplaceRootStage('$replaceWith', spec), check: expressionProblems },
  $unwind: {
    create: (spec: string | UnwindOptions) => new UnwindStage(typeof spec === 'string' ? { path: spec } : spec),
  },
  $limit: { create: (spec: number) => new LimitStage(spec) },
  $skip: { create: (spec: number) => new SkipStage(spec) },
  $sort: aggregate('$sort'),
  $sortByCount: aggregate('$sortByCount', expressionProblems),
  $count: aggregate('$count'),
  $group: {
    create: createGroup,
    check: (spec, path) => outputProblems(withoutOptions(spec as Document), path),
  },
  $bucket: aggregate('$bucket', bucketProblems),
  $bucketAuto: aggregate('$bucketAuto', bucketProblems),
  $fill: aggregate('$fill'),
  $densify: { create: createDensify },
  $redact: aggregate('$redact', expressionProblems),
  $setWindowFields: { create: (spec: Document) => createWindowStage(spec), check: windowProblems },
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
  const shape = lintStage(name, spec, path)
  if (shape.length > 0 || !isStageName(name)) throw invalid(name, shape)
  const { create, check } = FACTORIES[name]
  const problems = check?.(spec, path) ?? []
  if (problems.length > 0) throw invalid(name, problems)
  try {
    const stage = create(spec as never, path)
    // Where stages stand inside, it is those that have a limit of time.
    return !HOLDS_STAGES.has(name) && hasFunction(spec) ? new LimitedStage(stage) : stage
  } catch (error) {
    if (isMillraceError(error)) throw error
    throw invalid(
      name,
      [{ path, message: error instanceof Error ? error.message.replace(/\.$/, '') : String(error) }],
      error,
    )
  }
}

const HOLDS_STAGES: ReadonlySet<StageName> = new Set<StageName>(['$facet', '$subPipeline'])

function invalid(name: string, problems: readonly ConfigProblem[], cause?: unknown): ConfigError {
  return new ConfigError(`Cannot use stage "${name}": ${problems.map(({ message }) => message).join('; ')}`, problems, {
    cause,
  })
}

/** Checks computed fields; `$slice` and `$elemMatch` mean something of their own here, and 1 or 0 are no expressions. */
function projectionProblems(spec: unknown, path: string): ConfigProblem[] {
  return Object.entries(spec as Document).flatMap(([name, value]) => {
    const operator = typeof value === 'object' && value !== null ? Object.keys(value)[0] : undefined
    return operator === '$slice' || operator === '$elemMatch' ? [] : expressionProblems(value, `${path}.${name}`)
  })
}

function aggregate(name: StageName, check?: Factory['check']): Factory {
  return { create: (spec: unknown) => new AggregateStage(name, spec), ...(check === undefined ? {} : { check }) }
}

/** Makes stages that stand inside another one. */
function stagesBelow(path: string): MakeStage {
  return (name, spec) => createStage(name, spec, `${path}.${name}`)
}

/** Accumulators by the field that they fill, beside `_id`, which is an expression. */
function outputProblems(spec: unknown, path: string): ConfigProblem[] {
  return Object.entries(spec as Document).flatMap(([name, value]) =>
    name === '_id' ? expressionProblems(value, `${path}._id`) : accumulatorProblems(value, `${path}.${name}`),
  )
}

function bucketProblems(spec: unknown, path: string): ConfigProblem[] {
  const { groupBy, output = {} } = spec as Document
  return [...expressionProblems(groupBy, `${path}.groupBy`), ...outputProblems(output, `${path}.output`)]
}

function windowProblems(spec: unknown, path: string): ConfigProblem[] {
  const { output } = spec as Document
  return Object.entries(output as Document).flatMap(([name, value]) => {
    const { window: _, ...functions } = value as Document
    return accumulatorProblems(functions, `${path}.output.${name}`)
  })
}
