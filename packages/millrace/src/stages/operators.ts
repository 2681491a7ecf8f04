/**
 * Expression operators of seed 000 that mingo does not have, or that mean something else there.
 */
import { evalExpr } from 'mingo/core'
import {
  $dateAdd as addToDate,
  $dateSubtract as subtractFromDate,
  $function,
  $ifNull,
  $in,
} from 'mingo/operators/expression'
import type { Options } from 'mingo/types'
import { callFunction } from './run-function.ts'

type Operator = (document: unknown, argument: unknown, options: Options) => unknown

/** A date as text, with or without time, fraction and zone. */
const DATE_TEXT = /^(\d{4}-\d\d-\d\d)(?:(T)(\d\d:\d\d(?::\d\d)?)(\.\d+)?(Z|[+-]\d\d:?\d\d)?)?$/

export const OWN_OPERATORS: { readonly [name: `$${string}`]: Operator } = {
  /** Whether a value is not in a list. */
  $nin: (document, argument, options) => !($in as Operator)(document, argument, options),
  /** The first value that is there and not null. */
  $coalesce: $ifNull as Operator,
  /** Position of a text in another one, in characters; -1 when it is not there. */
  $indexOfCP: (document, argument, options) => {
    const [text, wanted, start = 0, end] = (argument as unknown[]).map((part) => evalExpr(document, part, options))
    if (text === null || text === undefined) return null
    if (typeof text !== 'string' || typeof wanted !== 'string') throw new Error('$indexOfCP needs two texts')
    const characters = Array.from(text).slice(Number(start), end === undefined ? undefined : Number(end))
    const at = characters.join('').indexOf(wanted)
    return at < 0 ? -1 : Array.from(characters.join('').slice(0, at)).length + Number(start)
  },
  /** Code of the pipeline file; the engine itself uses it with functions. */
  $function: (document, argument, options) => {
    const { body, args = [] } = argument as { readonly body: unknown; readonly args?: unknown }
    if (typeof body !== 'string') return ($function as Operator)(document, argument, options)
    const { root = document } = (options as { readonly local?: { readonly root?: unknown } }).local ?? {}
    return callFunction(body, evalExpr(document, args, options) as unknown[], root)
  },
  $dateAdd: onText(inMonths(addToDate as Operator, 1)),
  $dateSubtract: onText(inMonths(subtractFromDate as Operator, -1)),
}

/** Lets an operator on dates take text, and gives text of the same form: without a zone where there was none. */
function onText(operator: Operator): Operator {
  return (document, argument, options) => {
    const { startDate, ...rest } = argument as { readonly startDate: unknown }
    const start: unknown = evalExpr(document, startDate, options)
    const match = typeof start === 'string' ? DATE_TEXT.exec(start) : null
    if (match === null) return operator(document, { ...rest, startDate: { $literal: start } }, options)
    const [, day, hasTime, time = '00:00:00', fraction = '', zone] = match
    const date = new Date(`${day}T${time}${fraction}${zone ?? 'Z'}`)
    const result = operator(document, { ...rest, startDate: { $literal: date } }, options)
    if (!(result instanceof Date)) return result
    const iso = result.toISOString()
    if (hasTime === undefined && iso.endsWith('T00:00:00.000Z')) return iso.slice(0, 10)
    return `${iso.slice(0, fraction === '' ? 19 : 23)}${zone === undefined ? '' : 'Z'}`
  }
}

const MONTHS: { readonly [unit: string]: number } = { month: 1, quarter: 3, year: 12 }

/** Adds months as calendars do: a month after the 31st of January is the last day of February. */
function inMonths(operator: Operator, sign: 1 | -1): Operator {
  return (document, argument, options) => {
    const { startDate, unit, amount, timezone } = evalExpr(document, argument, options) as {
      readonly [name: string]: unknown
    }
    const months = typeof unit === 'string' ? MONTHS[unit] : undefined
    if (months === undefined || !(startDate instanceof Date) || typeof amount !== 'number' || timezone !== undefined)
      return operator(document, argument, options)
    const result = new Date(startDate)
    result.setUTCDate(1)
    result.setUTCMonth(result.getUTCMonth() + sign * months * amount)
    const lastDay = new Date(Date.UTC(result.getUTCFullYear(), result.getUTCMonth() + 1, 0)).getUTCDate()
    result.setUTCDate(Math.min(startDate.getUTCDate(), lastDay))
    return result
  }
}
