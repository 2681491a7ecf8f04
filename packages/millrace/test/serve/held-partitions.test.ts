import { expect, test } from 'vitest'
import { HeldPartitions } from '../../src/serve/held-partitions.ts'
import { partitionStatus } from '../support/watched.ts'

test('a record that was read and is not done counts from when it was seen first, until it is done', () => {
  const held = new HeldPartitions()
  const waits = partitionStatus(1, { position: 10, done: 4 })
  held.look([waits, partitionStatus(2, { position: 10, done: 10 })], 1000)
  held.look([waits], 61_000)
  expect(held.heldMs(waits, 71_000)).toBe(70_000)
  expect(held.heldMs(partitionStatus(2), 71_000)).toBeUndefined()
  held.look([{ ...waits, done: 5 }], 72_000)
  expect(held.heldMs(waits, 72_500)).toBe(500)
  held.look([], 73_000)
  expect(held.heldMs(waits, 74_000)).toBeUndefined()
})
