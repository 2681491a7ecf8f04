/**
 * What the nodes of a cluster share: topics, leaders, ids. It knows nothing of sockets and requests; Kafka keeps the same in
 * its controller.
 */
import type { Refusal } from '../log/check-batch.ts'
import { ERROR } from '../../protocol/error-codes.ts'
import type { Configs } from './topic-configs.ts'
import { NO_LEADER, Partition, randomUuid, Topic } from './topic.ts'

/** A broker of the cluster, as clients see it. */
export interface NodeAddress {
  readonly id: number
  readonly host: string
  port: number
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
}

export class Cluster {
  readonly id = randomUuid()
  readonly nodes: readonly NodeAddress[]
  readonly options: ClusterOptions
  readonly #topics = new Map<string, Topic>()
  readonly #byId = new Map<string, Topic>()
  #nextProducerId = 0
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

  /** @param replicas of each partition; spread over the nodes, one each, when omitted */
  createTopic(
    name: string,
    partitions: number,
    configs: Configs = new Map(),
    replicas?: readonly (readonly number[])[],
  ): Topic {
    const topic = new Topic(name, configs)
    this.#topics.set(name, topic)
    this.#byId.set(topic.id, topic)
    this.addPartitions(topic, partitions, replicas)
    return topic
  }

  addPartitions(topic: Topic, count: number, replicas?: readonly (readonly number[])[]): void {
    const first = topic.partitions.length
    for (let i = 0; i < count; i++) {
      const nodes = replicas?.[i] ?? this.#spread(first + i)
      const partition = new Partition(topic, first + i, nodes)
      topic.partitions.push(partition)
      if (this.node(partition.leader)?.running !== true) this.#elect(partition)
    }
  }

  /** All nodes, beginning with another one for each partition. Nothing is copied, so every node may lead every partition. */
  #spread(partition: number): number[] {
    const ids = this.nodes.map(({ id }) => id)
    const start = partition % ids.length
    return [...ids.slice(start), ...ids.slice(0, start)]
  }

  deleteTopic(topic: Topic): void {
    this.#topics.delete(topic.name)
    this.#byId.delete(topic.id)
    topic.deleted = true
    for (const { log } of topic.partitions) log.wakeAll()
  }

  /** After a node has started or stopped: partitions without a leader that runs get one. */
  electLeaders(): void {
    for (const topic of this.#topics.values())
      for (const partition of topic.partitions)
        if (this.node(partition.leader)?.running !== true) this.#elect(partition)
  }

  #elect(partition: Partition): void {
    const next = partition.replicas.find((id) => this.node(id)?.running === true)
    partition.lead(next ?? NO_LEADER)
  }

  allocateProducerId(): number {
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
