/**
 * Checks stages without loading the engine behind them, so that `millrace lint` is fast: first their shape, then the
 * operators in them. What is left for the engine to say, when a stage is created, is wrong arguments.
 */
import type { ConfigProblem } from '../../errors/index.ts'
import type { Fields } from '../../options/declaration.ts'
import { parseOptions } from '../../options/parse.ts'
import { didYouMean } from '../../options/suggest.ts'
import { fromEventFields, toEventFields } from '../reference/event-options.ts'
import { isDocument, pathProblem } from '../field-path.ts'
import { aggregateChecks } from './aggregate.ts'
import { operatorProblems } from './operators.ts'
import { STAGE_OPTIONS } from '../reference/options.ts'
import { isStageName, REFUSED_STAGES, STAGE_NAMES, type StageName } from '../reference/names.ts'

type Check = (spec: unknown, path: string) => ConfigProblem[]

const CHECKS: { readonly [name in StageName]: Check } = {
  $match: (spec, path) =>
    isDocument(spec)
      ? []
      : [
          problem(
            path,
            '$match must be an object of conditions',
            spec,
            'write {field: value} or {field: {$gte: value}}',
          ),
        ],
  $set: fields,
  $addFields: fields,
  $unset: (spec, path) => {
    const names: unknown[] = Array.isArray(spec) ? spec : [spec]
    if (names.length === 0) return [problem(path, '$unset must name at least one field', spec)]
    return names.flatMap((name, i) => {
      const place = Array.isArray(spec) ? `${path}.${i}` : path
      if (typeof name !== 'string')
        return [problem(place, '$unset must be a field name or a list of field names', name)]
      return fieldPath(name, place)
    })
  },
  $project: (spec, path) => {
    if (!isDocument(spec)) return [problem(path, '$project must be an object of fields', spec)]
    return Object.keys(spec).length === 0
      ? [problem(path, '$project must name at least one field', spec)]
      : fieldPaths(spec, path)
  },
  $replaceRoot: (spec, path) => {
    if (!isDocument(spec) || !('newRoot' in spec))
      return [problem(path, '$replaceRoot must be an object with newRoot', spec, 'write {newRoot: "$field"}')]
    return unknownOptions(spec, Object.keys(STAGE_OPTIONS.$replaceRoot), path)
  },
  $replaceWith: (spec, path) =>
    isDocument(spec) || (typeof spec === 'string' && spec.startsWith('$'))
      ? []
      : [
          problem(
            path,
            '$replaceWith must be an expression that returns an object',
            spec,
            'write "$field" or {field: expression}',
          ),
        ],
  $unwind: (spec, path) => {
    if (typeof spec === 'string') return unwindPath(spec, path)
    if (!isDocument(spec))
      return [
        problem(
          path,
          '$unwind must be a field path or an object with path',
          spec,
          'write "$items" or {path: "$items"}',
        ),
      ]
    const { path: field, includeArrayIndex: index, preserveNullAndEmptyArrays: preserve } = spec
    const problems = [
      ...unknownOptions(spec, Object.keys(STAGE_OPTIONS.$unwind), path),
      ...unwindPath(field, `${path}.path`),
    ]
    if (index !== undefined && typeof index !== 'string')
      problems.push(problem(`${path}.includeArrayIndex`, 'includeArrayIndex must be a field name', index))
    if (typeof index === 'string') problems.push(...fieldPath(index, `${path}.includeArrayIndex`))
    if (preserve !== undefined && typeof preserve !== 'boolean')
      problems.push(
        problem(`${path}.preserveNullAndEmptyArrays`, 'preserveNullAndEmptyArrays must be true or false', preserve),
      )
    return problems
  },
  $limit: (spec, path) =>
    isCount(spec) && spec > 0 ? [] : [problem(path, '$limit must be a whole number above 0', spec)],
  $skip: (spec, path) => (isCount(spec) ? [] : [problem(path, '$skip must be a whole number of at least 0', spec)]),
  ...aggregateChecks(lintStages),
  $toEvent: options(toEventFields),
  $fromEvent: options(fromEventFields),
}

/**
 * The problems of one stage.
 *
 * @param name with its dollar sign
 * @param path dotted path of the specification, for instance `stages.0.$match`
 */
export function lintStage(name: string, spec: unknown, path: string): ConfigProblem[] {
  const refusal = REFUSED_STAGES.get(name)
  if (refusal !== undefined) return [{ path, message: `Stage "${name}" is not available, as ${refusal}` }]
  if (!isStageName(name)) {
    const suggestion = didYouMean(name, STAGE_NAMES) ?? `the stages are ${STAGE_NAMES.join(', ')}`
    return [{ path, message: `Unknown stage "${name}"`, suggestion }]
  }
  const shape = CHECKS[name](spec, path)
  return shape.length > 0 ? shape : operatorProblems(name, spec, path)
}

/** The problems of what may stand in the place of a stage; undefined when there is nothing of this name. */
export type LintOther = (name: string, spec: unknown, path: string) => ConfigProblem[] | undefined

/** The problems of a stage, or of what may stand in its place. */
export function lintNamed(name: string, spec: unknown, path: string, lintOther?: LintOther): ConfigProblem[] {
  return (name.startsWith('$') ? undefined : lintOther?.(name, spec, path)) ?? lintStage(name, spec, path)
}

/**
 * The problems of a list of stages as a file holds it: objects with exactly one key each.
 * @param lintOther asked for those whose name has no dollar sign
 */
export function lintStages(stages: unknown, path = 'stages', lintOther?: LintOther): ConfigProblem[] {
  if (!Array.isArray(stages)) return [problem(path, 'stages must be a list', stages)]
  return stages.flatMap((stage: unknown, i) => {
    const place = `${path}.${i}`
    if (!isDocument(stage))
      return [problem(place, 'A stage must be an object with one key', stage, 'write {$match: {...}}')]
    const names = Object.keys(stage)
    if (names.length !== 1)
      return [
        {
          path: place,
          message: `A stage must have exactly one key: it has ${names.length === 0 ? 'none' : names.map((name) => `"${name}"`).join(', ')}`,
          suggestion: 'write each of them as a stage of its own',
        },
      ]
    const [name] = names as [string]
    return lintNamed(name, stage[name], `${place}.${name}`, lintOther)
  })
}

/** Checks a stage whose specification is an object of declared options. */
function options(declared: Fields): Check {
  return (spec, path) =>
    parseOptions({ options: declared }, spec, [path]).problems.map(({ path: place, message, suggestion }) => ({
      path: place.join('.'),
      message,
      ...(suggestion === undefined ? {} : { suggestion }),
    }))
}

function fields(spec: unknown, path: string): ConfigProblem[] {
  if (!isDocument(spec))
    return [problem(path, 'This stage must be an object of fields and expressions', spec, 'write {field: value}')]
  if (Object.keys(spec).length === 0) return [problem(path, 'This stage must name at least one field', spec)]
  return fieldPaths(spec, path)
}

/** Checks every name, and that none lies within another: the result would depend on their order. */
function fieldPaths(spec: { readonly [name: string]: unknown }, path: string): ConfigProblem[] {
  const names = Object.keys(spec)
  return names.flatMap((name) => {
    const within = names.find((other) => name.startsWith(`${other}.`))
    const problems = fieldPath(name, `${path}.${name}`)
    return within === undefined
      ? problems
      : [...problems, { path: `${path}.${name}`, message: `Field "${name}" is within "${within}", which is named too` }]
  })
}

function fieldPath(name: string, path: string): ConfigProblem[] {
  const reason = pathProblem(name)
  if (reason === undefined) return []
  return [
    {
      path,
      message: reason[0]!.toUpperCase() + reason.slice(1),
      ...(name.startsWith('$') && name.length > 1 ? { suggestion: `write "${name.slice(1)}"` } : {}),
    },
  ]
}

function unwindPath(field: unknown, path: string): ConfigProblem[] {
  if (typeof field !== 'string' || !field.startsWith('$'))
    return [
      problem(
        path,
        'The path of $unwind must be a field path that begins with "$"',
        field,
        typeof field === 'string' ? `write "$${field}"` : undefined,
      ),
    ]
  return fieldPath(field.slice(1), path)
}

function unknownOptions(
  spec: { readonly [name: string]: unknown },
  known: readonly string[],
  path: string,
): ConfigProblem[] {
  return Object.keys(spec)
    .filter((name) => !known.includes(name))
    .map((name) => {
      const suggestion = didYouMean(name, known)
      return {
        path: `${path}.${name}`,
        message: `Unknown option "${name}"`,
        ...(suggestion === undefined ? {} : { suggestion }),
      }
    })
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

function problem(path: string, message: string, value: unknown, suggestion?: string): ConfigProblem {
  const current = JSON.stringify(value) ?? 'nothing'
  const shown = current.length > 60 ? `${current.slice(0, 57)}...` : current
  return { path, message: `${message}: current value is ${shown}`, ...(suggestion === undefined ? {} : { suggestion }) }
}
