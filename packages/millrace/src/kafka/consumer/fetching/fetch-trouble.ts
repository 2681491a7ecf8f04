/**
 * Partitions that cannot be read: says so when it is for long, after five seconds and then every minute, with the cause; says when all
 * are read again; and has them asked for again.
 */
import { BrokerError, isMillraceError } from '../../../errors/index.ts'
import { inBackground } from '../../../resilience/background.ts'
import { backoffMs } from '../../../resilience/retry.ts'
import type { Cluster, Unreachable } from '../../cluster/cluster.ts'
import type { FetchBrokers } from './fetch-brokers.ts'
import type { Warn } from '../options.ts'
import type { PartitionFetch } from './partition-fetch.ts'

const QUIET_MS = 5000
const REMINDER_MS = 60_000
/** How long a broker may be silent beyond what it was asked to wait. */
const SILENCE_MS = 4000
/** Time between looks, unless the event loop was held up. */
export const LOOK_MS = 1000

export class FetchTrouble {
  readonly #warn: Warn
  readonly #now: () => number
  readonly #unreachable: () => Unreachable | undefined
  /** Since when each partition cannot be read. */
  readonly #since = new Map<PartitionFetch, number>()
  #lookedAt: number
  /** When to say it next. */
  #sayAt = 0
  #saidSince: number | undefined

  /** @param now milliseconds @param unreachable whether no broker answers at all */
  constructor(
    warn: Warn,
    now: () => number = () => performance.now(),
    unreachable: () => Unreachable | undefined = () => undefined,
  ) {
    this.#warn = warn
    this.#now = now
    this.#lookedAt = now()
    this.#unreachable = unreachable
  }

  /** A partition cannot be read, for what is its `problem`. @param since when that began, if not just now */
  failed(fetch: PartitionFetch, since: number = this.#now()): void {
    if (!this.#since.has(fetch)) this.#since.set(fetch, since)
  }

  /** A partition is read again, or no longer wanted. */
  ended(fetch: PartitionFetch): void {
    if (this.#since.size === 0 || !this.#since.delete(fetch) || this.#saidSince === undefined) return
    if (this.#late().length > 0) return
    const seconds = Math.round((this.#now() - this.#saidSince) / 1000)
    this.#saidSince = undefined
    this.#sayAt = 0
    if (fetch.state !== 'removed')
      this.#warn(`All partitions are read again, after ${seconds} s`, {
        event: 'partitions.readable',
        topic: fetch.topic,
        partition: fetch.partition,
      })
  }

  /** Why a partition cannot be read at the moment; undefined when it can. */
  of(fetch: PartitionFetch | undefined): string | undefined {
    return fetch !== undefined && this.#since.has(fetch) ? fetch.problem : undefined
  }

  /** A partition is asked for and there is nothing wrong with it. */
  recovered(fetch: PartitionFetch): void {
    fetch.failures = 0
    this.ended(fetch)
  }

  /** Whether there is a partition that cannot be read. */
  get isAny(): boolean {
    return this.#since.size > 0
  }

  /** Whether a partition cannot be read for so long that what is known of it is out of date. */
  isLate(fetch: PartitionFetch): boolean {
    const since = this.#since.get(fetch)
    return since !== undefined && this.#now() - since >= QUIET_MS
  }

  /** What stands in the way at the moment, as part of a sentence; undefined while all partitions are read. */
  get problem(): string | undefined {
    const late = this.#late()
    const [first] = late
    if (first === undefined) return undefined
    const seconds = Math.round((this.#now() - this.#since.get(first)!) / 1000)
    const silence = this.#unreachable()
    if (silence !== undefined) return `no broker answers for ${seconds} s: ${silence.reason}`
    const which = late.length === 1 ? '1 partition' : `${late.length} partitions`
    return `${which} cannot be read for ${seconds} s: ${first.problem}`
  }

  /** Looks for brokers that are silent, and says what there is to say; to be called every `LOOK_MS`. */
  look(brokers: FetchBrokers, cluster: Pick<Cluster, 'addressOf'>, maxWaitMs: number): void {
    const now = this.#now()
    // While the event loop was held up, by a handler for instance, no answer could be read: that says nothing about the brokers.
    const heldUpMs = now - this.#lookedAt - LOOK_MS
    this.#lookedAt = now
    if (heldUpMs > LOOK_MS) brokers.heldUp(heldUpMs)
    for (const { id, asked, askedAt } of brokers.silentSince(now - maxWaitMs - SILENCE_MS)) {
      for (const fetch of asked) {
        fetch.problem = `${cluster.addressOf(id)} does not answer`
        this.failed(fetch, askedAt)
      }
    }
    this.check()
  }

  check(): void {
    if (this.#since.size === 0 || this.#now() < this.#sayAt) return
    const late = this.#late()
    const [first] = late
    if (first === undefined) return
    const since = this.#since.get(first)!
    this.#saidSince ??= since
    this.#sayAt = this.#now() + REMINDER_MS
    const { topic, partition, problem } = first
    const which =
      late.length === 1
        ? `Partition ${partition} of topic "${topic}"`
        : `${late.length} partitions, for instance ${partition} of topic "${topic}",`
    const seconds = Math.round((this.#now() - since) / 1000)
    const silence = this.#unreachable()
    const text =
      silence === undefined
        ? `${which} cannot be read for ${seconds} s: ${problem}`
        : `No broker answers for ${seconds} s, so that ${which.replace(/^P/, 'p').replace(/,$/, '')} cannot be read: ${silence.reason}`
    this.#warn(text, { event: 'partitions.unreadable', topic, partition, partitions: late.length, seconds })
  }

  #late(): PartitionFetch[] {
    return [...this.#since.keys()].filter((fetch) => this.isLate(fetch))
  }
}

export interface FetchRetriesEvents {
  /** A partition may be asked for again, as metadata is new. */
  onRefreshed(fetch: PartitionFetch): void
  /** A topic does not exist any more. @returns whether that is all right; its partitions have been removed then */
  onTopicGone(topic: string): boolean
  /** What ends the fetcher. */
  onError(error: unknown): void
}

/** Has partitions asked for again when metadata is new, after a back-off; others are fetched meanwhile. */
export class FetchRetries {
  readonly #cluster: Pick<Cluster, 'backoff' | 'refresh'>
  readonly #trouble: FetchTrouble
  readonly #events: FetchRetriesEvents
  readonly #signal: AbortSignal
  /** Partitions that wait for new metadata. */
  readonly #stale = new Set<PartitionFetch>()
  #timer: NodeJS.Timeout | undefined
  #at = Infinity
  #refreshing = false

  constructor(
    cluster: Pick<Cluster, 'backoff' | 'refresh'>,
    trouble: FetchTrouble,
    events: FetchRetriesEvents,
    signal: AbortSignal,
  ) {
    this.#cluster = cluster
    this.#trouble = trouble
    this.#events = events
    this.#signal = signal
  }

  later(fetches: readonly PartitionFetch[], cause?: string): void {
    let waitMs = Infinity
    for (const fetch of fetches) {
      if (fetch.state === 'removed') continue
      if (cause !== undefined) fetch.problem = cause
      this.#trouble.failed(fetch)
      fetch.on('failed')
      this.#stale.add(fetch)
      waitMs = Math.min(waitMs, backoffMs(++fetch.failures, this.#cluster.backoff))
    }
    this.#refreshIn(waitMs)
  }

  remove(fetch: PartitionFetch): void {
    this.#stale.delete(fetch)
  }

  stop(): void {
    clearTimeout(this.#timer)
  }

  #isGoneAndAllRight(error: unknown): boolean {
    if (!(error instanceof BrokerError) || error.code !== 'TOPIC_NOT_FOUND' || error.topic === undefined) return false
    return this.#events.onTopicGone(error.topic)
  }

  #refreshIn(waitMs: number): void {
    const at = performance.now() + waitMs
    if (this.#refreshing || at >= this.#at) return
    this.#at = at
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => inBackground(this.#refresh(), (error) => this.#events.onError(error)), waitMs)
  }

  /** Asks for metadata of all topics that have a stale partition, in one request. */
  async #refresh(): Promise<void> {
    this.#refreshing = true
    const stale = [...this.#stale]
    try {
      await this.#cluster.refresh([...new Set(stale.map(({ topic }) => topic))], this.#signal)
      for (const fetch of stale) {
        if (!this.#stale.delete(fetch)) continue
        fetch.on('refreshed')
        this.#events.onRefreshed(fetch)
      }
    } catch (error) {
      // A topic that vanished shows in the next metadata request too; brokers that are down may come back.
      const isLasting = !isMillraceError(error) || (error instanceof BrokerError && !error.retriable)
      if (!this.#signal.aborted && isLasting && !this.#isGoneAndAllRight(error)) this.#events.onError(error)
      else for (const fetch of stale) fetch.failures++
    }
    this.#refreshing = false
    this.#at = Infinity
    if (this.#stale.size === 0 || this.#signal.aborted) return
    let failures = Infinity
    for (const fetch of this.#stale) failures = Math.min(failures, fetch.failures)
    this.#refreshIn(backoffMs(failures, this.#cluster.backoff))
  }
}
