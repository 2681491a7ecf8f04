/**
 * What the nodes of a cluster share: topics, leaders, ids. It knows nothing of sockets and requests; Kafka keeps the same in
 * its controller.
 */
import type { Refusal } from '../log/check-batch.ts'
import { ERROR } from '../../protocol/error-codes.ts'
import { ALL_NODES, topicDefaults } from './broker-configs.ts'
import type { Configs } from './config-definitions.ts'
import { INTERNAL_PARTITIONS, internalConfigs } from './internal-topics.ts'
import { NO_LEADER, Partition, randomUuid, Topic } from './topic.ts'
import type { StoredPartition, StoredState } from '../storage/changes.ts'
import type { StoredLog, LogFiles } from '../log/log-files.ts'
import type { Store } from '../storage/store.ts'

/** A broker of the cluster. */
export interface NodeAddress {
  readonly id: number
  /** Where clients are sent. */
  readonly host: string
  port: number
  /** Where it listens. */
  readonly listens: { readonly host: string; port: number }
  /** Whether it accepts connections. */
  running: boolean
}

export interface ClusterOptions {
  readonly nodes: readonly NodeAddress[]
  readonly autoCreateTopics: boolean
  /** Partitions of a topic that is created without a number. */
  readonly defaultPartitions: number
  /** Most bytes of all topics together. */
  readonly retentionBytes: number
  readonly now: () => number
  /** Security protocol of the listeners. */
  readonly protocol: string
  /** Where what has to survive is kept. */
  readonly store: Store
}

/** So many ids of producers are recorded as given away at once. */
const PRODUCER_ID_BLOCK = 1000

/** Opens what was kept of a partition. */
export type OpenLog = (topicId: string, partition: number, startOffset: number) => { files: LogFiles; log: StoredLog }

const NO_CONFIGS: Configs = new Map()
/** Kind of entries in the journal. */
const BROKER_CONFIG_ENTRIES = 'broker-configs'

export class Cluster {
  id = randomUuid()
  readonly nodes: readonly NodeAddress[]
  readonly options: ClusterOptions
  readonly #topics = new Map<string, Topic>()
  readonly #byId = new Map<string, Topic>()
  /** Settings of nodes that were changed since the start, by the names of their resources. */
  readonly #brokerConfigs = new Map<string, Configs>()
  /** The defaults of topics that differ from Kafka's because of them. */
  topicDefaults: Configs = new Map()
  #nextProducerId = 0
  /** Ids below it are recorded as given away. */
  #reservedProducerIds = 0
  /** Of all topics, as far as appends have been reported; see `appended`. */
  #bytes = 0

  constructor(options: ClusterOptions) {
    this.options = options
    this.nodes = options.nodes
  }

  now(): number {
    return this.options.now()
  }

  get running(): readonly NodeAddress[] {
    return this.nodes.filter(({ running }) => running)
  }

  /** The node that clients are sent to for changes; any would do. */
  get controller(): number {
    return this.running[0]?.id ?? NO_LEADER
  }

  /** Those of some replicas that run, and so have all records. */
  inSync(replicas: readonly number[]): readonly number[] {
    return replicas.filter((id) => this.node(id)?.running === true)
  }

  /** Whether a partition has too few replicas for writes with `acks=all`, and for consumers to see what is written. */
  lacksReplicas({ replicas, topic }: Partition): boolean {
    return this.inSync(replicas).length < Math.min(topic.settings.minInSync, replicas.length)
  }

  /** After replicas or settings have changed. */
  #updateWatermark(partition: Partition): void {
    partition.log.hold(this.lacksReplicas(partition))
  }

  node(id: number): NodeAddress | undefined {
    return this.nodes.find((node) => node.id === id)
  }

  topics(): Topic[] {
    return [...this.#topics.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1))
  }

  topic(name: string): Topic | undefined {
    return this.#topics.get(name)
  }

  topicById(id: string): Topic | undefined {
    return this.#byId.get(id)
  }

  partition(topic: string, index: number): Partition | undefined {
    return this.#topics.get(topic)?.partitions[index]
  }

  /** @param replicas of each partition, or their number; all nodes, beginning with another one for each, when omitted */
  createTopic(
    name: string,
    partitions: number,
    configs: Configs = new Map(),
    replicas?: number | readonly (readonly number[])[],
  ): Topic {
    const topic = new Topic(name, configs, this.topicDefaults)
    for (let i = 0; i < partitions; i++)
      this.#addPartition(topic, typeof replicas === 'number' ? this.#spread(i, replicas) : replicas?.[i])
    // Files of a topic that is not recorded are removed when the broker starts again.
    this.options.store.record({
      is: 'topic',
      id: topic.id,
      name,
      configs: [...configs],
      partitions: topic.partitions.map(stored),
    })
    this.#topics.set(name, topic)
    this.#byId.set(topic.id, topic)
    return topic
  }

  /** Creates a topic with the number of partitions, and the settings, that the brokers have for it. */
  autoCreate(name: string): Topic {
    const configs = internalConfigs(name)
    return configs === undefined
      ? this.createTopic(name, this.options.defaultPartitions)
      : this.createTopic(name, INTERNAL_PARTITIONS, configs)
  }

  addPartitions(topic: Topic, count: number, replicas?: readonly (readonly number[])[]): void {
    const factor = topic.partitions[0]?.replicas.length
    for (let i = 0; i < count; i++) {
      const placed = replicas?.[i] ?? this.#spread(topic.partitions.length, factor)
      this.#record(this.#addPartition(topic, placed))
    }
  }

  #addPartition(topic: Topic, replicas: readonly number[] | undefined): Partition {
    const index = topic.partitions.length
    const partition = new Partition(
      topic,
      index,
      replicas ?? this.#spread(index),
      this.options.store.createLog(topic.id, index),
    )
    topic.partitions.push(partition)
    if (this.node(partition.leader)?.running !== true) partition.lead(this.#choose(partition))
    this.#updateWatermark(partition)
    return partition
  }

  /** Changes the settings of a topic. */
  configure(topic: Topic, configs: Configs): void {
    this.options.store.record({ is: 'topic', id: topic.id, name: topic.name, configs: [...configs] })
    topic.configs = configs
    for (const partition of topic.partitions) this.#updateWatermark(partition)
  }

  #record(partition: Partition): void {
    const { topic, index } = partition
    this.options.store.record({ is: 'partition', topic: topic.id, index, ...stored(partition) })
  }

  /** Takes over what a broker before has left. */
  restore(state: StoredState, open: OpenLog): void {
    if (state.cluster !== undefined) this.id = state.cluster
    this.#nextProducerId = state.nextProducerId
    this.#reservedProducerIds = state.nextProducerId
    // The journal holds what `configureBroker` has written.
    for (const { kind, key, value } of state.entries.values())
      if (kind === BROKER_CONFIG_ENTRIES) this.#brokerConfigs.set(key, new Map(value as [string, string][]))
    this.#applyBrokerConfigs()
    for (const { id, name, configs, partitions } of state.topics.values()) {
      const topic = new Topic(name, new Map(configs), this.topicDefaults, id)
      for (const [index, { replicas, leader, epoch, start }] of partitions.entries()) {
        const { files, log } = open(id, index, start)
        // There may be fewer nodes than before.
        const known = replicas.filter((node) => this.node(node) !== undefined)
        const partition = new Partition(topic, index, known.length > 0 ? known : this.#spread(index), files)
        partition.restore(leader, epoch, log)
        topic.partitions.push(partition)
        this.#bytes += partition.log.bytes
      }
      this.#topics.set(name, topic)
      this.#byId.set(id, topic)
    }
  }

  /** What was set for a node, or for all of them (`ALL_NODES`). */
  brokerConfigs(name: string): Configs {
    return this.#brokerConfigs.get(name) ?? NO_CONFIGS
  }

  configureBroker(name: string, configs: Configs): void {
    this.options.store.record({ is: 'entry', kind: BROKER_CONFIG_ENTRIES, key: name, value: [...configs] })
    this.#brokerConfigs.set(name, configs)
    this.#applyBrokerConfigs()
  }

  #applyBrokerConfigs(): void {
    this.topicDefaults = topicDefaults(
      [ALL_NODES, ...this.nodes.map(({ id }) => String(id))].map((id) => this.brokerConfigs(id)),
    )
    for (const topic of this.#topics.values()) {
      topic.defaults = this.topicDefaults
      for (const partition of topic.partitions) this.#updateWatermark(partition)
    }
  }

  /** So many nodes, beginning with another one for each partition; those that run come first. */
  #spread(partition: number, factor = this.nodes.length): number[] {
    const ids = this.nodes.map(({ id }) => id)
    const start = partition % ids.length
    const turned = [...ids.slice(start), ...ids.slice(0, start)]
    return factor === ids.length ? turned : [...new Set([...this.inSync(turned), ...turned])].slice(0, factor)
  }

  deleteTopic(topic: Topic): void {
    this.options.store.record({ is: 'topic-deleted', id: topic.id })
    this.options.store.deleteLogs(topic.id)
    this.#topics.delete(topic.name)
    this.#byId.delete(topic.id)
    topic.deleted = true
    for (const { log } of topic.partitions) log.wakeAll()
  }

  /** After a node has started or stopped: partitions without a leader that runs get one. */
  electLeaders(): void {
    for (const topic of this.#topics.values())
      for (const partition of topic.partitions) {
        const isLed = this.node(partition.leader)?.running === true
        this.moveLeader(partition, isLed ? partition.leader : this.#choose(partition))
      }
  }

  #choose({ replicas }: Partition): number {
    return this.inSync(replicas)[0] ?? NO_LEADER
  }

  /** Gives a partition another leader. */
  moveLeader(partition: Partition, node: number): void {
    this.#updateWatermark(partition)
    if (node === partition.leader) return
    partition.lead(node)
    this.#record(partition)
  }

  /** Changes which nodes may lead a partition. Another one leads it if the leader is not among them. */
  reassign(partition: Partition, replicas: readonly number[]): void {
    partition.replicas = replicas
    if (!replicas.includes(partition.leader)) partition.lead(this.#choose(partition))
    this.#updateWatermark(partition)
    this.#record(partition)
  }

  allocateProducerId(): number {
    if (this.#nextProducerId === this.#reservedProducerIds) {
      this.#reservedProducerIds += PRODUCER_ID_BLOCK
      this.options.store.record({ is: 'producer-ids', next: this.#reservedProducerIds })
    }
    return this.#nextProducerId++
  }

  /** Counts appended bytes; when all topics hold too much, the topic that holds most loses its oldest segments. */
  appended(bytes: number): void {
    this.#bytes += bytes
    if (this.#bytes <= this.options.retentionBytes) return
    this.#bytes = this.topics().reduce((sum, topic) => sum + topic.bytes, 0)
    while (this.#bytes > this.options.retentionBytes) {
      const logs = this.topics().flatMap(({ partitions }) => partitions.map(({ log }) => log))
      const log = logs.toSorted((a, b) => b.bytes - a.bytes)[0]
      const before = log?.bytes ?? 0
      if (log?.dropOldestSegment() !== true) return
      this.#bytes -= before - log.bytes
    }
  }
}

function stored({ replicas, leader, leaderEpoch, log }: Partition): StoredPartition {
  return { replicas, leader, epoch: leaderEpoch, start: log.logStartOffset }
}

/**
 * The partition that a request is about, if this node leads it.
 *
 * @param epoch that the client believes in (KIP-320); -1 for any
 */
export function ledPartition(topic: Topic | undefined, index: number, node: number, epoch = -1): Partition | Refusal {
  const partition = topic?.partitions[index]
  if (partition === undefined)
    return refuse(ERROR.UNKNOWN_TOPIC_OR_PARTITION, 'This server does not host this topic-partition.')
  if (partition.leader !== node) return refuse(ERROR.NOT_LEADER_OR_FOLLOWER, 'This node does not lead the partition')
  if (epoch >= 0 && epoch < partition.leaderEpoch)
    return refuse(ERROR.FENCED_LEADER_EPOCH, 'The leader epoch is older than that of the partition')
  if (epoch > partition.leaderEpoch)
    return refuse(ERROR.UNKNOWN_LEADER_EPOCH, 'The leader epoch is newer than that of the partition')
  return partition
}

function refuse(errorCode: number, message: string): Refusal {
  return { errorCode, message }
}
