/**
 * kafkajs, the dev dependency of this repository: everything that its documentation shows, with the records counted.
 *
 * It speaks the oldest versions that Kafka 4 still has (Produce 7, Fetch 11, JoinGroup 5, EndTxn 1), and transactions of the first
 * protocol.
 */
import assert from 'node:assert/strict'
import client from 'kafkajs'
import {
  connect,
  consume,
  createTopic,
  numbered,
  readAll,
  sorted,
  valuesOf,
  withAdmin,
  withProducer,
} from '../clients/kafkajs.ts'
import { until } from '../conditions.ts'
import type { Suite } from '../suite.ts'
import { inTurn, type Test } from '../tests.ts'

const COMPRESSIONS = { none: client.CompressionTypes.None, gzip: client.CompressionTypes.GZIP }

function writesAndReads(options: { acks: number; compression: keyof typeof COMPRESSIONS }): Test {
  return async (context) => {
    const topic = await createTopic(context, 'copy', 3)
    const messages = numbered(context.records(10_000))
    await withProducer(context, { idempotent: options.acks === -1 }, async (producer) => {
      for (let sent = 0; sent < messages.length; sent += 1000)
        await producer.send({
          topic,
          acks: options.acks,
          compression: COMPRESSIONS[options.compression],
          messages: messages.slice(sent, sent + 1000),
        })
    })
    const records = await readAll(context, topic, messages.length)
    assert.deepEqual(
      sorted(valuesOf(records)),
      messages.map(({ value }) => value),
    )
    // In order within a partition.
    for (const partition of [0, 1, 2]) {
      const values = valuesOf(records.filter((record) => record.partition === partition))
      assert.deepEqual(values, sorted(values))
    }
  }
}

const keepsWholeRecords: Test = async (context) => {
  const topic = await createTopic(context, 'whole')
  const messages = [
    { key: 'a', value: 'x', headers: { one: '1', many: ['2', '3'] }, timestamp: '1700000000000' },
    { key: null, value: Buffer.alloc(200_000, 7), headers: {} },
    { key: 'gone', value: null, headers: {} },
  ]
  await withProducer(context, {}, async (producer) => producer.send({ topic, messages }))
  const [first, second, third] = (await readAll(context, topic, 3)).map(({ message }) => message)
  assert.equal(String(first!.key), 'a')
  assert.equal(first!.timestamp, '1700000000000')
  assert.equal(String(first!.headers!['one']), '1')
  assert.deepEqual([first!.headers!['many']].flat().map(String), ['2', '3'])
  assert.equal(second!.key, null)
  assert.equal(second!.value!.length, 200_000)
  assert.equal(third!.value, null)
}

const sharesAndRebalances: Test = async (context) => {
  const topic = await createTopic(context, 'shared', 4)
  const count = context.records(2000)
  const groupId = context.unique('readers')
  const seen = new Map<string, Set<string>>()
  const reader = async (name: string) =>
    consume(context, topic, ({ message }) => void seen.get(name)?.add(String(message.value)), { groupId })
  const members = async () => (await withAdmin(context, async (admin) => admin.describeGroups([groupId]))).groups[0]!
  const total = () => new Set([...seen.values()].flatMap((values) => [...values])).size
  seen.set('a', new Set()).set('b', new Set())
  await withProducer(context, {}, async (producer) => {
    await producer.send({ topic, messages: numbered(count) })
    const first = await reader('a')
    await until(() => total() === count, context.signal)
    const second = await reader('b')
    await until(async () => {
      const { state, members: list } = await members()
      return state === 'Stable' && list.length === 2
    }, context.signal)
    await producer.send({ topic, messages: numbered(count, count) })
    await until(() => total() === 2 * count, context.signal)
    assert.ok(seen.get('b')!.size > 0, 'the second member has read nothing')
    await first.disconnect()
    await producer.send({ topic, messages: numbered(count, 2 * count) })
    await until(() => total() === 3 * count, context.signal)
    await second.disconnect()
  })
  const [committed] = await withAdmin(context, async (admin) => admin.fetchOffsets({ groupId, topics: [topic] }))
  assert.equal(
    committed!.partitions.reduce((sum, { offset }) => sum + Number(offset), 0),
    3 * count,
  )
}

const continuesWhereItCommitted: Test = async (context) => {
  const topic = await createTopic(context, 'resumed', 2)
  const groupId = context.unique('resuming')
  await withProducer(context, {}, async (producer) => {
    await producer.send({ topic, messages: numbered(100) })
    assert.equal((await readAll(context, topic, 100, { groupId })).length, 100)
    await producer.send({ topic, messages: numbered(100, 100) })
  })
  const values = valuesOf(await readAll(context, topic, 100, { groupId }))
  assert.deepEqual(
    sorted(values),
    numbered(100, 100).map(({ value }) => value),
  )
}

const commitsAndAborts: Test = async (context) => {
  const topic = await createTopic(context, 'transactions', 2)
  const transactionalId = context.unique('txn')
  const options = { transactionalId, idempotent: true, maxInFlightRequests: 1 }
  await withProducer(context, options, async (producer) => {
    for (let round = 0; round < 6; round++) {
      const transaction = await producer.transaction()
      await transaction.send({ topic, messages: numbered(10, 10 * round) })
      await (round % 2 === 0 ? transaction.commit() : transaction.abort())
    }
    await producer.send({ topic, messages: [{ value: '999' }] })
  })
  const expected = [0, 20, 40].flatMap((first) => numbered(10, first).map(({ value }) => value))
  const committed = valuesOf(await readAll(context, topic, 31))
  assert.deepEqual(sorted(committed), [...expected, '999'])
  const all = await readAll(context, topic, 61, { readUncommitted: true })
  assert.equal(all.length, 61)
}

const movesOffsetsInTransactions: Test = async (context) => {
  const input = await createTopic(context, 'eos-in', 2)
  const output = await createTopic(context, 'eos-out', 2)
  const groupId = context.unique('eos')
  const count = context.records(400)
  await withProducer(context, {}, async (producer) => producer.send({ topic: input, messages: numbered(count) }))
  const options = { transactionalId: context.unique('eos'), idempotent: true, maxInFlightRequests: 1 }
  await withProducer(context, options, async (producer) => {
    const consumer = connect(context).consumer({ groupId, maxWaitTimeInMs: 100, heartbeatInterval: 200 })
    await consumer.connect()
    await consumer.subscribe({ topic: input, fromBeginning: true })
    let copied = 0
    await consumer.run({
      autoCommit: false,
      eachBatch: async ({ batch: { partition, messages } }) => {
        const transaction = await producer.transaction()
        await transaction.send({ topic: output, messages: messages.map(({ key, value }) => ({ key, value })) })
        const offset = String(Number(messages.at(-1)!.offset) + 1)
        await transaction.sendOffsets({
          consumerGroupId: groupId,
          topics: [{ topic: input, partitions: [{ partition, offset }] }],
        })
        await transaction.commit()
        copied += messages.length
      },
    })
    await until(() => copied === count, context.signal)
    await consumer.disconnect()
  })
  const values = valuesOf(await readAll(context, output, count))
  assert.deepEqual(
    sorted(values),
    numbered(count).map(({ value }) => value),
  )
  const [offsets] = await withAdmin(context, async (admin) => admin.fetchOffsets({ groupId, topics: [input] }))
  assert.equal(
    offsets!.partitions.reduce((sum, { offset }) => sum + Number(offset), 0),
    count,
  )
}

const fencesTheOlderProducer: Test = async (context) => {
  const topic = await createTopic(context, 'fenced')
  const options = { transactionalId: context.unique('fenced'), idempotent: true, maxInFlightRequests: 1 }
  await withProducer(context, options, async (older) => {
    const transaction = await older.transaction()
    await transaction.send({ topic, messages: [{ value: '1' }] })
    await withProducer(context, options, async (newer) => {
      const second = await newer.transaction()
      await second.send({ topic, messages: [{ value: '2' }] })
      await assert.rejects(transaction.send({ topic, messages: [{ value: '3' }] }))
      await second.commit()
    })
  })
  assert.deepEqual(valuesOf(await readAll(context, topic, 1)), ['2'])
}

const seeks: Test = async (context) => {
  const topic = await createTopic(context, 'sought')
  const messages = numbered(100).map((message, index) => ({ ...message, timestamp: String(1_700_000_000_000 + index) }))
  await withProducer(context, {}, async (producer) => producer.send({ topic, messages }))
  const byTime = await withAdmin(context, async (admin) => admin.fetchTopicOffsetsByTimestamp(topic, 1_700_000_000_060))
  assert.equal(byTime[0]!.offset, '60')
  const seen: string[] = []
  const consumer = await consume(context, topic, ({ message }) => void seen.push(String(message.value)))
  await until(() => seen.length >= 100, context.signal)
  seen.length = 0
  consumer.seek({ topic, partition: 0, offset: '60' })
  await until(() => seen.length >= 40, context.signal)
  await consumer.disconnect()
  assert.equal(seen[0], '60')
}

const administers: Test = async (context) => {
  const topic = context.unique('managed')
  const groupId = context.unique('managed')
  await withAdmin(context, async (admin) => {
    const configEntries = [{ name: 'retention.ms', value: '3600000' }]
    assert.equal(await admin.createTopics({ topics: [{ topic, numPartitions: 2, configEntries }] }), true)
    assert.equal(await admin.createTopics({ topics: [{ topic }] }), false)
    await admin.createPartitions({ topicPartitions: [{ topic, count: 4 }] })
    const metadata = await admin.fetchTopicMetadata({ topics: [topic] })
    assert.equal(metadata.topics[0]!.partitions.length, 4)
    const resource = { type: client.ConfigResourceTypes.TOPIC, name: topic }
    await admin.alterConfigs({
      validateOnly: false,
      resources: [{ ...resource, configEntries: [{ name: 'retention.ms', value: '7200000' }] }],
    })
    const configs = await admin.describeConfigs({ includeSynonyms: true, resources: [resource] })
    const retention = configs.resources[0]!.configEntries.find(({ configName }) => configName === 'retention.ms')
    assert.equal(retention!.configValue, '7200000')
    await admin.setOffsets({ groupId, topic, partitions: [{ partition: 0, offset: '0' }] })
    assert.ok((await admin.listGroups()).groups.some((group) => group.groupId === groupId))
    await admin.deleteGroups([groupId])
    assert.ok((await admin.describeCluster()).brokers.length > 0)
    await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '0' }] })
    await admin.deleteTopics({ topics: [topic] })
    await until(async () => !(await admin.listTopics()).includes(topic), context.signal)
  })
}

export const kafkajs: Suite = {
  name: 'kafkajs',
  summary: 'kafkajs 2.2.4, a dev dependency: produce, consume, groups, transactions, admin',
  run: inTurn(
    {
      'produce and consume, acks all': writesAndReads({ acks: -1, compression: 'none' }),
      'produce and consume, acks leader, gzip': writesAndReads({ acks: 1, compression: 'gzip' }),
      'produce and consume, acks none': writesAndReads({ acks: 0, compression: 'none' }),
      'keys, headers, timestamps, tombstones, large values': keepsWholeRecords,
      'a group that shares partitions and rebalances': sharesAndRebalances,
      'a group that continues where it committed': continuesWhereItCommitted,
      'transactions that commit and abort': commitsAndAborts,
      'offsets in transactions': movesOffsetsInTransactions,
      'a producer that is fenced': fencesTheOlderProducer,
      'offsets by time, and seek': seeks,
      'topics, configurations, groups': administers,
    },
    { atATime: 3 },
  ),
}
