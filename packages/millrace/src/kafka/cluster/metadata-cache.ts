/**
 * What is known of a cluster: its brokers and controller, its topics and the leaders of their partitions.
 */
import { BrokerError, ConnectionError, isMillraceError } from '../../errors/index.ts'
import { ZERO_UUID } from '../../protocol/reader.ts'
import { ERROR } from '../../protocol/error-codes.ts'
import { brokerError } from '../protocol/kafka-errors.ts'
import type { MetadataAnswer } from '../protocol/metadata.ts'

export interface PartitionMetadata {
  readonly partition: number
  /** Broker id; -1 when there is no leader at the moment. */
  readonly leader: number
  readonly leaderEpoch: number
  readonly replicas: readonly number[]
  readonly inSyncReplicas: readonly number[]
}

export interface TopicMetadata {
  readonly name: string
  /** UUID of the topic as Kafka prints it (base64url), without which newer fetch versions cannot ask; undefined on brokers before 2.8. */
  readonly id: string | undefined
  readonly internal: boolean
  /** By partition number, without gaps. */
  readonly partitions: readonly PartitionMetadata[]
  readonly fetchedAt: number
}

export interface BrokerMetadata {
  readonly id: number
  readonly host: string
  readonly port: number
  readonly rack: string | null
}

export class MetadataCache {
  clusterId: string | null = null
  /** Broker id; -1 when it is not known. */
  controller = -1
  readonly brokers = new Map<number, BrokerMetadata>()
  readonly topics = new Map<string, TopicMetadata>()
  /** Grows whenever topics or leaders may have changed. */
  version = 0

  /**
   * Takes over what a broker answered: the brokers that there are now, and what is newer than what is known of topics.
   * @returns what is wrong with single topics, for instance `TOPIC_NOT_FOUND`
   */
  update(answer: MetadataAnswer): ReadonlyMap<string, BrokerError> {
    this.version++
    this.clusterId = answer.clusterId
    this.controller = answer.controllerId
    // A broker that has just started knows of none.
    if (answer.brokers.length > 0) this.brokers.clear()
    for (const { nodeId, host, port, rack } of answer.brokers)
      this.brokers.set(nodeId, { id: nodeId, host, port, rack: rack ?? null })
    const now = performance.now()
    const errors = new Map<string, BrokerError>()
    for (const topic of answer.topics) {
      if (topic.name === null) continue
      if (topic.errorCode !== 0) {
        this.topics.delete(topic.name)
        errors.set(topic.name, topicError(topic.errorCode, topic.name))
        continue
      }
      const id = topic.topicId === ZERO_UUID ? undefined : topic.topicId
      const known = this.topics.get(topic.name)
      // A topic that was created again begins with the first epoch again.
      const before = known?.id === id ? known?.partitions : undefined
      const partitions: PartitionMetadata[] = []
      for (const p of topic.partitions) {
        const old = before?.[p.partitionIndex]
        // A broker that lags behind must not bring back the leader of before.
        const { leader, leaderEpoch } =
          old !== undefined && old.leaderEpoch > p.leaderEpoch
            ? old
            : { leader: p.leaderId, leaderEpoch: p.leaderEpoch }
        partitions[p.partitionIndex] = {
          partition: p.partitionIndex,
          leader,
          leaderEpoch,
          replicas: p.replicaNodes,
          inSyncReplicas: p.isrNodes,
        }
      }
      this.topics.set(topic.name, {
        name: topic.name,
        id,
        internal: topic.isInternal,
        partitions,
        fetchedAt: now,
      })
    }
    return errors
  }

  /** Takes over the address of a broker that another answer named; its rack stays. */
  updateBroker(id: number, host: string, port: number): void {
    this.brokers.set(id, { id, host, port, rack: this.brokers.get(id)?.rack ?? null })
  }

  /** Takes over the leader of a partition when it is newer than what is known. */
  updateLeader(topic: string, partition: number, leader: number, leaderEpoch: number): void {
    const known = this.topics.get(topic)
    const old = known?.partitions[partition]
    if (
      known === undefined ||
      old === undefined ||
      leader < 0 ||
      !this.brokers.has(leader) ||
      leaderEpoch <= old.leaderEpoch
    )
      return
    const partitions = known.partitions.slice()
    this.version++
    partitions[partition] = { ...old, leader, leaderEpoch }
    this.topics.set(topic, { ...known, partitions })
  }
}

function topicError(code: number, name: string): BrokerError {
  if (code === ERROR.UNKNOWN_TOPIC_OR_PARTITION) {
    return brokerError(
      code,
      `Topic "${name}" does not exist on the cluster; create it, or let a pipeline do so with createTopic (in files of connectors create_topic)`,
      {
        code: 'TOPIC_NOT_FOUND',
        topic: name,
        retriable: false,
      },
    )
  }
  if (code === ERROR.TOPIC_AUTHORIZATION_FAILED)
    return brokerError(code, `Cannot see topic "${name}"`, { topic: name, grant: `DESCRIBE on topic "${name}"` })
  if (code === ERROR.INVALID_TOPIC_EXCEPTION)
    return brokerError(code, `"${name}" is not a valid topic name`, { code: 'TOPIC_NOT_FOUND', topic: name })
  return brokerError(code, `Cannot read the metadata of topic "${name}"`, { topic: name })
}

/** Whether an error means that cached leaders or coordinators may be wrong. */
export function isStaleMetadata(error: unknown): boolean {
  if (error instanceof BrokerError) return STALE.has(error.kafkaName)
  return isMillraceError(error) && error instanceof ConnectionError && error.retriable
}

const STALE: ReadonlySet<string> = new Set([
  'NOT_LEADER_OR_FOLLOWER',
  'LEADER_NOT_AVAILABLE',
  'UNKNOWN_TOPIC_OR_PARTITION',
  'UNKNOWN_TOPIC_ID',
  'FENCED_LEADER_EPOCH',
  'UNKNOWN_LEADER_EPOCH',
  'KAFKA_STORAGE_ERROR',
  'REPLICA_NOT_AVAILABLE',
  'BROKER_NOT_AVAILABLE',
  'INCONSISTENT_TOPIC_ID',
])
