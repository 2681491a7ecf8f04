/**
 * The partitions that a fetcher reads, and the order in which what was fetched of them is served.
 */
import { keyOf } from '../../topic-partition.ts'
import type { CompletedFetch, FetchSlice, SliceBounds } from './completed-fetch.ts'
import { PartitionFetch } from './partition-fetch.ts'

/** A slice of a partition, ready to be used. */
export interface TakenSlice extends FetchSlice {
  readonly topic: string
  readonly partition: number
}

export interface FetchedPartitionsEvents {
  /** The bytes that wait of a partition have changed by so many. */
  onHeld(fetch: PartitionFetch, bytes: number): void
  /** What one answer had for a partition has been taken, which makes room. */
  onTaken(fetch: PartitionFetch): void
}

export class FetchedPartitions {
  readonly #partitions = new Map<string, PartitionFetch>()
  /** Partitions that have something to take, in the order in which they are served. Paused and removed ones are passed over and leave when their turn comes. */
  readonly #ready: PartitionFetch[] = []
  readonly #events: FetchedPartitionsEvents

  constructor(events: FetchedPartitionsEvents) {
    this.#events = events
  }

  get hasReady(): boolean {
    return this.#first() !== undefined
  }

  values(): IterableIterator<PartitionFetch> {
    return this.#partitions.values()
  }

  get(topic: string, partition: number): PartitionFetch | undefined {
    return this.#partitions.get(keyOf(topic, partition))
  }

  /** A partition that is here already is forgotten first. */
  add(topic: string, partition: number, position: number, epoch = -1, topicId?: string): PartitionFetch {
    this.remove(topic, partition)
    const fetch = new PartitionFetch(topic, partition, position, epoch, topicId)
    this.#partitions.set(keyOf(topic, partition), fetch)
    return fetch
  }

  /** Forgets a partition and what was fetched of it. @returns it, if there was one */
  remove(topic: string, partition: number): PartitionFetch | undefined {
    const fetch = this.get(topic, partition)
    if (fetch === undefined) return undefined
    fetch.on('remove')
    this.#partitions.delete(keyOf(topic, partition))
    this.#empty(fetch)
    return fetch
  }

  clear(): void {
    for (const { topic, partition } of this.#partitions.values()) this.remove(topic, partition)
  }

  /** Keeps what was fetched of a partition until it is taken. */
  received(fetch: PartitionFetch, completed: CompletedFetch): void {
    fetch.completed.push(completed)
    this.#hold(fetch, completed.byteLength)
    this.serve(fetch)
  }

  /** Has a partition served in its turn when there is something to take of it. */
  serve(fetch: PartitionFetch): void {
    if (fetch.isServed || fetch.completed.length === 0) return
    fetch.isServed = true
    this.#ready.push(fetch)
  }

  /** Forgets what was fetched of a partition; it is fetched again from the first record that was not taken. */
  drop(fetch: PartitionFetch): void {
    const first = fetch.completed[0]
    if (first === undefined) return
    fetch.position = first.position
    fetch.isDamaged = false
    fetch.epoch = first.epochBefore
    this.#empty(fetch)
  }

  /**
   * The next slice of any partition that is not paused, partitions in turn; undefined when there is none.
   * @throws {CorruptRecordError}
   */
  take(bounds: SliceBounds): TakenSlice | undefined {
    const fetch = this.#first()
    if (fetch === undefined) return undefined
    this.#ready.shift()
    fetch.isServed = false
    const completed = fetch.completed[0]!
    const slice = completed.next(bounds)
    if (completed.isDone) {
      fetch.completed.shift()
      completed.end()
      this.#hold(fetch, -completed.byteLength)
      this.#events.onTaken(fetch)
    }
    this.serve(fetch)
    return { ...slice, topic: fetch.topic, partition: fetch.partition }
  }

  /** The partition whose turn it is. */
  #first(): PartitionFetch | undefined {
    for (;;) {
      const fetch = this.#ready[0]
      if (fetch === undefined || (!fetch.isPaused && fetch.completed.length > 0)) return fetch
      this.#ready.shift()
      fetch.isServed = false
    }
  }

  #empty(fetch: PartitionFetch): void {
    for (const completed of fetch.completed) completed.end()
    fetch.completed.length = 0
    this.#hold(fetch, -fetch.bufferedBytes)
  }

  #hold(fetch: PartitionFetch, bytes: number): void {
    fetch.bufferedBytes += bytes
    this.#events.onHeld(fetch, bytes)
  }
}
