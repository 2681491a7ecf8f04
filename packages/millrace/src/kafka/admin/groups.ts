/**
 * Consumer groups as an administrator sees them. A group that does not exist is data and not an error.
 */
import type { Cluster } from '../cluster/cluster.ts'
import { decodeAssignment } from '../group/classic-subscription.ts'
import { fetchCommitted, type CommittedOffset } from '../group/committed-offsets.ts'
import { GroupCoordinator } from '../group/coordinator.ts'
import { DELETE_GROUPS, DESCRIBE_GROUPS, LIST_GROUPS } from '../protocol/groups.ts'
import { brokerError, kafkaErrorName } from '../protocol/kafka-errors.ts'
import type { TopicPartition } from '../topic-partition.ts'
import { liveBrokers, retried } from './requests.ts'

export interface GroupDescription {
  readonly groupId: string
  /** `Stable`, `PreparingRebalance`, `CompletingRebalance`, `Empty` or `Dead`; `Dead` when there is no such group. */
  readonly state: string
  /** Name of the assignor in use; empty without members. */
  readonly assignor: string
  readonly members: readonly {
    readonly memberId: string
    readonly instanceId: string | undefined
    readonly clientId: string
    readonly clientHost: string
    readonly assignment: readonly TopicPartition[]
  }[]
}

export class GroupAdmin {
  readonly #cluster: Cluster

  constructor(cluster: Cluster) {
    this.#cluster = cluster
  }

  /** Ids of all groups, asked of every broker, as each knows those that it coordinates. */
  async listGroups(signal?: AbortSignal): Promise<string[]> {
    const ids = await Promise.all(
      (await liveBrokers(this.#cluster, signal)).map((id) =>
        retried(
          this.#cluster,
          async () => {
            const answer = await this.#cluster.request<{ errorCode: number; groups: readonly { groupId: string }[] }>(
              id,
              LIST_GROUPS,
              () => [[], []],
              { signal },
            )
            if (answer.errorCode !== 0) throw brokerError(answer.errorCode, `Cannot list the groups of broker ${id}`)
            return answer.groups.map(({ groupId }) => groupId)
          },
          signal,
        ),
      ),
    )
    return [...new Set(ids.flat())].sort()
  }

  /** State and members of a classic group. @throws {BrokerError} */
  async describeGroup(groupId: string, signal?: AbortSignal): Promise<GroupDescription> {
    interface Answer {
      readonly groups: readonly {
        readonly errorCode: number
        readonly groupState: string
        readonly protocolData: string
        readonly members: readonly {
          readonly memberId: string
          readonly groupInstanceId: string | null
          readonly clientId: string
          readonly clientHost: string
          readonly memberAssignment: Buffer
        }[]
      }[]
    }
    const coordinator = new GroupCoordinator(this.#cluster, groupId)
    const group = await retried(
      this.#cluster,
      async () => {
        const answer = await coordinator.request<Answer>(DESCRIBE_GROUPS, () => [[groupId], false], { signal })
        coordinator.check(answer.groups[0]!.errorCode, `Cannot describe group "${groupId}"`)
        return answer.groups[0]!
      },
      signal,
    )
    return {
      groupId,
      state: group.groupState,
      assignor: group.protocolData,
      members: group.members.map(({ memberId, groupInstanceId, clientId, clientHost, memberAssignment }) => ({
        memberId,
        instanceId: groupInstanceId ?? undefined,
        clientId,
        clientHost,
        assignment: decodeAssignment(memberAssignment),
      })),
    }
  }

  /** Deletes a group without members and its offsets. @returns false when there is no such group @throws {BrokerError} NON_EMPTY_GROUP */
  async deleteGroup(groupId: string, signal?: AbortSignal): Promise<boolean> {
    const coordinator = new GroupCoordinator(this.#cluster, groupId)
    return retried(
      this.#cluster,
      async () => {
        const answer = await coordinator.request<{ results: readonly { errorCode: number }[] }>(
          DELETE_GROUPS,
          () => [[groupId]],
          { signal },
        )
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
