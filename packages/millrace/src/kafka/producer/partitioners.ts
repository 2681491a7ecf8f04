/**
 * Which partition a record goes to when it does not say so itself.
 *
 * A hash of the key must be the one that other clients use, or records of one key end up in two partitions: `murmur2`
 * is that of Kafka's Java client, `crc32` that of librdkafka and everything built on it. Both leave records without a
 * key to the sticky partition of the topic.
 */
import { viewOf } from '../../records/views.ts'
import type { PartitionerName } from '../properties/value-types.ts'

/**
 * Chooses a partition by itself.
 *
 * @param key bytes of the key, valid during the call; null when there is none
 * @param record the record as it was given to `write`, or as it was read (`ConsumerRecord`)
 * @returns a number from 0 to `partitionCount - 1`
 */
export type PartitionFunction = (key: Buffer | null, partitionCount: number, record: unknown) => number

/** Says that the record belongs to the sticky partition of its topic. */
export const STICKY = -1

/**
 * One per topic, as some have a memory.
 *
 * @param length of the key, -1 when it is null
 * @param record looked at by function partitioners only; undefined for the others when it would have to be made
 * @returns a partition, or `STICKY`
 */
export type Partitioner = (
  bytes: Uint8Array,
  start: number,
  length: number,
  partitionCount: number,
  record: unknown,
) => number

/** Makes the partitioner of one topic. */
export function createPartitioner(kind: PartitionerName | PartitionFunction): Partitioner {
  if (typeof kind === 'function') {
    return (bytes, start, length, count, record) =>
      kind(length < 0 ? null : viewOf(bytes as Buffer, start, length), count, record)
  }
  switch (kind) {
    case 'murmur2':
      return (bytes, start, length, count) =>
        length < 0 ? STICKY : (murmur2(bytes, start, length) & 0x7fffffff) % count
    case 'crc32':
      // librdkafka's `consistent_random` counts an empty key as none.
      return (bytes, start, length, count) => (length <= 0 ? STICKY : crc32(bytes, start, length) % count)
    case 'round_robin': {
      let next = 0
      return (_bytes, _start, _length, count) => next++ % count
    }
    case 'sticky':
      return () => STICKY
  }
}

/**
 * Hash of Kafka's Java client, as a signed 32-bit number.
 * @see https://github.com/apache/kafka/blob/trunk/clients/src/main/java/org/apache/kafka/common/utils/Utils.java
 */
export function murmur2(bytes: Uint8Array, start: number, length: number): number {
  const M = 0x5bd1e995
  let hash = 0x9747b28c ^ length
  const words = start + (length & ~3)
  for (let i = start; i < words; i += 4) {
    let k = bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24)
    k = Math.imul(k, M)
    k ^= k >>> 24
    hash = Math.imul(hash, M) ^ Math.imul(k, M)
  }
  const rest = length & 3
  if (rest > 0) {
    if (rest === 3) hash ^= bytes[words + 2]! << 16
    if (rest >= 2) hash ^= bytes[words + 1]! << 8
    hash = Math.imul(hash ^ bytes[words]!, M)
  }
  hash = Math.imul(hash ^ (hash >>> 13), M)
  return hash ^ (hash >>> 15)
}

const CRC32_TABLE = Int32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1
  return crc
})

/** CRC-32 (that of zip, not CRC-32C) as an unsigned 32-bit number. Keys are short: a table does. */
export function crc32(bytes: Uint8Array, start: number, length: number): number {
  let crc = -1
  for (let i = start, end = start + length; i < end; i++) crc = CRC32_TABLE[(crc ^ bytes[i]!) & 255]! ^ (crc >>> 8)
  return ~crc >>> 0
}
