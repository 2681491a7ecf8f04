import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Admin, KafkaSink, KafkaSource } from '../../src/index.ts'
import { bootstrapServers, brokerAvailable, uniqueName } from '../support/broker.ts'

describe.skipIf(!brokerAvailable)('Admin', () => {
  let admin: Admin
  beforeAll(() => {
    admin = new Admin({ bootstrapServers: bootstrapServers() })
  })
  afterAll(() => admin.close())

  async function fill(topic: string, count: number): Promise<void> {
    await using sink = new KafkaSink({ bootstrapServers: bootstrapServers(), topic })
    await sink.write(Array.from({ length: count }, (_, i) => ({ value: String(i), partition: i % 2 })))
  }

  test('creates, lists, describes, grows and deletes topics; scripts may run twice', async () => {
    const [a, b] = [uniqueName('a'), uniqueName('b')]
    expect(await admin.createTopics([{ name: a, partitions: 2 }])).toEqual([a])
    expect(await admin.createTopics([{ name: a }, { name: b, configs: { 'cleanup.policy': 'compact' } }])).toEqual([b])
    expect(await admin.listTopics()).toEqual(expect.arrayContaining([a, b]))
    await admin.createPartitions(b, 3)
    expect(await admin.describeTopics([a, b])).toMatchObject([
      { name: a, isInternal: false, partitions: [{ partition: 0 }, { partition: 1 }] },
      { name: b, partitions: [{ partition: 0, leader: expect.any(Number) }, {}, {}] },
    ])
    expect(await admin.deleteTopics([a, b, 'never-there'])).toEqual([a, b])
    await expect(admin.describeTopics([a])).rejects.toMatchObject({ code: 'TOPIC_NOT_FOUND' })
  })

  test('reads and changes configurations', async () => {
    const topic = uniqueName('configs')
    await admin.createTopics([{ name: topic, configs: { 'retention.ms': '5000' } }])
    await admin.alterConfigs(topic, { 'retention.ms': null, 'max.message.bytes': '1234' })
    // Brokers learn of a change a moment after the controller.
    await expect
      .poll(async () => (await admin.describeConfigs(topic)).get('max.message.bytes'))
      .toEqual({ value: '1234', isDefault: false })
    expect((await admin.describeConfigs(topic)).get('retention.ms')?.isDefault).toBe(true)
    await admin.deleteTopics([topic])
  })

  test('says where partitions begin and end, and deletes records', async () => {
    const topic = uniqueName('records')
    await admin.createTopics([{ name: topic, partitions: 2 }])
    await fill(topic, 10)
    await admin.deleteRecords([
      { topic, partition: 0, offset: 2n },
      { topic, partition: 1, offset: -1 },
    ])
    expect(await admin.fetchTopicOffsets(topic)).toEqual([
      { partition: 0, low: 2n, high: 5n },
      { partition: 1, low: 5n, high: 5n },
    ])
    await admin.deleteTopics([topic])
  })

  test('shows groups and how far behind they are, resets their offsets and deletes them', async () => {
    const [topic, groupId] = [uniqueName('orders'), uniqueName('billing')]
    await admin.createTopics([{ name: topic, partitions: 2 }])
    await fill(topic, 10)
    const options = { bootstrapServers: bootstrapServers(), topics: topic, groupId, untilEnd: true }
    const read = async (): Promise<number> => {
      await using source = new KafkaSource(options)
      let count = 0
      for await (const _ of source) count++
      return count
    }
    expect(await read()).toBe(10)
    expect(await admin.listGroups()).toContainEqual({
      groupId,
      type: 'classic',
      protocolType: 'consumer',
      state: 'Empty',
    })
    expect(await admin.describeGroups([groupId, 'never-there'])).toMatchObject([
      { groupId, state: 'Empty', members: [] },
      { groupId: 'never-there', state: 'Dead', members: [] },
    ])
    await fill(topic, 2)
    expect(await admin.fetchOffsets(groupId)).toEqual([
      { topic, partition: 0, offset: 5n, low: 0n, high: 6n, lag: 1, metadata: '' },
      { topic, partition: 1, offset: 5n, low: 0n, high: 6n, lag: 1, metadata: '' },
    ])
    const plan = [
      { topic, partition: 0, from: 5n, to: 1n },
      { topic, partition: 1, from: 5n, to: 1n },
    ]
    expect(await admin.resetOffsets(groupId, { to: { offset: 1n }, dryRun: true })).toEqual(plan)
    expect(await admin.resetOffsets(groupId, { to: { offset: 1n } })).toEqual(plan)
    expect(await read()).toBe(10)
    expect(await admin.deleteGroups([groupId, 'never-there'])).toEqual([groupId])
    expect(await admin.fetchOffsets(groupId)).toEqual([])
    await admin.deleteTopics([topic])
  })
})
