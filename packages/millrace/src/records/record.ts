/**
 * The shapes in which a user of the library sees a record. May import nothing of ours.
 */

/**
 * One header: name and value, in the order in which they were written. A list, not a map, because Kafka allows the
 * same name several times.
 */
export type Header = readonly [name: string, value: Buffer | null]

/** Whether timestamps are those of the producer, or of the broker when it appended the record. */
export type TimestampType = 'CreateTime' | 'LogAppendTime'

/**
 * A record as it was read. `key` and `value` are decoded on first access and kept.
 *
 * A `null` value is a tombstone. Buffers are views into the bytes that were fetched: copy what is to outlive the batch.
 */
export interface ConsumerRecord<K = Buffer, V = Buffer> {
  /** Name of the topic. */
  readonly topic: string
  /** Number of the partition, from 0 on. */
  readonly partition: number
  /** Its place in the partition. */
  readonly offset: bigint
  /** Milliseconds since 1970; -1 when the record has none. */
  readonly timestampMs: number
  /** Whether the timestamp is that of the record, or when the broker appended it. */
  readonly timestampType: TimestampType
  /** Null for none. */
  readonly key: K | null
  /** Null for a tombstone. */
  readonly value: V | null
  /** In their order; a name may occur several times. */
  readonly headers: readonly Header[]
}

/**
 * A record to write.
 *
 * Text is written as UTF-8. Without `partition` the partitioner of the sink decides; without `timestampMs` the time of
 * the call is used.
 */
export interface ProducerRecord<K = Buffer | string, V = Buffer | string> {
  /** Decides the partition, unless `partition` does. */
  readonly key?: K | null
  /** Null for a tombstone. */
  readonly value: V | null
  /** In their order; a name may occur several times. */
  readonly headers?: readonly (readonly [name: string, value: Buffer | string | null])[]
  /** Overrides the topic of the sink. */
  readonly topic?: string
  /** Partition in place of that of the key. */
  readonly partition?: number
  /** Milliseconds since 1970; the time at which it is written when omitted. */
  readonly timestampMs?: number
}

/** Where a record stands after it has been written. */
export interface DeliveryReport {
  /** Name of the topic. */
  readonly topic: string
  /** Number of the partition, from 0 on. */
  readonly partition: number
  /** -1 when the broker does not say (`acks=0`, or a duplicate of an earlier batch). */
  readonly offset: bigint
}

const INSPECT = Symbol.for('nodejs.util.inspect.custom')

/**
 * A record that reads what it is asked for from somewhere else. Its parts are getters, so printing it would show nothing;
 * this base lets `console.log` and `JSON.stringify` see them all the same.
 */
export abstract class LazyRecord<K, V> implements ConsumerRecord<K, V> {
  abstract get topic(): string
  abstract get partition(): number
  abstract get offset(): bigint
  abstract get timestampMs(): number
  abstract get timestampType(): TimestampType
  abstract get key(): K | null
  abstract get value(): V | null
  abstract get headers(): readonly Header[]

  [INSPECT](): ConsumerRecord<K, V> {
    const { topic, partition, offset, timestampMs, timestampType, key, value, headers } = this
    return { topic, partition, offset, timestampMs, timestampType, key, value, headers }
  }

  /** The offset as text, because JSON has no integers of 64 bits. */
  toJSON(): { readonly [name: string]: unknown } {
    return { ...this[INSPECT](), offset: String(this.offset) }
  }
}
