/**
 * Members of a consumer group (KIP-848) in random scripts: two that come and go, and a static one that is started again under
 * another id. What they own is what they were assigned, or something else.
 */
import { consumerGroupDescribeApi } from '../../src/protocol/messages/consumer-group-describe.ts'
import {
  consumerGroupHeartbeatApi,
  type ConsumerGroupHeartbeatRequest,
} from '../../src/protocol/messages/consumer-group-heartbeat.ts'
import { describeConfigsApi } from '../../src/protocol/messages/describe-configs.ts'
import { createTopicsApi } from '../../src/protocol/messages/create-topics.ts'
import { incrementalAlterConfigsApi } from '../../src/protocol/messages/incremental-alter-configs.ts'
import { offsetCommitApi } from '../../src/protocol/messages/offset-commit.ts'
import { offsetFetchApi } from '../../src/protocol/messages/offset-fetch.ts'
import type { Dice, Side, Step } from './differential-script.ts'
import type { RawClient } from './raw-client.ts'

const GROUP_RESOURCE = 32
const INTERVAL = 'consumer.assignment.interval.ms'
const NO_TOPIC = 'AAAAAAAAAAAAAAAAAAAAAA'

interface Claim {
  readonly memberId: string
  readonly instanceId: string | null
}

const MEMBERS: readonly Claim[] = [
  { memberId: 'a', instanceId: null },
  { memberId: 'b', instanceId: null },
  { memberId: 's1', instanceId: 's' },
  { memberId: 's2', instanceId: 's' },
]

type Owned = readonly { readonly topicId: string; readonly partitions: readonly number[] }[]

/** What a broker has answered to a member. */
interface Known {
  readonly epoch: number
  readonly previousEpoch: number
  readonly owned: Owned
}

const known = new WeakMap<Side, Map<string, Known>>()
const NEW: Known = { epoch: 0, previousEpoch: 0, owned: [] }

/** The name of the group, and of its topic. */
export const membersGroupOf = (topic: string): string => `${topic}-members`

/** One to three members have equally many of its partitions, so that it does not matter whose turn it is. */
const PARTITIONS = [0, 1, 2, 3, 4, 5]

export async function createMembersTopic(client: RawClient, topic: string): Promise<void> {
  const shape = { numPartitions: PARTITIONS.length, replicationFactor: 1, assignments: [], configs: [] }
  await client.request(createTopicsApi, 5, { topics: [{ name: membersGroupOf(topic), ...shape }] })
}

/**
 * Apache Kafka computes assignments at most once a second, which would make the answers depend on the time.
 *
 * @returns whether the setting that prevents it has arrived
 */
export async function withoutAssignmentInterval(client: RawClient, topic: string): Promise<boolean> {
  const resource = { resourceType: GROUP_RESOURCE, resourceName: membersGroupOf(topic) }
  const configs = [{ name: INTERVAL, configOperation: 0, value: '0' }]
  await client.request(incrementalAlterConfigsApi, 1, { resources: [{ ...resource, configs }], validateOnly: false })
  const { results } = await client.request(describeConfigsApi, 4, {
    resources: [{ ...resource, configurationKeys: [INTERVAL] }],
  })
  return results[0]!.configs[0]?.value === '0'
}

export function consumerMember(dice: Dice, name: string): Step {
  const member = dice.of(...MEMBERS)
  const what = dice.of<(dice: Dice, topic: string, member: Claim) => Step>(
    join,
    join,
    beat,
    beat,
    beat,
    beat,
    leave,
    describeGroup,
    commitOffset,
  )
  return what(dice, membersGroupOf(name), member)
}

function subscriptionOf(dice: Dice, topic: string) {
  const subscribedTopicNames = dice.of([topic], [topic], [`${topic}-missing`, topic], [`${topic}-missing`], [])
  return {
    subscribedTopicNames,
    rebalanceTimeoutMs: dice.of(60_000, 60_000, 60_000, -1),
    // Whose partitions `uniform` moves depends on the order of a hash map in Apache Kafka.
    serverAssignor: dice.of('range', 'range', 'range', 'range', 'range', 'nonsense'),
    // Patterns are looked up at a time of its own on Apache Kafka.
    subscribedTopicRegex: dice.of(null, null, null, '('),
  }
}

function join(dice: Dice, topic: string, { memberId, instanceId }: Claim): Step {
  const subscription = subscriptionOf(dice, topic)
  const flaw = dice.of('none', 'none', 'none', 'owned', 'nothing owned')
  const topicPartitions = flaw === 'owned' ? [{ topicId: NO_TOPIC, partitions: [0] }] : flaw === 'none' ? [] : null
  return {
    name: `${memberId} joins, ${flaw} ${JSON.stringify(subscription)}`,
    run: async (side) =>
      heartbeat(side, topic, { memberId, memberEpoch: 0, instanceId, topicPartitions, ...subscription }),
  }
}

function beat(dice: Dice, topic: string, { memberId, instanceId }: Claim): Step {
  const epoch = dice.of('current', 'current', 'current', 'current', 'previous', 'next', 'negative')
  const owns = dice.of('unchanged', 'assigned', 'assigned', 'nothing', 'everything')
  const changed = dice.of<object>({}, {}, {}, subscriptionOf(dice, topic))
  const named = dice.of(instanceId, instanceId, 'other')
  return {
    name: `${memberId} (${named}) beats with the ${epoch} epoch, owns ${owns} ${JSON.stringify(changed)}`,
    run: async (side) => {
      const { epoch: current, previousEpoch, owned } = stateOf(side, memberId)
      const memberEpoch = { current, previous: previousEpoch, next: current + 1, negative: -3 }[epoch]
      // With 0 it would join.
      if (memberEpoch === 0) return undefined
      const everything = owned.map(({ topicId }) => ({ topicId, partitions: PARTITIONS }))
      const topicPartitions = { unchanged: null, assigned: owned, nothing: [], everything }[owns]
      return heartbeat(side, topic, { memberId, memberEpoch, instanceId: named, topicPartitions, ...changed })
    },
  }
}

function leave(dice: Dice, topic: string, { memberId, instanceId }: Claim): Step {
  const memberEpoch = dice.of(-1, -2)
  return {
    name: `${memberId} leaves with ${memberEpoch}`,
    run: async (side) => heartbeat(side, topic, { memberId, memberEpoch, instanceId }),
  }
}

function stateOf(side: Side, memberId: string): Known {
  return known.get(side)?.get(memberId) ?? NEW
}

async function heartbeat(
  side: Side,
  topic: string,
  request: Omit<ConsumerGroupHeartbeatRequest, 'groupId'>,
): Promise<unknown> {
  const answer = await side.client.request(consumerGroupHeartbeatApi, 1, { groupId: topic, ...request })
  const before = stateOf(side, request.memberId)
  if (answer.errorCode === 0) {
    const states = known.get(side) ?? new Map<string, Known>()
    known.set(side, states)
    const epoch = Math.max(0, answer.memberEpoch)
    states.set(request.memberId, {
      epoch,
      previousEpoch: before.epoch,
      owned: epoch === 0 ? [] : (answer.assignment?.topicPartitions ?? before.owned),
    })
  }
  // Which of the members gets which partition depends on the order of a hash map in Apache Kafka.
  const assignment = answer.assignment?.topicPartitions.map(({ partitions }) => partitions.length)
  return { ...answer, assignment }
}

function describeGroup(_dice: Dice, topic: string): Step {
  return {
    name: 'ConsumerGroupDescribe',
    async run({ client }) {
      const request = { groupIds: [topic], includeAuthorizedOperations: false }
      const { groups } = await client.request(consumerGroupDescribeApi, 1, request)
      return groups.map((group) => ({
        ...group,
        members: group.members
          .toSorted((a, b) => (a.memberId < b.memberId ? -1 : 1))
          .map((member) => ({
            ...member,
            id: member.memberId,
            subscribedTopicNames: member.subscribedTopicNames.toSorted(),
            assignment: counted(member.assignment),
            targetAssignment: counted(member.targetAssignment),
          })),
      }))
    },
  }
}

function counted({ topicPartitions }: { topicPartitions: { topicName: string; partitions: number[] }[] }): unknown {
  return topicPartitions.map(({ topicName, partitions }) => ({ topicName, partitions: partitions.length }))
}

function commitOffset(dice: Dice, topic: string, { memberId }: Claim): Step {
  const at = dice.of(8, 9)
  const more = dice.of(0, 0, -1, 1)
  const isFetch = dice.roll(2) === 0
  return {
    name: `${isFetch ? 'OffsetFetch' : `OffsetCommit ${at}`} of ${memberId}, ${more}`,
    async run(side) {
      const groupId = topic
      const epoch = stateOf(side, memberId).epoch + more
      if (isFetch) {
        const topics = [{ name: topic, partitionIndexes: [0] }]
        const groups = [{ groupId, memberId, memberEpoch: epoch, topics }]
        return side.client.request(offsetFetchApi, 9, { groups, requireStable: false })
      }
      const topics = [{ name: topic, partitions: [{ partitionIndex: 0, committedOffset: 1, committedMetadata: '' }] }]
      return side.client.request(offsetCommitApi, at, { groupId, memberId, generationIdOrMemberEpoch: epoch, topics })
    },
  }
}
