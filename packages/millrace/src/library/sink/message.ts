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
  readonly key?: Uint8Array | string | null | undefined
  /** Null is a tombstone, which no serializer sees. */
  readonly value: T | null
  readonly headers?: SinkHeaders | undefined
  /** Overrides the topic of the sink. */
  readonly topic?: string | undefined
  readonly partition?: number | undefined
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
  readonly value: T | null
  key: Uint8Array | string | null | undefined
  topic: string | undefined
  partition: number | undefined
  timestampMs: number | undefined
  headers: [name: string, value: Uint8Array | string | null][] | undefined

  constructor(value: T | null) {
    this.value = value
  }

  withKey(key: Uint8Array | string | null): this {
    this.key = key
    return this
  }

  /** Overrides the topic of the sink. */
  withTopic(topic: string): this {
    this.topic = topic
    return this
  }

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
