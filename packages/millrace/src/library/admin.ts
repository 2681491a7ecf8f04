/**
 * `Admin`: topics, configurations, groups and their offsets, for programs.
 *
 * ```ts
 * await using admin = new Admin({ bootstrapServers: 'localhost:9092' })
 * await admin.createTopics([{ name: 'orders', partitions: 6 }])
 * await admin.resetOffsets('billing', { to: 'earliest', topics: ['orders'] })
 * ```
 */
import { ClosedError, ConfigError } from '../errors/index.ts'
import type {
  NewTopic,
  TopicConfig,
  GroupDescription,
  GroupListing,
  ResetOffsetsOptions,
  TopicDescription,
  TopicOffsets,
  GroupOffset,
  ResetOffset,
} from '../kafka/admin/contract.ts'
import { groupOffsets, resetGroupOffsets } from '../kafka/admin/group-offsets.ts'
import { GroupAdmin } from '../kafka/admin/groups.ts'
import { TopicAdmin } from '../kafka/admin/topics.ts'
import { Cluster } from '../kafka/cluster/cluster.ts'
import { listOffsets } from '../kafka/cluster/log-offsets.ts'
import { ADMIN_FIELDS } from '../kafka/properties/admin-fields.ts'
import { IGNORED_ADMIN_FIELDS } from '../kafka/properties/ignored-fields.ts'
import { ADMIN_RULES } from '../kafka/properties/rules.ts'
import { adminSettings, clusterOptions } from '../kafka/properties/settings.ts'
import type { TopicPartition } from '../kafka/topic-partition.ts'
import { parseOptions } from '../options/parse.ts'
import { untilAborted } from '../resilience/abort.ts'
import { checkNames, checkNewTopics } from './admin-arguments.ts'
import type { AdminNames } from './options/admin.ts'
import type { AnyOf } from './options/any-of.ts'

/** Options of an `Admin`: in camelCase, or as Kafka spells them. */
export type AdminOptions = AdminNames &
  AnyOf<AdminNames, 'bootstrapServers' | 'bootstrap.servers' | 'brokers'> & {
    /** Called with what is worth knowing and no error: properties without effect, a group whose offsets wait for a transaction. */
    readonly onWarning?: (message: string) => void
  }

/**
 * Administers a cluster. It connects with the first call.
 *
 * What exists already, or does not exist, is no error where a script may run twice: methods return what they have changed.
 * Every method tries again while brokers cannot be reached, for `apiTimeoutMs`, and takes a signal as its last argument,
 * after which it throws an `AbortedError`.
 */
export class Admin {
  readonly #options
  readonly #onWarning: ((message: string) => void) | undefined
  #cluster: Promise<Cluster> | undefined
  #closed: Promise<void> | undefined

  /** @throws {ConfigError} with all problems of the options */
  constructor(options: AdminOptions) {
    const { onWarning, ...rest } = options
    const parsed = parseOptions<typeof ADMIN_FIELDS>(
      { options: { ...ADMIN_FIELDS, ...IGNORED_ADMIN_FIELDS }, rules: ADMIN_RULES },
      rest,
    )
    if (parsed.problems.length > 0) throw ConfigError.of('Cannot create an Admin', parsed.problems)
    this.#options = parsed.options
    this.#onWarning = onWarning
    for (const { message } of parsed.warnings) onWarning?.(message)
  }

  /** Connects, for an early and clear error; otherwise the first call does. @throws {ConnectionError} {AuthenticationError} */
  async open(signal?: AbortSignal): Promise<void> {
    const cluster = await this.#connected(signal)
    await cluster.connect(signal)
  }

  /** Names of all topics that the principal may see, in order, without Kafka's own. */
  async listTopics(signal?: AbortSignal): Promise<string[]> {
    return (await this.#topics(signal)).listTopics(signal)
  }

  /** Topics with their partitions, as the cluster knows them now. @throws {BrokerError} `TOPIC_NOT_FOUND` */
  async describeTopics(names: readonly string[], signal?: AbortSignal): Promise<TopicDescription[]> {
    checkNames(names, 'Cannot describe topics')
    const topics = await (await this.#topics(signal)).describeTopics(names, signal)
    return topics.map(({ name, id, internal, partitions }) => ({ name, id, isInternal: internal, partitions }))
  }

  /**
   * Creates topics, one after the other, and waits until every broker knows them and every partition has a leader.
   * @returns the names of those that did not exist before
   * @throws {ConfigError} when an argument is not of this form; then nothing is created
   * @throws {BrokerError} for instance INVALID_REPLICATION_FACTOR, INVALID_CONFIG, TOPIC_AUTHORIZATION_FAILED
   */
  async createTopics(topics: readonly NewTopic[], signal?: AbortSignal): Promise<string[]> {
    checkNewTopics(topics)
    const admin = await this.#topics(signal)
    const created: string[] = []
    for (const topic of topics) if (await admin.createTopic(topic, signal)) created.push(topic.name)
    return created
  }

  /** Deletes topics. @returns the names of those that existed @throws {BrokerError} for instance TOPIC_DELETION_DISABLED */
  async deleteTopics(names: readonly string[], signal?: AbortSignal): Promise<string[]> {
    checkNames(names, 'Cannot delete topics')
    return (await this.#topics(signal)).deleteTopics(names, signal)
  }

  /**
   * Adds partitions to a topic until there are `count`, and waits until they have leaders.
   * @throws {BrokerError} INVALID_PARTITIONS when there are as many or more already; `TOPIC_NOT_FOUND`
   */
  async createPartitions(topic: string, count: number, signal?: AbortSignal): Promise<void> {
    await (await this.#topics(signal)).createPartitions(topic, count, signal)
  }

  /** Where the partitions of a topic begin and end. @throws {BrokerError} `TOPIC_NOT_FOUND` */
  async fetchTopicOffsets(topic: string, signal?: AbortSignal): Promise<TopicOffsets[]> {
    const [description] = await this.describeTopics([topic], signal)
    const cluster = await this.#connected(signal)
    const at = (when: 'earliest' | 'latest'): Promise<readonly { readonly offset: number }[]> => {
      const queries = description!.partitions.map(({ partition }) => ({ topic, partition, at: when }))
      return listOffsets(cluster, queries, { signal })
    }
    const [low, high] = await Promise.all([at('earliest'), at('latest')])
    return description!.partitions.map(({ partition }, i) => ({
      partition,
      low: BigInt(low[i]!.offset),
      high: BigInt(high[i]!.offset),
    }))
  }

  /** Deletes all records before an offset of each partition; -1 is the end of the log. @throws {BrokerError} OFFSET_OUT_OF_RANGE */
  async deleteRecords(
    offsets: readonly (TopicPartition & { readonly offset: bigint | number })[],
    signal?: AbortSignal,
  ): Promise<void> {
    const before = offsets.map(({ topic, partition, offset }) => ({ topic, partition, offset: Number(offset) }))
    await (await this.#topics(signal)).deleteRecords(before, signal)
  }

  /** Configuration of a topic by name, defaults included; sensitive values are left out. @throws {BrokerError} `TOPIC_NOT_FOUND` */
  async describeConfigs(topic: string, signal?: AbortSignal): Promise<Map<string, TopicConfig>> {
    return (await this.#topics(signal)).describeTopicConfigs(topic, signal)
  }

  /** Sets configuration values of a topic; null takes one back to its default. Others stay. @throws {BrokerError} `TOPIC_NOT_FOUND`, INVALID_CONFIG */
  async alterConfigs(
    topic: string,
    configs: Readonly<Record<string, string | null>>,
    signal?: AbortSignal,
  ): Promise<void> {
    await (await this.#topics(signal)).alterTopicConfigs(topic, configs, signal)
  }

  /** All groups that the principal may see, by id. @throws {BrokerError} */
  async listGroups(signal?: AbortSignal): Promise<GroupListing[]> {
    return (await this.#groups(signal)).listGroups(signal)
  }

  /** State and members of groups; one that does not exist is `Dead`. @throws {BrokerError} */
  async describeGroups(groupIds: readonly string[], signal?: AbortSignal): Promise<GroupDescription[]> {
    const admin = await this.#groups(signal)
    return Promise.all(groupIds.map((groupId) => admin.describeGroup(groupId, signal)))
  }

  /** Deletes groups and their offsets. @returns the ids of those that existed @throws {BrokerError} `GROUP_FAILED` for one that has members */
  async deleteGroups(groupIds: readonly string[], signal?: AbortSignal): Promise<string[]> {
    const admin = await this.#groups(signal)
    const deleted: string[] = []
    for (const groupId of groupIds) if (await admin.deleteGroup(groupId, signal)) deleted.push(groupId)
    return deleted
  }

  /**
   * Committed offsets of a group, and how many records it is behind.
   *
   * While a transaction that commits an offset is open, it waits for its end, as a member of the group would.
   *
   * @param topics topics whose partitions are wanted, with or without an offset; all that the group has offsets for when omitted
   * @throws {BrokerError} `TOPIC_NOT_FOUND` for one of `topics`
   */
  async fetchOffsets(groupId: string, topics?: readonly string[], signal?: AbortSignal): Promise<GroupOffset[]> {
    const cluster = await this.#connected(signal)
    const offsets = await groupOffsets(cluster, groupId, topics, { signal, warn: this.#onWarning })
    return offsets.map(({ topic, partition, offset, logStart, logEnd, lag, metadata }) => ({
      topic,
      partition,
      offset: asBigInt(offset),
      low: asBigInt(logStart),
      high: asBigInt(logEnd),
      lag,
      metadata,
    }))
  }

  /**
   * Has a group go on somewhere else, by committing other offsets for it. The group must not have members, or they would go on
   * where they are and commit that. A group that does not exist yet is created when `topics` or `partitions` are named.
   *
   * @returns each partition with the offset before and after
   * @throws {BrokerError} `GROUP_FAILED` while the group has members; `NO_COMMITTED_OFFSET` when there is nothing to shift;
   *   `TOPIC_NOT_FOUND`
   * @throws {ConfigError} when `to` is none of its values
   */
  async resetOffsets(groupId: string, options: ResetOffsetsOptions, signal?: AbortSignal): Promise<ResetOffset[]> {
    const cluster = await this.#connected(signal)
    const resets = await resetGroupOffsets(cluster, groupId, options, { signal, warn: this.#onWarning })
    return resets.map(({ topic, partition, from, to: offset }) => ({
      topic,
      partition,
      from: asBigInt(from),
      to: BigInt(offset),
    }))
  }

  /** Closes all connections; calls that are under way fail. May be called twice. */
  close(): Promise<void> {
    this.#closed ??= (async () => {
      await (await this.#cluster?.catch(() => undefined))?.close()
    })()
    return this.#closed
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #topics(signal: AbortSignal | undefined): Promise<TopicAdmin> {
    return new TopicAdmin(await this.#connected(signal))
  }

  async #groups(signal: AbortSignal | undefined): Promise<GroupAdmin> {
    return new GroupAdmin(await this.#connected(signal))
  }

  /** Reads the files that the options name; a call after a failure tries again. */
  #connected(signal: AbortSignal | undefined): Promise<Cluster> {
    if (this.#closed !== undefined) return Promise.reject(new ClosedError('an Admin'))
    if (this.#cluster === undefined) {
      const context = { directory: process.cwd(), clientId: 'millrace' }
      this.#cluster = clusterOptions(adminSettings(this.#options), context).then(
        (options) => new Cluster(options),
        (error: unknown) => {
          this.#cluster = undefined
          throw error
        },
      )
      this.#cluster.catch(() => {})
    }
    return untilAborted(this.#cluster, 'Connecting', signal)
  }
}

function asBigInt(offset: number | undefined): bigint | undefined {
  return offset === undefined ? undefined : BigInt(offset)
}
