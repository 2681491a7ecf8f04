/**
 * Stages: what a pipeline does with documents between source and sink, in the words of MongoDB's aggregation language.
 *
 * This file makes them and loads the query engine, so it is imported when a pipeline runs or is explained; lint asks
 * `lint.ts` and `names.ts` alone. May import contracts, options and errors; no codec, source or sink.
 */
import type { Stage } from '../component.ts'
import { ConfigError, type ConfigProblem } from '../errors/index.ts'
import { parseOptions } from '../options/parse.ts'
import { fromEventFields, toEventFields } from './event-options.ts'
import type { Document } from './field-path.ts'
import { FromEventStage } from './from-event.ts'
import { LimitStage, SkipStage } from './limit.ts'
import { isStageName, lintStage } from './lint.ts'
import { MatchStage, matchProblems } from './match.ts'
import { expressionProblems } from './mingo.ts'
import type { StageName } from './names.ts'
import { createProject } from './project.ts'
import { ReplaceRootStage } from './replace-root.ts'
import { SetStage } from './set.ts'
import { ToEventStage } from './to-event.ts'
import { UnsetStage } from './unset.ts'
import { UnwindStage, type UnwindOptions } from './unwind.ts'

/** How each stage is made from a specification whose shape has been checked, and what else can be wrong with it. */
interface Factory {
  readonly create: (spec: never) => Stage
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
  $toEvent: { create: (spec: unknown) => new ToEventStage(parseOptions({ options: toEventFields }, spec).options) },
  $fromEvent: { create: (spec: unknown) => new FromEventStage(parseOptions({ options: fromEventFields }, spec).options) },
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
    return create(spec as never)
  } catch (error) {
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

/** Checks computed fields; `$slice` and `$elemMatch` mean something of their own here, and 1 or 0 are no expressions. */
function projectionProblems(spec: unknown, path: string): ConfigProblem[] {
  return Object.entries(spec as Document).flatMap(([name, value]) => {
    const operator = typeof value === 'object' && value !== null ? Object.keys(value)[0] : undefined
    return operator === '$slice' || operator === '$elemMatch' ? [] : expressionProblems(value, `${path}.${name}`)
  })
}
