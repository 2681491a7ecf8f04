/**
 * Expression operators of Fluxion that mingo does not have, or that mean something else there.
 */
import { evalExpr } from 'mingo/core'
import * as accumulators from 'mingo/operators/accumulator'
import { describeValue } from '../../options/values.ts'
import { CONVERSION_OPERATORS } from './conversion-operators.ts'
import { DATE_OPERATORS } from './date-operators.ts'
import { engineOperator, isMissing, type Operator, type Operators } from './mingo-operators.ts'
import { NUMBER_OPERATORS } from './number-operators.ts'
import { callFunction } from './run-function.ts'
import { TEXT_OPERATORS } from './text-operators.ts'

/** What one record can ask for must not take the memory of all. */
const LONGEST_RANGE = 1_000_000

const { $sum, $avg, $min, $max, $stdDevPop, $stdDevSamp } = accumulators

const OPERATORS: Operators = {
  ...DATE_OPERATORS,
  ...NUMBER_OPERATORS,
  ...CONVERSION_OPERATORS,
  ...TEXT_OPERATORS,
  ...overValues({ $sum, $avg, $min, $max, $stdDevPop, $stdDevSamp }),
  /** Whether a value is not in a list. */
  $nin: (document, argument, options) => !engineOperator('$in')(document, argument, options),
  /** The first value that is there and not null. */
  $coalesce: engineOperator('$ifNull'),
  $range: (document, argument, options) => {
    const list = evalExpr(document, argument, options)
    const [from, to, step = 1] = (Array.isArray(list) ? list : []) as readonly number[]
    if (Math.abs((to! - from!) / step) > LONGEST_RANGE)
      throw new Error(`$range from ${from} to ${to} has more than ${LONGEST_RANGE} numbers`)
    return engineOperator('$range')(document, literals(list), options)
  },
  /** Code of the pipeline file; the engine itself uses it with functions. */
  $function: (document, argument, options) => {
    const { body, args = [] } = argument as { readonly body: unknown; readonly args?: unknown }
    if (typeof body !== 'string') return engineOperator('$function')(document, argument, options)
    const { root = document } = (options as { readonly local?: { readonly root?: unknown } }).local ?? {}
    return callFunction(body, evalExpr(document, args, options) as unknown[], root)
  },
  /** Null where the list is missing, as for the other operators on lists. */
  $slice: (document, argument, options) => {
    const list = evalExpr(document, argument, options)
    if (Array.isArray(list) && isMissing(list[0])) return null
    return engineOperator('$slice')(document, literals(list), options)
  },
  /** The last element; nothing of an empty list. */
  $last: (document, argument, options) => {
    if (Array.isArray(document)) return engineOperator('$last')(document, argument, options)
    const list = evalExpr(document, argument, options)
    if (isMissing(list)) return null
    if (!Array.isArray(list)) throw new Error(`$last needs a list: found ${describeValue(list)}`)
    return list.at(-1)
  },
}

/** Operators of one argument, which may stand in a list of its own: `{$size: ["$items"]}` is `{$size: "$items"}`. */
const UNARY = `
  abs ceil exp floor ln log10 sqrt toBool toString toInt toLong toDouble toDecimal toDate toLower toUpper type strLenCP
  strLenBytes size reverseArray first last objectToArray arrayToObject year month week dayOfMonth dayOfWeek dayOfYear
  hour minute second millisecond isoWeek isoWeekYear isoDayOfWeek`
  .trim()
  .split(/\s+/)
  .map((word) => `$${word}` as const)

export const OWN_OPERATORS: Operators = {
  ...OPERATORS,
  ...Object.fromEntries(UNARY.map((name) => [name, unwrapping(OPERATORS[name] ?? engineOperator(name))])),
}

function unwrapping(operator: Operator): Operator {
  return (document, argument, options) => operator(document, onlyElement(argument), options)
}

/** Values as expressions that give them: text of a record such as "$total" names no field. */
function literals(values: unknown): unknown {
  return Array.isArray(values) ? values.map(($literal: unknown) => ({ $literal })) : values
}

function onlyElement(argument: unknown): unknown {
  return Array.isArray(argument) && argument.length === 1 ? argument[0] : argument
}

/**
 * Accumulators as expressions, over the elements of a list or over one value; what is missing counts for nothing. Where the
 * engine groups it hands them the documents of a group instead of one.
 */
function overValues(all: { readonly [name: string]: unknown }): Operators {
  return Object.fromEntries(
    Object.entries(all as { readonly [name: string]: Operator }).map(([name, accumulate]): [string, Operator] => [
      name,
      (document, argument, options) => {
        if (Array.isArray(document)) return accumulate(document, argument, options)
        const value = evalExpr(document, onlyElement(argument), options)
        const values = (Array.isArray(value) ? value : [value]).filter((each) => !isMissing(each))
        return accumulate(values, null, options)
      },
    ]),
  )
}
