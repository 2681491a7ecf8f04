/**
 * What can be computed over the cells of a column, one cell after the other. Null and missing cells do not count, except as the
 * first or last one.
 */
import { compareText, compareValues, numberOf } from './rows/values.ts'

export const AGGREGATIONS = [
  'sum',
  'avg',
  'mean',
  'count',
  'min',
  'max',
  'median',
  'std',
  'var',
  'first',
  'last',
] as const
export type Aggregation = (typeof AGGREGATIONS)[number]

/** Those whose result is one of the cells, whose digits it has. */
export const CHOOSING: ReadonlySet<Aggregation> = new Set(['min', 'max', 'first', 'last'])

export interface Accumulator {
  add(cell: unknown): void
  /** Null when there was nothing to compute with. */
  result(): unknown
}

export function accumulator(operation: Aggregation): Accumulator {
  switch (operation) {
    case 'sum': {
      let sum = 0
      return numeric(
        (number) => (sum += number),
        () => sum,
      )
    }
    case 'avg':
    case 'mean': {
      let [sum, count] = [0, 0]
      return numeric(
        (number) => {
          sum += number
          count++
        },
        () => (count === 0 ? null : sum / count),
      )
    }
    case 'median': {
      const numbers: number[] = []
      return numeric(
        (number) => void numbers.push(number),
        () => medianOf(numbers.toSorted((a, b) => a - b)),
      )
    }
    case 'var':
      return variance((value) => value)
    case 'std':
      return variance(Math.sqrt)
    case 'count': {
      let count = 0
      return cells(
        () => count++,
        () => count,
      )
    }
    case 'min':
      return extreme(-1)
    case 'max':
      return extreme(1)
    case 'first': {
      let first: unknown
      let isEmpty = true
      return {
        add(cell) {
          if (isEmpty) first = cell
          isEmpty = false
        },
        result: () => first ?? null,
      }
    }
    case 'last': {
      let last: unknown
      return { add: (cell) => (last = cell), result: () => last ?? null }
    }
  }
}

function cells(add: (cell: unknown) => void, result: () => unknown): Accumulator {
  return {
    add(cell) {
      if (cell !== null && cell !== undefined) add(cell)
    },
    result,
  }
}

function numeric(add: (number: number) => void, result: () => unknown): Accumulator {
  return cells((cell) => {
    const number = typeof cell === 'boolean' ? Number(cell) : numberOf(cell)
    if (number !== undefined) add(number)
  }, result)
}

/** The smallest or largest: of text alone as text, else with text that looks like a number as that number. */
function extreme(sign: 1 | -1): Accumulator {
  let bestText: string | undefined
  let best: unknown
  let isText = true
  return cells(
    (cell) => {
      if (typeof cell !== 'string') isText = false
      else if (bestText === undefined || sign * compareText(cell, bestText) > 0) bestText = cell
      if (best === undefined || sign * compareValues(cell, best) > 0) best = cell
    },
    () => (isText ? (bestText ?? null) : (numberOf(best) ?? best)),
  )
}

/** Of a sample, by Welford's method, which does not lose digits on large numbers. */
function variance(of: (variance: number) => number): Accumulator {
  let [count, mean, squares] = [0, 0, 0]
  return numeric(
    (number) => {
      count++
      const distance = number - mean
      mean += distance / count
      squares += distance * (number - mean)
    },
    () => (count < 2 ? null : of(squares / (count - 1))),
  )
}

function medianOf(sorted: readonly number[]): number | null {
  const middle = sorted.length >> 1
  if (sorted.length === 0) return null
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}
