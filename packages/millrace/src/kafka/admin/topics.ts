/**
 * Topics and groups as an administrator sees them: create, delete, describe, grow, configure.
 *
 * What exists already, or does not exist, is data and not an error, so that scripts can be run twice. Everything else that
 * a broker refuses is thrown. Requests that change something go to the controller and are tried again while it moves.
 */
import { retry } from '../../resilience/retry.ts'
import type { Cluster } from '../cluster/cluster.ts'
import type { ApiCall } from '../protocol/api-call.ts'
import { decodeAssignment } from '../group/classic-subscription.ts'
import { fetchCommitted, type CommittedOffset } from '../group/committed-offsets.ts'
import { GroupCoordinator } from '../group/coordinator.ts'
import type { TopicMetadata } from '../cluster/metadata-cache.ts'
import {
  CREATE_TOPICS,
  DELETE_TOPICS,
  CREATE_PARTITIONS,
  DELETE_RECORDS,
  DESCRIBE_CONFIGS,
  ALTER_CONFIGS,
} from '../protocol/admin.ts'
import { DESCRIBE_GROUPS, LIST_GROUPS, DELETE_GROUPS } from '../protocol/groups.ts'
import { brokerError, kafkaErrorName } from '../protocol/kafka-errors.ts'
import { METADATA, type MetadataAnswer } from '../protocol/metadata.ts'
import type { PartitionOffset, TopicPartition } from '../topic-partition.ts'

export type { CommittedOffset } from '../group/committed-offsets.ts'

export interface NewTopic {
  readonly name: string
  /** The broker's `num.partitions` when omitted. */
  readonly partitions?: number
  /** The broker's `default.replication.factor` when omitted. */
  readonly replicationFactor?: number
  /** Topic configuration, for instance `{ 'cleanup.policy': 'compact' }`. */
  readonly configs?: Readonly<Record<string, string>>
}

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

interface TopicResults {
  readonly results: readonly { readonly errorCode: number; readonly errorMessage: string | null }[]
}

const TOPIC_RESOURCE = 2
const SET = 0
const DELETE = 1
const DYNAMIC_TOPIC_CONFIG = 1

export class Admin {
  readonly #cluster: Cluster

  constructor(cluster: Cluster) {
    this.#cluster = cluster
  }

  /**
   * Creates a topic and waits until every broker knows it and every partition has a leader.
   * @returns false when there was such a topic already, whatever its partitions
   * @throws {BrokerError} for instance INVALID_REPLICATION_FACTOR, INVALID_CONFIG, TOPIC_AUTHORIZATION_FAILED
   */
  async createTopic(topic: NewTopic, signal?: AbortSignal): Promise<boolean> {
    const { name, partitions = -1, replicationFactor = -1, configs = {} } = topic
    const spec = {
      name,
      numPartitions: partitions,
      replicationFactor,
      assignments: [],
      configs: Object.entries(configs).map(([key, value]) => ({ name: key, value })),
    }
    const created = await this.#change(
      CREATE_TOPICS,
      [[spec], this.#cluster.requestTimeoutMs, false],
      `Cannot create topic "${name}"`,
      ['TOPIC_ALREADY_EXISTS'],
      signal,
    )
    await this.#untilKnown(name, created ? Math.max(1, partitions) : 1, signal)
    return created
  }

  /** Deletes topics. @returns the names of those that existed @throws {BrokerError} for instance TOPIC_DELETION_DISABLED */
  async deleteTopics(names: readonly string[], signal?: AbortSignal): Promise<string[]> {
    const deleted: string[] = []
    for (const name of names) {
      const args = [[{ name, topicId: null }], this.#cluster.requestTimeoutMs]
      if (
        await this.#change(DELETE_TOPICS, args, `Cannot delete topic "${name}"`, ['UNKNOWN_TOPIC_OR_PARTITION'], signal)
      )
        deleted.push(name)
    }
    return deleted
  }

  /** Adds partitions until there are `count`, and waits until they have leaders. @throws {BrokerError} INVALID_PARTITIONS when there are as many or more already */
  async createPartitions(name: string, count: number, signal?: AbortSignal): Promise<void> {
    await this.#change(
      CREATE_PARTITIONS,
      [[{ name, count, assignments: null }], this.#cluster.requestTimeoutMs, false],
      `Cannot grow topic "${name}" to ${count} partitions`,
      [],
      signal,
    )
    await this.#untilKnown(name, count, signal)
  }

  /** Topics with their partitions, as the cluster knows them now. @throws {BrokerError} `TOPIC_NOT_FOUND` */
  async describeTopics(names: readonly string[], signal?: AbortSignal): Promise<TopicMetadata[]> {
    await this.#cluster.refresh(names, signal)
    return names.map((name) => this.#cluster.cachedTopic(name)!)
  }

  /** Names of all topics that the principal may see, in order, without Kafka's own. */
  async listTopics(signal?: AbortSignal): Promise<string[]> {
    const answer = await this.#retried(
      () => this.#cluster.request<MetadataAnswer>('any', METADATA, () => [null, false, false], { signal }),
      signal,
    )
    return answer.topics.flatMap(({ name, isInternal }) => (name === null || isInternal ? [] : [name])).sort()
  }

  /** Deletes all records before an offset; -1 stands for the end of the log. Asks each leader. @throws {BrokerError} OFFSET_OUT_OF_RANGE */
  async deleteRecords(offsets: readonly PartitionOffset[], signal?: AbortSignal): Promise<void> {
    for (const each of offsets) {
      const { topic, partition, offset } = each
      await this.#retried(async () => {
        await this.#cluster.refresh([topic], signal)
        const topics = [{ name: topic, partitions: [{ partitionIndex: partition, offset: BigInt(offset) }] }]
        const answer = await this.#cluster.request<{
          topics: readonly { partitions: readonly { errorCode: number }[] }[]
        }>(this.#cluster.leader(topic, partition), DELETE_RECORDS, () => [topics, this.#cluster.requestTimeoutMs], {
          signal,
        })
        const code = answer.topics[0]?.partitions[0]?.errorCode ?? -1
        if (code !== 0)
          throw brokerError(code, `Cannot delete records of ${topic}-${partition} before offset ${offset}`, {
            topic,
            partition,
          })
      }, signal)
    }
  }

  /** Configuration of a topic, defaults included; sensitive values are left out (I8). @throws {BrokerError} `TOPIC_NOT_FOUND` */
  async describeTopicConfigs(
    name: string,
    signal?: AbortSignal,
  ): Promise<Map<string, { value: string | null; isDefault: boolean }>> {
    interface Answer {
      readonly results: readonly {
        readonly errorCode: number
        readonly configs: readonly {
          readonly name: string
          readonly value: string | null
          readonly configSource: number
          readonly isSensitive: boolean
        }[]
      }[]
    }
    const resource = { resourceType: TOPIC_RESOURCE, resourceName: name, configurationKeys: null }
    const result = await this.#retried(async () => {
      const answer = await this.#cluster.request<Answer>('any', DESCRIBE_CONFIGS, () => [[resource], false, false], {
        signal,
      })
      const { errorCode, configs } = answer.results[0]!
      const isMissing = kafkaErrorName(errorCode) === 'UNKNOWN_TOPIC_OR_PARTITION'
      if (isMissing)
        throw brokerError(errorCode, `Cannot read the configuration of topic "${name}"`, {
          topic: name,
          code: 'TOPIC_NOT_FOUND',
          retriable: false,
        })
      if (errorCode !== 0)
        throw brokerError(errorCode, `Cannot read the configuration of topic "${name}"`, { topic: name })
      return configs
    }, signal)
    return new Map(
      result
        .filter(({ isSensitive }) => !isSensitive)
        .map(({ name: key, value, configSource }) => [
          key,
          { value, isDefault: configSource !== DYNAMIC_TOPIC_CONFIG },
        ]),
    )
  }

  /** Sets configuration values of a topic; null takes one back to its default. Others stay. @throws {BrokerError} `TOPIC_NOT_FOUND`, INVALID_CONFIG */
  async alterTopicConfigs(
    name: string,
    configs: Readonly<Record<string, string | null>>,
    signal?: AbortSignal,
  ): Promise<void> {
    const changes = Object.entries(configs).map(([key, value]) => ({
      name: key,
      configOperation: value === null ? DELETE : SET,
      value,
    }))
    await this.#change(
      ALTER_CONFIGS,
      [[{ resourceType: TOPIC_RESOURCE, resourceName: name, configs: changes }], false],
      `Cannot change the configuration of topic "${name}"`,
      [],
      signal,
    )
  }

  /** Ids of all groups, asked of every broker, as each knows those that it coordinates. */
  async listGroups(signal?: AbortSignal): Promise<string[]> {
    const ids = await Promise.all(
      (await this.#liveBrokers(signal)).map((id) =>
        this.#retried(async () => {
          const answer = await this.#cluster.request<{ errorCode: number; groups: readonly { groupId: string }[] }>(
            id,
            LIST_GROUPS,
            () => [[], []],
            { signal },
          )
          if (answer.errorCode !== 0) throw brokerError(answer.errorCode, `Cannot list the groups of broker ${id}`)
          return answer.groups.map(({ groupId }) => groupId)
        }, signal),
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
    const group = await this.#retried(async () => {
      const answer = await coordinator.request<Answer>(DESCRIBE_GROUPS, () => [[groupId], false], { signal })
      coordinator.check(answer.groups[0]!.errorCode, `Cannot describe group "${groupId}"`)
      return answer.groups[0]!
    }, signal)
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
    return this.#retried(async () => {
      const answer = await coordinator.request<{ results: readonly { errorCode: number }[] }>(
        DELETE_GROUPS,
        () => [[groupId]],
        { signal },
      )
      const code = answer.results[0]!.errorCode
      if (kafkaErrorName(code) === 'GROUP_ID_NOT_FOUND') return false
      coordinator.check(code, `Cannot delete group "${groupId}"`)
      return true
    }, signal)
  }

  /** Offsets that a group has committed, for these partitions or for all that it has any for. @throws {BrokerError} */
  committedOffsets(
    groupId: string,
    partitions?: readonly TopicPartition[],
    signal?: AbortSignal,
  ): Promise<CommittedOffset[]> {
    return fetchCommitted(new GroupCoordinator(this.#cluster, groupId), partitions, () => undefined, signal)
  }

  /** Sends a change of one thing to the controller. @returns false when the answer is one of `expected` */
  #change(
    call: ApiCall,
    args: readonly unknown[],
    action: string,
    expected: readonly string[],
    signal: AbortSignal | undefined,
  ): Promise<boolean> {
    return this.#retried(async () => {
      const answer = await this.#cluster.request<
        Partial<TopicResults> & { topics?: TopicResults['results']; responses?: TopicResults['results'] }
      >('controller', call, () => args, { signal })
      const result = (answer.results ?? answer.topics ?? answer.responses)![0]!
      if (result.errorCode === 0) return true
      const name = kafkaErrorName(result.errorCode)
      if (expected.includes(name)) return false
      if (name === 'NOT_CONTROLLER') await this.#cluster.refresh([], signal)
      // Kafka would have clients try again, as a broker may not know of a topic yet; `createTopic` has waited for that.
      if (name === 'UNKNOWN_TOPIC_OR_PARTITION')
        throw brokerError(result.errorCode, action, { code: 'TOPIC_NOT_FOUND', retriable: false })
      const told = result.errorMessage === null ? '' : `: ${result.errorMessage.replace(/\.$/, '')}`
      throw brokerError(result.errorCode, action + told)
    }, signal)
  }

  /** A broker may learn of a topic later than the controller; whoever asks it meanwhile is told that there is none. */
  #untilKnown(name: string, partitions: number, signal: AbortSignal | undefined): Promise<void> {
    return this.#retried(async () => {
      await Promise.all(
        (await this.#liveBrokers(signal)).map(async (id) => {
          const answer = await this.#cluster.request<MetadataAnswer>(id, METADATA, () => [[name], false, false], {
            signal,
          })
          const topic = answer.topics[0]!
          const isReady =
            topic.errorCode === 0 &&
            topic.partitions.length >= partitions &&
            topic.partitions.every(({ leaderId }) => leaderId >= 0)
          if (!isReady)
            throw brokerError(
              topic.errorCode === 0 ? 5 : topic.errorCode,
              `Topic "${name}" is not ready on broker ${id}`,
              { topic: name, retriable: true },
            )
        }),
      )
      await this.#cluster.refresh([name], signal)
    }, signal)
  }

  /** Those that the cluster counts as alive now; it also makes their addresses known. */
  async #liveBrokers(signal: AbortSignal | undefined): Promise<number[]> {
    await this.#cluster.refresh([], signal)
    const answer = await this.#cluster.request<MetadataAnswer>('any', METADATA, () => [[], false, false], { signal })
    return answer.brokers.map(({ nodeId }) => nodeId)
  }

  #retried<T>(attempt: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    const { apiTimeoutMs: timeoutMs, backoff } = this.#cluster
    return retry(attempt, { timeoutMs, backoff, signal })
  }
}
