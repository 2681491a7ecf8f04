import { describe, expect, test } from 'vitest'
import { startBroker } from '../../../src/broker/index.ts'
import { KafkaSink, KafkaSource } from '../../../src/index.ts'
import { TopicAdmin } from '../../../src/kafka/admin/topics.ts'
import { Cluster } from '../../../src/kafka/cluster/cluster.ts'

describe('a source of a pattern', () => {
  // A topic that was deleted ended the source with TOPIC_NOT_FOUND.
  test.each([
    { name: 'without a group', options: {} },
    { name: 'in a classic group', options: { groupId: 'g', heartbeatIntervalMs: 50 } },
    { name: 'in a group of KIP-848', options: { groupId: 'g', groupProtocol: 'consumer' } },
  ] as const)(
    'continues without a topic that is deleted, and reads it when it is there again: $name',
    async ({ options }) => {
      await using broker = await startBroker({
        topics: { 'orders-a': 1, 'orders-b': 1 },
        autoCreateTopics: false,
        groups: { heartbeatIntervalMs: 50 },
      })
      const { bootstrapServers } = broker
      const cluster = new Cluster({ bootstrapServers: bootstrapServers.split(','), clientId: 'test' })
      const write = async (topic: string, value: string): Promise<void> => {
        await using sink = new KafkaSink({ bootstrapServers, topic })
        await sink.write([{ value }])
      }
      const warnings: string[] = []
      await using source = new KafkaSource({
        bootstrapServers,
        topics: [/^orders-/],
        autoOffsetReset: 'earliest',
        metadataMaxAgeMs: 100,
        retryBackoffMs: 20,
        onWarning: (message) => warnings.push(message),
        ...options,
      })
      const read: string[] = []
      const reading = (async () => {
        for await (const { topic, value } of source) read.push(`${topic} ${String(value)}`)
      })()
      reading.catch(() => {})
      await write('orders-a', '1')
      await write('orders-b', '1')
      await expect.poll(() => read.length).toBe(2)
      await new TopicAdmin(cluster).deleteTopics(['orders-b'])
      await expect.poll(() => warnings).toEqual(['Topic "orders-b" does not exist any more, so it is no longer read'])
      await write('orders-a', '2')
      await expect.poll(() => read).toContain('orders-a 2')
      broker.createTopic('orders-b', 1)
      await write('orders-b', '2')
      await expect.poll(() => read).toContain('orders-b 2')
      await source.close()
      await reading
      await cluster.close()
      expect(read.toSorted()).toEqual(['orders-a 1', 'orders-a 2', 'orders-b 1', 'orders-b 2'])
    },
  )
})
