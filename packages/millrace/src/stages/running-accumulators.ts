/**
 * Accumulators that are kept up to date value by value, for `$group` with `scope: stream`. Each has some slots in the state
 * of its group, which are all that it remembers; so there is none that keeps the values themselves, such as `$push`.
 */
import { describeValue } from '../options/values.ts'
import { isDocument } from './field-path.ts'

/** What groups remember: numbers, and values that nobody changes. */
export type Slots = unknown[]

export interface RunningAccumulator {
  readonly initial: readonly unknown[]
  /** What it keeps of the values that it takes in: the first of equal ones, the latest, or their fields; undefined for what is computed. */
  readonly keeps?: 'one' | 'latest' | 'fields'
  /** @throws {Error} when it cannot take a value in */
  check?(value: unknown): void
  /**
   * Takes a value in; undefined is a field that is missing.
   * @param at the first of its slots
   * @param compare the order of values of all types
   */
  add(slots: Slots, at: number, value: unknown, compare: (a: unknown, b: unknown) => number): void
  result(slots: Slots, at: number): unknown
}

const isNil = (value: unknown): value is null | undefined => value === undefined || value === null

function increase(slots: Slots, at: number, by: number): void {
  slots[at] = (slots[at] as number) + by
}

const first = (slots: Slots, at: number): unknown => slots[at]

/** The least or the greatest value in the order of all types. @param sign -1 for the least one */
function extreme(sign: 1 | -1): RunningAccumulator {
  return {
    initial: [null],
    keeps: 'one',
    add(slots, at, value, compare) {
      if (isNil(value)) return
      const best = slots[at]
      if (best === null || compare(value, best) * sign > 0) slots[at] = value
    },
    result: first,
  }
}

/** By Welford's method: count, mean, and sum of the squares of the distances from it. */
function deviation(lost: 0 | 1): RunningAccumulator {
  return {
    initial: [0, 0, 0],
    add(slots, at, value) {
      if (typeof value !== 'number') return
      increase(slots, at, 1)
      const distance = value - (slots[at + 1] as number)
      increase(slots, at + 1, distance / (slots[at] as number))
      increase(slots, at + 2, distance * (value - (slots[at + 1] as number)))
    },
    result(slots, at) {
      const count = (slots[at] as number) - lost
      return count <= 0 ? null : Math.sqrt((slots[at + 2] as number) / count)
    },
  }
}

export const RUNNING_ACCUMULATORS: ReadonlyMap<string, RunningAccumulator> = new Map<string, RunningAccumulator>(
  Object.entries({
    $sum: {
      initial: [0],
      add(slots, at, value) {
        if (typeof value === 'number') increase(slots, at, value)
      },
      result: first,
    },
    $count: {
      initial: [0],
      add: (slots, at) => increase(slots, at, 1),
      result: first,
    },
    $avg: {
      initial: [0, 0],
      add(slots, at, value) {
        if (typeof value !== 'number') return
        increase(slots, at, 1)
        increase(slots, at + 1, value)
      },
      result: (slots, at) => (slots[at] === 0 ? null : (slots[at + 1] as number) / (slots[at] as number)),
    },
    $min: extreme(-1),
    $max: extreme(1),
    $first: {
      keeps: 'one',
      initial: [false, null],
      add(slots, at, value) {
        if (slots[at] === true) return
        slots[at] = true
        slots[at + 1] = value ?? null
      },
      result: (slots, at) => slots[at + 1],
    },
    $last: {
      keeps: 'latest',
      initial: [null],
      add(slots, at, value) {
        slots[at] = value ?? null
      },
      result: first,
    },
    $stdDevPop: deviation(0),
    $stdDevSamp: deviation(1),
    $mergeObjects: {
      keeps: 'fields',
      initial: [{}],
      check(value) {
        if (!isNil(value) && !isDocument(value))
          throw new Error(`$mergeObjects needs objects: found ${describeValue(value)}`)
      },
      add(slots, at, value) {
        if (isDocument(value)) slots[at] = { ...(slots[at] as object), ...value }
      },
      result: first,
    },
  }),
)
