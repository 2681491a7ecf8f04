/**
 * What members of a classic consumer group tell one another: the subscription in JoinGroup, the assignment in SyncGroup.
 * Brokers pass both on unread, so they must be what Java's clients write.
 *
 *     Subscription => version [topics] user_data [owned_partitions] generation_id rack_id
 *       version => INT16            topics => STRING            user_data => NULLABLE_BYTES
 *       owned_partitions => topic [partitions]   (version 1)    topic => STRING   partitions => INT32
 *       generation_id => INT32                   (version 2)
 *       rack_id => NULLABLE_STRING               (version 3)
 *     Assignment => version [assigned_partitions] user_data
 *       assigned_partitions => topic [partitions]
 *
 * A reader takes from a later version what it knows of (KIP-429).
 */
import { ProtocolError } from '../../errors/index.ts'
import { consumerProtocolAssignment, consumerProtocolSubscription } from '../../protocol/messages/consumer-protocol.ts'
import { Reader } from '../../protocol/reader.ts'
import { joined, Writer } from '../../protocol/writer.ts'
import { byTopic, comparePartitions, type TopicPartition } from '../topic-partition.ts'

const VERSION = 3

export interface Subscription {
  readonly topics: readonly string[]
  readonly userData: Buffer | null
  /** What the member holds on to; empty for eager assignors. */
  readonly owned: readonly TopicPartition[]
  /** Generation in which `owned` was assigned; -1 when it is not known. */
  readonly generation: number
  readonly rackId: string | null
}

export function encodeSubscription(subscription: Subscription): Buffer {
  const writer = new Writer()
  writer.int16(VERSION)
  consumerProtocolSubscription.write(writer, VERSION, {
    topics: [...subscription.topics].sort(),
    userData: subscription.userData,
    ownedPartitions: inTopics(subscription.owned),
    generationId: subscription.generation,
    rackId: subscription.rackId,
  })
  return joined(writer.finish())
}

/** @throws {ProtocolError} for bytes that are not a subscription */
export function decodeSubscription(bytes: Buffer): Subscription {
  const reader = new Reader(bytes)
  const version = readVersion(reader)
  const { topics, userData, ownedPartitions, generationId, rackId } = consumerProtocolSubscription.read(reader, version)
  return { topics, userData, owned: flat(ownedPartitions), generation: generationId, rackId }
}

export function encodeAssignment(partitions: readonly TopicPartition[]): Buffer {
  const writer = new Writer()
  writer.int16(VERSION)
  consumerProtocolAssignment.write(writer, VERSION, { assignedPartitions: inTopics(partitions), userData: null })
  return joined(writer.finish())
}

/** Empty bytes, which a member gets that the leader knew nothing of, are an empty assignment. @throws {ProtocolError} */
export function decodeAssignment(bytes: Buffer): TopicPartition[] {
  if (bytes.length === 0) return []
  const reader = new Reader(bytes)
  return flat(consumerProtocolAssignment.read(reader, readVersion(reader)).assignedPartitions)
}

/** User data of Java's CooperativeStickyAssignor: the generation, for leaders that read subscriptions of version 1 only. */
export function encodeStickyUserData(generation: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(generation)
  return bytes
}

/** Generation of a member's claims: from the subscription, or for a version before 2 from the user data; -1 when neither has it. */
export function generationOf(subscription: Subscription): number {
  if (subscription.generation >= 0) return subscription.generation
  return subscription.userData !== null && subscription.userData.length >= 4 ? subscription.userData.readInt32BE(0) : -1
}

interface TopicPartitions {
  readonly topic: string
  readonly partitions: readonly number[]
}

function inTopics(partitions: readonly TopicPartition[]): TopicPartitions[] {
  return [...byTopic([...partitions].sort(comparePartitions))].map(([topic, list]) => ({
    topic,
    partitions: list.map(({ partition }) => partition),
  }))
}

function flat(topics: readonly TopicPartitions[]): TopicPartition[] {
  return topics.flatMap(({ topic, partitions }) => partitions.map((partition) => ({ topic, partition })))
}

/** @returns the version to read as: of a later one, what ours has */
function readVersion(reader: Reader): number {
  const version = reader.int16()
  if (version < 0) throw new ProtocolError(`Version ${version} of the consumer protocol does not exist`)
  return Math.min(version, VERSION)
}
