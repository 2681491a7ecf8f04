/**
 * What all calls of a `KafkaSource` or `KafkaSink` share: a cluster, and the consumer or producer opened on it. It is made by
 * the first call that needs it, once, and again by the next call when that failed.
 */
import { ClosedError } from '../errors/index.ts'
import { Cluster } from '../kafka/cluster/cluster.ts'
import { clusterOptions, type ClusterSettings } from '../kafka/properties/settings.ts'
import type { Counters } from '../metrics/counters.ts'
import type { Happenings } from '../metrics/events.ts'
import { untilAborted } from '../resilience/abort.ts'

/** Who watches what is being opened. */
export interface Watching {
  /** Counts connections and requests. */
  readonly connections: Counters
  /** @returns ends it */
  begin(): Promise<(() => void) | undefined>
}

export class SharedConnection<T> {
  /** For errors: `a KafkaSource`. */
  readonly #name: string
  readonly #settings: ClusterSettings
  readonly #happenings: Happenings
  readonly #open: (cluster: Cluster, signal: AbortSignal) => Promise<T>
  readonly #watching: Watching | undefined
  #endWatching: (() => void) | undefined
  readonly #closing = new AbortController()
  #opened: Promise<T> | undefined
  #value: T | undefined
  #cluster: Cluster | undefined
  #closed: Promise<void> | undefined

  constructor(
    name: string,
    settings: ClusterSettings,
    happenings: Happenings,
    open: (cluster: Cluster, signal: AbortSignal) => Promise<T>,
    watching?: Watching,
  ) {
    this.#watching = watching
    this.#name = name
    this.#happenings = happenings
    this.#settings = settings
    this.#open = open
  }

  /** What is open or being opened; undefined before the first call, and after one that failed. */
  get opened(): Promise<T> | undefined {
    return this.#opened
  }

  /** What was opened last, even if it is closed by now; undefined before. */
  get value(): T | undefined {
    return this.#value
  }

  /** What is open now; undefined while it is being opened, and after `close`. */
  get ready(): T | undefined {
    return this.isClosed ? undefined : this.#value
  }

  /** Fires when opening, and all waiting, is to end. */
  get closing(): AbortSignal {
    return this.#closing.signal
  }

  get isClosed(): boolean {
    return this.#closed !== undefined
  }

  /** @throws {ClosedError} after `close`; {AbortedError} when the signal fires; whatever opening throws */
  get(signal: AbortSignal | undefined): Promise<T> {
    if (this.isClosed) return Promise.reject(new ClosedError(this.#name))
    // All callers wait for the same attempt, so none of their signals may end it.
    if (this.#opened === undefined) {
      this.#opened = this.#connect().catch(async (error: unknown) => {
        this.#opened = undefined
        await this.#cluster?.close()
        throw error
      })
      this.#opened.catch(() => {}) // reported to the callers that still wait
    }
    return untilAborted(this.#opened, 'Connecting', signal)
  }

  /** Ends opening, and whatever waits for `closing`. */
  stop(): void {
    this.#closing.abort()
  }

  /**
   * Closes the cluster after what was opened on it (I4). May be called twice: the first call counts.
   * @param release given what was opened, if anything was
   * @param patienceMs how long opening may still take; without limit when omitted
   */
  close(release: (opened: T) => Promise<void>, patienceMs?: number): Promise<void> {
    this.#closed ??= (async () => {
      try {
        const timer = patienceMs === undefined ? undefined : setTimeout(() => this.stop(), patienceMs)
        const opened = await this.#opened?.catch(() => undefined)
        clearTimeout(timer)
        if (opened !== undefined) await release(opened)
      } finally {
        this.stop()
        await this.#cluster?.close()
        this.#endWatching?.()
        this.#report('client.disconnected', 'Closed')
      }
    })()
    return this.#closed
  }

  async #connect(): Promise<T> {
    const options = await clusterOptions(this.#settings, { directory: process.cwd(), clientId: 'millrace' })
    // Failing to export metrics must not stop the client.
    this.#endWatching ??= await this.#watching?.begin().catch(() => undefined)
    this.#cluster = new Cluster({
      ...options,
      happenings: this.#happenings,
      meter: this.#watching?.connections.meter({}),
    })
    this.#value = await this.#open(this.#cluster, this.#closing.signal)
    const brokers = this.#cluster.brokers.map(({ host, port }) => `${host}:${port}`)
    this.#report('client.connected', `Connected to ${brokers.join(', ')}`, { brokers })
    return this.#value
  }

  /** Of one that has connected. */
  #report(event: 'client.connected' | 'client.disconnected', message: string, facts?: object): void {
    if (this.#value === undefined || this.#cluster === undefined || !this.#happenings.hears(event)) return
    this.#happenings.report(message, { event, clientId: this.#cluster.clientId, ...facts })
  }
}
