/** Input that can be counted again in what comes out. */
import { expect } from 'vitest'

const KEYS = 7

/** Orders with ascending numbers, each with one of a few keys. */
export function numbered(count: number, first = 0): { key: string; value: string }[] {
  return Array.from({ length: count }, (_, i) => ({
    key: `k${(first + i) % KEYS}`,
    value: JSON.stringify({ n: first + i }),
  }))
}

export function numberOf(value: string): number {
  return (JSON.parse(value) as { n: number }).n
}

/** Each number from 0 to `count - 1` once, and those of a key in ascending order. */
export function expectEachOnce(values: readonly string[][], count: number): void {
  const numbers = values.map((list) => list.map(numberOf))
  const times = new Map<number, number>()
  for (const n of numbers.flat()) times.set(n, (times.get(n) ?? 0) + 1)
  const lost = Array.from({ length: count }, (_, n) => n).filter((n) => !times.has(n))
  const repeated = [...times].filter(([, n]) => n > 1).map(([n]) => n)
  expect({ lost, repeated, count: times.size }).toEqual({ lost: [], repeated: [], count })
  for (const list of numbers) {
    for (let key = 0; key < KEYS; key++) {
      const ofKey = list.filter((n) => n % KEYS === key)
      expect(ofKey).toEqual(ofKey.toSorted((a, b) => a - b))
    }
  }
}
