/**
 * Fetches record batches from the leaders of many partitions.
 *
 * At most one request per broker is under way, and the next one is sent as soon as its answer is there, so the broker works
 * while we do. What was fetched waits as bytes until `take` cuts a batch from it. Memory is bounded twice: a partition
 * is not asked for while it has twice `maxPartitionFetchBytes` waiting, and a request never asks for more than what is left
 * of `bufferBytes`. Everything is driven by one method, `#pump`, called whenever something may have become possible.
 *
 * The state of each partition is in `fetched-partitions.ts`, what an answer does to it in `fetch-answers.ts`.
 */
import {
  BrokerError,
  ConnectionError,
  isMillraceError,
  type MillraceError,
  UnexpectedError,
} from '../../errors/index.ts'
import { backoffMs } from '../../resilience/retry.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { FETCH, type FetchResponse, type FetchTopicRequest } from '../protocol/fetch.ts'
import { FetchAnswers } from './fetch-answers.ts'
import { FetchedPartitions, type PartitionFetch, type TakenSlice } from './fetched-partitions.ts'

export type { TakenSlice } from './fetched-partitions.ts'

export interface FetcherOptions {
  readonly isolation: 'read_uncommitted' | 'read_committed'
  /** `check.crcs` */
  readonly checkCrcs: boolean
  /** `fetch.min.bytes` */
  readonly fetchMinBytes: number
  /** `fetch.max.wait.ms` */
  readonly fetchMaxWaitMs: number
  /** `fetch.max.bytes`: most that one request asks for. */
  readonly fetchMaxBytes: number
  /** `max.partition.fetch.bytes`: most that one request asks for of one partition. */
  readonly maxPartitionFetchBytes: number
  /** Bytes that may wait here, of all partitions together. */
  readonly bufferBytes: number
  /** `client.rack`, for reading from the closest replica (KIP-392). */
  readonly rackId?: string | undefined
  readonly requestTimeoutMs: number
}

export interface FetcherEvents {
  /** The position is not in the log, or in that of another topic of this name. Returns the position to go on with, or throws the error that ends the fetcher. */
  onPositionLost(topic: string, partition: number, position: number): Promise<number>
  /** Reading goes on there; everything before was taken. */
  onMoved(topic: string, partition: number, position: number): void
}

/** One step of the reader works on no more than this. */
const SLICE = { maxBytes: 1024 * 1024, maxRecords: 16_384 }

export class Fetcher {
  readonly #cluster: Cluster
  readonly #options: FetcherOptions
  readonly #events: FetcherEvents
  readonly #partitions = new FetchedPartitions((fetch) => this.#onTaken(fetch))
  readonly #answers: FetchAnswers
  /** Bytes that requests under way may bring. */
  #askedBytes = 0
  readonly #busyBrokers = new Set<number>()
  readonly #abort = new AbortController()
  #failure: MillraceError | undefined
  #wake: (() => void) | undefined
  #failures = 0
  #retryTimer: NodeJS.Timeout | undefined
  #refreshing = false

  constructor(cluster: Cluster, options: FetcherOptions, events: FetcherEvents) {
    this.#cluster = cluster
    this.#options = options
    this.#events = events
    this.#answers = new FetchAnswers(cluster, this.#partitions, options.checkCrcs)
  }

  /** Begins to fetch a partition at an offset. */
  add(topic: string, partition: number, position: number): void {
    this.#partitions.add(topic, partition, position)
    this.#pump()
  }

  /** Forgets a partition and what was fetched of it; an answer under way is dropped. */
  remove(topic: string, partition: number): void {
    if (this.#partitions.remove(topic, partition)) this.#pump()
  }

  /** Stops serving a partition; what was fetched of it waits. */
  pause(topic: string, partition: number): void {
    const fetch = this.#partitions.get(topic, partition)
    if (fetch === undefined || fetch.isPaused) return
    fetch.isPaused = true
    // What waits for long must not keep the answers alive that other partitions came with.
    for (const completed of fetch.completed) completed.detach()
  }

  resume(topic: string, partition: number): void {
    const fetch = this.#partitions.get(topic, partition)
    if (fetch === undefined || !fetch.isPaused) return
    fetch.isPaused = false
    this.#pump()
    this.#notify()
  }

  /** Offset after the last record that readers may see: the high watermark, or the last stable offset under `read_committed`; undefined before the first answer. */
  logEnd(topic: string, partition: number): number | undefined {
    const fetch = this.#partitions.get(topic, partition)
    if (fetch === undefined || fetch.highWatermark < 0) return undefined
    return this.#options.isolation === 'read_committed' ? fetch.lastStableOffset : fetch.highWatermark
  }

  /** Bytes that are asked for or wait to be taken. */
  get bufferedBytes(): number {
    return this.#askedBytes + this.#partitions.bufferedBytes
  }

  /**
   * The next slice of any partition, partitions in turn, or undefined when nothing is there yet.
   * @throws the error that ended the fetcher; {CorruptRecordError}
   */
  take(): TakenSlice | undefined {
    if (this.#failure !== undefined) throw this.#failure
    return this.#partitions.take(SLICE)
  }

  /** Resolves when `take` is worth calling again, or something called `interrupt`. */
  wait(): Promise<void> {
    if (this.#failure !== undefined || this.#partitions.hasReady) return Promise.resolve()
    return new Promise((resolve) => {
      this.#wake = resolve
    })
  }

  /** Lets `wait` resolve. */
  interrupt(): void {
    this.#notify()
  }

  /** Stops all requests. */
  close(): void {
    clearTimeout(this.#retryTimer)
    this.#abort.abort()
    this.#partitions.clear()
    this.#notify()
  }

  #notify(): void {
    const wake = this.#wake
    this.#wake = undefined
    wake?.()
  }

  #fail(error: unknown): void {
    this.#failure ??= isMillraceError(error) ? error : new UnexpectedError('Fetching failed', { cause: error })
    this.#notify()
  }

  /** Sends a request to every broker that has none under way and leads a partition with room. */
  #pump(): void {
    if (this.#abort.signal.aborted || this.#failure !== undefined) return
    const { bufferBytes, fetchMaxBytes, maxPartitionFetchBytes } = this.#options
    let room = bufferBytes - this.bufferedBytes
    if (room <= 0) return
    const byBroker = new Map<number, PartitionFetch[]>()
    let isLeaderless = false
    for (const fetch of this.#partitions.values()) {
      if (fetch.state !== 'idle' || fetch.isPaused || fetch.bufferedBytes >= 2 * maxPartitionFetchBytes) continue
      const { topic, partition, replica } = fetch
      if (fetch.noteTopicId(this.#cluster.cachedTopic(topic)?.id)) {
        this.#losePosition(fetch)
        continue
      }
      const broker = replica >= 0 ? replica : this.#cluster.leader(topic, partition)
      if (broker < 0) isLeaderless = true
      else if (!this.#busyBrokers.has(broker)) {
        const list = byBroker.get(broker)
        if (list === undefined) byBroker.set(broker, [fetch])
        else list.push(fetch)
      }
    }
    if (isLeaderless) this.#refreshLater()
    for (const [broker, fetches] of byBroker) {
      const wanted = Math.min(fetchMaxBytes, fetches.length * maxPartitionFetchBytes)
      // Behind a slow reader every slice that is taken makes a little room; many small requests would cost more than they bring.
      if (room < Math.min(wanted, bufferBytes / 4)) break
      const maxBytes = Math.min(wanted, room)
      room -= maxBytes
      void this.#fetch(broker, fetches, maxBytes)
    }
  }

  async #fetch(broker: number, fetches: readonly PartitionFetch[], maxBytes: number): Promise<void> {
    this.#busyBrokers.add(broker)
    this.#askedBytes += maxBytes
    for (const fetch of fetches) fetch.on('ask')
    let response: FetchResponse | undefined
    try {
      response = await this.#request(broker, fetches, maxBytes)
    } catch (error) {
      if (!this.#abort.signal.aborted) this.#onRequestFailed(broker, fetches, error)
    }
    this.#askedBytes -= maxBytes
    this.#busyBrokers.delete(broker)
    try {
      if (response !== undefined) this.#onAnswer(response, fetches)
    } catch (error) {
      this.#fail(error)
    }
    this.#pump()
  }

  #request(broker: number, fetches: readonly PartitionFetch[], maxBytes: number): Promise<FetchResponse> {
    const { fetchMaxWaitMs, fetchMinBytes, isolation, rackId, requestTimeoutMs } = this.#options
    return this.#cluster.request<FetchResponse>(
      broker,
      FETCH,
      () => [
        {
          maxWaitMs: fetchMaxWaitMs,
          minBytes: fetchMinBytes,
          maxBytes,
          isolation: isolation === 'read_committed' ? 1 : 0,
          topics: this.#topicsOf(fetches),
          rackId: rackId ?? '',
        },
      ],
      { lane: 'fetch', timeoutMs: requestTimeoutMs + fetchMaxWaitMs, signal: this.#abort.signal },
    )
  }

  #topicsOf(fetches: readonly PartitionFetch[]): FetchTopicRequest[] {
    const topics = new Map<
      string,
      { name: string; id: string | undefined; partitions: { partition: number; offset: number; maxBytes: number }[] }
    >()
    for (const { topic, partition, position } of fetches) {
      let entry = topics.get(topic)
      if (entry === undefined)
        topics.set(topic, (entry = { name: topic, id: this.#cluster.cachedTopic(topic)?.id, partitions: [] }))
      entry.partitions.push({ partition, offset: position, maxBytes: this.#options.maxPartitionFetchBytes })
    }
    return [...topics.values()]
  }

  #onAnswer(response: FetchResponse, asked: readonly PartitionFetch[]): void {
    const { hasReceived, hasFailed, toRetry, lost, error } = this.#answers.apply(response, asked)
    if (!hasFailed) this.#failures = 0
    if (hasReceived) this.#notify()
    for (const fetch of lost) this.#losePosition(fetch)
    if (toRetry.length > 0) this.#retryLater(toRetry)
    if (error !== undefined) this.#fail(error)
  }

  #onRequestFailed(broker: number, fetches: readonly PartitionFetch[], error: unknown): void {
    for (const fetch of fetches) if (fetch.replica === broker) fetch.replica = -1
    if (error instanceof ConnectionError && error.retriable) this.#retryLater(fetches)
    else this.#fail(error)
  }

  /** Goes on when something was taken. */
  #onTaken(fetch: PartitionFetch): void {
    if (fetch.completed.length === 0 && fetch.on('drained') === 'moving') void this.#move(fetch)
    this.#pump()
  }

  #losePosition(fetch: PartitionFetch): void {
    if (fetch.losePosition() === 'moving') void this.#move(fetch)
  }

  /** Finds a new position and goes on there. */
  async #move(fetch: PartitionFetch): Promise<void> {
    const { topic, partition, position } = fetch
    try {
      const next = await this.#events.onPositionLost(topic, partition, position)
      if (fetch.state === 'removed') return
      this.#events.onMoved(topic, partition, next)
      fetch.position = next
      fetch.on('moved')
      this.#pump()
    } catch (error) {
      if (fetch.state !== 'removed') this.#fail(error)
    }
  }

  #retryLater(fetches: readonly PartitionFetch[]): void {
    for (const fetch of fetches) fetch.on('failed')
    this.#refreshLater()
  }

  /** Asks for metadata again after a back-off, then goes on; partitions that are well are fetched meanwhile. */
  #refreshLater(): void {
    if (this.#refreshing) return
    this.#refreshing = true
    this.#failures++
    this.#retryTimer = setTimeout(
      () => {
        const topics = [...new Set([...this.#partitions.values()].map(({ topic }) => topic))]
        this.#cluster.refresh(topics, this.#abort.signal).then(
          () => {
            this.#refreshing = false
            for (const fetch of this.#partitions.values()) fetch.on('refreshed')
            this.#pump()
          },
          (error: unknown) => {
            this.#refreshing = false
            if (this.#abort.signal.aborted) return
            // A topic that vanished shows in the next metadata request too; brokers that are down may come back.
            if (error instanceof BrokerError && !error.retriable) this.#fail(error)
            else this.#refreshLater()
          },
        )
      },
      backoffMs(this.#failures, this.#cluster.backoff),
    )
  }
}
