import { describe, expect, test } from 'vitest'
import { nextSequence, PartitionSequence } from '../../../src/kafka/producer/identity.ts'

describe('sequence', () => {
  test.each([
    { from: 0, count: 1, next: 1 },
    { from: 2 ** 31 - 1, count: 1, next: 0 },
    { from: 2 ** 31 - 10, count: 25, next: 15 },
    { from: 2 ** 31 - 1, count: 2 ** 31 - 1, next: 2 ** 31 - 2 },
  ])('after $count records from $from is $next', ({ from, count, next }) => {
    expect(nextSequence(from, count)).toBe(next)
  })

  test('starts over with a new identity', () => {
    const sequence = new PartitionSequence()
    sequence.begin({ id: 1, epoch: 0 })
    expect([sequence.take(5), sequence.take(3), sequence.next]).toEqual([0, 5, 8])
    sequence.established = sequence.broken = true
    sequence.begin({ id: 1, epoch: 1 })
    expect([sequence.next, sequence.established, sequence.broken]).toEqual([0, false, false])
  })
})
