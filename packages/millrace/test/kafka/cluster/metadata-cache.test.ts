import { describe, expect, test } from 'vitest'
import { MetadataCache } from '../../../src/kafka/cluster/metadata-cache.ts'
import type { MetadataAnswer } from '../../../src/kafka/protocol/metadata.ts'

const UNKNOWN_TOPIC_OR_PARTITION = 3

interface Given {
  readonly brokers?: readonly number[]
  readonly topics?: readonly { name: string; id?: string; errorCode?: number; leader?: number; epoch?: number }[]
}

function answerOf({ brokers = [1, 2], topics = [] }: Given): MetadataAnswer {
  return {
    brokers: brokers.map((nodeId) => ({ nodeId, host: 'k', port: 9000 + nodeId, rack: null })),
    throttleTimeMs: 0,
    errorCode: 0,
    clusterAuthorizedOperations: 0,
    clusterId: 'c',
    controllerId: 1,
    topics: topics.map(({ name, id = 'first', errorCode = 0, leader = 1, epoch = 1 }) => ({
      errorCode,
      name,
      topicId: id,
      isInternal: false,
      topicAuthorizedOperations: 0,
      partitions: [
        {
          errorCode: 0,
          partitionIndex: 0,
          leaderId: leader,
          leaderEpoch: epoch,
          replicaNodes: [1, 2],
          isrNodes: [1, 2],
          offlineReplicas: [],
        },
      ],
    })),
  }
}

describe('metadata', () => {
  test('of a broker that lags behind does not bring back the leader of before', () => {
    const cache = new MetadataCache()
    cache.update(answerOf({ topics: [{ name: 't', leader: 2, epoch: 5 }] }))
    cache.update(answerOf({ topics: [{ name: 't', leader: 1, epoch: 4 }] }))
    expect(cache.topics.get('t')!.partitions[0]).toMatchObject({ leader: 2, leaderEpoch: 5 })
    cache.update(answerOf({ topics: [{ name: 't', leader: 1, epoch: 6 }] }))
    expect(cache.topics.get('t')!.partitions[0]).toMatchObject({ leader: 1, leaderEpoch: 6 })
  })

  test('of one partition, which another answer named, is taken when it is newer', () => {
    const cache = new MetadataCache()
    cache.update(answerOf({ topics: [{ name: 't', leader: 2, epoch: 5 }] }))
    const leader = (): unknown => cache.topics.get('t')!.partitions[0]!.leader
    cache.updateLeader('t', 0, 1, 4)
    cache.updateLeader('t', 0, 1, 5)
    expect(leader()).toBe(2)
    cache.updateLeader('t', 0, 1, 6)
    expect(leader()).toBe(1)
  })

  test('of a topic that was created again is taken whatever its epochs are', () => {
    const cache = new MetadataCache()
    cache.update(answerOf({ topics: [{ name: 't', leader: 2, epoch: 5 }] }))
    cache.update(answerOf({ topics: [{ name: 't', id: 'second', leader: 1, epoch: 0 }] }))
    expect(cache.topics.get('t')!.partitions[0]).toMatchObject({ leader: 1, leaderEpoch: 0 })
  })

  // Each of them could cost 10 s per request for metadata.
  test('forgets brokers that have left, except when a broker knows of none', () => {
    const cache = new MetadataCache()
    cache.update(answerOf({ brokers: [1, 2, 3] }))
    cache.update(answerOf({ brokers: [2, 3] }))
    expect([...cache.brokers.keys()]).toEqual([2, 3])
    cache.update(answerOf({ brokers: [] }))
    expect([...cache.brokers.keys()]).toEqual([2, 3])
  })

  test('keeps every topic of an answer, whatever is wrong with others', () => {
    const cache = new MetadataCache()
    const errors = cache.update(
      answerOf({ topics: [{ name: 'missing', errorCode: UNKNOWN_TOPIC_OR_PARTITION }, { name: 't' }] }),
    )
    expect([...errors].map(([topic, { code }]) => [topic, code])).toEqual([['missing', 'TOPIC_NOT_FOUND']])
    expect([...cache.topics.keys()]).toEqual(['t'])
  })
})
