/**
 * Checks the arguments of expression operators: names, how many, and variables. The engine would say so for each record that
 * comes, or give nothing in silence.
 */
import type { ConfigProblem } from '../../errors/index.ts'
import { didYouMean } from '../../options/suggest.ts'
import { describeValue } from '../../options/values.ts'
import { DATE_UNITS } from '../expressions/dates.ts'
import { isDocument, type Document } from '../field-path.ts'

/** Arguments with names; `!` marks those that must be there. */
const NAMED = new Map<string, readonly string[]>(
  Object.entries({
    $convert: 'input! to! onError onNull',
    $dateAdd: 'startDate! unit! amount! timezone',
    $dateSubtract: 'startDate! unit! amount! timezone',
    $dateDiff: 'startDate! endDate! unit! timezone startOfWeek',
    $dateToParts: 'date! timezone iso8601',
    $dateToString: 'date! format timezone onNull',
    $dateTrunc: 'date! unit! binSize timezone startOfWeek',
    $filter: 'input! cond! as limit',
    $let: 'vars! in!',
    $ltrim: 'input! chars',
    $map: 'input! in! as',
    $reduce: 'input! initialValue! in!',
    $regexFind: 'input! regex! options',
    $regexFindAll: 'input! regex! options',
    $regexMatch: 'input! regex! options',
    $replaceAll: 'input! find! replacement!',
    $replaceOne: 'input! find! replacement!',
    $rtrim: 'input! chars',
    $setField: 'field! input! value!',
    $sortArray: 'input! sortBy!',
    $switch: 'branches! default',
    $trim: 'input! chars',
    $unsetField: 'field! input!',
    $zip: 'inputs! useLongestLength defaults',
  }).map(([name, words]) => [name, words.split(' ')]),
)

/** How many elements the list of arguments has: from, to. */
const COUNTED = new Map<string, readonly [from: number, to: number]>([
  ...counted([2, 2], 'arrayElemAt atan2 cmp divide eq gt gte in log lt lte mod ne nin pow setDifference setIsSubset'),
  ...counted([2, 2], 'split strcasecmp subtract'),
  ...counted([3, 3], 'substr substrBytes substrCP'),
  ...counted([2, 3], 'range slice'),
  ...counted([2, 4], 'indexOfArray indexOfBytes indexOfCP'),
  ...counted([2, Infinity], 'ifNull coalesce'),
])

function counted(count: readonly [number, number], words: string): (readonly [string, readonly [number, number]])[] {
  return words.split(' ').map((word) => [`$${word}`, count] as const)
}

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
  const names = operator === '$cond' && !Array.isArray(argument) ? ['if!', 'then!', 'else'] : NAMED.get(operator)
  if (names !== undefined) return namedProblems(operator, names, argument, path)
  const [from, to] = operator === '$cond' ? [3, 3] : (COUNTED.get(operator) ?? [0, Infinity])
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
