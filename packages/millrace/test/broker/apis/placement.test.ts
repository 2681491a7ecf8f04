/** Requests of administrators about where partitions are: ElectLeaders, the two of reassignments, and AlterReplicaLogDirs. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type EmbeddedBroker, startBroker } from '../../../src/broker/index.ts'
import { ERROR, type ErrorName } from '../../../src/protocol/error-codes.ts'
import { alterPartitionReassignmentsApi } from '../../../src/protocol/messages/alter-partition-reassignments.ts'
import { alterReplicaLogDirsApi } from '../../../src/protocol/messages/alter-replica-log-dirs.ts'
import { describeLogDirsApi } from '../../../src/protocol/messages/describe-log-dirs.ts'
import { electLeadersApi } from '../../../src/protocol/messages/elect-leaders.ts'
import { listPartitionReassignmentsApi } from '../../../src/protocol/messages/list-partition-reassignments.ts'
import { metadataApi } from '../../../src/protocol/messages/metadata.ts'
import { RawClient } from '../../support/raw-client.ts'

const PREFERRED = 0
const UNCLEAN = 1

let broker: EmbeddedBroker
let client: RawClient

beforeEach(async () => {
  broker = await startBroker({ nodes: 3, topics: { orders: 3 } })
  client = await RawClient.connect(broker.bootstrapServers.split(',')[0]!)
})
afterEach(async () => {
  client.close()
  await broker.close()
})

async function placed() {
  const { topics } = await client.request(metadataApi, 12, { topics: [{ name: 'orders' }] })
  return topics[0]!.partitions
    .toSorted((a, b) => a.partitionIndex - b.partitionIndex)
    .map(({ leaderId, replicaNodes }) => ({ leaderId, replicaNodes }))
}

async function elect(electionType: number, partitions: readonly number[] | null) {
  const topicPartitions = partitions === null ? null : [{ topic: 'orders', partitions }]
  const { errorCode, replicaElectionResults } = await client.request(electLeadersApi, 2, {
    electionType,
    topicPartitions,
  })
  const results = replicaElectionResults.flatMap(({ partitionResult }) => partitionResult)
  return { errorCode, results: Object.fromEntries(results.map((each) => [each.partitionId, each.errorCode])) }
}

async function reassign(partitionIndex: number, replicas: readonly number[] | null, name = 'orders') {
  const answer = await client.request(alterPartitionReassignmentsApi, 1, {
    topics: [{ name, partitions: [{ partitionIndex, replicas }] }],
  })
  return answer.responses[0]!.partitions[0]!
}

describe('ElectLeaders', () => {
  test('moves a partition back to its first replica, where that is needed', async () => {
    broker.moveLeader('orders', 1, 2)
    const { results } = await elect(PREFERRED, [0, 1, 7])
    expect(results).toEqual({ 0: ERROR.ELECTION_NOT_NEEDED, 1: 0, 7: ERROR.UNKNOWN_TOPIC_OR_PARTITION })
    expect((await placed())[1]!.leaderId).toBe(1)
  })

  test('reports only the partitions that changed when it is asked for all', async () => {
    broker.moveLeader('orders', 1, 2)
    expect((await elect(PREFERRED, null)).results).toEqual({ 1: 0 })
    expect((await elect(PREFERRED, null)).results).toEqual({})
  })

  test('cannot choose a node that is down', async () => {
    await broker.stopNode(1)
    expect((await elect(PREFERRED, [1])).results).toEqual({ 1: ERROR.PREFERRED_LEADER_NOT_AVAILABLE })
  })

  test('leaves a partition that has a leader alone, of whatever type it is', async () => {
    broker.moveLeader('orders', 1, 2)
    expect((await elect(UNCLEAN, [1])).results).toEqual({ 1: ERROR.ELECTION_NOT_NEEDED })
    expect(await elect(9, [1])).toEqual({ errorCode: ERROR.INVALID_REQUEST, results: { 1: ERROR.INVALID_REQUEST } })
  })
})

describe('AlterPartitionReassignments', () => {
  test('chooses the nodes of a partition, and another leader where the old one is not among them', async () => {
    expect(await reassign(0, [2, 1])).toMatchObject({ errorCode: 0 })
    expect(await reassign(1, [2, 1])).toMatchObject({ errorCode: 0 })
    expect(await placed()).toMatchObject([
      { leaderId: 2, replicaNodes: [2, 1] },
      { leaderId: 1, replicaNodes: [2, 1] },
      { leaderId: 2 },
    ])
    const { topics } = await client.request(listPartitionReassignmentsApi, 0, { topics: null })
    expect(topics).toEqual([])
  })

  test.each<{ name: string; topic?: string; partition?: number; replicas: number[] | null; error: ErrorName }>([
    { name: 'an unknown topic', topic: 'missing', replicas: [0], error: 'UNKNOWN_TOPIC_OR_PARTITION' },
    { name: 'an unknown partition', partition: 9, replicas: [0], error: 'UNKNOWN_TOPIC_OR_PARTITION' },
    { name: 'no replicas', replicas: [], error: 'INVALID_REPLICA_ASSIGNMENT' },
    { name: 'an unknown node', replicas: [0, 5], error: 'INVALID_REPLICA_ASSIGNMENT' },
    { name: 'a node that is there twice', replicas: [1, 0, 1], error: 'INVALID_REPLICA_ASSIGNMENT' },
    { name: 'nothing to cancel', replicas: null, error: 'NO_REASSIGNMENT_IN_PROGRESS' },
  ])('refuses $name', async ({ topic, partition = 0, replicas, error }) => {
    const before = await placed()
    expect((await reassign(partition, replicas, topic)).errorCode).toBe(ERROR[error])
    expect(await placed()).toEqual(before)
  })

  test('keeps the number of replicas where the client wants that', async () => {
    const answer = await client.request(alterPartitionReassignmentsApi, 1, {
      allowReplicationFactorChange: false,
      topics: [{ name: 'orders', partitions: [{ partitionIndex: 0, replicas: [0] }] }],
    })
    expect(answer.responses[0]!.partitions[0]!.errorCode).toBe(ERROR.INVALID_REPLICATION_FACTOR)
  })
})

describe('AlterReplicaLogDirs', () => {
  test('accepts the directory that a partition is in, and knows no other', async () => {
    const { results } = await client.request(describeLogDirsApi, 4, { topics: null })
    const move = async (path: string, name: string) => {
      const dirs = [{ path, topics: [{ name, partitions: [0] }] }]
      const answer = await client.request(alterReplicaLogDirsApi, 2, { dirs })
      return answer.results[0]!.partitions[0]!.errorCode
    }
    expect(await move(results[0]!.logDir, 'orders')).toBe(0)
    expect(await move('/elsewhere', 'orders')).toBe(ERROR.LOG_DIR_NOT_FOUND)
    expect(await move(results[0]!.logDir, 'missing')).toBe(ERROR.UNKNOWN_TOPIC_OR_PARTITION)
  })
})
