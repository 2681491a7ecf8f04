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
import { Reader, Writer } from '@platformatic/kafka'
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
  const writer = Writer.create()
  writer.appendInt16(VERSION)
  writer.appendArray([...subscription.topics].sort(), (w, topic) => w.appendString(topic, false), false, false)
  writer.appendBytes(subscription.userData, false)
  appendPartitions(writer, subscription.owned)
  writer.appendInt32(subscription.generation)
  writer.appendString(subscription.rackId, false)
  return writer.buffer
}

/** @throws {RangeError} for bytes that are not a subscription */
export function decodeSubscription(bytes: Buffer): Subscription {
  const reader = Reader.from(bytes)
  const version = readVersion(reader)
  const topics = readList(reader, () => reader.readString(false))
  const userData = readBytes(reader)
  const owned = version >= 1 ? readPartitions(reader) : []
  const generation = version >= 2 ? reader.readInt32() : -1
  const rackId = version >= 3 ? reader.readNullableString(false) : null
  return { topics, userData, owned, generation, rackId }
}

export function encodeAssignment(partitions: readonly TopicPartition[]): Buffer {
  const writer = Writer.create()
  writer.appendInt16(VERSION)
  appendPartitions(writer, partitions)
  writer.appendBytes(null, false)
  return writer.buffer
}

/** Empty bytes, which a member gets that the leader knew nothing of, are an empty assignment. @throws {RangeError} */
export function decodeAssignment(bytes: Buffer): TopicPartition[] {
  if (bytes.length === 0) return []
  const reader = Reader.from(bytes)
  readVersion(reader)
  const partitions = readPartitions(reader)
  readBytes(reader)
  return partitions
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

function appendPartitions(writer: Writer, partitions: readonly TopicPartition[]): void {
  const topics = [...byTopic([...partitions].sort(comparePartitions))]
  writer.appendArray(
    topics,
    (w, [topic, list]) => {
      w.appendString(topic, false).appendArray(list, (w, { partition }) => w.appendInt32(partition), false, false)
    },
    false,
    false,
  )
}

function readVersion(reader: Reader): number {
  const version = reader.readInt16()
  if (version < 0) throw new RangeError(`Version ${version} of the consumer protocol does not exist`)
  return version
}

function readPartitions(reader: Reader): TopicPartition[] {
  return readList(reader, () => {
    const topic = reader.readString(false)
    return readList(reader, () => ({ topic, partition: reader.readInt32() }))
  }).flat()
}

function readBytes(reader: Reader): Buffer | null {
  const length = reader.readInt32()
  if (length < 0) return null
  checkLength(reader, length, length)
  const bytes = reader.buffer.slice(reader.position, reader.position + length)
  reader.skip(length)
  return bytes
}

function readList<T>(reader: Reader, item: () => T): T[] {
  const count = Math.max(0, reader.readInt32())
  checkLength(reader, count, count)
  return Array.from({ length: count }, item)
}

/** Every item takes at least one byte; a count beyond what is left would be a promise of memory, not data. */
function checkLength(reader: Reader, least: number, said: number): void {
  if (least > reader.remaining) throw new RangeError(`Length ${said} is beyond the end of the consumer protocol bytes`)
}
