import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type EmbeddedBroker, startBroker } from '../../../src/broker/index.ts'
import { RecordBatchReader } from '../../../src/kafka/protocol/record-batch.ts'
import { ERROR } from '../../../src/protocol/error-codes.ts'
import { fetchApi, type FetchRequest } from '../../../src/protocol/messages/fetch.ts'
import { produceApi } from '../../../src/protocol/messages/produce.ts'
import { batchOf, produceOf } from '../../support/produce.ts'
import { RawClient } from '../../support/raw-client.ts'

let broker: EmbeddedBroker
let client: RawClient
let producer: RawClient

beforeAll(async () => {
  broker = await startBroker({ topics: { orders: 3, empty: 1 } })
  client = await RawClient.connect(broker.bootstrapServers)
  producer = await RawClient.connect(broker.bootstrapServers)
  // Offsets 0 to 2, 3 to 5, 6 to 8.
  for (const values of [
    ['a', 'b', 'c'],
    ['d', 'e', 'f'],
    ['g', 'h', 'i'],
  ])
    await produce('orders', values)
})
afterAll(async () => {
  client.close()
  producer.close()
  await broker.close()
})

async function produce(topic: string, values: string[], partition = 0): Promise<void> {
  await producer.request(produceApi, 11, produceOf({ name: topic }, batchOf(values), { partition }))
}

interface Asked {
  offset?: number
  partition?: number
  partitionMaxBytes?: number
}

const ask = (
  topic: string,
  { offset = 0, partition = 0, partitionMaxBytes = 1_000_000 }: Asked = {},
  rest: Partial<FetchRequest> = {},
) =>
  client.request(fetchApi, 11, {
    maxWaitMs: 0,
    minBytes: 0,
    topics: [{ topic, partitions: [{ partition, fetchOffset: offset, partitionMaxBytes }] }],
    ...rest,
  })

async function fetched(topic: string, asked: Asked, rest?: Partial<FetchRequest>) {
  const { responses } = await ask(topic, asked, rest)
  const partition = responses[0]!.partitions[0]!
  const reader = new RecordBatchReader()
  reader.reset(partition.records!, topic, 0)
  const batches: number[] = []
  while (reader.next()) batches.push(reader.baseOffset)
  return { ...partition, batches }
}

describe('a fetch', () => {
  test('from the middle of a batch gets the whole batch', async () => {
    expect((await fetched('orders', { offset: 4 })).batches).toEqual([3, 6])
  })

  test('gets one batch, however small its limits are', async () => {
    expect((await fetched('orders', { partitionMaxBytes: 1 })).batches).toEqual([0])
    expect((await fetched('orders', {}, { maxBytes: 1 })).batches).toEqual([0])
  })

  test('gets as many bytes as fit, the last batch cut off', async () => {
    const [size] = [batchOf(['a', 'b', 'c']).length]
    const { batches, records } = await fetched('orders', { partitionMaxBytes: 2 * size + 10 })
    expect({ batches, bytes: records!.length }).toEqual({ batches: [0, 3], bytes: 2 * size + 10 })
  })

  test('at the end gets nothing, and the watermarks', async () => {
    expect(await fetched('orders', { offset: 9 })).toMatchObject({
      errorCode: 0,
      batches: [],
      highWatermark: 9,
      lastStableOffset: 9,
      logStartOffset: 0,
    })
  })

  test.each([-1, 10])('from offset %i is out of range', async (offset) => {
    expect((await fetched('orders', { offset })).errorCode).toBe(ERROR.OFFSET_OUT_OF_RANGE)
  })

  test('of an unknown partition, topic or topic id says so', async () => {
    expect((await fetched('orders', { partition: 9 })).errorCode).toBe(ERROR.UNKNOWN_TOPIC_OR_PARTITION)
    const topics = [
      { topicId: 'AAAAAAAAAAAAAAAAAAAAAQ', partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1 }] },
    ]
    const { responses } = await client.request(fetchApi, 17, { maxWaitMs: 0, minBytes: 0, topics })
    expect(responses[0]!.partitions[0]!.errorCode).toBe(ERROR.UNKNOWN_TOPIC_ID)
  })

  test('with a wrong leader epoch is refused', async () => {
    const epoch = async (currentLeaderEpoch: number) => {
      const partitions = [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1, currentLeaderEpoch }]
      const { responses } = await client.request(fetchApi, 11, {
        maxWaitMs: 0,
        minBytes: 0,
        topics: [{ topic: 'orders', partitions }],
      })
      return responses[0]!.partitions[0]!.errorCode
    }
    expect([await epoch(0), await epoch(1)]).toEqual([0, ERROR.UNKNOWN_LEADER_EPOCH])
  })

  test('waits for records, and is answered as soon as there are enough bytes', async () => {
    const waiting = ask('empty', {}, { maxWaitMs: 60_000, minBytes: 1.5 * batchOf(['x']).length })
    await produce('empty', ['x'])
    await produce('empty', ['y'])
    const { responses } = await waiting
    expect(responses[0]!.partitions[0]!.records!.length).toBe(2 * batchOf(['x']).length)
  })

  test('that waits is answered empty when the time is over', async () => {
    const { responses } = await ask('empty', { offset: 2 }, { maxWaitMs: 10, minBytes: 1 })
    expect(responses[0]!.partitions[0]!).toMatchObject({ errorCode: 0, records: Buffer.alloc(0) })
  })

  test('that waits is answered when its topic is deleted', async () => {
    broker.createTopic('going')
    const waiting = ask('going', {}, { maxWaitMs: 60_000, minBytes: 1 })
    await expect.poll(() => broker.requests().at(-1)!.api).toBe('Fetch')
    const { deleteTopicsApi } = await import('../../../src/protocol/messages/delete-topics.ts')
    await producer.request(deleteTopicsApi, 5, { topicNames: ['going'], timeoutMs: 1 })
    expect((await waiting).responses[0]!.partitions[0]!.errorCode).toBe(ERROR.UNKNOWN_TOPIC_OR_PARTITION)
  })
})

describe('a fetch session', () => {
  const begin = () => {
    const partitions = [0, 1, 2].map((partition) => ({
      partition,
      fetchOffset: partition === 0 ? 9 : 0,
      partitionMaxBytes: 1000,
    }))
    return ask('orders', {}, { sessionEpoch: 0, topics: [{ topic: 'orders', partitions }] })
  }
  const next = (sessionId: number, sessionEpoch: number, rest: Partial<FetchRequest> = {}) =>
    ask('orders', {}, { sessionId, sessionEpoch, topics: [], ...rest })
  const partitionsIn = ({ responses }: Awaited<ReturnType<typeof begin>>) =>
    responses.flatMap(({ partitions }) => partitions.map(({ partitionIndex }) => partitionIndex))

  test('reports every partition once, and then what is new', async () => {
    const first = await begin()
    expect(first.sessionId).toBeGreaterThan(0)
    expect(partitionsIn(first)).toEqual([0, 1, 2])
    expect(partitionsIn(await next(first.sessionId, 1))).toEqual([])
    await produce('orders', ['new'], 1)
    expect(partitionsIn(await next(first.sessionId, 2))).toEqual([1])
  })

  test('forgets a partition, and takes a new position', async () => {
    const { sessionId } = await begin()
    const moved = {
      topics: [{ topic: 'orders', partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1000 }] }],
    }
    const forgottenTopicsData = [{ topic: 'orders', partitions: [1] }]
    expect(partitionsIn(await next(sessionId, 1, { ...moved, forgottenTopicsData }))).toEqual([0])
  })

  test('refuses a wrong epoch and an unknown id', async () => {
    const { sessionId } = await begin()
    expect((await next(sessionId, 7)).errorCode).toBe(ERROR.INVALID_FETCH_SESSION_EPOCH)
    expect((await next(999_999, 1)).errorCode).toBe(ERROR.FETCH_SESSION_ID_NOT_FOUND)
  })

  test('ends when it is asked to', async () => {
    const { sessionId } = await begin()
    await next(sessionId, -1)
    expect((await next(sessionId, 1)).errorCode).toBe(ERROR.FETCH_SESSION_ID_NOT_FOUND)
  })
})
