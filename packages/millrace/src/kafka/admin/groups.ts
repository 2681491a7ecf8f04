/**
 * Groups as an administrator sees them: list, describe, delete. A group that does not exist is data and not an error.
 *
 * A group speaks the classic protocol or that of KIP-848, and each has a request of its own to describe it; as in Java the
 * newer one is tried first.
 */
import { isMillraceError } from '../../errors/index.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { decodeAssignment } from '../group/classic-subscription.ts'
import { fetchCommitted, type CommittedOffset } from '../group/committed-offsets.ts'
import { GroupCoordinator } from '../group/coordinator.ts'
import {
  CONSUMER_GROUP_DESCRIBE,
  type ConsumerGroupDescribeAnswer,
  DELETE_GROUPS,
  DESCRIBE_GROUPS,
  LIST_GROUPS,
} from '../protocol/groups.ts'
import { brokerError, kafkaErrorName } from '../protocol/kafka-errors.ts'
import type { TopicPartition } from '../topic-partition.ts'
import type { GroupListing, GroupDescription } from './contract.ts'
import { liveBrokers, retried } from './requests.ts'

export class GroupAdmin {
  readonly #cluster: Cluster

  constructor(cluster: Cluster) {
    this.#cluster = cluster
  }

  /** All groups, by id. Asks every broker, as each knows only those that it coordinates. @throws {BrokerError} */
  async listGroups(signal?: AbortSignal): Promise<GroupListing[]> {
    const groups = new Map<string, GroupListing>()
    const list = async (broker: number): Promise<void> => {
      const answer = await this.#cluster.request(broker, LIST_GROUPS, () => ({}), { signal })
      if (answer.errorCode !== 0) throw brokerError(answer.errorCode, `Cannot list the groups of broker ${broker}`)
      for (const { groupId, groupType, protocolType, groupState } of answer.groups)
        groups.set(groupId, {
          groupId,
          type: groupType === '' ? undefined : groupType.toLowerCase(),
          protocolType,
          state: groupState,
        })
    }
    const brokers = await liveBrokers(this.#cluster, signal)
    await Promise.all(brokers.map((broker) => retried(this.#cluster, () => list(broker), signal)))
    return [...groups.values()].sort((a, b) => (a.groupId < b.groupId ? -1 : 1))
  }

  /** State and members of a group. @throws {BrokerError} */
  describeGroup(groupId: string, signal?: AbortSignal): Promise<GroupDescription> {
    const coordinator = new GroupCoordinator(this.#cluster, groupId)
    return retried(
      this.#cluster,
      async () => (await describeConsumerGroup(coordinator, signal)) ?? describeClassicGroup(coordinator, signal),
      signal,
    )
  }

  /** Deletes a group without members and its offsets. @returns false when there is no such group @throws {BrokerError} `GROUP_FAILED` while it has members */
  async deleteGroup(groupId: string, signal?: AbortSignal): Promise<boolean> {
    const coordinator = new GroupCoordinator(this.#cluster, groupId)
    return retried(
      this.#cluster,
      async () => {
        const answer = await coordinator.request(DELETE_GROUPS, () => ({ groupsNames: [groupId] }), { signal })
        const code = answer.results[0]!.errorCode
        if (kafkaErrorName(code) === 'GROUP_ID_NOT_FOUND') return false
        coordinator.check(code, `Cannot delete group "${groupId}"`)
        return true
      },
      signal,
    )
  }

  /** Offsets that a group has committed, for these partitions or for all that it has any for. @throws {BrokerError} */
  committedOffsets(
    groupId: string,
    partitions?: readonly TopicPartition[],
    signal?: AbortSignal,
  ): Promise<CommittedOffset[]> {
    return fetchCommitted(new GroupCoordinator(this.#cluster, groupId), partitions, () => undefined, signal)
  }
}

/** Answers of a broker to which the group is not one of KIP-848. */
const NOT_OF_CONSUMER_PROTOCOL: ReadonlySet<string> = new Set(['GROUP_ID_NOT_FOUND', 'UNSUPPORTED_VERSION'])

/** @returns undefined for a group of another protocol, and for none */
async function describeConsumerGroup(
  coordinator: GroupCoordinator,
  signal: AbortSignal | undefined,
): Promise<GroupDescription | undefined> {
  const { groupId } = coordinator
  let answer: ConsumerGroupDescribeAnswer
  try {
    answer = await coordinator.request(
      CONSUMER_GROUP_DESCRIBE,
      () => ({ groupIds: [groupId], includeAuthorizedOperations: false }),
      { signal },
    )
  } catch (error) {
    if (isMillraceError(error) && error.code === 'UNSUPPORTED_BROKER') return undefined
    throw error
  }
  const { errorCode, errorMessage, groupState, assignorName, members } = answer.groups[0]!
  if (NOT_OF_CONSUMER_PROTOCOL.has(kafkaErrorName(errorCode))) return undefined
  coordinator.check(errorCode, `Cannot describe group "${groupId}"`, errorMessage)
  return {
    groupId,
    type: 'consumer',
    state: groupState,
    assignor: assignorName,
    members: members.map(({ memberId, instanceId, clientId, clientHost, assignment }) => ({
      memberId,
      instanceId: instanceId ?? undefined,
      clientId,
      clientHost,
      assignment: assignment.topicPartitions.flatMap(({ topicName, partitions }) =>
        partitions.map((partition) => ({ topic: topicName, partition })),
      ),
    })),
  }
}

async function describeClassicGroup(
  coordinator: GroupCoordinator,
  signal: AbortSignal | undefined,
): Promise<GroupDescription> {
  const { groupId } = coordinator
  const answer = await coordinator.request(DESCRIBE_GROUPS, () => ({ groups: [groupId] }), { signal })
  const { errorCode, groupState, protocolType, protocolData, members } = answer.groups[0]!
  coordinator.check(errorCode, `Cannot describe group "${groupId}"`)
  return {
    groupId,
    type: 'classic',
    state: groupState,
    assignor: protocolData,
    members: members.map(({ memberId, groupInstanceId, clientId, clientHost, memberAssignment }) => ({
      memberId,
      instanceId: groupInstanceId ?? undefined,
      clientId,
      clientHost,
      // Connect, for instance, assigns something else.
      assignment: protocolType === 'consumer' ? decodeAssignment(memberAssignment) : [],
    })),
  }
}
