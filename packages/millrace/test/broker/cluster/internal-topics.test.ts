import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type EmbeddedBroker, startBroker } from '../../../src/broker/index.ts'
import { ERROR } from '../../../src/protocol/error-codes.ts'
import { consumerGroupHeartbeatApi } from '../../../src/protocol/messages/consumer-group-heartbeat.ts'
import { findCoordinatorApi } from '../../../src/protocol/messages/find-coordinator.ts'
import { metadataApi } from '../../../src/protocol/messages/metadata.ts'
import { produceApi } from '../../../src/protocol/messages/produce.ts'
import { batchOf, produceOf } from '../../support/produce.ts'
import { RawClient } from '../../support/raw-client.ts'

let broker: EmbeddedBroker
let client: RawClient

beforeEach(async () => {
  broker = await startBroker({ autoCreateTopics: false, topics: { orders: 1, __mine: 1 } })
  client = await RawClient.connect(broker.bootstrapServers)
})
afterEach(async () => {
  client.close()
  await broker.close()
})

async function listed() {
  const { topics } = await client.request(metadataApi, 12, {
    topics: null,
    allowAutoTopicCreation: false,
    includeTopicAuthorizedOperations: false,
  })
  return Object.fromEntries(topics.map(({ name, isInternal, partitions }) => [name, { isInternal, partitions }]))
}

const find = (keyType: number) => client.request(findCoordinatorApi, 6, { keyType, coordinatorKeys: ['one'] })

describe('topics of coordinators', () => {
  test('are created when a client asks for a coordinator', async () => {
    expect(Object.keys(await listed())).toEqual(['__mine', 'orders'])
    await find(0)
    expect(Object.keys(await listed())).toEqual(['__consumer_offsets', '__mine', 'orders'])
    await find(1)
    const topics = await listed()
    expect(Object.keys(topics)).toEqual(['__consumer_offsets', '__mine', '__transaction_state', 'orders'])
    expect(topics['__transaction_state']!.partitions).toHaveLength(50)
    expect(broker.topics()).toEqual(['__mine', 'orders'])
  })

  test('are internal, and other topics are not, whatever their names begin with', async () => {
    await find(0)
    const topics = await listed()
    expect(topics['__consumer_offsets']!.isInternal).toBe(true)
    expect(topics['__mine']!.isInternal).toBe(false)
  })

  test('are created for a client that asks for their metadata, although others are not', async () => {
    const ask = (name: string) =>
      client.request(metadataApi, 9, {
        topics: [{ name }],
        allowAutoTopicCreation: true,
        includeTopicAuthorizedOperations: false,
      })
    const { topics } = await ask('__consumer_offsets')
    expect(topics[0]).toMatchObject({ errorCode: 0, isInternal: true })
    expect(topics[0]!.partitions).toHaveLength(50)
    expect((await ask('other')).topics[0]!.errorCode).toBe(ERROR.UNKNOWN_TOPIC_OR_PARTITION)
  })

  test('are not written to by clients', async () => {
    await find(0)
    const { responses } = await client.request(
      produceApi,
      11,
      produceOf({ name: '__consumer_offsets' }, batchOf(['a'])),
    )
    expect(responses[0]!.partitionResponses[0]).toMatchObject({
      errorCode: ERROR.INVALID_TOPIC_EXCEPTION,
      errorMessage: 'Cannot append to internal topic __consumer_offsets',
    })
  })

  test('match the regular expression of a member, as all topics do', async () => {
    await find(0)
    const member = { groupId: 'one', memberId: 'member' }
    const { memberEpoch } = await client.request(consumerGroupHeartbeatApi, 1, {
      ...member,
      memberEpoch: 0,
      rebalanceTimeoutMs: 60_000,
      subscribedTopicNames: [],
      subscribedTopicRegex: '__.*',
      topicPartitions: [],
    })
    // The topics are looked up after this answer.
    const counts = async (): Promise<number[] | undefined> => {
      const { assignment } = await client.request(consumerGroupHeartbeatApi, 1, { ...member, memberEpoch })
      return assignment?.topicPartitions.map(({ partitions }) => partitions.length).toSorted((a, b) => a - b)
    }
    await expect.poll(counts).toEqual([1, 50])
  })
})
