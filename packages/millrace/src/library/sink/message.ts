/** What a `KafkaSink` is given: a record as an object literal, or the builder of the stream processor. */
import type { Codec } from '../../kafka/protocol/compression/codecs.ts'

/** Headers as an ordered list of pairs, in which a name may come several times, or as an object. */
export type SinkHeaders =
  | readonly (readonly [name: string, value: Uint8Array | string | null])[]
  | { readonly [name: string]: Uint8Array | string | null }

/**
 * A record to write.
 *
 * Text is written as UTF-8. Without `partition` the sink's strategy decides; without `timestampMs` the time of the call is used.
 */
export interface SinkRecord<T = Uint8Array | string> {
  /** Decides the partition, unless `partition` does; null or undefined for none. */
  readonly key?: Uint8Array | string | null | undefined
  /** Null is a tombstone, which no serializer sees. */
  readonly value: T | null
  /** An object, or a list of pairs where a name occurs several times. */
  readonly headers?: SinkHeaders | undefined
  /** Overrides the topic of the sink. */
  readonly topic?: string | undefined
  /** Partition in place of that of the key. */
  readonly partition?: number | undefined
  /** Milliseconds since 1970; the time at which it is written when omitted. */
  readonly timestampMs?: number | undefined
}

/**
 * Builds a record step by step; an object literal says the same.
 *
 * ```ts
 * const orders = new KafkaSink<Order>({ bootstrapServers, topic: 'orders' })
 * await orders.send(new SinkMessage(order).withKey('o-1').withHeader('region', 'eu'))
 * await orders.send({ value: order, key: 'o-1', headers: { region: 'eu' } })
 * ```
 */
export class SinkMessage<T> implements SinkRecord<T> {
  /** Null for a tombstone. */
  readonly value: T | null
  /** Decides the partition, unless `partition` does; null or undefined for none. */
  key: Uint8Array | string | null | undefined
  /** Topic in place of that of the sink. */
  topic: string | undefined
  /** Partition in place of that of the key. */
  partition: number | undefined
  /** Milliseconds since 1970; undefined for the time at which it is written. */
  timestampMs: number | undefined
  /** In their order; a name may occur several times. */
  headers: [name: string, value: Uint8Array | string | null][] | undefined

  /** @param value of the record; null for a tombstone */
  constructor(value: T | null) {
    this.value = value
  }

  /** Sets the key. */
  withKey(key: Uint8Array | string | null): this {
    this.key = key
    return this
  }

  /** Overrides the topic of the sink. */
  withTopic(topic: string): this {
    this.topic = topic
    return this
  }

  /** Sets the partition, whatever the key says. */
  withPartition(partition: number): this {
    this.partition = partition
    return this
  }

  /** Adds a header behind those that are there. */
  withHeader(name: string, value: Uint8Array | string | null): this {
    ;(this.headers ??= []).push([name, value])
    return this
  }

  /** @param timestamp a date, or milliseconds since 1970 */
  withTimestamp(timestamp: number | Date): this {
    this.timestampMs = Number(timestamp)
    return this
  }
}

/** What a call may choose for its own records. */
export interface WriteChoices {
  /** Which brokers must have the records before they count as written. Not in transactions. */
  readonly acks?: 'all' | 1 | 0 | undefined
  /** Not in transactions. */
  readonly compression?: Codec | undefined
}
