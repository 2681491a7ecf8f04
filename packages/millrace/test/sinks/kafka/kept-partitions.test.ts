import { describe, expect, test } from 'vitest'
import { KeptPartitions } from '../../../src/sinks/kafka/kept-partitions.ts'

describe('kept partitions', () => {
  const warnings: string[] = []
  const batchOf = (partition: number, partitionCount: number, topic = 'from') =>
    ({ component: 'kafka', topic, partition, partitionCount, timestampType: 'CreateTime' }) as const

  // With the first batch that knew of the new partition all records went elsewhere: the order of a key was lost.
  test('stay when the source topic grows, and what has no partition of its number is reported once', () => {
    const kept = new KeptPartitions('to', 3, (message) => warnings.push(message))
    expect([0, 1, 2].map((partition) => kept.keeps(batchOf(partition, 3)))).toEqual([true, true, true])
    expect([0, 1, 2, 3, 3].map((partition) => kept.keeps(batchOf(partition, 4)))).toEqual([
      true,
      true,
      true,
      false,
      false,
    ])
    expect(warnings).toEqual([
      expect.stringContaining('Add partitions to topic "to" and restart the run: topic "from"'),
    ])
  })

  // A topic with this name on another cluster decided for both: records of one key could be in two partitions.
  test('are those of each reader, as two of them may read topics with one name on two clusters', () => {
    const kept = new KeptPartitions('to', 3, () => expect.unreachable())
    expect(kept.keeps({ ...batchOf(0, 3), reader: Symbol('here') })).toBe(true)
    expect(kept.keeps({ ...batchOf(0, 2), reader: Symbol('there') })).toBe(false)
  })

  test('are given up for topics that have other numbers of partitions from the start', () => {
    const kept = new KeptPartitions('to', 3, () => expect.unreachable())
    expect(kept.keeps(batchOf(0, 2))).toBe(false)
    expect(kept.keeps(batchOf(0, 3))).toBe(false)
    expect(kept.keeps(batchOf(0, 3, 'another'))).toBe(true)
  })
})
