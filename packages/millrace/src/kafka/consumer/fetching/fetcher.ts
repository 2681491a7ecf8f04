/**
 * Fetches record batches from the leaders of many partitions.
 *
 * A broker remembers what it is asked for (`fetch-session.ts`), so that requests and answers are only about partitions with news.
 * At most one request per broker is under way, and the next one is sent as soon as its answer is there, so the broker works
 * while we do. What was fetched waits as bytes until `take` cuts a batch from it. Memory is bounded twice: a partition
 * is not asked for while it has twice `maxPartitionFetchBytes` waiting, and a request never asks for more than what is left
 * of its broker's share of `bufferBytes`.
 *
 * A partition that can be asked for is listed with its broker (`#list`), and the broker is due. All brokers that are due are
 * asked in one go when the code that made them so has ended (`#askDue`), so that a request names all partitions that were
 * added together. No event costs more than the partitions it is about.
 *
 * The state of each partition is in `partition-fetch.ts`, what an answer does in `fetch-answers.ts`.
 */
import { guarded, inBackground } from '../../../resilience/background.ts'
import { ConnectionError, type MillraceError } from '../../../errors/index.ts'
import { asMillraceError } from '../../../errors/unexpected.ts'
import type { Cluster } from '../../cluster/cluster.ts'
import { FETCH, type FetchRequest, type FetchResponse } from '../../protocol/fetch.ts'
import { FetchAnswers } from './fetch-answers.ts'
import type { FetcherEvents, FetcherOptions } from './fetcher-options.ts'
import { FetchRetries, FetchTrouble, LOOK_MS } from './fetch-trouble.ts'
import type { SessionRequest, TopicFacts } from './fetch-session.ts'
import { LeaderEpochs } from './leader-epochs.ts'
import { type FetchBroker, FetchBrokers } from './fetch-brokers.ts'
import { FetchedPartitions, type TakenSlice } from './fetched-partitions.ts'
import type { PartitionFetch } from './partition-fetch.ts'

export type { TakenSlice } from './fetched-partitions.ts'
export type { FetcherOptions } from './fetcher-options.ts'

/** How long ending what brokers remember may take. */
const END_MS = 500
/** One step of the reader works on no more than this. */
const SLICE = { maxBytes: 1024 * 1024, maxPlainBytes: 4 * 1024 * 1024, maxRecords: 16_384 }

export class Fetcher {
  readonly #cluster: Cluster
  readonly #options: FetcherOptions
  readonly #events: FetcherEvents
  readonly #partitions = new FetchedPartitions({
    onHeld: (fetch, bytes) => this.#brokers.hold(fetch, bytes),
    onTaken: (fetch) => this.#onTaken(fetch),
  })
  readonly #brokers: FetchBrokers
  readonly #answers: FetchAnswers
  readonly #facts: TopicFacts
  readonly #epochs: LeaderEpochs
  readonly #trouble: FetchTrouble
  readonly #look: NodeJS.Timeout
  readonly #due = new Set<FetchBroker>()
  readonly #retries: FetchRetries
  /** Version of the metadata by which partitions are listed. */
  #metadataVersion = 0
  readonly #abort = new AbortController()
  #failure: MillraceError | undefined
  #wake: (() => void) | undefined
  /** Whether something happened since `take`, which a reader that is about to wait must not miss. */
  #isInterrupted = false
  /** Owns what runs in the background. */
  readonly #onFailure = (error: unknown): void => this.#fail(error)

  constructor(cluster: Cluster, options: FetcherOptions, events: FetcherEvents) {
    this.#cluster = cluster
    this.#options = options
    this.#events = events
    this.#brokers = new FetchBrokers(options.bufferBytes)
    this.#metadataVersion = cluster.metadataVersion
    this.#facts = {
      topicId: (topic) => cluster.cachedTopic(topic)?.id,
      leaderEpoch: (topic, partition) => cluster.leaderEpoch(topic, partition),
    }
    this.#answers = new FetchAnswers(cluster, this.#partitions, options)
    this.#epochs = new LeaderEpochs(
      cluster,
      {
        onValid: (fetch) => {
          fetch.on('validated')
          this.#list(fetch)
        },
        onTruncated: (fetch, endOffset) => {
          fetch.divergesAt = endOffset
          this.#losePosition(fetch)
        },
        onFailed: (fetches, cause) => this.#retries.later(fetches, cause),
        onError: (error) => this.#fail(error),
      },
      this.#abort.signal,
    )
    this.#trouble = new FetchTrouble(events.warn, undefined, () => cluster.unreachable)
    this.#retries = new FetchRetries(
      cluster,
      this.#trouble,
      {
        onRefreshed: (fetch) => this.#list(fetch),
        onTopicGone: (topic) => events.onTopicGone?.(topic) === true,
        onError: (error) => this.#fail(error),
      },
      this.#abort.signal,
    )
    const look = (): void => this.#lookAround()
    this.#look = setInterval(guarded(look, this.#onFailure), LOOK_MS)
    this.#look.unref()
  }

  /**
   * Begins to fetch a partition at an offset.
   * @param epoch of the leader that wrote the record before; -1 when it is not known
   * @param topicId of the topic in whose log the offset is, where it is known
   */
  add(topic: string, partition: number, position: number, epoch = -1, topicId?: string): void {
    this.remove(topic, partition)
    this.#list(this.#partitions.add(topic, partition, position, epoch, topicId))
  }

  /** Forgets a partition and what was fetched of it; an answer under way is dropped. */
  remove(topic: string, partition: number): void {
    const fetch = this.#partitions.remove(topic, partition)
    if (fetch === undefined) return
    const broker = this.#brokers.of(fetch)
    this.#brokers.remove(fetch)
    this.#retries.remove(fetch)
    this.#trouble.ended(fetch)
    if (broker !== undefined) this.#makeDue(broker)
  }

  /** Stops serving a partition; what was fetched of it waits, as long as paused partitions do not hold too much. */
  pause(topic: string, partition: number): void {
    const fetch = this.#partitions.get(topic, partition)
    if (fetch === undefined || fetch.isPaused) return
    this.#brokers.setPaused(fetch, true)
    this.#keepPaused(fetch)
    const broker = this.#brokers.of(fetch)
    if (broker === undefined) return
    broker.standDown(fetch)
    this.#makeDue(broker)
  }

  resume(topic: string, partition: number): void {
    const fetch = this.#partitions.get(topic, partition)
    if (fetch === undefined || !fetch.isPaused) return
    this.#brokers.setPaused(fetch, false)
    this.#partitions.serve(fetch)
    this.#list(fetch)
    this.#notify()
  }

  /** Offset after the last record that readers may see: the high watermark, or the last stable offset under `read_committed`; undefined before the first answer, and when there was none for long. */
  logEnd(topic: string, partition: number): number | undefined {
    const fetch = this.#partitions.get(topic, partition)
    if (fetch === undefined || fetch.highWatermark < 0 || this.#trouble.isLate(fetch)) return undefined
    return this.#options.isolation === 'read_committed' ? fetch.lastStableOffset : fetch.highWatermark
  }

  /** What stands in the way of reading, as part of a sentence. */
  get problem(): string | undefined {
    return this.#trouble.problem
  }

  /** Why a partition cannot be read at the moment; undefined when it can. */
  problemOf(topic: string, partition: number): string | undefined {
    return this.#trouble.of(this.#partitions.get(topic, partition))
  }

  /** Bytes that are asked for or wait to be taken. */
  get bufferedBytes(): number {
    return this.#brokers.bufferedBytes
  }

  /**
   * The next slice of any partition, partitions in turn, or undefined when nothing is there yet.
   * @throws the error that ended the fetcher; {CorruptRecordError}
   */
  take(): TakenSlice | undefined {
    if (this.#failure !== undefined) throw this.#failure
    this.#isInterrupted = false
    return this.#partitions.take(SLICE)
  }

  /** Resolves when `take` is worth calling again, or something called `interrupt` since it was called last. */
  wait(): Promise<void> {
    if (this.#isInterrupted || this.#failure !== undefined || this.#partitions.hasReady) return Promise.resolve()
    return new Promise((resolve) => {
      this.#wake = resolve
    })
  }

  /** Lets `wait` resolve. */
  interrupt = (): void => this.#notify()

  /** Stops all requests. */
  close(): void {
    this.#retries.stop()
    clearInterval(this.#look)
    this.#abort.abort()
    this.#partitions.clear()
    this.#notify()
  }

  /** After `close`: has brokers forget what they were asked for, as far as they answer at once. Never rejects. */
  async endSessions(): Promise<void> {
    const signal = AbortSignal.timeout(END_MS)
    const nothing = { maxWaitMs: 0, minBytes: 0, maxBytes: 0, isolation: 0, rackId: '' } as const
    const ended = this.#brokers.all.map(async ({ id, session }) => {
      const final = session.final()
      // On another connection, as an answer may be under way on that of the fetches.
      if (final !== undefined) await this.#cluster.request(id, FETCH, () => ({ ...nothing, ...final }), { signal })
    })
    await Promise.allSettled(ended)
  }

  #notify(): void {
    this.#isInterrupted = true
    const wake = this.#wake
    this.#wake = undefined
    wake?.()
  }

  #fail(error: unknown): void {
    this.#failure ??= asMillraceError(error, 'Fetching failed')
    this.#notify()
  }

  /** What waits for long must not keep the answers alive that other partitions came with; and it must not become too much. */
  #keepPaused(fetch: PartitionFetch): void {
    // What lies before a position that is gone could not be fetched again.
    if (this.#brokers.isPausedFull && fetch.state !== 'lost') this.#partitions.drop(fetch)
    else for (const completed of fetch.completed) completed.detach()
  }

  /** Has a partition asked for, if that is possible, by its broker's next request. */
  #list(fetch: PartitionFetch): void {
    if (fetch.state !== 'idle' || fetch.isPaused || fetch.isListed || fetch.isDamaged) return
    if (fetch.bufferedBytes >= 2 * this.#options.maxPartitionFetchBytes) return
    const { topic, partition } = fetch
    if (fetch.noteTopicId(this.#cluster.cachedTopic(topic)?.id)) return this.#losePosition(fetch)
    const leader = this.#cluster.leader(topic, partition)
    const leaderEpoch = this.#cluster.leaderEpoch(topic, partition)
    if (leader >= 0 && fetch.epoch >= 0 && leaderEpoch > fetch.validatedEpoch) {
      fetch.on('validate')
      return this.#epochs.check(fetch, leader, leaderEpoch)
    }
    // The leader may know a better one by now.
    if (fetch.replica >= 0 && performance.now() > fetch.replicaUntil) fetch.replica = -1
    const broker = fetch.replica >= 0 ? fetch.replica : leader
    if (broker < 0) this.#retries.later([fetch], 'it has no leader')
    else this.#makeDue(this.#brokers.list(fetch, broker))
  }

  #makeDue(broker: FetchBroker): void {
    if (this.#due.size === 0) queueMicrotask(guarded(() => this.#askDue(), this.#onFailure))
    this.#due.add(broker)
  }

  /** Sends a request to every broker that is due, has none under way and may bring something. */
  #askDue(): void {
    if (this.#abort.signal.aborted || this.#failure !== undefined) return this.#due.clear()
    this.#followLeaders()
    for (const broker of this.#due) this.#ask(broker)
    this.#due.clear()
  }

  /** Lists partitions with other brokers when metadata has changed. */
  #followLeaders(): void {
    const { metadataVersion } = this.#cluster
    if (metadataVersion === this.#metadataVersion) return
    this.#metadataVersion = metadataVersion
    for (const fetch of this.#brokers.takeAllListed()) this.#list(fetch)
    for (const broker of this.#brokers.all) this.#relist(broker)
  }

  #relist(broker: FetchBroker): void {
    for (const fetch of broker.relist()) this.#list(fetch)
  }

  #lookAround(): void {
    this.#trouble.look(this.#brokers, this.#cluster, this.#options.fetchMaxWaitMs)
    const now = performance.now()
    for (const broker of this.#brokers.all) {
      // The leader may know a better replica by now.
      const isOld = [...broker.asked].some(({ replica, replicaUntil }) => replica >= 0 && now > replicaUntil)
      if (isOld) this.#relist(broker)
    }
  }

  #ask(broker: FetchBroker): void {
    const count = broker.listed.length + broker.asked.size
    if (broker.isBusy || count === 0) return
    const { fetchMaxBytes, maxPartitionFetchBytes } = this.#options
    const { share } = this.#brokers
    const wanted = Math.min(fetchMaxBytes, count * maxPartitionFetchBytes)
    const room = share - broker.heldBytes
    // Behind a slow reader every slice that is taken makes a little room; many small requests would cost more than they bring.
    if (room <= 0 || room < Math.min(wanted, share / 4)) return
    const added = this.#brokers.takeListed(broker)
    if (added.length === 0 && broker.asked.size === 0) return
    const maxBytes = Math.max(1, Math.floor(Math.min(wanted, room)))
    inBackground(this.#fetch(broker, added, maxBytes), (error) => this.#fail(error))
  }

  /** Asks for some partitions, and for those that are standing. */
  async #fetch(broker: FetchBroker, added: readonly PartitionFetch[], maxBytes: number): Promise<void> {
    this.#brokers.ask(broker, maxBytes)
    for (const fetch of added) fetch.on('ask')
    const asked = broker.session.next(added, this.#facts, this.#options.maxPartitionFetchBytes)
    let response: FetchResponse | undefined
    try {
      response = await this.#request(broker, asked, maxBytes)
    } catch (error) {
      if (!this.#abort.signal.aborted) this.#onRequestFailed(broker, error)
    }
    this.#brokers.answered(broker)
    try {
      if (response !== undefined) this.#onAnswer(broker, response)
      for (const fetch of broker.settle()) this.#list(fetch)
    } catch (error) {
      this.#fail(error)
    }
    this.#makeDue(broker)
  }

  #request(broker: FetchBroker, asked: SessionRequest, maxBytes: number): Promise<FetchResponse> {
    const { fetchMaxWaitMs, fetchMinBytes, rackId, requestTimeoutMs } = this.#options
    const isolation = this.#options.isolation === 'read_committed' ? 1 : 0
    return this.#cluster.request(
      broker.id,
      FETCH,
      (): FetchRequest => ({
        ...asked,
        maxWaitMs: Math.floor(broker.waitMs(fetchMaxWaitMs)),
        minBytes: fetchMinBytes,
        maxBytes,
        isolation,
        rackId: rackId ?? '',
      }),
      { lane: 'fetch', timeoutMs: requestTimeoutMs + fetchMaxWaitMs, signal: this.#abort.signal },
    )
  }

  #onAnswer(broker: FetchBroker, response: FetchResponse): void {
    const { answered, hasReceived, toRetry, lost, error } = this.#answers.apply(response, broker.session)
    for (const fetch of answered) if (fetch.failures === 0) this.#trouble.ended(fetch)
    // What has no news is read all the same.
    if (this.#trouble.isAny) for (const fetch of broker.asked) this.#trouble.recovered(fetch)
    if (hasReceived) this.#notify()
    else broker.emptyAnswers++
    for (const fetch of lost) this.#losePosition(fetch)
    if (toRetry.length > 0) this.#retries.later(toRetry)
    // Those that got nothing come first in the next request, so that none starves.
    for (const fetch of answered) if (fetch.completed.length === 0) this.#list(fetch)
    for (const fetch of answered) {
      if (fetch.isPaused && fetch.completed.length > 0) this.#keepPaused(fetch)
      this.#list(fetch)
    }
    if (error !== undefined) this.#fail(error)
  }

  #onRequestFailed(broker: FetchBroker, error: unknown): void {
    broker.session.reset()
    const fetches = broker.session.releaseAll()
    for (const fetch of fetches) if (fetch.replica === broker.id) fetch.replica = -1
    if (error instanceof ConnectionError && error.retriable) this.#retries.later(fetches, error.message)
    else this.#fail(error)
  }

  /** Goes on when something was taken. */
  #onTaken(fetch: PartitionFetch): void {
    if (fetch.completed.length === 0 && fetch.on('drained') === 'moving')
      inBackground(this.#move(fetch), (error) => this.#fail(error))
    this.#list(fetch)
    const broker = this.#brokers.of(fetch)
    if (broker === undefined) return
    broker.emptyAnswers = 0
    this.#makeDue(broker)
  }

  #losePosition(fetch: PartitionFetch): void {
    if (fetch.losePosition() === 'moving') inBackground(this.#move(fetch), (error) => this.#fail(error))
  }

  /** Finds a new position and goes on there. */
  async #move(fetch: PartitionFetch): Promise<void> {
    const { topic, partition, position, divergesAt } = fetch
    try {
      const next = await this.#events.onPositionLost(topic, partition, position, divergesAt)
      if (fetch.state === 'removed') return
      if (next === undefined) return this.#events.onPartitionGone?.(topic, partition)
      this.#events.onMoved(topic, partition, next, fetch.topicId)
      fetch.position = next
      fetch.epoch = -1
      fetch.divergesAt = undefined
      fetch.on('moved')
      this.#list(fetch)
    } catch (error) {
      if (fetch.state !== 'removed') this.#fail(error)
    }
  }
}
