/**
 * What a topic does while replicas are down. A test that passes with too few replicas on the embedded broker would otherwise fail on
 * Apache Kafka, which refuses writes with `acks=all` and shows consumers nothing new.
 */
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { ERROR } from '../../../src/protocol/error-codes.ts'
import { createPartitionsApi } from '../../../src/protocol/messages/create-partitions.ts'
import { createTopicsApi } from '../../../src/protocol/messages/create-topics.ts'
import { fetchApi } from '../../../src/protocol/messages/fetch.ts'
import { listOffsetsApi } from '../../../src/protocol/messages/list-offsets.ts'
import { metadataApi } from '../../../src/protocol/messages/metadata.ts'
import { produceApi } from '../../../src/protocol/messages/produce.ts'
import { brokerAvailable, type KafkaBroker, threeBrokers, uniqueName } from '../../support/broker.ts'
import { batchOf, produceOf } from '../../support/produce.ts'
import { RawClient } from '../../support/raw-client.ts'

const LATEST = -1
const TIMEOUT_MS = 60_000

describe.skipIf(!brokerAvailable)('while a replica is down', () => {
  const kafka = threeBrokers()
  const strict = uniqueName('strict')
  const single = uniqueName('single')
  let down: KafkaBroker
  let up: KafkaBroker
  let client: RawClient

  beforeAll(async () => {
    const [first, second] = kafka().brokers
    up = first!
    down = second!
    client = await RawClient.connect(`${up.host}:${up.port}`)
    await create(strict, [[up.id, down.id, kafka().brokers[2]!.id]])
    await create(single, [[down.id], [up.id]])
    const patience = { timeout: TIMEOUT_MS, interval: 100 }
    await vi.waitUntil(async () => (await write(strict, -1)) === 0, patience)
    await vi.waitUntil(async () => (await write(single, -1, 1)) === 0, patience)
    await down.kill()
    await vi.waitUntil(async () => (await partitions(strict))[0]!.isrNodes.length === 2, patience)
    await vi.waitUntil(async () => (await partitions(single))[0]!.leaderId === -1, patience)
  }, 2 * TIMEOUT_MS)
  afterAll(() => client?.close())

  async function create(name: string, replicas: readonly number[][]): Promise<void> {
    const assignments = replicas.map((brokerIds, partitionIndex) => ({ partitionIndex, brokerIds }))
    const configs = [{ name: 'min.insync.replicas', value: '3' }]
    const topics = [{ name, numPartitions: -1, replicationFactor: -1, assignments, configs }]
    expect((await client.request(createTopicsApi, 5, { topics })).topics[0]!.errorCode).toBe(0)
  }

  async function write(topic: string, acks: number, partition = 0): Promise<number> {
    const answer = await client.request(produceApi, 9, produceOf({ name: topic }, batchOf(['a']), { acks, partition }))
    return answer.responses[0]!.partitionResponses[0]!.errorCode
  }

  async function partitions(name: string) {
    const { topics } = await client.request(metadataApi, 12, { topics: [{ name }] })
    return topics[0]!.partitions.toSorted((a, b) => a.partitionIndex - b.partitionIndex)
  }

  async function end(topic: string, isolationLevel: number): Promise<number> {
    const topics = [{ name: topic, partitions: [{ partitionIndex: 0, timestamp: LATEST }] }]
    const answer = await client.request(listOffsetsApi, 5, { replicaId: -1, isolationLevel, topics })
    return answer.topics[0]!.partitions[0]!.offset
  }

  async function fetch(fetchOffset: number) {
    const topics = [{ topic: strict, partitions: [{ partition: 0, fetchOffset, partitionMaxBytes: 1_000_000 }] }]
    const answer = await client.request(fetchApi, 11, { maxWaitMs: 0, minBytes: 1, maxBytes: 1_000_000, topics })
    const { errorCode, highWatermark, lastStableOffset, records } = answer.responses[0]!.partitions[0]!
    return { errorCode, highWatermark, lastStableOffset, bytes: records?.length }
  }

  test('writes with acks=all are refused where min.insync.replicas are not there', async () => {
    expect(await write(strict, -1)).toBe(ERROR.NOT_ENOUGH_REPLICAS)
    expect(await end(strict, 0)).toBe(1)
  })

  test('a topic with fewer replicas than min.insync.replicas needs only those that it has', async () => {
    expect(await write(single, -1, 1)).toBe(0)
  })

  test('a partition whose only replica is down has no leader', async () => {
    const [offline] = await partitions(single)
    expect(offline).toMatchObject({ errorCode: ERROR.LEADER_NOT_AVAILABLE, isrNodes: [], offlineReplicas: [down.id] })
  })

  test('writes with acks=1 are accepted, and seen when enough replicas are back', async () => {
    expect(await write(strict, 1)).toBe(0)
    expect([await end(strict, 0), await end(strict, 1)]).toEqual([1, 1])
    expect(await fetch(1)).toEqual({ errorCode: 0, highWatermark: 1, lastStableOffset: 1, bytes: 0 })
    expect(await fetch(2)).toMatchObject({ errorCode: 0, bytes: 0 })
    expect((await fetch(3)).errorCode).toBe(ERROR.OFFSET_OUT_OF_RANGE)
    await down.restart()
    await expect.poll(async () => end(strict, 0), { timeout: TIMEOUT_MS }).toBe(2)
    await expect.poll(async () => write(strict, -1), { timeout: TIMEOUT_MS }).toBe(0)
    expect((await fetch(1)).highWatermark).toBe(3)
  })

  test('partitions get as many replicas as the topic was created with', async () => {
    const name = uniqueName('two')
    const configs: [] = []
    const topics = [{ name, numPartitions: 2, replicationFactor: 2, assignments: [], configs }]
    expect((await client.request(createTopicsApi, 5, { topics })).topics[0]).toMatchObject({ replicationFactor: 2 })
    await client.request(createPartitionsApi, 3, {
      topics: [{ name, count: 3, assignments: null }],
      timeoutMs: 10_000,
      validateOnly: false,
    })
    await expect
      .poll(async () => (await partitions(name)).map(({ replicaNodes }) => replicaNodes.length), {
        timeout: TIMEOUT_MS,
      })
      .toEqual([2, 2, 2])
  })
})
