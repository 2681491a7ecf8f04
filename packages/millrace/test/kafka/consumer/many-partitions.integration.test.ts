import { describe, expect, test } from 'vitest'
import { KafkaSource } from '../../../src/index.ts'
import { brokerAvailable, threeBrokers } from '../../support/broker.ts'
import { topicBed } from '../../support/topics.ts'

const PARTITIONS = 96

describe.skipIf(!brokerAvailable)('a consumer of 96 partitions on three brokers', () => {
  const kafka = threeBrokers()
  const bed = topicBed(() => kafka().bootstrapServers)

  // The first broker that was asked reserved all of the memory and waited for records: two of three were unread after 8 s.
  test('reads the only record of each broker at once', async () => {
    const topic = await bed().create({ partitions: PARTITIONS })
    const { partitions } = await bed().cluster.topic(topic)
    const lastOf = new Map(partitions.map(({ leader, partition }) => [leader, partition]))
    expect(lastOf.size).toBe(3)
    await bed().write(
      topic,
      [...lastOf.values()].map((partition) => ({ value: `in ${partition}`, partition })),
    )
    await using source = new KafkaSource({
      bootstrapServers: kafka().bootstrapServers,
      topics: topic,
      autoOffsetReset: 'earliest',
    })
    const begun = performance.now()
    const values: string[] = []
    for await (const { value } of source) {
      values.push(String(value))
      if (values.length === 3) break
    }
    expect(values.toSorted()).toEqual([...lastOf.values()].map((partition) => `in ${partition}`).toSorted())
    // Connecting included, on a busy machine.
    expect(performance.now() - begun).toBeLessThan(8000)
  })

  test('reads all records, in order per partition', async () => {
    const topic = await bed().create({ partitions: PARTITIONS })
    const values = Array.from({ length: 19_200 }, (_, n) => n)
    await bed().write(
      topic,
      values.map((n) => ({ value: `${n}`, partition: n % PARTITIONS })),
    )
    const read = await bed().values(topic, { fetchBufferBytes: 64 * 1024, maxPartitionFetchBytes: 4096 })
    expect(read).toEqual(
      Array.from({ length: PARTITIONS }, (_, partition) =>
        values.filter((n) => n % PARTITIONS === partition).map(String),
      ),
    )
  })
})
