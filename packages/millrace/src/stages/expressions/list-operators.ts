/** Operators on lists and sets, and accumulators as operators on lists. */
import { describeValue } from '../../options/values.ts'
import { isDocument } from '../field-path.ts'
import { ANY, isMissing, ONE, TWO, type Operator, type Operators } from './operator.ts'

/** One record must not be able to take all the memory. */
const LONGEST_RANGE = 1_000_000

export const LIST_OPERATORS: Operators = {
  $allElementsTrue: ANY,
  $anyElementTrue: ANY,
  $arrayElemAt: TWO,
  /** Of a list of `{k, v}`, or of pairs. The engine's own loses a key `__proto__`. */
  $arrayToObject: {
    unary: true,
    run: (engine) => (document, argument, options) => {
      const list = engine.evaluate(document, argument, options)
      const entries = Array.isArray(list) ? list.map(entryOf) : undefined
      return entries?.every((entry) => entry !== undefined) === true
        ? Object.fromEntries(entries)
        : engine.operator('$arrayToObject')(document, { $literal: list }, options)
    },
  },
  $avg: overValues('$avg'),
  $concatArrays: ANY,
  $filter: { named: 'input! cond! as limit' },
  $first: ONE,
  $firstN: ANY,
  $in: TWO,
  $indexOfArray: { arity: [2, 4] },
  $isArray: ANY,
  /** The last element; nothing of an empty list. */
  $last: {
    unary: true,
    run: (engine) => (document, argument, options) => {
      if (Array.isArray(document)) return engine.operator('$last')(document, argument, options)
      const list = engine.evaluate(document, argument, options)
      if (isMissing(list)) return null
      if (!Array.isArray(list)) throw new Error(`$last needs a list: found ${describeValue(list)}`)
      return list.at(-1)
    },
  },
  $lastN: ANY,
  $map: { named: 'input! in! as' },
  $max: overValues('$max'),
  $maxN: ANY,
  $median: ANY,
  $min: overValues('$min'),
  $minN: ANY,
  /** Whether a value is not in a list. */
  $nin: {
    ...TWO,
    run: (engine) => (document, argument, options) => !engine.operator('$in')(document, argument, options),
  },
  $percentile: ANY,
  $range: {
    arity: [2, 3],
    run: (engine) => (document, argument, options) => {
      const list = engine.evaluate(document, argument, options)
      const [from, to, step = 1] = (Array.isArray(list) ? list : []) as readonly number[]
      if (Math.abs((to! - from!) / step) > LONGEST_RANGE)
        throw new Error(`$range from ${from} to ${to} has more than ${LONGEST_RANGE} numbers`)
      return engine.operator('$range')(document, literals(list), options)
    },
  },
  $reduce: { named: 'input! initialValue! in!' },
  $reverseArray: ONE,
  $setDifference: TWO,
  $setEquals: ANY,
  $setIntersection: ANY,
  $setIsSubset: TWO,
  $setUnion: ANY,
  $size: ONE,
  /** Null where the list is missing, as for the other operators on lists. */
  $slice: {
    arity: [2, 3],
    run: (engine) => (document, argument, options) => {
      const list = engine.evaluate(document, argument, options)
      if (Array.isArray(list) && isMissing(list[0])) return null
      return engine.operator('$slice')(document, literals(list), options)
    },
  },
  $sortArray: { named: 'input! sortBy!' },
  $stdDevPop: overValues('$stdDevPop'),
  $stdDevSamp: overValues('$stdDevSamp'),
  $sum: overValues('$sum'),
  $zip: { named: 'inputs! useLongestLength defaults' },
}

/** Name and value of a field; undefined for what is neither a pair nor `{k, v}`. */
function entryOf(item: unknown): readonly [name: string, value: unknown] | undefined {
  const [name, value] =
    Array.isArray(item) && item.length === 2 ? (item as unknown[]) : isDocument(item) ? [item['k'], item['v']] : []
  return typeof name === 'string' && value !== undefined ? [name, value] : undefined
}

/** Values as expressions that give them: text of a record such as "$total" names no field. */
function literals(values: unknown): unknown {
  return Array.isArray(values) ? values.map(($literal: unknown) => ({ $literal })) : values
}

/**
 * An accumulator as an expression, over the elements of a list or over one value; missing values are left out. When the
 * engine groups, it passes the documents of a group instead of one.
 */
function overValues(name: string): Operator {
  return {
    run: (engine) => {
      const accumulate = engine.accumulator(name)
      return (document, argument, options) => {
        if (Array.isArray(document)) return accumulate(document, argument, options)
        const value = engine.evaluate(document, onlyElement(argument), options)
        const values = (Array.isArray(value) ? value : [value]).filter((each) => !isMissing(each))
        return accumulate(values, null, options)
      }
    },
  }
}

/** The argument of an operator that has one, which may be in a list of its own. */
export function onlyElement(argument: unknown): unknown {
  return Array.isArray(argument) && argument.length === 1 ? argument[0] : argument
}
