/** Members of both protocols in one group, and groups that change their protocol while they have members (KIP-848). */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type EmbeddedBroker, startBroker } from '../../../src/broker/index.ts'
import { KafkaSink, KafkaSource } from '../../../src/index.ts'
import {
  decodeAssignment,
  encodeAssignment,
  encodeSubscription,
} from '../../../src/kafka/group/classic-subscription.ts'
import { ERROR } from '../../../src/protocol/error-codes.ts'
import { consumerGroupDescribeApi } from '../../../src/protocol/messages/consumer-group-describe.ts'
import { consumerGroupHeartbeatApi } from '../../../src/protocol/messages/consumer-group-heartbeat.ts'
import { heartbeatApi } from '../../../src/protocol/messages/heartbeat.ts'
import { joinGroupApi } from '../../../src/protocol/messages/join-group.ts'
import { leaveGroupApi } from '../../../src/protocol/messages/leave-group.ts'
import { metadataApi } from '../../../src/protocol/messages/metadata.ts'
import { offsetCommitApi } from '../../../src/protocol/messages/offset-commit.ts'
import { syncGroupApi } from '../../../src/protocol/messages/sync-group.ts'
import { RawClient } from '../../support/raw-client.ts'

const byNumber = (a: number, b: number): number => a - b
const groupId = 'g'
let broker: EmbeddedBroker
let client: RawClient
beforeEach(async () => {
  broker = await startBroker({ topics: { a: 4 } })
  client = await RawClient.connect(broker.bootstrapServers)
})
afterEach(async () => {
  client.close()
  await broker.close()
})

/** A member of the classic protocol with an eager assignor, by hand. */
async function classicMember(protocolType = 'consumer') {
  const metadata =
    protocolType === 'consumer'
      ? encodeSubscription({ topics: ['a'], userData: null, owned: [], generation: -1, rackId: null })
      : Buffer.from('x')
  const join = async () =>
    client.request(joinGroupApi, 9, {
      groupId,
      memberId,
      groupInstanceId: null,
      protocolType,
      sessionTimeoutMs: 30_000,
      rebalanceTimeoutMs: 30_000,
      protocols: [{ name: 'range', metadata }],
    })
  let memberId = ''
  memberId = (await join()).memberId
  let generationId = -1
  return {
    get memberId() {
      return memberId
    },
    async join() {
      const joined = await join()
      generationId = joined.generationId
      return joined
    },
    /** @param assignments of a leader */
    async sync(assignments: { memberId: string; assignment: Buffer }[] = []) {
      const names = { protocolType, protocolName: 'range' }
      const claim = { groupId, memberId, generationId }
      const { errorCode, assignment } = await client.request(syncGroupApi, 5, { ...claim, ...names, assignments })
      return errorCode === 0
        ? decodeAssignment(assignment)
            .map(({ partition }) => partition)
            .toSorted(byNumber)
        : errorCode
    },
    async heartbeat() {
      return (await client.request(heartbeatApi, 4, { groupId, memberId, generationId })).errorCode
    },
    async commit() {
      const partitions = [{ partitionIndex: 0, committedOffset: 1, committedMetadata: '' }]
      const claim = { groupId, memberId, generationIdOrMemberEpoch: generationId }
      const { topics } = await client.request(offsetCommitApi, 8, { ...claim, topics: [{ name: 'a', partitions }] })
      return topics[0]!.partitions[0]!.errorCode
    },
    async leave() {
      const { members } = await client.request(leaveGroupApi, 5, { groupId, members: [{ memberId }] })
      return members[0]!.errorCode
    },
  }
}

/** A heartbeat of a member of the consumer protocol. */
async function beat(memberId: string, memberEpoch: number, owned: number[] | null = null) {
  const { topics } = await client.request(metadataApi, 12, { topics: [{ name: 'a' }] })
  const { topicId } = topics[0]!
  const answer = await client.request(consumerGroupHeartbeatApi, 1, {
    groupId,
    memberId,
    memberEpoch,
    ...(memberEpoch === 0 ? { rebalanceTimeoutMs: 30_000, subscribedTopicNames: ['a'], topicPartitions: [] } : {}),
    ...(owned === null ? {} : { topicPartitions: [{ topicId, partitions: owned }] }),
  })
  const partitions = answer.assignment?.topicPartitions.flatMap((each) => each.partitions).toSorted(byNumber)
  return { errorCode: answer.errorCode, epoch: answer.memberEpoch, partitions }
}

/** A classic group with one member that has all partitions. */
async function settledClassic() {
  const member = await classicMember()
  await member.join()
  const all = [0, 1, 2, 3].map((partition) => ({ topic: 'a', partition }))
  expect(await member.sync([{ memberId: member.memberId, assignment: encodeAssignment(all) }])).toEqual([0, 1, 2, 3])
  return member
}

describe('a classic group of consumers', () => {
  test('becomes one of the consumer protocol when a member of that comes, and shares its partitions', async () => {
    const member = await settledClassic()
    const joined = await beat('m', 0)
    expect(joined).toMatchObject({ errorCode: 0, partitions: [] })
    expect(broker.groups()).toMatchObject([{ id: 'g', kind: 'consumer' }])
    // It still has what it had, and may commit, until it has joined again.
    expect(await member.heartbeat()).toBe(ERROR.REBALANCE_IN_PROGRESS)
    expect(await member.commit()).toBe(0)
    const again = await member.join()
    expect(again).toMatchObject({ errorCode: 0, leader: '', protocolType: 'consumer', protocolName: 'range' })
    const kept = (await member.sync()) as number[]
    expect(kept).toHaveLength(2)
    const assigned = await beat('m', joined.epoch)
    expect([...kept, ...assigned.partitions!].toSorted(byNumber)).toEqual([0, 1, 2, 3])
    expect(await member.heartbeat()).toBe(0)
    const { groups } = await client.request(consumerGroupDescribeApi, 1, {
      groupIds: ['g'],
      includeAuthorizedOperations: false,
    })
    expect(groups[0]!.members.map(({ memberType }) => memberType).toSorted(byNumber)).toEqual([0, 1])
  })

  test('is a classic group again when the last member of the consumer protocol has left, and rebalances', async () => {
    const member = await settledClassic()
    await beat('m', 0)
    await member.join()
    await member.sync()
    await beat('m', -1)
    expect(broker.groups()).toMatchObject([{ id: 'g', kind: 'classic', state: 'PreparingRebalance' }])
    expect(await member.heartbeat()).toBe(ERROR.ILLEGAL_GENERATION)
    const joined = await member.join()
    expect(joined).toMatchObject({ errorCode: 0, leader: member.memberId })
    expect(joined.members).toHaveLength(1)
  })

  test('stays what it is when it is not one of consumers', async () => {
    const member = await classicMember('connect')
    await member.join()
    expect((await beat('m', 0)).errorCode).toBe(ERROR.GROUP_ID_NOT_FOUND)
    expect(broker.groups()).toMatchObject([{ id: 'g', kind: 'classic' }])
  })
})

describe('a group of the consumer protocol', () => {
  test('takes members of the classic protocol, who leave it as they leave others', async () => {
    const first = await beat('m', 0)
    expect(first.partitions).toEqual([0, 1, 2, 3])
    const member = await classicMember()
    expect(await member.join()).toMatchObject({ errorCode: 0 })
    expect(await member.sync()).toEqual([])
    const revoked = await beat('m', first.epoch, [0, 1, 2, 3])
    const kept = revoked.partitions!
    expect(kept).toHaveLength(2)
    expect((await beat('m', first.epoch, kept)).errorCode).toBe(0)
    // Now what the other has given up is free, which a member learns by a heartbeat, and gets by joining again.
    expect(await member.heartbeat()).toBe(ERROR.REBALANCE_IN_PROGRESS)
    await member.join()
    expect([...kept, ...((await member.sync()) as number[])].toSorted(byNumber)).toEqual([0, 1, 2, 3])
    expect(await member.leave()).toBe(0)
    expect(broker.groups()[0]!.members).toHaveLength(1)
  })

  test('refuses a member that has no protocol in common, and one that it does not know', async () => {
    await beat('m', 0)
    const stranger = await classicMember('connect')
    expect(await stranger.join()).toMatchObject({ errorCode: ERROR.INCONSISTENT_GROUP_PROTOCOL })
    expect(await stranger.heartbeat()).toBe(ERROR.UNKNOWN_MEMBER_ID)
    expect(await stranger.sync()).toBe(ERROR.UNKNOWN_MEMBER_ID)
    expect(await stranger.leave()).toBe(ERROR.UNKNOWN_MEMBER_ID)
  })
})

test.each(['range', 'cooperative-sticky'])(
  'clients of both protocols share a topic and take over from each other, with the assignor %s',
  async (assignor) => {
    const { bootstrapServers } = broker
    await using sink = new KafkaSink({ bootstrapServers, topic: 'a' })
    const seen = new Set<string>()
    const readers = ['classic', 'consumer'].map((protocol) => {
      const source = new KafkaSource({
        bootstrapServers,
        topics: 'a',
        groupId,
        'auto.offset.reset': 'earliest',
        ...(protocol === 'classic'
          ? { 'heartbeat.interval.ms': 100, 'partition.assignment.strategy': assignor }
          : { 'group.protocol': 'consumer' }),
      })
      const counts = { protocol, read: 0 }
      return { source, counts }
    })
    const reading = ({ source, counts }: (typeof readers)[number]): Promise<void> =>
      (async () => {
        for await (const { value } of source) {
          counts.read++
          seen.add(String(value))
        }
      })()
    let next = 0
    const writeSome = async (): Promise<void> => {
      const partitions = [0, 1, 2, 3]
      await sink.write(partitions.map((partition) => ({ value: String(next++), partition })))
    }
    const [classic, consumer] = readers as [(typeof readers)[number], (typeof readers)[number]]
    const first = reading(classic)
    await expect.poll(async () => (await writeSome(), classic.counts.read)).toBeGreaterThan(8)
    const second = reading(consumer)
    await expect.poll(async () => (await writeSome(), consumer.counts.read)).toBeGreaterThan(8)
    expect(broker.groups()).toMatchObject([{ kind: 'consumer' }])
    const before = classic.counts.read
    await expect.poll(async () => (await writeSome(), classic.counts.read)).toBeGreaterThan(before + 8)
    await consumer.source.close()
    await second
    await expect.poll(async () => (await writeSome(), broker.groups()[0]!.kind)).toBe('classic')
    const missing = (): number => Array.from({ length: next }, (_, i) => String(i)).filter((id) => !seen.has(id)).length
    await expect.poll(missing).toBe(0)
    await classic.source.close()
    await first
  },
)
