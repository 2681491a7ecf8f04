import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { groupOffsets, resetGroupOffsets } from '../../../src/kafka/admin/group-offsets.ts'
import { GroupAdmin } from '../../../src/kafka/admin/groups.ts'
import { TopicAdmin } from '../../../src/kafka/admin/topics.ts'
import { Cluster } from '../../../src/kafka/cluster/cluster.ts'
import { listOffsets } from '../../../src/kafka/cluster/log-offsets.ts'
import { bootstrapServers, brokerAvailable, threeBrokers, uniqueName } from '../../support/broker.ts'

describe.skipIf(!brokerAvailable)('topics', () => {
  let cluster: Cluster
  let admin: TopicAdmin
  beforeAll(() => {
    cluster = new Cluster({ bootstrapServers: bootstrapServers().split(','), clientId: 'test', apiTimeoutMs: 10_000 })
    admin = new TopicAdmin(cluster)
  })
  afterAll(() => cluster.close())

  test('creates a topic once, with its configuration, grows and deletes it', async () => {
    const name = uniqueName('admin')
    expect(
      await admin.createTopic({ name, partitions: 3, replicationFactor: 1, configs: { 'cleanup.policy': 'compact' } }),
    ).toBe(true)
    expect(await admin.createTopic({ name, partitions: 9 })).toBe(false)
    const [topic] = await admin.describeTopics([name])
    expect(topic).toMatchObject({ name, internal: false })
    expect(topic!.partitions.map(({ partition, leader }) => [partition, leader >= 0])).toEqual([
      [0, true],
      [1, true],
      [2, true],
    ])
    expect(topic!.id).toMatch(/^[\w-]{22}$/)
    expect(await admin.listTopics()).toContain(name)

    await admin.createPartitions(name, 5)
    expect(cluster.cachedTopic(name)!.partitions).toHaveLength(5)
    await expect(admin.createPartitions(name, 2)).rejects.toMatchObject({
      kafkaName: 'INVALID_PARTITIONS',
      message: expect.stringContaining(`"${name}" to 2 partitions`),
    })

    expect(await admin.deleteTopics([name, 'never-there'])).toEqual([name])
    await expect(admin.describeTopics([name])).rejects.toMatchObject({ code: 'TOPIC_NOT_FOUND' })
  })

  test('reads and changes the configuration of a topic', async () => {
    const name = uniqueName('admin')
    await admin.createTopic({ name, configs: { 'retention.ms': '5000' } })
    await admin.alterTopicConfigs(name, { 'retention.ms': null, 'max.message.bytes': '1234' })
    const configs = await admin.describeTopicConfigs(name)
    expect(configs.get('max.message.bytes')).toEqual({ value: '1234', isDefault: false })
    expect(configs.get('retention.ms')?.isDefault).toBe(true)
    await expect(admin.alterTopicConfigs(name, { 'retention.ms': 'long' })).rejects.toMatchObject({
      kafkaName: 'INVALID_CONFIG',
    })
    await expect(admin.describeTopicConfigs('never-there')).rejects.toMatchObject({ code: 'TOPIC_NOT_FOUND' })
    await expect(admin.createPartitions('never-there', 3)).rejects.toMatchObject({ code: 'TOPIC_NOT_FOUND' })
  })

  test.each([
    { name: 'a name that Kafka does not allow', topic: { name: 'no spaces' }, kafkaName: 'INVALID_TOPIC_EXCEPTION' },
    {
      name: 'more replicas than brokers',
      topic: { name: uniqueName('r'), replicationFactor: 9 },
      kafkaName: 'INVALID_REPLICATION_FACTOR',
    },
    {
      name: 'an unknown configuration',
      topic: { name: uniqueName('c'), configs: { nonsense: '1' } },
      kafkaName: 'INVALID_CONFIG',
    },
    { name: 'no partitions', topic: { name: uniqueName('p'), partitions: 0 }, kafkaName: 'INVALID_PARTITIONS' },
  ])('refuses $name at once, saying which topic', async ({ topic, kafkaName }) => {
    const started = performance.now()
    await expect(admin.createTopic(topic)).rejects.toMatchObject({
      code: 'BROKER_ERROR',
      message: expect.stringContaining(`Cannot create topic "${topic.name}"`),
    })
    await expect(admin.createTopic(topic)).rejects.toThrow(new RegExp(kafkaName.split('_')[0]!))
    expect(performance.now() - started).toBeLessThan(30_000)
  })
})

describe.skipIf(!brokerAvailable)('admin of three brokers', () => {
  const brokers = threeBrokers()

  test('a created topic is known to all at once; offsets are found, and those of groups reset, while leaders move', async () => {
    const cluster = new Cluster({
      bootstrapServers: brokers().bootstrapServers.split(','),
      clientId: 'test',
      apiTimeoutMs: 30_000,
    })
    const admin = new TopicAdmin(cluster)
    const name = uniqueName('three')
    await admin.createTopic({ name, partitions: 6, replicationFactor: 3 })
    expect(new Set(cluster.cachedTopic(name)!.partitions.map(({ leader }) => leader)).size).toBe(3)
    const queries = Array.from({ length: 6 }, (_, partition) => ({ topic: name, partition, at: 'latest' as const }))
    expect((await listOffsets(cluster, queries)).map(({ partition, offset }) => [partition, offset])).toEqual(
      queries.map(({ partition }) => [partition, 0]),
    )

    const groups = ['a', 'b', 'c'].map((letter) => uniqueName(`group-${letter}`))
    const reset = async (groupId: string): Promise<void> => {
      expect(await resetGroupOffsets(cluster, groupId, { to: 'latest', topics: [name] })).toHaveLength(6)
    }
    await reset(groups[0]!)

    await brokers().brokers[1]!.kill()
    expect(await listOffsets(cluster, queries)).toHaveLength(6)
    const other = uniqueName('three')
    await admin.createTopic({ name: other, partitions: 3, replicationFactor: 2 })
    expect(await admin.listTopics()).toEqual([name, other].toSorted())
    // Whichever broker coordinated them before.
    for (const groupId of groups.slice(1)) await reset(groupId)
    const groupAdmin = new GroupAdmin(cluster)
    expect((await groupAdmin.listGroups()).map(({ groupId }) => groupId)).toEqual(groups)
    for (const groupId of groups) {
      expect((await groupOffsets(cluster, groupId, undefined)).map(({ offset, lag }) => [offset, lag])).toEqual(
        queries.map(() => [0, 0]),
      )
      expect(await groupAdmin.deleteGroup(groupId)).toBe(true)
    }
    expect(await groupAdmin.listGroups()).toEqual([])
    await brokers().brokers[1]!.restart()
    await cluster.close()
  })
})
