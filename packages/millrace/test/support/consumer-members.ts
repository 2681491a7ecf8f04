/** Members of the consumer protocol (KIP-848), played by the requests that they send to an embedded broker of a test file. */
import { afterAll, beforeAll } from 'vitest'
import { type BrokerOptions, type EmbeddedBroker, startBroker } from '../../src/broker/index.ts'
import {
  consumerGroupHeartbeatApi,
  type ConsumerGroupHeartbeatRequest,
  type ConsumerGroupHeartbeatResponse,
} from '../../src/protocol/messages/consumer-group-heartbeat.ts'
import { metadataApi } from '../../src/protocol/messages/metadata.ts'
import { RawClient } from './raw-client.ts'

export type Beat = Partial<ConsumerGroupHeartbeatRequest>

export interface MemberBed {
  readonly broker: EmbeddedBroker
  readonly client: RawClient
  /** Of topic "orders", which has 4 partitions. */
  readonly topicId: string
  /** A heartbeat; with epoch 0 it joins, and subscribes to "orders" unless it says otherwise. */
  beat(groupId: string, memberId: string, memberEpoch: number, rest?: Beat): Promise<ConsumerGroupHeartbeatResponse>
}

/** A broker for the tests of this file, closed after them. */
export function memberBed(options: BrokerOptions = {}): () => MemberBed {
  let bed: MemberBed | undefined
  beforeAll(async () => {
    const broker = await startBroker({ topics: { orders: 4 }, ...options })
    const client = await RawClient.connect(broker.bootstrapServers)
    const { topics } = await client.request(metadataApi, 12, { topics: [{ name: 'orders' }] })
    bed = {
      broker,
      client,
      topicId: topics[0]!.topicId,
      beat(groupId, memberId, memberEpoch, rest = {}) {
        const joining = { rebalanceTimeoutMs: 60_000, subscribedTopicNames: ['orders'], topicPartitions: [] }
        const request = { groupId, memberId, memberEpoch, ...(memberEpoch === 0 ? joining : {}), ...rest }
        return client.request(consumerGroupHeartbeatApi, 1, request)
      },
    }
  })
  afterAll(async () => {
    bed?.client.close()
    await bed?.broker.close()
  })
  return () => bed!
}
