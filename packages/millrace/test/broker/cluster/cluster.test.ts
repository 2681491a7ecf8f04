/** Where partitions are placed, and what they hold back while replicas are down. `cluster.integration.test.ts` asks Apache Kafka, too. */
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type EmbeddedBroker, startBroker } from '../../../src/broker/index.ts'
import { ERROR } from '../../../src/protocol/error-codes.ts'
import { createTopicsApi } from '../../../src/protocol/messages/create-topics.ts'
import { incrementalAlterConfigsApi } from '../../../src/protocol/messages/incremental-alter-configs.ts'
import { metadataApi } from '../../../src/protocol/messages/metadata.ts'
import { produceApi } from '../../../src/protocol/messages/produce.ts'
import { batchOf, produceOf } from '../../support/produce.ts'
import { RawClient } from '../../support/raw-client.ts'

let broker: EmbeddedBroker
let client: RawClient

beforeEach(async () => {
  broker = await startBroker({ nodes: 3, topics: { orders: { config: { 'min.insync.replicas': 3 } } } })
  client = await RawClient.connect(broker.bootstrapServers.split(',')[0]!)
})
afterEach(async () => {
  client.close()
  await broker.close()
})

async function write(acks: number): Promise<number> {
  const answer = await client.request(produceApi, 9, produceOf({ name: 'orders' }, batchOf(['a']), { acks }))
  return answer.responses[0]!.partitionResponses[0]!.errorCode
}

async function lowerMinimum(resourceType: number, resourceName: string): Promise<void> {
  const configs = [{ name: 'min.insync.replicas', configOperation: 0, value: '2' }]
  const resources = [{ resourceType, resourceName, configs }]
  const answer = await client.request(incrementalAlterConfigsApi, 1, { resources, validateOnly: false })
  expect(answer.responses[0]!.errorCode).toBe(0)
}

const seen = async () => (await broker.topic('orders').records()).length

async function replicasOf(name: string): Promise<number[][]> {
  const { topics } = await client.request(metadataApi, 12, { topics: [{ name }] })
  return topics[0]!.partitions
    .toSorted((a, b) => a.partitionIndex - b.partitionIndex)
    .map(({ replicaNodes }) => replicaNodes)
}

test('records that were written while too few replicas ran are seen when the minimum is lowered', async () => {
  expect(await write(-1)).toBe(0)
  await broker.stopNode(2)
  expect([await write(-1), await write(1)]).toEqual([ERROR.NOT_ENOUGH_REPLICAS, 0])
  expect(await seen()).toBe(1)
  expect(await broker.topic('orders').records({ uncommitted: true })).toHaveLength(2)
  await lowerMinimum(2, 'orders')
  expect(await seen()).toBe(2)
  expect(await write(-1)).toBe(0)
})

test('records stay hidden while one of two missing replicas is back', async () => {
  await broker.stopNode(1)
  await broker.stopNode(2)
  expect(await write(1)).toBe(0)
  await broker.startNode(1)
  expect([await write(-1), await seen()]).toEqual([ERROR.NOT_ENOUGH_REPLICAS, 0])
  await broker.startNode(2)
  expect([await write(-1), await seen()]).toEqual([0, 2])
})

test('topics are placed on as many nodes as the client asks for, on running ones first', async () => {
  await broker.stopNode(1)
  const topics = [
    { name: 'two', numPartitions: 3, replicationFactor: 2, assignments: [], configs: [] },
    { name: 'any', numPartitions: 1, replicationFactor: -1, assignments: [], configs: [] },
  ]
  const created = await client.request(createTopicsApi, 5, { topics })
  expect(created.topics.map(({ replicationFactor }) => replicationFactor)).toEqual([2, 3])
  expect(await replicasOf('two')).toEqual([
    [0, 2],
    [2, 0],
    [2, 0],
  ])
  expect(await replicasOf('any')).toEqual([[0, 1, 2]])
})

test('a topic with one replica has no leader while its node is down', async () => {
  const topics = [{ name: 'one', numPartitions: 3, replicationFactor: 1, assignments: [], configs: [] }]
  await client.request(createTopicsApi, 5, { topics })
  await broker.stopNode(1)
  const { topics: described } = await client.request(metadataApi, 12, { topics: [{ name: 'one' }] })
  const leaders = Object.fromEntries(described[0]!.partitions.map((each) => [each.partitionIndex, each.leaderId]))
  expect(leaders).toEqual({ 0: 0, 1: -1, 2: 2 })
})
