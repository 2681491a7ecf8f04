/** The embedded broker with clients as users have them: kafkajs, which nobody here wrote, and our own. */
import kafkajs from 'kafkajs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type EmbeddedBroker, startBroker } from '../../src/broker/index.ts'
import { KafkaSink, KafkaSource } from '../../src/index.ts'

let broker: EmbeddedBroker
beforeAll(async () => {
  broker = await startBroker({ nodes: 2, topics: { orders: 4 } })
})
afterAll(async () => broker.close())

const kafkaJs = () =>
  new kafkajs.Kafka({ brokers: broker.bootstrapServers.split(','), logLevel: kafkajs.logLevel.NOTHING })

describe('kafkajs', () => {
  test('writes records that the broker shows', async () => {
    broker.createTopic('from-kafkajs', 2)
    const producer = kafkaJs().producer({ idempotent: true })
    await producer.connect()
    const messages = Array.from({ length: 100 }, (_, i) => ({
      key: `k${i}`,
      value: `v${i}`,
      headers: { n: String(i) },
    }))
    await producer.send({ topic: 'from-kafkajs', messages })
    await producer.disconnect()
    const records = await broker.topic('from-kafkajs').records()
    expect(records.map(({ value }) => String(value)).toSorted()).toEqual(messages.map(({ value }) => value).toSorted())
    expect(new Set(records.map(({ partition }) => partition)).size).toBe(2)
    const found = records.find(({ key }) => String(key) === 'k7')!
    expect(found.headers.map(([name, value]) => [name, String(value)])).toEqual([['n', '7']])
  })

  test('creates, describes, extends and deletes topics', async () => {
    const admin = kafkaJs().admin()
    await admin.connect()
    await admin.createTopics({
      topics: [{ topic: 'managed', numPartitions: 3, configEntries: [{ name: 'retention.ms', value: '1000' }] }],
    })
    await admin.createPartitions({ topicPartitions: [{ topic: 'managed', count: 5 }] })
    const { topics } = await admin.fetchTopicMetadata({ topics: ['managed'] })
    expect(topics[0]!.partitions).toHaveLength(5)
    const { resources } = await admin.describeConfigs({
      includeSynonyms: false,
      resources: [{ type: 2, name: 'managed', configNames: ['retention.ms'] }],
    })
    expect(resources[0]!.configEntries).toMatchObject([{ configName: 'retention.ms', configValue: '1000' }])
    await admin.deleteTopics({ topics: ['managed'] })
    expect(await admin.listTopics()).not.toContain('managed')
    await admin.disconnect()
  })
})

describe('KafkaSink', () => {
  test.each(['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const)(
    'writes records with compression %s, in order',
    async (compression) => {
      broker.createTopic(`sink-${compression}`, 1)
      await using sink = new KafkaSink({
        bootstrapServers: broker.bootstrapServers,
        topic: `sink-${compression}`,
        'compression.type': compression,
      })
      await sink.write(Array.from({ length: 500 }, (_, i) => ({ key: 'k', value: `value ${i}` })))
      const values = (await broker.topic(`sink-${compression}`).records()).map(({ value }) => String(value))
      expect(values).toEqual(Array.from({ length: 500 }, (_, i) => `value ${i}`))
    },
  )

  test('continues at another node when the leader stops', async () => {
    await using sink = new KafkaSink({ bootstrapServers: broker.bootstrapServers, topic: 'orders' })
    await sink.write([{ key: 'a', value: '1' }])
    await broker.stopNode(0)
    await sink.write([{ key: 'a', value: '2' }])
    await broker.startNode(0)
    broker.on('Produce').topic('orders').times(2).fail('NOT_LEADER_OR_FOLLOWER')
    await sink.write([{ key: 'a', value: '3' }])
    broker.on('Produce').topic('orders').once().dropAnswer()
    await sink.write([{ key: 'a', value: '4' }])
    expect((await broker.topic('orders').records()).map(({ value }) => String(value))).toEqual(['1', '2', '3', '4'])
  })
})

describe('groups', () => {
  test('of kafkajs share the partitions, rebalance, and go on where they had committed', async () => {
    broker.createTopic('shared', 4)
    const producer = kafkaJs().producer()
    await producer.connect()
    const send = async (from: number, count: number) =>
      producer.send({
        topic: 'shared',
        messages: Array.from({ length: count }, (_, i) => ({ key: `k${i}`, value: String(from + i) })),
      })
    const seen: number[] = []
    const start = async () => {
      const consumer = kafkaJs().consumer({
        groupId: 'readers',
        sessionTimeout: 6000,
        heartbeatInterval: 200,
        rebalanceTimeout: 5000,
        maxWaitTimeInMs: 100,
      })
      await consumer.connect()
      await consumer.subscribe({ topic: 'shared', fromBeginning: true })
      await consumer.run({ eachMessage: async ({ message }) => void seen.push(Number(message.value)) })
      return consumer
    }
    await send(0, 40)
    const first = await start()
    await expect.poll(() => seen.length).toBe(40)
    const second = await start()
    await expect
      .poll(() => broker.groups().find(({ id }) => id === 'readers'))
      .toMatchObject({ state: 'Stable', members: { length: 2 } })
    await send(40, 40)
    await expect.poll(() => new Set(seen).size).toBe(80)
    await first.disconnect()
    await second.disconnect()
    expect(broker.groups().find(({ id }) => id === 'readers')).toMatchObject({ state: 'Empty', members: [] })
    const committed = broker
      .groups()
      .find(({ id }) => id === 'readers')!
      .offsets.reduce((sum, { offset }) => sum + offset, 0n)
    expect(committed).toBe(80n)

    const admin = kafkaJs().admin()
    await admin.connect()
    expect((await admin.listGroups()).groups.map(({ groupId }) => groupId)).toContain('readers')
    await admin.deleteGroups(['readers'])
    expect(broker.groups().map(({ id }) => id)).not.toContain('readers')
    await admin.disconnect()
    await producer.disconnect()
  })

  test('of KafkaSource read everything once, with a restart and a coordinator that moves', async () => {
    broker.createTopic('read', 2)
    await using sink = new KafkaSink({ bootstrapServers: broker.bootstrapServers, topic: 'read' })
    await sink.write(Array.from({ length: 100 }, (_, i) => ({ key: String(i), value: String(i) })))
    const seen: number[] = []
    for (const round of [0, 1]) {
      await using source = new KafkaSource({
        bootstrapServers: broker.bootstrapServers,
        groupId: 'own',
        topics: ['read'],
        'auto.offset.reset': 'earliest',
        commit: { strategy: 'manual' },
      })
      for await (const record of source) {
        seen.push(Number(record.value))
        if (seen.length === 100 * round + 50) broker.moveCoordinator({ group: 'own' }, round)
        if (seen.length < 100 * (round + 1)) continue
        await source.commit(record)
        break
      }
      await sink.write(
        Array.from({ length: 100 }, (_, i) => ({ key: String(i), value: String(100 * (round + 1) + i) })),
      )
    }
    expect(seen.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 200 }, (_, i) => i))
  })
})
