/**
 * What a broker remembers of our fetch requests, so that they need not name everything each time (KIP-227).
 *
 * A full request names all partitions and begins a session. Each later one names those that are new or asked for at another offset,
 * and those to forget; its answer has only partitions with news. A partition without news stays asked for: it is `standing`, and
 * costs nothing. Without a session, every request is a full one.
 *
 * What a partition has to do with the broker is known from two sets: the standing ones are asked for by the request under way or by
 * the next one; what has left is forgotten by the next request, unless that asks for it again.
 *
 * @see https://cwiki.apache.org/confluence/display/KAFKA/KIP-227%3A+Introduce+Incremental+FetchRequests+to+Increase+Partition+Scalability
 */
import { ERROR } from '../../../protocol/error-codes.ts'
import type { FetchPartitionRequest, FetchRequest } from '../../protocol/fetch.ts'
import type { PartitionFetch } from './partition-fetch.ts'

/** Id of no session, and epoch of a request that begins one. */
const NONE = 0
const FULL = 0
/** Epoch of a request that ends a session. */
const FINAL = -1
const LARGEST_EPOCH = 0x7fffffff

/** What the client knows of topics and leaders. */
export interface TopicFacts {
  /** Id of a topic, where it has one. */
  topicId(topic: string): string | undefined
  /** Epoch of a partition's leader; -1 when it is not known. */
  leaderEpoch(topic: string, partition: number): number
}

/** What of a request depends on the session. */
export type SessionRequest = Pick<FetchRequest, 'sessionId' | 'sessionEpoch' | 'topics' | 'forgotten'>

/** A partition as the broker remembers it. */
interface Known {
  fetch: PartitionFetch
  readonly offset: number
  readonly leaderEpoch: number
}

class KnownTopic {
  readonly name: string
  readonly id: string | undefined
  readonly partitions = new Map<number, Known>()
  /** Those of the request that is being made. */
  named: FetchPartitionRequest[] = []
  forgotten: number[] = []

  constructor(name: string, id: string | undefined) {
    this.name = name
    this.id = id
  }
}

export class FetchSession {
  readonly #standing = new Set<PartitionFetch>()
  /** What the broker may remember and is not asked for any more. */
  readonly #left = new Set<PartitionFetch>()
  readonly #topics = new Map<string, KnownTopic>()
  /** By name and, as answers name them from version 13 on, by id. */
  readonly #named = new Map<string, KnownTopic>()
  #id = NONE
  #epoch = FULL
  #isFull = true

  /** Partitions that the request under way asks for, or the next one without naming them. */
  get standing(): ReadonlySet<PartitionFetch> {
    return this.#standing
  }

  /** Whether the last request was a full one, so that its answer has every partition. */
  get isFull(): boolean {
    return this.#isFull
  }

  /** The next request, which asks for these and for all that are standing. @param maxBytes most that is asked for of each partition */
  next(added: readonly PartitionFetch[], facts: TopicFacts, maxBytes: number): SessionRequest {
    for (const fetch of added) this.#standing.add(fetch)
    // A topic that was created again has another id: what the broker remembers of it is of no use.
    if (added.some(({ topic }) => this.#topics.get(topic)?.id !== facts.topicId(topic) && this.#topics.has(topic)))
      this.#epoch = FULL
    this.#isFull = this.#epoch === FULL
    if (this.#isFull) {
      this.#topics.clear()
      this.#named.clear()
      this.#left.clear()
    }
    const touched = new Set<KnownTopic>()
    for (const fetch of this.#isFull ? this.#standing : added) this.#name(fetch, facts, maxBytes, touched)
    for (const fetch of this.#left) this.#forget(fetch, touched)
    this.#left.clear()
    const topics: FetchRequest['topics'][number][] = []
    const forgotten: FetchRequest['forgotten'][number][] = []
    for (const topic of touched) {
      const { name, id } = topic
      if (topic.named.length > 0) topics.push({ name, id, partitions: topic.named })
      if (topic.forgotten.length > 0) forgotten.push({ name, id, partitions: topic.forgotten })
      topic.named = []
      topic.forgotten = []
    }
    return { sessionId: this.#id, sessionEpoch: this.#epoch, topics, forgotten }
  }

  /** The request that ends the session, so that the broker has room for another one; undefined when it has none for us. */
  final(): SessionRequest | undefined {
    return this.#id === NONE ? undefined : { sessionId: this.#id, sessionEpoch: FINAL, topics: [], forgotten: [] }
  }

  /** The standing partition that an answer names so. */
  get(topic: string, partition: number): PartitionFetch | undefined {
    const fetch = this.known(topic, partition)
    return fetch !== undefined && this.#standing.has(fetch) ? fetch : undefined
  }

  /** The partition that the broker remembers so, even if it is not asked for any more. */
  known(topic: string, partition: number): PartitionFetch | undefined {
    return this.#named.get(topic)?.partitions.get(partition)?.fetch
  }

  /** The broker has answered. @param id of its session; 0 when it keeps none for us */
  answered(id: number): void {
    if (this.#isFull) {
      this.#id = id
      this.#epoch = id === NONE ? FULL : 1
    } else if (id !== this.#id) this.reset()
    else this.#epoch = this.#epoch === LARGEST_EPOCH ? 1 : this.#epoch + 1
  }

  /**
   * Begins again with a full request, as the broker has refused one or its answer did not come.
   * @param errorCode of an answer
   * @returns whether the session was all that was wrong
   */
  reset(errorCode = 0): boolean {
    this.#epoch = FULL
    // Otherwise the full request ends the session that the broker may still have.
    if (errorCode === ERROR.FETCH_SESSION_ID_NOT_FOUND) this.#id = NONE
    const isOfSession =
      errorCode === ERROR.FETCH_SESSION_ID_NOT_FOUND || errorCode === ERROR.INVALID_FETCH_SESSION_EPOCH
    return isOfSession && !this.#isFull
  }

  /** A partition is no longer asked for. @returns whether it was */
  release(fetch: PartitionFetch): boolean {
    if (!this.#standing.delete(fetch)) return false
    this.#left.add(fetch)
    return true
  }

  /** No partition is asked for any more. @returns those that were */
  releaseAll(): PartitionFetch[] {
    const all = [...this.#standing]
    for (const fetch of all) this.release(fetch)
    return all
  }

  #name(fetch: PartitionFetch, facts: TopicFacts, maxBytes: number, touched: Set<KnownTopic>): void {
    const { topic: name, partition, position: offset } = fetch
    const leaderEpoch = facts.leaderEpoch(name, partition)
    fetch.asked = offset
    fetch.validatedEpoch = Math.max(fetch.validatedEpoch, leaderEpoch)
    this.#left.delete(fetch)
    let topic = this.#topics.get(name)
    if (topic === undefined) {
      topic = new KnownTopic(name, facts.topicId(name))
      this.#topics.set(name, topic)
      this.#named.set(name, topic)
      if (topic.id !== undefined) this.#named.set(topic.id, topic)
    }
    const known = topic.partitions.get(partition)
    // The broker says where the log ends only when that has changed.
    if (known !== undefined) fetch.logEndsAs(known.fetch)
    if (known?.offset === offset && known.leaderEpoch === leaderEpoch) {
      known.fetch = fetch
      return
    }
    topic.partitions.set(partition, { fetch, offset, leaderEpoch })
    topic.named.push({ partition, leaderEpoch, offset, maxBytes })
    touched.add(topic)
  }

  #forget(fetch: PartitionFetch, touched: Set<KnownTopic>): void {
    const topic = this.#topics.get(fetch.topic)
    // The same partition may be asked for again by another fetch.
    if (topic?.partitions.get(fetch.partition)?.fetch !== fetch) return
    topic.partitions.delete(fetch.partition)
    topic.forgotten.push(fetch.partition)
    touched.add(topic)
  }
}
