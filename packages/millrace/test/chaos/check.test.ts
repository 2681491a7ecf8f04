import { describe, expect, test } from 'vitest'
import { Tally } from '../../../../chaos/check.ts'
import { recordOf } from '../../../../chaos/generator.ts'
import { Random } from '../../../../chaos/random.ts'
import { Integers } from '../../../../chaos/input.ts'

/** What went in: 1 to 300, so that each of the hundred keys has three integers: 1, 101 and 201 have the same. */
const expected = new Integers()
for (let n = 1; n <= 300; n++) expected.add(n)
const ALL = Array.from({ length: 300 }, (_, i) => i + 1)

function countsOf(
  numbers: readonly number[],
  partitionOf: (n: number) => number = (n) => (n % 100) % 6,
): ReturnType<Tally['counts']> {
  const tally = new Tally(expected)
  for (const [offset, n] of numbers.entries()) tally.add(partitionOf(n), offset, recordOf(n).key, recordOf(n).value)
  return tally.counts()
}

const RIGHT = { output: 300, lost: 0, repeated: 0, outOfOrder: 0, strange: [] }

describe('the check of an output', () => {
  test.each<{ name: string; numbers: readonly number[]; want: Partial<typeof RIGHT> }>([
    { name: 'everything once and in order', numbers: ALL, want: {} },
    {
      name: 'keys in any order among each other',
      numbers: ALL.toSorted((a, b) => (a % 100) - (b % 100) || a - b),
      want: {},
    },
    { name: 'one that is missing', numbers: ALL.filter((n) => n !== 101), want: { output: 299, lost: 1 } },
    { name: 'nothing at all', numbers: [], want: { output: 0, lost: 300 } },
    { name: 'one that came three times', numbers: [...ALL, 5, 5], want: { output: 302, repeated: 2 } },
    {
      name: 'a stretch that was read again',
      numbers: [...ALL.slice(0, 250), ...ALL.slice(100)],
      want: { output: 450, repeated: 150 },
    },
    {
      name: 'one before an earlier one of its key',
      numbers: [101, 1, ...ALL.filter((n) => n !== 1 && n !== 101)],
      want: { outOfOrder: 1 },
    },
    {
      name: 'a repetition that comes late is not out of order',
      numbers: [...ALL, 1],
      want: { output: 301, repeated: 1 },
    },
  ])('$name', ({ numbers, want }) => {
    expect(countsOf(numbers)).toEqual({ ...RIGHT, ...want })
  })

  test('names integers that are lost and repeated', () => {
    const tally = new Tally(expected)
    for (const [offset, n] of [...ALL.filter((n) => n !== 7 && n !== 8), 9].entries())
      tally.add(0, offset, recordOf(n).key, recordOf(n).value)
    expect(tally.examples()).toEqual({ lost: [7, 8], repeated: ['9 in partition 0 at 6 and 298'], outOfOrder: [] })
  })

  test('allows what was in the input for a time, once and in order, and misses none of it', () => {
    const possible = new Integers()
    possible.add(301)
    const tally = new Tally(expected, possible)
    for (const [offset, n] of [301, 1, 301].entries()) tally.add(0, offset, recordOf(n).key, recordOf(n).value)
    expect(tally.counts()).toEqual({ output: 3, lost: 299, repeated: 1, outOfOrder: 1, strange: [] })
  })

  test('names integers that are out of order', () => {
    const tally = new Tally(expected)
    for (const [offset, n] of [101, 1].entries()) tally.add(4, offset, recordOf(n).key, recordOf(n).value)
    expect(tally.examples().outOfOrder).toEqual(['1 after 101 in partition 4 at 1'])
  })

  test.each([
    { name: 'an integer that was never written', key: 'k1', value: '{"n":301}', text: 'not in the input' },
    { name: 'a value that is none', key: 'k1', value: 'n', text: 'not in the input' },
    { name: 'a tombstone', key: 'k1', value: null, text: 'not in the input' },
    { name: 'another key', key: 'k2', value: '{"n":1}', text: 'with another key' },
    { name: 'no key', key: null, value: '{"n":1}', text: 'with another key' },
  ])('notes $name', ({ key, value, text }) => {
    const tally = new Tally(expected)
    tally.add(3, 0, key, value)
    expect(tally.counts().strange).toEqual([expect.stringContaining(text)])
  })

  test('notes a key that turns up in two partitions', () => {
    expect(countsOf([1, 101], (n) => n % 7).strange).toEqual([expect.stringContaining('in another partition')])
  })
})

test('the same seed gives the same numbers, another one others', () => {
  const draw = (seed: number): number[] => {
    const random = new Random(seed)
    return Array.from({ length: 20 }, () => random.between(1, 1000))
  }
  expect(draw(7)).toEqual(draw(7))
  expect(draw(7)).not.toEqual(draw(8))
  expect(Math.min(...draw(7))).toBeGreaterThanOrEqual(1)
  expect(Math.max(...draw(7))).toBeLessThanOrEqual(1000)
})
