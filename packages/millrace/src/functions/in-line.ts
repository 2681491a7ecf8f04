/**
 * Functions as stages of linear pipelines, with the options that they have in a graph:
 *
 * ```yaml
 * stages:
 *   - filter.apply: { column: amount, operator: ">", value: 100 }
 * ```
 */
import type { FunctionDefinition, NotInLine, StageContext, TransformFunction } from '../contracts/functions.ts'
import type { Stage } from '../contracts/stage.ts'
import { ConfigError, type ConfigProblem } from '../errors/index.ts'
import { parseOptions } from '../options/parse.ts'
import { didYouMean } from '../options/suggest.ts'
import { isObject } from '../options/values.ts'
import { STAGE_NAMES } from '../stages/definitions/index.ts'
import { findFunctions, FUNCTIONS, REFUSED_FUNCTIONS } from './index.ts'

type LineFunction = TransformFunction & Required<Pick<TransformFunction, 'stage'>>

/** Functions that can be stages of linear pipelines. */
export const LINE_FUNCTIONS: readonly LineFunction[] = FUNCTIONS.filter(isLineFunction)

export function isLineFunction(definition: FunctionDefinition): definition is LineFunction {
  return definition.kind === 'transform' && definition.stage !== undefined
}

/** A stage as it was meant: TOML takes names apart at their dots, so that `filter.apply = {}` is a table "apply" in one "filter". */
export function withWholeName(stage: unknown): unknown {
  const [name, inner] = onlyEntry(stage)
  const [rest, spec] = onlyEntry(inner)
  const whole = `${name}.${rest}`
  return rest !== undefined && findFunctions(whole).length > 0 ? { [whole]: spec } : stage
}

function onlyEntry(value: unknown): readonly [name: string | undefined, value: unknown] {
  const entries = isObject(value) ? Object.entries(value) : []
  return entries.length === 1 ? entries[0]! : [undefined, undefined]
}

/** The problems of a function as a stage; undefined when there is no function of this name. */
export function lintFunctionStage(name: string, spec: unknown, path: string): ConfigProblem[] | undefined {
  const refused = REFUSED_FUNCTIONS[name]
  if (refused !== undefined) return [{ path, message: `Cannot use function "${name}": ${refused}` }]
  const named = findFunctions(name)
  if (named.length === 0) {
    const suggestion = didYouMean(name, [...LINE_FUNCTIONS.map((one) => one.name), ...STAGE_NAMES])
    return suggestion === undefined ? undefined : [{ path, message: `Unknown stage "${name}"`, suggestion }]
  }
  const definition = named.find(({ kind }) => kind === 'transform')
  if (definition?.kind !== 'transform') {
    const kinds = [...new Set(named.map(({ kind }) => kind))].join(' and a ')
    return [
      {
        path,
        message: `Function "${name}" is a ${kinds}, and a stage takes records and passes them on`,
        suggestion: `name a ${named[0]!.kind} under "${named[0]!.kind}"`,
      },
    ]
  }
  if (definition.stage === undefined) return [refusal(name, path, definition.notInLine?.({}))]
  const { options, problems } = parseOptions(definition, spec, [path])
  if (problems.length === 0) {
    const reason = definition.notInLine?.(options)
    return reason === undefined ? [] : [refusal(name, path, reason)]
  }
  return problems.map(({ path: place, message, suggestion }) => ({
    path: place.join('.'),
    message,
    ...(suggestion === undefined ? {} : { suggestion }),
  }))
}

/**
 * Makes the stage. It remembers for one run: make a new one for the next.
 * @throws {ConfigError} with all problems
 */
export function createFunctionStage(
  name: string,
  spec: unknown,
  path: string,
  warn: StageContext['warn'] = () => {},
): Stage {
  const definition = findFunctions(name).find(isLineFunction)
  const problems = lintFunctionStage(name, spec, path) ?? []
  if (definition === undefined || problems.length > 0)
    throw new ConfigError(`Cannot use stage "${name}": ${problems.map(({ message }) => message).join('; ')}`, problems)
  return definition.stage(parseOptions(definition, spec).options, { stage: name, warn })
}

function refusal(name: string, path: string, reason: NotInLine | undefined): ConfigProblem {
  const graph = 'a stage graph, whose stages have id, function and inputs'
  return {
    path,
    message: `Cannot use "${name}" in a linear pipeline as ${reason?.because ?? 'it is more than a stage'}`,
    suggestion: reason?.instead === undefined ? `use ${graph}` : `use ${reason.instead}, or ${graph}`,
  }
}
