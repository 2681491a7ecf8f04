/**
 * Checks the arguments of expression operators: names, how many, and variables. The engine would say so for each record that
 * comes, or give nothing in silence.
 */
import type { ConfigProblem } from '../../errors/index.ts'
import { didYouMean } from '../../options/suggest.ts'
import { describeValue } from '../../options/values.ts'
import { DATE_UNITS } from '../expressions/dates.ts'
import { EXPRESSION_OPERATORS } from '../expressions/operators.ts'
import { isDocument, type Document } from '../field-path.ts'

/** Variables that are there everywhere; globals have been put in, where they are known. */
export const SYSTEM_VARIABLES: ReadonlySet<string> = new Set([
  'ROOT',
  'CURRENT',
  'NOW',
  'CLUSTER_TIME',
  'REMOVE',
  'KEEP',
  'PRUNE',
  'DESCEND',
  'GLOBALS',
  'this',
])

/** The variables that hold in the arguments of an operator. */
export function variablesIn(operator: string, argument: unknown, around: ReadonlySet<string>): ReadonlySet<string> {
  if (operator === '$reduce') return new Set([...around, 'value'])
  if (!isDocument(argument)) return around
  const { as, vars } = argument
  if (operator === '$let' && isDocument(vars)) return new Set([...around, ...Object.keys(vars)])
  return (operator === '$map' || operator === '$filter') && typeof as === 'string' ? new Set([...around, as]) : around
}

export function variableProblems(text: string, known: ReadonlySet<string>, path: string): ConfigProblem[] {
  const name = /^\$\$([^.]*)/.exec(text)?.[1]
  if (name === undefined || known.has(name)) return []
  const suggestion = didYouMean(name, known)
  return [{ path, message: unknownVariable(name), ...(suggestion === undefined ? {} : { suggestion }) }]
}

export function unknownVariable(name: string): string {
  return `There is no variable "${name}"`
}

/** @param path of the operator */
export function argumentProblems(operator: string, argument: unknown, path: string): ConfigProblem[] {
  const { named, arity } = EXPRESSION_OPERATORS.get(operator) ?? {}
  if (named !== undefined && !(arity !== undefined && Array.isArray(argument)))
    return namedProblems(operator, named.split(' '), argument, path)
  if (arity === undefined) return []
  const [from, to] = arity
  const count = Array.isArray(argument) ? argument.length : 1
  if (count >= from && count <= to) return []
  const wanted = from === to ? `${from}` : to === Infinity ? `at least ${from}` : `${from} to ${to}`
  return [{ path, message: `${operator} must have a list of ${wanted} arguments: it has ${count}` }]
}

function namedProblems(operator: string, words: readonly string[], argument: unknown, path: string): ConfigProblem[] {
  const names = words.map((word) => word.replace('!', ''))
  const suggestion = `there are ${names.join(', ')}`
  if (!isDocument(argument))
    return [{ path, message: `${operator} must be an object: found ${describeValue(argument)}`, suggestion }]
  const missing = words.filter((word) => word.endsWith('!') && argument[word.slice(0, -1)] === undefined)
  return [
    ...Object.keys(argument)
      .filter((name) => !names.includes(name))
      .map((name) => ({
        path: `${path}.${name}`,
        message: `Unknown argument "${name}" of ${operator}`,
        suggestion: didYouMean(name, names) ?? suggestion,
      })),
    ...missing.map((word) => ({ path, message: `Missing argument "${word.slice(0, -1)}" of ${operator}` })),
    ...unitProblems(argument, path),
    ...patternProblems(argument['regex'], argument['options'], `${path}.regex`),
  ]
}

export function unitProblems({ unit }: Document, path: string): ConfigProblem[] {
  if (unit === undefined || (typeof unit === 'string' && unit.startsWith('$')) || isDocument(unit)) return []
  if ((DATE_UNITS as readonly unknown[]).includes(unit)) return []
  return [
    {
      path: `${path}.unit`,
      message: `unit must be one of ${DATE_UNITS.join(', ')}: found ${describeValue(unit)}`,
      ...suggested(typeof unit === 'string' ? didYouMean(unit, DATE_UNITS) : undefined),
    },
  ]
}

/** Regular expressions that are written out, and not taken from a document. */
export function patternProblems(pattern: unknown, flags: unknown, path: string): ConfigProblem[] {
  if (typeof pattern !== 'string' || pattern.startsWith('$')) return []
  try {
    new RegExp(pattern, typeof flags === 'string' && !flags.startsWith('$') ? flags : '')
    return []
  } catch (error) {
    return [{ path, message: (error as Error).message }]
  }
}

function suggested(suggestion: string | undefined): { suggestion?: string } {
  return suggestion === undefined ? {} : { suggestion }
}
