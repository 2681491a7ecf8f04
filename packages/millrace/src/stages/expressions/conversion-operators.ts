/**
 * Operators that make one type of another. The engine's own take empty text for 0 and "5" for a day in May, and evaluate what
 * `$convert` is given once more, so that text of a record such as "$total" would read a field.
 */
import { describeValue } from '../../options/values.ts'
import { readDate } from './dates.ts'
import { ANY, isMissing, ONE, type Operator, type Operators } from './operator.ts'

/** @returns undefined for a missing value or null @throws {Error} when there is none */
type Conversion = (value: unknown) => unknown

const NUMBER_TEXT = /^[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?$/

function readNumber(name: string, value: unknown): number {
  if (typeof value === 'number') return value
  if (typeof value === 'boolean') return Number(value)
  if (value instanceof Date) return value.getTime()
  if (typeof value === 'string' && NUMBER_TEXT.test(value)) return Number(value)
  throw new Error(`${name} cannot read ${describeValue(value)} as a number`)
}

/** Numbers lose their fraction; text must have none. */
function whole(name: string, max: number): Conversion {
  return (value) => {
    const number = readNumber(name, value)
    if (typeof value === 'string' && !Number.isInteger(number))
      throw new Error(`${name} cannot read ${describeValue(value)} as a whole number`)
    // Beyond these a number of JavaScript is no longer exact, or the type has no room.
    if (!(number < max + 1 && number > -max - 1))
      throw new Error(`${name} cannot convert ${describeValue(value)} as it is beyond ${max}`)
    return Math.trunc(number)
  }
}

const byOperator: { readonly [name: string]: Conversion } = {
  $toInt: whole('$toInt', 2 ** 31 - 1),
  $toLong: whole('$toLong', Number.MAX_SAFE_INTEGER),
  $toDouble: (value) => readNumber('$toDouble', value),
  $toDecimal: (value) => readNumber('$toDecimal', value),
  $toDate: (value) => readDate('$toDate', value),
}

/** What `to` of `$convert` may be, by name and by MongoDB's number. */
const BY_TYPE: ReadonlyMap<unknown, string> = new Map([
  ...(['double', 'number', 1] as const).map((type) => [type, '$toDouble'] as const),
  ...(['decimal', 19] as const).map((type) => [type, '$toDecimal'] as const),
  ...(['int', 16] as const).map((type) => [type, '$toInt'] as const),
  ...(['long', 18] as const).map((type) => [type, '$toLong'] as const),
  ...(['string', 2] as const).map((type) => [type, '$toString'] as const),
  ...(['bool', 'boolean', 8] as const).map((type) => [type, '$toBool'] as const),
  ...(['date', 9] as const).map((type) => [type, '$toDate'] as const),
])

export const CONVERSION_OPERATORS: Operators = {
  ...Object.fromEntries(Object.entries(byOperator).map(([name, convert]) => [name, converting(convert)])),
  $convert: {
    named: 'input! to! onError onNull',
    run: (engine) => (document, argument, options) => {
      const { input, to, onNull, ...others } = argument as { readonly [name: string]: unknown }
      const value = engine.evaluate(document, input, options)
      if (isMissing(value)) return engine.evaluate(document, onNull, options) ?? null
      const type = engine.evaluate(document, to, options)
      const name = BY_TYPE.get(type)
      if (name === undefined) throw new Error(`$convert has no type ${describeValue(type)}`)
      try {
        return byOperator[name]?.(value) ?? engine.operator(name)(document, { $literal: value }, options)
      } catch (error) {
        if (others['onError'] === undefined) throw error
        return engine.evaluate(document, others['onError'], options)
      }
    },
  },
  $isNumber: ANY,
  $toBool: ONE,
  $toHashedIndexKey: ANY,
  $toString: ONE,
  $type: ONE,
}

function converting(convert: Conversion): Operator {
  return {
    unary: true,
    run: (engine) => (document, argument, options) => {
      const value = engine.evaluate(document, argument, options)
      return isMissing(value) ? null : convert(value)
    },
  }
}
