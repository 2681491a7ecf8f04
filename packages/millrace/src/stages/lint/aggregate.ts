/** Checks the shape of stages that look at several documents, and of those that hold stages themselves. */
import type { ConfigProblem } from '../../errors/index.ts'
import type { Fields } from '../../options/declaration.ts'
import { didYouMean } from '../../options/suggest.ts'
import { describeValue } from '../../options/values.ts'
import { isDocument } from '../field-path.ts'
import { unitProblems, unknownVariable } from './arguments.ts'
import { RUNNING_ACCUMULATOR_NAMES, type StageName } from '../reference/names.ts'
import { STAGE_OPTIONS } from '../reference/options.ts'
import { subPipelines } from './sub-pipelines.ts'

type Check = (spec: unknown, path: string) => ConfigProblem[]
type LintStages = (stages: unknown, path: string) => ConfigProblem[]

/** @param isOpen whether other names are fields of the result */
function shape(name: keyof typeof STAGE_OPTIONS, isOpen = false): Check {
  const fields: Fields = STAGE_OPTIONS[name]
  return (spec, path) => {
    if (!isDocument(spec)) return [{ path, message: `${name} must be an object: found ${describeValue(spec)}` }]
    return [
      ...Object.entries(fields)
        .filter(([option, { presence }]) => presence === 'required' && !(option in spec))
        .map(([option, { meta }]) => ({
          path,
          message: `Missing option "${option}"`,
          suggestion: `for example ${option}: ${JSON.stringify(meta.examples?.[0])}`,
        })),
      ...Object.keys(spec)
        .filter((option) => !isOpen && !(option in fields))
        .map((option) =>
          problem(`${path}.${option}`, `Unknown option "${option}"`, didYouMean(option, Object.keys(fields))),
        ),
    ]
  }
}

/** Boundaries that could only fail when a record comes. */
function boundaryProblems(spec: unknown, path: string): ConfigProblem[] {
  const bounds = isDocument(spec) ? spec['boundaries'] : undefined
  if (bounds === undefined) return []
  const rises = (bound: unknown, i: number, all: unknown[]): boolean =>
    i === 0 || (typeof bound === typeof all[i - 1] && (bound as number) > (all[i - 1] as number))
  return Array.isArray(bounds) && bounds.length > 1 && bounds.every(rises)
    ? []
    : [
        problem(
          `${path}.boundaries`,
          `boundaries must be a list of at least two, in ascending order: found ${describeValue(bounds)}`,
          'for example [0, 100, 1000]',
        ),
      ]
}

/** Ranges that fail when a record comes, or never end. */
function densifyProblems(spec: unknown, path: string): ConfigProblem[] {
  const range = isDocument(spec) ? spec['range'] : undefined
  if (range === undefined) return []
  const place = `${path}.range`
  if (!isDocument(range))
    return [
      problem(place, `range must be an object: found ${describeValue(range)}`, 'for example {step: 1, bounds: full}'),
    ]
  const { step, bounds } = range
  const problems = unitProblems(range, place)
  if (typeof step !== 'number' || !(step > 0))
    problems.push(problem(`${place}.step`, `step must be a number above 0: found ${describeValue(step)}`))
  if (bounds !== 'full' && bounds !== 'partition' && !(Array.isArray(bounds) && bounds.length === 2))
    problems.push(
      problem(`${place}.bounds`, `bounds must be full, partition or a list of two: found ${describeValue(bounds)}`),
    )
  return problems
}

const RUNNING: readonly string[] = RUNNING_ACCUMULATOR_NAMES

/** Of the options of `$group`, and of accumulators that cannot go on over a stream. */
function groupProblems(spec: unknown, path: string): ConfigProblem[] {
  if (!isDocument(spec)) return []
  const { scope, maxGroups } = spec
  const isOption = (value: unknown): boolean => value !== undefined && !isDocument(value)
  const problems: ConfigProblem[] = []
  if (isOption(scope) && scope !== 'batch' && scope !== 'stream')
    problems.push(problem(`${path}.scope`, `scope must be batch or stream: found ${describeValue(scope)}`))
  if (isOption(maxGroups)) {
    if (!Number.isSafeInteger(maxGroups) || (maxGroups as number) < 1)
      problems.push(
        problem(`${path}.maxGroups`, `maxGroups must be a whole number above 0: found ${describeValue(maxGroups)}`),
      )
    else if (scope !== 'stream')
      problems.push(problem(`${path}.maxGroups`, 'maxGroups has an effect only with scope: stream', 'delete it'))
  }
  if (scope !== 'stream') return problems
  const accumulators = Object.entries(spec).flatMap(([name, value]) =>
    name !== '_id' && isDocument(value) ? Object.keys(value).map((operator) => [name, operator] as const) : [],
  )
  for (const [name, operator] of accumulators)
    if (!RUNNING.includes(operator))
      problems.push(
        problem(
          `${path}.${name}.${operator}`,
          `Cannot use ${operator} with scope: stream, as it needs the values of the whole stream`,
          didYouMean(operator, RUNNING) ?? `there are ${RUNNING.join(', ')}`,
        ),
      )
  return problems
}

const isRate = (value: unknown): boolean => typeof value === 'number' && value >= 0 && value <= 1

const countProblems: Check = (spec, path) =>
  typeof spec === 'string' && /^[^$.]+$/.test(spec)
    ? []
    : [{ path, message: `$count must be the name of a field: found ${describeValue(spec)}` }]

const sortProblems: Check = (spec, path) => {
  if (!isDocument(spec) || Object.keys(spec).length === 0)
    return [{ path, message: '$sort must be an object of fields', suggestion: 'write {amount: -1}' }]
  return Object.entries(spec)
    .filter(([, order]) => order !== 1 && order !== -1)
    .map(([name, order]) =>
      problem(`${path}.${name}`, `The order must be 1 (ascending) or -1 (descending): found ${describeValue(order)}`),
    )
}

const sampleRateProblems: Check = (spec, path) => {
  if (isRate(spec)) return []
  const ok =
    isDocument(spec) && isRate(spec['rate']) && (spec['seed'] === undefined || Number.isSafeInteger(spec['seed']))
  return ok && Object.keys(spec).every((name) => name === 'rate' || name === 'seed')
    ? []
    : [{ path, message: `$sampleRate must be a number from 0 to 1, or {rate, seed}: found ${describeValue(spec)}` }]
}

function lookupCheck(lintStages: LintStages): Check {
  return (spec, path) => {
    const found = shape('$lookup')(spec, path)
    if (found.length > 0 || !isDocument(spec)) return found
    const { from, localField, foreignField, pipeline } = spec
    if (typeof from === 'string')
      return [
        {
          path: `${path}.from`,
          message: `There is no collection "${from}"`,
          suggestion: 'define it under collections, with its documents or a file of them',
        },
      ]
    if (pipeline === undefined && (localField === undefined || foreignField === undefined))
      return [{ path, message: '$lookup needs localField and foreignField, or a pipeline' }]
    if (pipeline === undefined) return []
    const own = Object.keys(isDocument(spec['let']) ? spec['let'] : {}).map(unknownVariable)
    return lintStages(pipeline, `${path}.pipeline`).filter(({ message }) => !own.includes(message))
  }
}

/** @param lintStages checks a list of stages */
export function aggregateChecks(lintStages: LintStages): { readonly [name in AggregateName]: Check } {
  return {
    $sort: sortProblems,
    $sortByCount: (spec, path) =>
      spec === undefined || spec === null
        ? [{ path, message: '$sortByCount must be an expression', suggestion: 'write "$status"' }]
        : [],
    $count: countProblems,
    $redact: (spec, path) =>
      isDocument(spec) || typeof spec === 'string'
        ? []
        : [{ path, message: '$redact must be an expression that returns $$KEEP, $$PRUNE or $$DESCEND' }],
    $group: (spec, path) => [...shape('$group', true)(spec, path), ...groupProblems(spec, path)],
    $bucket: (spec, path) => [...shape('$bucket')(spec, path), ...boundaryProblems(spec, path)],
    $bucketAuto: shape('$bucketAuto'),
    $fill: shape('$fill'),
    $densify: (spec, path) => [...shape('$densify')(spec, path), ...densifyProblems(spec, path)],
    $setWindowFields: shape('$setWindowFields'),
    $lookup: lookupCheck(lintStages),
    $sampleRate: sampleRateProblems,
    $facet: (spec, path) =>
      isDocument(spec) && Object.keys(spec).length > 0
        ? Object.entries(spec).flatMap(([name, stages]) => lintStages(stages, `${path}.${name}`))
        : [
            {
              path,
              message: '$facet must be an object of lists of stages',
              suggestion: 'write {name: [{$match: ...}]}',
            },
          ],
    $subPipeline: (spec, path) => subPipelines(spec, path, lintStages),
  }
}

type AggregateShape = Exclude<keyof typeof STAGE_OPTIONS, '$replaceRoot' | '$unwind'>
type AggregateName = Extract<
  StageName,
  AggregateShape | '$sort' | '$sortByCount' | '$count' | '$redact' | '$sampleRate' | '$facet' | '$subPipeline'
>

function problem(path: string, message: string, suggestion?: string): ConfigProblem {
  return { path, message, ...(suggestion === undefined ? {} : { suggestion }) }
}
