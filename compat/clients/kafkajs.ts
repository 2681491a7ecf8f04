/** kafkajs as tests use it: clients that are connected, and topics and groups with names of their own. */
import client, { type Consumer, type ConsumerConfig, type EachMessagePayload, type Kafka, type Producer } from 'kafkajs'
import { until } from '../conditions.ts'
import type { TestContext } from '../tests.ts'

/** A client whose retries end within the time of a test. */
export function connect(context: TestContext): Kafka {
  return new client.Kafka({
    brokers: context.bootstrapServers.split(','),
    logLevel: client.logLevel.NOTHING,
    retry: { initialRetryTime: 50, retries: 8 },
  })
}

/** Works with a producer that is connected, and disconnects it. */
export async function withProducer<T>(
  context: TestContext,
  options: Parameters<Kafka['producer']>[0],
  work: (producer: Producer) => Promise<T>,
): Promise<T> {
  const producer = connect(context).producer({ createPartitioner: client.Partitioners.DefaultPartitioner, ...options })
  await producer.connect()
  try {
    return await work(producer)
  } finally {
    await producer.disconnect()
  }
}

export async function withAdmin<T>(
  context: TestContext,
  work: (admin: ReturnType<Kafka['admin']>) => Promise<T>,
): Promise<T> {
  const admin = connect(context).admin()
  await admin.connect()
  try {
    return await work(admin)
  } finally {
    await admin.disconnect()
  }
}

/** Creates a topic with a name of its own. */
export async function createTopic(context: TestContext, prefix: string, numPartitions = 1): Promise<string> {
  const topic = context.unique(prefix)
  await withAdmin(context, async (admin) => admin.createTopics({ topics: [{ topic, numPartitions }] }))
  return topic
}

/** Starts a consumer that hands each record to `onRecord`; it is in its group when this resolves. */
export async function consume(
  context: TestContext,
  topic: string,
  onRecord: (payload: EachMessagePayload) => void,
  options: Partial<ConsumerConfig> = {},
): Promise<Consumer> {
  const consumer = connect(context).consumer({
    groupId: context.unique('group'),
    sessionTimeout: 10_000,
    heartbeatInterval: 200,
    rebalanceTimeout: 10_000,
    maxWaitTimeInMs: 100,
    ...options,
  })
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  const joined = new Promise<void>((resolve) => consumer.on(consumer.events.GROUP_JOIN, () => resolve()))
  await consumer.run({ eachMessage: async (payload) => onRecord(payload) })
  await joined
  return consumer
}

/** Reads until there are so many records. */
export async function readAll(
  context: TestContext,
  topic: string,
  count: number,
  options: Partial<ConsumerConfig> = {},
): Promise<EachMessagePayload[]> {
  const records: EachMessagePayload[] = []
  const consumer = await consume(context, topic, (record) => void records.push(record), options)
  try {
    await until(() => records.length >= count, context.signal)
    return records
  } finally {
    await consumer.disconnect()
  }
}

export const numbered = (count: number, first = 0) =>
  Array.from({ length: count }, (_, index) => ({ key: `k${index % 50}`, value: String(first + index) }))

export const valuesOf = (records: readonly EachMessagePayload[]): string[] =>
  records.map(({ message }) => String(message.value))

export const sorted = (values: readonly string[]): string[] => values.toSorted((a, b) => Number(a) - Number(b))
