/** A topic that is deleted and created again while a producer writes to it. */
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type EmbeddedBroker, startBroker } from '../../../src/broker/index.ts'
import { TopicAdmin } from '../../../src/kafka/admin/topics.ts'
import { Cluster } from '../../../src/kafka/cluster/cluster.ts'
import { Producer } from '../../../src/kafka/producer/producer.ts'
import { producerOptions } from '../../support/producer-options.ts'

let kafka: EmbeddedBroker
let cluster: Cluster
let producer: Producer

beforeEach(async () => {
  kafka = await startBroker({ topics: { t: { partitions: 6 } } })
  cluster = new Cluster({ bootstrapServers: [kafka.bootstrapServers], clientId: 'test', retryBackoffMs: 5 })
  producer = new Producer(cluster, producerOptions({ deliveryTimeoutMs: 1500 }))
})
afterEach(async () => {
  await producer.close(AbortSignal.abort())
  await cluster.close()
  await kafka.close()
})

const records = Array.from({ length: 60 }, (_, i) => ({ key: `k${i}`, value: `v${i}` }))

// Keys went to partitions that it no longer had, and their records timed out, until the producer was created again.
test('with fewer partitions is written to those that it has', async () => {
  expect((await producer.write(records, 't')).failures.size).toBe(0)
  const admin = new TopicAdmin(cluster)
  await admin.deleteTopics(['t'])
  await admin.createTopic({ name: 't', partitions: 2 })
  await cluster.refresh(['t'])
  expect((await producer.write(records, 't')).failures.size).toBe(0)
  expect((await kafka.topic('t').records()).length).toBe(60)
  const { failures } = await producer.write([{ value: 'x', partition: 4 }], 't')
  expect(failures.get(0)?.message).toContain('the topic has 2 partitions')
})
