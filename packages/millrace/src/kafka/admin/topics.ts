/**
 * Topics as an administrator sees them: create, delete, describe, grow, configure.
 *
 * What exists already, or does not exist, is data and not an error, so that scripts can be run twice. Everything else that
 * a broker refuses is thrown. Requests that change something go to the controller and are tried again while it moves.
 */
import { counted } from '../../options/units.ts'
import { ZERO_UUID } from '../../protocol/reader.ts'
import type { Cluster } from '../cluster/cluster.ts'
import type { TopicMetadata } from '../cluster/metadata-cache.ts'
import {
  ALTER_CONFIGS,
  CREATE_PARTITIONS,
  CREATE_TOPICS,
  DELETE_RECORDS,
  DELETE_TOPICS,
  DESCRIBE_CONFIGS,
} from '../protocol/admin.ts'
import type { ApiCall } from '../protocol/api-call.ts'
import { brokerError, kafkaErrorName } from '../protocol/kafka-errors.ts'
import { METADATA, metadataOf } from '../protocol/metadata.ts'
import type { PartitionOffset } from '../topic-partition.ts'
import type { NewTopic, TopicConfig } from './contract.ts'
import { liveBrokers, retried } from './requests.ts'

/** What became of one thing that was to be changed. */
interface ChangeResult {
  readonly errorCode: number
  readonly errorMessage: string | null
}

/** Sends one request to the controller. */
type SendToController = <Q, R>(call: ApiCall<Q, R>, request: Q) => Promise<R>

const TOPIC_RESOURCE = 2
const SET = 0
const DELETE = 1
const DYNAMIC_TOPIC_CONFIG = 1

export class TopicAdmin {
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
    const timeoutMs = this.#cluster.requestTimeoutMs
    const created = await this.#change(
      async (send) => (await send(CREATE_TOPICS, { topics: [spec], timeoutMs, validateOnly: false })).topics[0],
      `Cannot create topic "${name}"`,
      ['TOPIC_ALREADY_EXISTS'],
      signal,
    )
    await this.#untilKnown(name, created ? Math.max(1, partitions) : 1, signal)
    return created
  }

  /** Deletes topics. @returns the names of those that existed @throws {BrokerError} for instance TOPIC_DELETION_DISABLED */
  async deleteTopics(names: readonly string[], signal?: AbortSignal): Promise<string[]> {
    const timeoutMs = this.#cluster.requestTimeoutMs
    const deleted: string[] = []
    for (const name of names) {
      const isDeleted = await this.#change(
        async (send) => (await send(DELETE_TOPICS, { topics: [{ name, topicId: ZERO_UUID }], timeoutMs })).responses[0],
        `Cannot delete topic "${name}"`,
        ['UNKNOWN_TOPIC_OR_PARTITION'],
        signal,
      )
      if (isDeleted) deleted.push(name)
    }
    return deleted
  }

  /** Adds partitions until there are `count`, and waits until they have leaders. @throws {BrokerError} INVALID_PARTITIONS when there are as many or more already */
  async createPartitions(name: string, count: number, signal?: AbortSignal): Promise<void> {
    const topics = [{ name, count, assignments: null }]
    const timeoutMs = this.#cluster.requestTimeoutMs
    await this.#change(
      async (send) => (await send(CREATE_PARTITIONS, { topics, timeoutMs, validateOnly: false })).results[0],
      `Cannot grow topic "${name}" to ${counted(count, 'partition')}`,
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
    const answer = await retried(
      this.#cluster,
      () => this.#cluster.request('any', METADATA, () => metadataOf(null), { signal }),
      signal,
    )
    return answer.topics.flatMap(({ name, isInternal }) => (name === null || isInternal ? [] : [name])).sort()
  }

  /** Deletes all records before an offset; -1 is the end of the log. Asks each leader. @throws {BrokerError} OFFSET_OUT_OF_RANGE */
  async deleteRecords(offsets: readonly PartitionOffset[], signal?: AbortSignal): Promise<void> {
    for (const each of offsets) {
      const { topic, partition, offset } = each
      await retried(
        this.#cluster,
        async () => {
          await this.#cluster.refresh([topic], signal)
          const topics = [{ name: topic, partitions: [{ partitionIndex: partition, offset }] }]
          const answer = await this.#cluster.request(
            this.#cluster.leader(topic, partition),
            DELETE_RECORDS,
            () => ({ topics, timeoutMs: this.#cluster.requestTimeoutMs }),
            { signal },
          )
          const code = answer.topics[0]?.partitions[0]?.errorCode ?? -1
          if (code !== 0)
            throw brokerError(code, `Cannot delete records of ${topic}-${partition} before offset ${offset}`, {
              topic,
              partition,
            })
        },
        signal,
      )
    }
  }

  /** Configuration of a topic, defaults included; sensitive values are left out (I8). @throws {BrokerError} `TOPIC_NOT_FOUND` */
  async describeTopicConfigs(name: string, signal?: AbortSignal): Promise<Map<string, TopicConfig>> {
    const resource = { resourceType: TOPIC_RESOURCE, resourceName: name, configurationKeys: null }
    const result = await retried(
      this.#cluster,
      async () => {
        const answer = await this.#cluster.request('any', DESCRIBE_CONFIGS, () => ({ resources: [resource] }), {
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
      },
      signal,
    )
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
    const resource = { resourceType: TOPIC_RESOURCE, resourceName: name, configs: changes }
    await this.#change(
      async (send) => (await send(ALTER_CONFIGS, { resources: [resource], validateOnly: false })).responses[0],
      `Cannot change the configuration of topic "${name}"`,
      [],
      signal,
    )
  }

  /** Sends a change of one thing to the controller. @returns false when the answer is one of `expected` */
  #change(
    change: (send: SendToController) => Promise<ChangeResult | undefined>,
    action: string,
    expected: readonly string[],
    signal: AbortSignal | undefined,
  ): Promise<boolean> {
    return retried(
      this.#cluster,
      async () => {
        const result = (await change((call, request) =>
          this.#cluster.request('controller', call, () => request, { signal }),
        ))!
        if (result.errorCode === 0) return true
        const name = kafkaErrorName(result.errorCode)
        if (expected.includes(name)) return false
        if (name === 'NOT_CONTROLLER') await this.#cluster.refresh([], signal)
        // Kafka would have clients try again, as a broker may not know of a topic yet; `createTopic` has waited for that.
        if (name === 'UNKNOWN_TOPIC_OR_PARTITION')
          throw brokerError(result.errorCode, action, { code: 'TOPIC_NOT_FOUND', retriable: false })
        const detail = result.errorMessage === null ? '' : `: ${result.errorMessage.replace(/\.$/, '')}`
        throw brokerError(result.errorCode, action + detail)
      },
      signal,
    )
  }

  /** A broker may learn of a topic later than the controller; until then it answers that there is none. */
  #untilKnown(name: string, partitions: number, signal: AbortSignal | undefined): Promise<void> {
    return retried(
      this.#cluster,
      async () => {
        await Promise.all(
          (await liveBrokers(this.#cluster, signal)).map(async (id) => {
            const answer = await this.#cluster.request(id, METADATA, () => metadataOf([name]), { signal })
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
      },
      signal,
    )
  }
}
