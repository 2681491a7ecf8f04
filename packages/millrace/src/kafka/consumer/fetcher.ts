/**
 * Fetches record batches from the leaders of many partitions.
 *
 * There is one request under way per broker at the most, sent again as soon as the answer is there, so the broker works
 * while we do. What was fetched waits as bytes until `take` cuts a batch from it. Memory is bounded twice: a partition
 * is not asked for while it has `partitionBufferBytes` waiting, and a request never asks for more than what is left of
 * `bufferBytes`. Everything is driven by one method, `#pump`, called whenever something may have become possible.
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
import { CompletedFetch, nextOffsetOf, type FetchSlice } from './completed-fetch.ts'
import { FETCH, type FetchedPartition, type FetchResponse, type FetchTopicRequest } from '../protocol/fetch.ts'
import { brokerError, isRetriableCode, kafkaErrorName } from '../protocol/kafka-errors.ts'
import { RecordBatchReader } from '../protocol/record-batch.ts'
import { keyOf } from '../topic-partition.ts'

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
  /** The position is not in the log, or in that of another topic of this name. Gives the position to go on with, or throws the error that ends the fetcher. */
  onPositionLost(topic: string, partition: number, position: number): Promise<number>
  /** Reading goes on there; everything before was taken. */
  onMoved(topic: string, partition: number, position: number): void
}

/** A slice of a partition, ready to be used. */
export interface TakenSlice extends FetchSlice {
  readonly topic: string
  readonly partition: number
}

interface PartitionState {
  readonly topic: string
  readonly partition: number
  /** The next offset to ask for. */
  position: number
  paused: boolean
  /** A request that names this partition is under way. */
  fetching: boolean
  /** Waiting for a new position, which it is given when everything fetched was taken. */
  blocked: boolean
  /** Of the topic that it was first fetched from: one that is deleted and created anew has another. */
  topicId: string | undefined
  /** Its last request failed: nothing is asked before metadata was fetched anew, or a broker that is away would be asked in a busy loop. */
  stale: boolean
  readonly completed: CompletedFetch[]
  bufferedBytes: number
  highWatermark: number
  lastStableOffset: number
  /** Broker that was named as the closest replica; -1 for the leader. */
  replica: number
}

const OFFSET_OUT_OF_RANGE = 1
const SLICE_BYTES = 1024 * 1024
const SLICE_RECORDS = 16_384

export class Fetcher {
  readonly #cluster: Cluster
  readonly #options: FetcherOptions
  readonly #events: FetcherEvents
  readonly #partitions = new Map<string, PartitionState>()
  /** Partitions that have something to take, in the order in which they are served. */
  #ready: PartitionState[] = []
  /** Bytes asked for or waiting. */
  #reservedBytes = 0
  readonly #busyBrokers = new Set<number>()
  readonly #reader = new RecordBatchReader()
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
  }

  /** Begins to fetch a partition at an offset. */
  add(topic: string, partition: number, position: number): void {
    this.remove(topic, partition)
    this.#partitions.set(keyOf(topic, partition), {
      topic,
      partition,
      position,
      paused: false,
      fetching: false,
      blocked: false,
      topicId: undefined,
      stale: false,
      completed: [],
      bufferedBytes: 0,
      highWatermark: -1,
      lastStableOffset: -1,
      replica: -1,
    })
    this.#pump()
  }

  /** Forgets a partition and what was fetched of it; an answer under way is dropped. */
  remove(topic: string, partition: number): void {
    const state = this.#partitions.get(keyOf(topic, partition))
    if (state === undefined) return
    this.#partitions.delete(keyOf(topic, partition))
    this.#ready = this.#ready.filter((other) => other !== state)
    this.#reservedBytes -= state.bufferedBytes
    state.completed.length = 0
    state.bufferedBytes = 0
    this.#pump()
  }

  /** Stops serving a partition; what was fetched of it waits. */
  pause(topic: string, partition: number): void {
    const state = this.#partitions.get(keyOf(topic, partition))
    if (state === undefined || state.paused) return
    state.paused = true
    // What waits for long must not keep the answers alive that other partitions came with.
    for (const fetch of state.completed) fetch.detach()
  }

  resume(topic: string, partition: number): void {
    const state = this.#partitions.get(keyOf(topic, partition))
    if (state === undefined || !state.paused) return
    state.paused = false
    this.#pump()
    this.#notify()
  }

  /** Offset after the last record that readers may see: the high watermark, or the last stable offset under `read_committed`; undefined before the first answer. */
  logEnd(topic: string, partition: number): number | undefined {
    const state = this.#partitions.get(keyOf(topic, partition))
    if (state === undefined || state.highWatermark < 0) return undefined
    return this.#options.isolation === 'read_committed' ? state.lastStableOffset : state.highWatermark
  }

  /** Bytes that are asked for or wait to be taken. */
  get bufferedBytes(): number {
    return this.#reservedBytes
  }

  /**
   * The next slice of any partition, partitions in turn, or undefined when nothing is there yet.
   * @throws the error that ended the fetcher; {CorruptRecordError}
   */
  take(): TakenSlice | undefined {
    if (this.#failure !== undefined) throw this.#failure
    for (let tries = this.#ready.length; tries > 0; tries--) {
      const state = this.#ready.shift()!
      if (state.paused) {
        this.#ready.push(state)
        continue
      }
      const fetch = state.completed[0]!
      const slice = fetch.next({ maxBytes: SLICE_BYTES, maxRecords: SLICE_RECORDS })
      if (fetch.isDone) {
        state.completed.shift()
        state.bufferedBytes -= fetch.byteLength
        this.#reservedBytes -= fetch.byteLength
        if (state.blocked && state.completed.length === 0) void this.#reset(state)
        this.#pump()
      }
      if (state.completed.length > 0) this.#ready.push(state)
      return { ...slice, topic: state.topic, partition: state.partition }
    }
    return undefined
  }

  /** Resolves when `take` is worth calling again, or something called `interrupt`. */
  wait(): Promise<void> {
    if (this.#failure !== undefined || this.#ready.some((state) => !state.paused)) return Promise.resolve()
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
    this.#ready = []
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
    let room = bufferBytes - this.#reservedBytes
    if (room <= 0) return
    const byBroker = new Map<number, PartitionState[]>()
    let stale = false
    for (const state of this.#partitions.values()) {
      if (
        state.paused ||
        state.fetching ||
        state.blocked ||
        state.stale ||
        state.bufferedBytes >= 2 * maxPartitionFetchBytes
      )
        continue
      if (this.#isAnother(state)) {
        this.#block(state)
        continue
      }
      const broker = state.replica >= 0 ? state.replica : this.#cluster.leader(state.topic, state.partition)
      if (broker < 0) stale = true
      else if (!this.#busyBrokers.has(broker)) {
        const list = byBroker.get(broker)
        if (list === undefined) byBroker.set(broker, [state])
        else list.push(state)
      }
    }
    if (stale) this.#refreshLater()
    for (const [broker, states] of byBroker) {
      const wanted = Math.min(fetchMaxBytes, states.length * maxPartitionFetchBytes)
      // Behind a slow reader every slice that is taken makes a little room; many small requests would cost more than they bring.
      if (room < Math.min(wanted, bufferBytes / 4)) break
      const maxBytes = Math.min(wanted, room)
      room -= maxBytes
      void this.#fetch(broker, states, maxBytes)
    }
  }

  async #fetch(broker: number, states: readonly PartitionState[], maxBytes: number): Promise<void> {
    this.#busyBrokers.add(broker)
    this.#reservedBytes += maxBytes
    for (const state of states) state.fetching = true
    let response: FetchResponse | undefined
    try {
      response = await this.#cluster.request<FetchResponse>(
        broker,
        FETCH,
        () => [
          {
            maxWaitMs: this.#options.fetchMaxWaitMs,
            minBytes: this.#options.fetchMinBytes,
            maxBytes,
            isolation: this.#options.isolation === 'read_committed' ? 1 : 0,
            topics: this.#topicsOf(states),
            rackId: this.#options.rackId ?? '',
          },
        ],
        {
          lane: 'fetch',
          timeoutMs: this.#options.requestTimeoutMs + this.#options.fetchMaxWaitMs,
          signal: this.#abort.signal,
        },
      )
    } catch (error) {
      if (!this.#abort.signal.aborted) this.#onRequestFailed(broker, states, error)
    }
    this.#reservedBytes -= maxBytes
    this.#busyBrokers.delete(broker)
    for (const state of states) state.fetching = false
    if (response !== undefined) this.#onResponse(response, states)
    this.#pump()
  }

  #topicsOf(states: readonly PartitionState[]): FetchTopicRequest[] {
    const topics = new Map<
      string,
      { name: string; id: string | undefined; partitions: { partition: number; offset: number; maxBytes: number }[] }
    >()
    for (const { topic, partition, position } of states) {
      let entry = topics.get(topic)
      if (entry === undefined)
        topics.set(topic, (entry = { name: topic, id: this.#cluster.cachedTopic(topic)?.id, partitions: [] }))
      entry.partitions.push({ partition, offset: position, maxBytes: this.#options.maxPartitionFetchBytes })
    }
    return [...topics.values()]
  }

  #onResponse(response: FetchResponse, asked: readonly PartitionState[]): void {
    if (response.errorCode !== 0) {
      if (isRetriableCode(response.errorCode)) this.#retryLater(asked)
      else this.#fail(brokerError(response.errorCode, 'Cannot fetch'))
      return
    }
    let failed = false
    for (const { topic, partitions } of response.topics) {
      for (const fetched of partitions) {
        const state = asked.find(
          (state) =>
            state.partition === fetched.partition &&
            (state.topic === topic || this.#cluster.cachedTopic(state.topic)?.id === topic),
        )
        // A partition that was revoked or moved to another offset meanwhile is another state object now.
        if (state === undefined || this.#partitions.get(keyOf(state.topic, state.partition)) !== state) continue
        if (fetched.errorCode === 0) this.#onFetched(state, fetched)
        else failed = this.#onPartitionFailed(state, fetched) || failed
      }
    }
    if (!failed) this.#failures = 0
  }

  #onFetched(state: PartitionState, fetched: FetchedPartition): void {
    state.highWatermark = fetched.highWatermark
    state.lastStableOffset = fetched.lastStableOffset
    if (fetched.preferredReadReplica >= 0) state.replica = fetched.preferredReadReplica
    const { records } = fetched
    if (records === undefined) return
    try {
      const next = nextOffsetOf(records, this.#reader, state.topic, state.partition)
      if (next === undefined) return
      const fetch = new CompletedFetch(
        records,
        state.topic,
        state.partition,
        state.position,
        fetched.aborted,
        this.#options.checkCrcs,
      )
      state.position = Math.max(state.position, next)
      // A broker fills an answer in the order of the request: who got something goes to the end, so that nobody starves.
      this.#partitions.delete(keyOf(state.topic, state.partition))
      this.#partitions.set(keyOf(state.topic, state.partition), state)
      state.completed.push(fetch)
      state.bufferedBytes += records.length
      this.#reservedBytes += records.length
      if (state.completed.length === 1) this.#ready.push(state)
      this.#notify()
    } catch (error) {
      this.#fail(error)
    }
  }

  /** @returns whether the partition has to wait for something */
  #onPartitionFailed(state: PartitionState, fetched: FetchedPartition): boolean {
    const name = kafkaErrorName(fetched.errorCode)
    if (fetched.errorCode === OFFSET_OUT_OF_RANGE) {
      if (state.replica >= 0) state.replica = -1
      else this.#block(state)
      return true
    }
    state.replica = -1
    if (fetched.leader !== undefined) {
      this.#cluster.updateLeader(state.topic, state.partition, fetched.leader.id, fetched.leader.epoch)
    }
    if (isRetriableCode(fetched.errorCode)) {
      this.#retryLater([state])
      return true
    }
    this.#fail(
      brokerError(
        fetched.errorCode,
        `Cannot fetch partition ${state.partition} of topic "${state.topic}"${name === 'CORRUPT_MESSAGE' ? ' as the broker found it corrupt' : ''}`,
        { topic: state.topic, partition: state.partition },
      ),
    )
    return true
  }

  #block(state: PartitionState): void {
    state.blocked = true
    if (state.completed.length === 0) void this.#reset(state)
  }

  async #reset(state: PartitionState): Promise<void> {
    const { topic, partition, position } = state
    // Given back meanwhile, or read from another place.
    const isGone = (): boolean => this.#partitions.get(keyOf(topic, partition)) !== state
    try {
      const next = await this.#events.onPositionLost(topic, partition, position)
      if (isGone()) return
      this.#events.onMoved(topic, partition, next)
      state.position = next
      state.blocked = false
      this.#pump()
    } catch (error) {
      if (!isGone()) this.#fail(error)
    }
  }

  /** Whether the topic is not the one any more that this position belongs to. */
  #isAnother(state: PartitionState): boolean {
    const id = this.#cluster.cachedTopic(state.topic)?.id
    if (id === undefined || id === state.topicId) return false
    const isFirst = state.topicId === undefined
    state.topicId = id
    return !isFirst
  }

  #onRequestFailed(broker: number, states: readonly PartitionState[], error: unknown): void {
    for (const state of states) if (state.replica === broker) state.replica = -1
    if (error instanceof ConnectionError && error.retriable) this.#retryLater(states)
    else this.#fail(error)
  }

  #retryLater(states: readonly PartitionState[]): void {
    for (const state of states) state.stale = true
    this.#refreshLater()
  }

  /** Asks for metadata anew after a back-off, then goes on; partitions that are well are fetched meanwhile. */
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
            for (const state of this.#partitions.values()) state.stale = false
            this.#pump()
          },
          (error: unknown) => {
            this.#refreshing = false
            if (this.#abort.signal.aborted) return
            // A topic that vanished shows in the next metadata request too; brokers that are away may come back.
            if (error instanceof BrokerError && !error.retriable) this.#fail(error)
            else this.#refreshLater()
          },
        )
      },
      backoffMs(this.#failures, this.#cluster.backoff),
    )
  }
}
