/**
 * The partitions that a fetcher reads: the position of each, what it waits for, and what was fetched of it and not yet taken.
 */
import { UnexpectedError } from '../../errors/index.ts'
import { keyOf } from '../topic-partition.ts'
import type { CompletedFetch, FetchSlice, SliceBounds } from './completed-fetch.ts'
import { FETCH_TRANSITIONS, type FetchEvent, type FetchState } from './fetch-states.ts'

/** A slice of a partition, ready to be used. */
export interface TakenSlice extends FetchSlice {
  readonly topic: string
  readonly partition: number
}

export class PartitionFetch {
  readonly topic: string
  readonly partition: number
  /** The next offset to ask for. */
  position: number
  isPaused = false
  /** What was fetched and not yet taken. */
  readonly completed: CompletedFetch[] = []
  /** Bytes of that. */
  bufferedBytes = 0
  /** -1 before the first answer. */
  highWatermark = -1
  lastStableOffset = -1
  /** Broker that was named as the closest replica; -1 for the leader. */
  replica = -1
  #state: FetchState = 'idle'
  #topicId: string | undefined

  constructor(topic: string, partition: number, position: number) {
    this.topic = topic
    this.partition = partition
    this.position = position
  }

  get state(): FetchState {
    return this.#state
  }

  /** @returns the state afterwards */
  on(event: FetchEvent): FetchState {
    const next = FETCH_TRANSITIONS[this.#state][event]
    if (next === 'refused')
      throw new UnexpectedError(
        `Partition ${this.partition} of topic "${this.topic}" cannot be ${event} while it is ${this.#state}`,
      )
    return (this.#state = next)
  }

  /** @returns the state afterwards: `moving` when nothing has to be taken before */
  losePosition(): FetchState {
    const state = this.on('positionLost')
    return this.completed.length === 0 ? this.on('drained') : state
  }

  /** Records the id of its topic. @returns whether it has changed: a topic that is deleted and created again has another one */
  noteTopicId(topicId: string | undefined): boolean {
    if (topicId === undefined || topicId === this.#topicId) return false
    const isFirst = this.#topicId === undefined
    this.#topicId = topicId
    return !isFirst
  }
}

export class FetchedPartitions {
  readonly #partitions = new Map<string, PartitionFetch>()
  /** Partitions that have something to take, in the order in which they are served. */
  #ready: PartitionFetch[] = []
  #bufferedBytes = 0
  readonly #onTaken: (fetch: PartitionFetch) => void

  /** @param onTaken called when what one answer had for a partition has been taken, which makes room */
  constructor(onTaken: (fetch: PartitionFetch) => void) {
    this.#onTaken = onTaken
  }

  /** Bytes that wait to be taken. */
  get bufferedBytes(): number {
    return this.#bufferedBytes
  }

  get hasReady(): boolean {
    return this.#ready.some(({ isPaused }) => !isPaused)
  }

  /** In the order in which they are to be asked for. */
  values(): IterableIterator<PartitionFetch> {
    return this.#partitions.values()
  }

  get(topic: string, partition: number): PartitionFetch | undefined {
    return this.#partitions.get(keyOf(topic, partition))
  }

  /** A partition that is here already is forgotten first. */
  add(topic: string, partition: number, position: number): void {
    this.remove(topic, partition)
    this.#partitions.set(keyOf(topic, partition), new PartitionFetch(topic, partition, position))
  }

  /** Forgets a partition and what was fetched of it. @returns whether there was one */
  remove(topic: string, partition: number): boolean {
    const fetch = this.get(topic, partition)
    if (fetch === undefined) return false
    fetch.on('remove')
    this.#partitions.delete(keyOf(topic, partition))
    this.#ready = this.#ready.filter((other) => other !== fetch)
    this.#bufferedBytes -= fetch.bufferedBytes
    fetch.completed.length = 0
    fetch.bufferedBytes = 0
    return true
  }

  clear(): void {
    for (const { topic, partition } of this.#partitions.values()) this.remove(topic, partition)
  }

  /** Keeps what was fetched of a partition until it is taken. */
  received(fetch: PartitionFetch, completed: CompletedFetch): void {
    const { topic, partition } = fetch
    // A broker fills an answer in the order of the request: a partition that got something goes to the end, so that none starves.
    this.#partitions.delete(keyOf(topic, partition))
    this.#partitions.set(keyOf(topic, partition), fetch)
    fetch.completed.push(completed)
    fetch.bufferedBytes += completed.byteLength
    this.#bufferedBytes += completed.byteLength
    if (fetch.completed.length === 1) this.#ready.push(fetch)
  }

  /**
   * The next slice of any partition that is not paused, partitions in turn; undefined when there is none.
   * @throws {CorruptRecordError}
   */
  take(bounds: SliceBounds): TakenSlice | undefined {
    for (let tries = this.#ready.length; tries > 0; tries--) {
      const fetch = this.#ready.shift()!
      if (fetch.isPaused) {
        this.#ready.push(fetch)
        continue
      }
      const completed = fetch.completed[0]!
      const slice = completed.next(bounds)
      if (completed.isDone) {
        fetch.completed.shift()
        fetch.bufferedBytes -= completed.byteLength
        this.#bufferedBytes -= completed.byteLength
        this.#onTaken(fetch)
      }
      if (fetch.completed.length > 0) this.#ready.push(fetch)
      return { ...slice, topic: fetch.topic, partition: fetch.partition }
    }
    return undefined
  }
}
