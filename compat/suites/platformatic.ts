/**
 * The client `@platformatic/kafka`, the dev dependency of this repository. It speaks newer versions than kafkajs (Produce 11, Fetch 17), both
 * group protocols, and transactions that add offsets.
 */
import assert from 'node:assert/strict'
import {
  Admin,
  Consumer,
  type ConsumerOptions,
  FetchIsolationLevels,
  ListOffsetTimestamps,
  type Message,
  ProduceAcks,
  Producer,
  type ProducerOptions,
  stringDeserializers,
  stringSerializers,
} from '@platformatic/kafka'
import { until } from '../conditions.ts'
import type { Suite } from '../suite.ts'
import { inTurn, type Test, type TestContext } from '../tests.ts'

type TextMessage = Message<string, string, string, string>
type TextProducer = Producer<string, string, string, string>
type TextConsumer = Consumer<string, string, string, string>

const connectionOf = (context: TestContext) => ({
  clientId: 'compat',
  bootstrapBrokers: context.bootstrapServers.split(','),
  // The client's own delay is a second, and Apache Kafka ends transactions after it has answered: each next one has to try again.
  retries: 100,
  retryDelay: 20,
})

async function withProducer<T>(
  context: TestContext,
  options: Partial<ProducerOptions<string, string, string, string>>,
  work: (producer: TextProducer) => Promise<T>,
): Promise<T> {
  const producer = new Producer({ ...connectionOf(context), serializers: stringSerializers, ...options })
  try {
    return await work(producer)
  } finally {
    await producer.close()
  }
}

async function withAdmin<T>(context: TestContext, work: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = new Admin(connectionOf(context))
  try {
    return await work(admin)
  } finally {
    await admin.close()
  }
}

/**
 * Creates a topic, and waits for the leaders of its partitions, which Apache Kafka chooses after it has answered. When one of them is
 * missing, the client sends a request again as a whole, and the records of the other partitions are written twice.
 */
async function createTopic(context: TestContext, prefix: string, partitions = 1): Promise<string> {
  const topic = context.unique(prefix)
  const timestamp = ListOffsetTimestamps.EARLIEST
  await withAdmin(context, async (admin) => {
    await admin.createTopics({ topics: [topic], partitions, replicas: 1 })
    const all = Array.from({ length: partitions }, (_, partitionIndex) => ({ partitionIndex, timestamp }))
    await admin.listOffsets({ topics: [{ name: topic, partitions: all }] })
  })
  return topic
}

function newConsumer(
  context: TestContext,
  options: Partial<ConsumerOptions<string, string, string, string>> = {},
): TextConsumer {
  const groupId = context.unique('group')
  const times = { sessionTimeout: 10_000, heartbeatInterval: 500, rebalanceTimeout: 10_000, maxWaitTime: 100 }
  const settings = { ...connectionOf(context), groupId, deserializers: stringDeserializers, ...times, ...options }
  return new Consumer(settings)
}

/** Reads until there are so many records, and commits them. */
async function readAll(
  context: TestContext,
  topic: string,
  count: number,
  options: Partial<ConsumerOptions<string, string, string, string>> = {},
): Promise<TextMessage[]> {
  const consumer = newConsumer(context, options)
  const messages: TextMessage[] = []
  try {
    const stream = await consumer.consume({
      topics: [topic],
      mode: 'committed',
      fallbackMode: 'earliest',
      autocommit: false,
    })
    for await (const message of stream) {
      messages.push(message)
      if (messages.length >= count) break
    }
    const next = new Map(messages.map(({ partition, offset }) => [partition, offset + 1n]))
    const offsets = [...next].map(([partition, offset]) => ({ topic, partition, offset, leaderEpoch: 0 }))
    await consumer.commit({ offsets })
    return messages
  } finally {
    await consumer.close(true)
  }
}

const numbered = (topic: string, count: number, first = 0) =>
  Array.from({ length: count }, (_, index) => ({ topic, key: `k${index % 50}`, value: String(first + index) }))

const sortedValues = (messages: readonly { value?: string | undefined }[]): string[] =>
  messages.map(({ value }) => value!).toSorted((a, b) => Number(a) - Number(b))

function writesAndReads(
  acks: (typeof ProduceAcks)[keyof typeof ProduceAcks],
  compression: 'none' | 'gzip' | 'zstd',
): Test {
  return async (context) => {
    const topic = await createTopic(context, 'copy', 3)
    const messages = numbered(topic, context.records(10_000))
    await withProducer(context, { idempotent: acks === ProduceAcks.ALL }, async (producer) => {
      for (let sent = 0; sent < messages.length; sent += 1000)
        await producer.send({ messages: messages.slice(sent, sent + 1000), acks, compression })
    })
    assert.deepEqual(sortedValues(await readAll(context, topic, messages.length)), sortedValues(messages))
  }
}

const keepsWholeRecords: Test = async (context) => {
  const topic = await createTopic(context, 'whole')
  const headers = new Map([['one', '1']])
  const timestamp = 1_700_000_000_000n
  await withProducer(context, {}, async (producer) =>
    producer.send({
      messages: [
        { topic, key: 'a', value: 'x', headers, timestamp },
        { topic, key: 'b', value: 'y'.repeat(200_000) },
      ],
    }),
  )
  const [first, second] = await readAll(context, topic, 2)
  assert.deepEqual([first!.key, first!.value, first!.timestamp], ['a', 'x', timestamp])
  assert.deepEqual([...first!.headers], [...headers])
  assert.equal(second!.value.length, 200_000)
}

function sharesAndContinues(groupProtocol: 'classic' | 'consumer'): Test {
  return async (context) => {
    const topic = await createTopic(context, 'shared', 4)
    const groupId = context.unique('shared')
    const count = context.records(2000)
    const seen = [new Set<string>(), new Set<string>()] as const
    const total = () => new Set([...seen[0], ...seen[1]]).size
    const consumers: TextConsumer[] = []
    const join = async (values: Set<string>) => {
      const consumer = newConsumer(context, { groupId, groupProtocol })
      consumers.push(consumer)
      const stream = await consumer.consume({
        topics: [topic],
        mode: 'committed',
        fallbackMode: 'earliest',
        autocommit: 100,
      })
      stream.on('data', ({ value }) => void values.add(value))
    }
    await withProducer(context, {}, async (producer) => {
      await producer.send({ messages: numbered(topic, count) })
      await join(seen[0])
      await until(() => total() === count, context.signal)
      await join(seen[1])
      await until(() => consumers.every(({ assignments }) => partitionsOf(assignments) === 2), context.signal)
      await producer.send({ messages: numbered(topic, count, count) })
      await until(() => total() === 2 * count, context.signal)
      assert.ok(seen[1].size > 0, 'the second member has read nothing')
      // What is not committed when a member leaves is read again.
      await until(async () => (await committedOf(consumers[0]!, topic)) === BigInt(2 * count), context.signal)
      for (const consumer of consumers) await consumer.close(true)
      await producer.send({ messages: numbered(topic, 10, 2 * count) })
    })
    const rest = await readAll(context, topic, 10, { groupId, groupProtocol })
    assert.deepEqual(sortedValues(rest), sortedValues(numbered(topic, 10, 2 * count)))
  }
}

async function committedOf(consumer: TextConsumer, topic: string): Promise<bigint> {
  const committed = await consumer.listCommittedOffsets({ topics: [{ topic, partitions: [0, 1, 2, 3] }] })
  return committed.get(topic)!.reduce((sum, offset) => sum + offset, 0n)
}

const partitionsOf = (assignments: TextConsumer['assignments']): number =>
  (assignments ?? []).reduce((sum, { partitions }) => sum + partitions.length, 0)

const transactional = (context: TestContext) => ({ idempotent: true, transactionalId: context.unique('transaction') })

const commitsAndAborts: Test = async (context) => {
  const topic = await createTopic(context, 'transactions', 2)
  await withProducer(context, transactional(context), async (producer) => {
    for (let round = 0; round < 6; round++) {
      const transaction = await producer.beginTransaction()
      await transaction.send({ messages: numbered(topic, 10, 10 * round) })
      await (round % 2 === 0 ? transaction.commit() : transaction.abort())
    }
  })
  const committed = [0, 20, 40].flatMap((first) => numbered(topic, 10, first))
  const { READ_COMMITTED, READ_UNCOMMITTED } = FetchIsolationLevels
  assert.deepEqual(
    sortedValues(await readAll(context, topic, 30, { isolationLevel: READ_COMMITTED })),
    sortedValues(committed),
  )
  const all = { isolationLevel: READ_UNCOMMITTED }
  assert.deepEqual(sortedValues(await readAll(context, topic, 60, all)), sortedValues(numbered(topic, 60)))
}

const movesOffsetsInTransactions: Test = async (context) => {
  const input = await createTopic(context, 'eos-in')
  const output = await createTopic(context, 'eos-out')
  const groupId = context.unique('eos')
  const count = context.records(200)
  await withProducer(context, {}, async (producer) => producer.send({ messages: numbered(input, count) }))
  const consumer = newConsumer(context, { groupId })
  await withProducer(context, transactional(context), async (producer) => {
    const stream = await consumer.consume({
      topics: [input],
      mode: 'committed',
      fallbackMode: 'earliest',
      autocommit: false,
    })
    let copied = 0
    for await (const message of stream) {
      const transaction = await producer.beginTransaction()
      await transaction.addConsumer(consumer)
      await transaction.send({ messages: [{ topic: output, key: message.key, value: message.value }] })
      await transaction.addOffset(message)
      await transaction.commit()
      if (++copied === count) break
    }
  })
  const committed = await consumer.listCommittedOffsets({ topics: [{ topic: input, partitions: [0] }] })
  await consumer.close(true)
  assert.equal(committed.get(input)![0], BigInt(count))
  assert.deepEqual(sortedValues(await readAll(context, output, count)), sortedValues(numbered(output, count)))
}

const administers: Test = async (context) => {
  const groupId = context.unique('managed')
  const topic = await createTopic(context, 'managed', 2)
  await withProducer(context, {}, async (producer) => producer.send({ messages: numbered(topic, 10) }))
  await readAll(context, topic, 10, { groupId })
  await withAdmin(context, async (admin) => {
    await assert.rejects(admin.createTopics({ topics: [topic], partitions: 2, replicas: 1 }))
    await admin.createPartitions({ topics: [{ name: topic, count: 4 }] })
    assert.ok((await admin.listGroups()).has(groupId))
    assert.equal((await admin.describeGroups({ groups: [groupId] })).get(groupId)!.state, 'Empty')
    const [group] = await admin.listConsumerGroupOffsets({ groups: [groupId] })
    const offsets = group!.topics.flatMap(({ partitions }) => partitions.map(({ committedOffset }) => committedOffset))
    assert.equal(
      offsets.filter((offset) => offset >= 0n).reduce((sum, offset) => sum + offset, 0n),
      10n,
    )
    await admin.deleteGroups({ groups: [groupId] })
    await admin.deleteTopics({ topics: [topic] })
    await until(async () => !(await admin.listTopics()).includes(topic), context.signal)
  })
}

export const platformatic: Suite = {
  name: 'platformatic',
  summary: '@platformatic/kafka 2.12.1, a dev dependency: produce, consume, groups, transactions, admin',
  run: inTurn(
    {
      'produce and consume, acks all': writesAndReads(ProduceAcks.ALL, 'none'),
      'produce and consume, acks leader, gzip': writesAndReads(ProduceAcks.LEADER, 'gzip'),
      'produce and consume, acks none, zstd': writesAndReads(ProduceAcks.NO_RESPONSE, 'zstd'),
      'keys, headers, timestamps, large values': keepsWholeRecords,
      'a group that shares partitions and continues': sharesAndContinues('classic'),
      'a group that shares partitions and continues, consumer protocol': sharesAndContinues('consumer'),
      'transactions that commit and abort': commitsAndAborts,
      'offsets in transactions': movesOffsetsInTransactions,
      'topics and groups': administers,
    },
    { atATime: 3 },
  ),
}
