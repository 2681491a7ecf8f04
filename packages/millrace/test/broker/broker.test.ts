import { describe, expect, test } from 'vitest'
import { freePortRange } from '../../../../test-bed/probe.ts'
import { type EmbeddedBroker, startBroker } from '../../src/broker/index.ts'
import { ERROR } from '../../src/protocol/error-codes.ts'
import { listOffsetsApi } from '../../src/protocol/messages/list-offsets.ts'
import { metadataApi } from '../../src/protocol/messages/metadata.ts'
import { offsetForLeaderEpochApi } from '../../src/protocol/messages/offset-for-leader-epoch.ts'
import { produceApi } from '../../src/protocol/messages/produce.ts'
import { encodeRecordBatch } from '../support/encode-record-batch.ts'
import { batchOf, produceOf } from '../support/produce.ts'
import { RawClient } from '../support/raw-client.ts'

const addresses = (broker: EmbeddedBroker): string[] => broker.bootstrapServers.split(',')

async function errorOf(client: RawClient, topic: string, values = ['a']): Promise<number> {
  const { responses } = await client.request(produceApi, 10, produceOf({ name: topic }, batchOf(values)))
  return responses[0]!.partitionResponses[0]!.errorCode
}

describe('startBroker', () => {
  test('listens at a free port of the loopback interface, with the topics that it is given', async () => {
    await using broker = await startBroker({ topics: { a: 2, b: { partitions: 3, config: { 'retention.ms': 1000 } } } })
    expect(broker.bootstrapServers).toMatch(/^127\.0\.0\.1:\d+$/)
    expect(broker.topics()).toEqual(['a', 'b'])
    expect(broker.topic('b').offsets()).toHaveLength(3)
  })

  test.each([
    { name: 'no nodes', options: { nodes: 0 }, problem: '"nodes" must be at least 1' },
    { name: 'a port out of range', options: { port: 70_000 }, problem: '"port" must be between 0 and 65535' },
    {
      name: 'an advertised port out of range',
      options: { advertised: { port: -1 } },
      problem: '"advertised.port" must be between 0 and 65535',
    },
    {
      name: 'a topic with a bad name',
      options: { topics: { 'a b': 1 } },
      problem: "'a b' contains one or more characters",
    },
    { name: 'a topic without partitions', options: { topics: { a: 0 } }, problem: 'at least one partition' },
    {
      name: 'a setting that Kafka does not have',
      options: { topics: { a: { config: { x: 1 } } } },
      problem: 'Unknown topic config name: x',
    },
  ])('refuses $name', async ({ options, problem }) => {
    await expect(startBroker(options)).rejects.toThrow(problem)
  })

  test('reports a port that is taken', async () => {
    await using broker = await startBroker()
    const port = Number(broker.bootstrapServers.split(':')[1])
    await expect(startBroker({ port })).rejects.toThrow(`Cannot listen at 127.0.0.1:${port} as the port is taken`)
  })

  test('sends clients to the addresses that it advertises, and listens at its own', async () => {
    const first = await freePortRange(2)
    await using broker = await startBroker({ nodes: 2, port: first, advertised: { host: 'localhost', port: 80 } })
    expect(addresses(broker)).toEqual(['localhost:80', 'localhost:81'])
    using client = await RawClient.connect(`127.0.0.1:${first + 1}`)
    const { brokers } = await client.request(metadataApi, 12, {
      topics: [],
      allowAutoTopicCreation: false,
      includeTopicAuthorizedOperations: false,
    })
    expect(brokers.map(({ nodeId, host, port }) => [nodeId, host, port])).toEqual([
      [0, 'localhost', 80],
      [1, 'localhost', 81],
    ])
  })

  test('may be closed twice, and leaves nothing behind after many starts', async () => {
    const before = process.getActiveResourcesInfo().length
    for (let i = 0; i < 50; i++) {
      const broker = await startBroker({ topics: { a: 1 } })
      const client = await RawClient.connect(broker.bootstrapServers)
      expect(await errorOf(client, 'a')).toBe(0)
      const closed = new Promise((resolve) => client.socket.once('close', resolve))
      await broker.close()
      await broker.close()
      await closed
    }
    expect(process.getActiveResourcesInfo().length).toBeLessThanOrEqual(before + 1)
  })
})

describe('a fault', () => {
  test('fails a number of requests about a topic, and no other ones', async () => {
    await using broker = await startBroker({ topics: { a: 1, b: 1 } })
    using client = await RawClient.connect(broker.bootstrapServers)
    broker.on('Produce').topic('a').times(2).fail('NOT_ENOUGH_REPLICAS')
    const errors = []
    for (const topic of ['a', 'b', 'a', 'a']) errors.push(await errorOf(client, topic))
    expect(errors).toEqual([ERROR.NOT_ENOUGH_REPLICAS, 0, ERROR.NOT_ENOUGH_REPLICAS, 0])
    expect(await broker.topic('a').records()).toHaveLength(1)
  })

  test('drops the answer of a request that was handled', async () => {
    await using broker = await startBroker({ topics: { a: 1 } })
    using client = await RawClient.connect(broker.bootstrapServers)
    broker.on('Produce').once().dropAnswer()
    await expect(errorOf(client, 'a')).rejects.toThrow('closed the connection')
    expect(await broker.topic('a').records()).toHaveLength(1)
  })

  test('closes the connection before a request is handled', async () => {
    await using broker = await startBroker({ topics: { a: 1 } })
    using client = await RawClient.connect(broker.bootstrapServers)
    broker.on('Produce').once().disconnect()
    await expect(errorOf(client, 'a')).rejects.toThrow('closed the connection')
    expect(await broker.topic('a').records()).toHaveLength(0)
  })

  test('holds a request until it is released', async () => {
    await using broker = await startBroker({ topics: { a: 1 } })
    using client = await RawClient.connect(broker.bootstrapServers)
    const held = broker.on('Produce').once().hold()
    const answer = errorOf(client, 'a')
    await held.entered
    expect(broker.topic('a').offsets()[0]!.end).toBe(0n)
    held.release()
    expect(await answer).toBe(0)
  })

  test('with a probability chooses the same requests for the same seed', async () => {
    const run = async (): Promise<number[]> => {
      await using broker = await startBroker({ topics: { a: 1 } })
      using client = await RawClient.connect(broker.bootstrapServers)
      broker.on('Produce').withProbability(0.5, 3).fail('REQUEST_TIMED_OUT')
      const errors: number[] = []
      for (let i = 0; i < 20; i++) errors.push(await errorOf(client, 'a'))
      return errors
    }
    const first = await run()
    expect(new Set(first).size).toBe(2)
    expect(await run()).toEqual(first)
  })

  test('ends when faults are cleared', async () => {
    await using broker = await startBroker({ topics: { a: 1 } })
    using client = await RawClient.connect(broker.bootstrapServers)
    broker.on('Produce').fail('REQUEST_TIMED_OUT')
    expect(await errorOf(client, 'a')).toBe(ERROR.REQUEST_TIMED_OUT)
    broker.clearFaults()
    expect(await errorOf(client, 'a')).toBe(0)
  })
})

describe('several nodes', () => {
  const topicOf = async (client: RawClient) =>
    (await client.request(metadataApi, 12, { topics: [{ name: 'a' }] })).topics[0]!.partitions

  test('share the partitions, and refuse those that they do not lead', async () => {
    await using broker = await startBroker({ nodes: 3, topics: { a: 3 } })
    const clients = await Promise.all(addresses(broker).map(async (address) => RawClient.connect(address)))
    expect((await topicOf(clients[0]!)).map(({ leaderId }) => leaderId)).toEqual([0, 1, 2])
    expect(await errorOf(clients[0]!, 'a')).toBe(0)
    const { responses, nodeEndpoints } = await clients[1]!.request(
      produceApi,
      10,
      produceOf({ name: 'a' }, batchOf(['a'])),
    )
    const [refused] = responses[0]!.partitionResponses
    expect(refused).toMatchObject({
      errorCode: ERROR.NOT_LEADER_OR_FOLLOWER,
      currentLeader: { leaderId: 0, leaderEpoch: 0 },
    })
    expect(nodeEndpoints).toHaveLength(3)
    for (const client of clients) client.close()
  })

  test('take over from one that stops, in a new epoch, with all records', async () => {
    await using broker = await startBroker({ nodes: 2, topics: { a: 1 } })
    using first = await RawClient.connect(addresses(broker)[0]!)
    using second = await RawClient.connect(addresses(broker)[1]!)
    expect(await errorOf(first, 'a', ['x', 'y'])).toBe(0)
    await broker.stopNode(0)
    expect(await topicOf(second)).toMatchObject([{ leaderId: 1, leaderEpoch: 1, offlineReplicas: [0] }])
    expect(await errorOf(second, 'a', ['z'])).toBe(0)
    expect(await broker.topic('a').records()).toHaveLength(3)
    // Epoch 0 ended after two records, and epoch 1 goes on.
    const epoch = async (leaderEpoch: number) => {
      const { topics } = await second.request(offsetForLeaderEpochApi, 4, {
        topics: [{ topic: 'a', partitions: [{ partition: 0, leaderEpoch }] }],
      })
      return topics[0]!.partitions[0]!
    }
    expect(await epoch(0)).toMatchObject({ leaderEpoch: 0, endOffset: 2 })
    expect(await epoch(1)).toMatchObject({ leaderEpoch: 1, endOffset: 3 })
    expect(await epoch(2)).toMatchObject({ leaderEpoch: -1, endOffset: -1 })
    await broker.stopNode(1)
    await broker.startNode(0)
    using again = await RawClient.connect(addresses(broker)[0]!)
    expect(await topicOf(again)).toMatchObject([{ leaderId: 0, leaderEpoch: 3 }])
  })

  test('lead the partitions that a test assigns to them', async () => {
    await using broker = await startBroker({ nodes: 2, topics: { a: 1 } })
    using client = await RawClient.connect(addresses(broker)[0]!)
    broker.moveLeader('a', 0, 1)
    expect(await errorOf(client, 'a')).toBe(ERROR.NOT_LEADER_OR_FOLLOWER)
    expect(await topicOf(client)).toMatchObject([{ leaderId: 1, leaderEpoch: 1 }])
  })
})

describe('a log', () => {
  test('loses what expires', async () => {
    await using broker = await startBroker({ topics: { a: 1 } })
    using client = await RawClient.connect(broker.bootstrapServers)
    for (const values of [
      ['a', 'b'],
      ['c', 'd'],
    ])
      await errorOf(client, 'a', values)
    broker.expire('a', 0, { beforeOffset: 1 })
    expect((await broker.topic('a').records()).map(({ value }) => String(value))).toEqual(['b', 'c', 'd'])
    broker.expire('a', 0, { beforeOffset: 4 })
    expect(broker.topic('a').offsets()).toEqual([{ partition: 0, start: 4n, end: 4n }])
    expect(await errorOf(client, 'a', ['e'])).toBe(0)
    expect((await broker.topic('a').records()).map(({ offset }) => offset)).toEqual([4n])
  })

  test('keeps the last record of each key when it is compacted, with its offset', async () => {
    await using broker = await startBroker({ topics: { a: { config: { 'cleanup.policy': 'compact' } } } })
    using client = await RawClient.connect(broker.bootstrapServers)
    const record = (key: string, value: string | null) => ({
      key: Buffer.from(key),
      value: value === null ? null : Buffer.from(value),
    })
    const batches = [
      [record('a', '1'), record('b', '1')],
      [record('a', '2')],
      [record('c', '1'), record('a', '3')],
      [record('b', null)],
    ]
    for (const records of batches)
      await client.request(
        produceApi,
        10,
        produceOf({ name: 'a' }, encodeRecordBatch({ records, baseTimestamp: Date.now() })),
      )
    await broker.compact('a')
    expect(
      (await broker.topic('a').records()).map(({ offset, key, value }) => [offset, String(key), value?.toString()]),
    ).toEqual([
      [3n, 'c', '1'],
      [4n, 'a', '3'],
      [5n, 'b', undefined],
    ])
    expect(await errorOf(client, 'a', ['d'])).toBe(0)
    expect((await broker.topic('a').records()).at(-1)!.offset).toBe(6n)
  })

  test('is found by time', async () => {
    await using broker = await startBroker({ topics: { a: 1 } })
    using client = await RawClient.connect(broker.bootstrapServers)
    for (const time of [1000, 3000, 2000]) {
      const records = [{ value: Buffer.from('a') }, { value: Buffer.from('b'), timestampDelta: 10 }]
      await client.request(
        produceApi,
        10,
        produceOf({ name: 'a' }, encodeRecordBatch({ records, baseTimestamp: time, maxTimestamp: time + 10 })),
      )
    }
    const at = async (timestamp: number) => {
      const { topics } = await client.request(listOffsetsApi, 7, {
        replicaId: -1,
        topics: [{ name: 'a', partitions: [{ partitionIndex: 0, timestamp }] }],
      })
      const { offset, timestamp: found } = topics[0]!.partitions[0]!
      return [offset, found]
    }
    expect(await at(-2)).toEqual([0, -1])
    expect(await at(-1)).toEqual([6, -1])
    expect(await at(0)).toEqual([0, 1000])
    expect(await at(1005)).toEqual([1, 1010])
    expect(await at(1011)).toEqual([2, 3000])
    expect(await at(3011)).toEqual([-1, -1])
    expect(await at(-3)).toEqual([3, 3010])
  })

  test('holds no more than the broker may', async () => {
    await using broker = await startBroker({ topics: { a: 1 }, retentionBytes: 12_000_000 })
    using client = await RawClient.connect(broker.bootstrapServers)
    const large = 'x'.repeat(450_000)
    for (let i = 0; i < 30; i++) expect(await errorOf(client, 'a', [large])).toBe(0)
    const { start, end } = broker.topic('a').offsets()[0]!
    expect(end).toBe(30n)
    expect(Number(end - start) * 900_000).toBeLessThanOrEqual(12_000_000)
    expect(end - start).toBeGreaterThan(4n)
  })
})
