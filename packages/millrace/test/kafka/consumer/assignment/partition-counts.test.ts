import { expect, test } from 'vitest'
import { PartitionCounts } from '../../../../src/kafka/consumer/assignment/partition-counts.ts'

const committed = (topic: string, metadata?: string) => ({ topic, partition: 0, committed: 1, metadata })

test('knows nothing of a topic at first', () => {
  const counts = new PartitionCounts()
  expect(counts.of('orders')).toBe(Infinity)
  expect(counts.metadataOf('orders')).toBe(undefined)
})

test('carries on the least count that members have left in their commits', () => {
  const first = new PartitionCounts()
  first.set('orders', 2)
  const second = new PartitionCounts()
  second.set('orders', 4)
  expect(second.learn([committed('orders', 'partitions=3'), committed('orders', first.metadataOf('orders'))])).toEqual(
    new Set(['orders']),
  )
  expect(second.metadataOf('orders')).toBe('partitions=2')
})

test.each([undefined, '', 'mine', 'partitions=', 'partitions=x', 'partitions=-1', ' partitions=1'])(
  'passes over metadata of others: %j',
  (metadata) => {
    const counts = new PartitionCounts()
    counts.set('orders', 4)
    expect(counts.learn([committed('orders', metadata)])).toEqual(new Set())
    expect(counts.of('orders')).toBe(4)
  },
)
