/**
 * What is asked of each broker next, and how much of the fetcher's memory each of them may fill.
 *
 * The memory is shared out evenly among the brokers that are read from, so that one whose partitions have much to read, or
 * nothing at all, never keeps the others from being asked. What paused partitions hold is counted apart, up to
 * `PAUSED_SHARE` of the memory on top: it waits for its reader and must not stand in the way of other partitions.
 */
import { FetchSession } from './fetch-session.ts'
import type { PartitionFetch } from './partition-fetch.ts'

/** Part of the memory that paused partitions may hold besides. */
const PAUSED_SHARE = 1 / 4

/** How long a broker may wait for records while partitions of it are not asked for, because something was fetched of them already; grows with the number of those that are. */
const SHORT_WAIT_MS = 5
const SHORT_WAIT_PARTITIONS_PER_MS = 20

export class FetchBroker {
  readonly id: number
  /** Partitions that are read from it. */
  members = 0
  /** Partitions that the next request asks for besides those that are standing. A broker fills its answer in this order. */
  listed: PartitionFetch[] = []
  /** Whether a request is under way. */
  isBusy = false
  /** When it was sent. */
  askedAt = 0
  readonly session: FetchSession = new FetchSession()
  /** Partitions that were paused while a request was under way. */
  #paused: PartitionFetch[] = []
  /** Whether all partitions are to be looked at again, as they may belong to another broker. */
  #mustRelist = false
  /** Bytes that it may bring. */
  askedBytes = 0
  /** Bytes of its partitions that wait to be taken, without those of paused ones. */
  heldBytes = 0
  /** Requests in a row that brought nothing since something was last taken. */
  emptyAnswers = 0

  constructor(id: number) {
    this.id = id
  }

  /** Partitions that the request under way asks for. */
  get asked(): ReadonlySet<PartitionFetch> {
    return this.session.standing
  }

  /** A paused partition is not asked for any more: at once, or when the answer under way is there. */
  standDown(fetch: PartitionFetch): void {
    if (this.isBusy) this.#paused.push(fetch)
    else if (this.session.release(fetch)) fetch.on('answered')
  }

  /** Has all partitions looked at again, at once or when the answer under way is there. @returns those to list again now */
  relist(): readonly PartitionFetch[] {
    this.#mustRelist = true
    return this.isBusy ? [] : this.settle()
  }

  /** Does what waited for the answer. @returns partitions that are no longer asked for and may have to be */
  settle(): readonly PartitionFetch[] {
    const released = this.#mustRelist
      ? this.session.releaseAll()
      : // One that goes on elsewhere would wait for news of where it was.
        this.#paused.filter(
          (fetch) => (fetch.isPaused || fetch.asked !== fetch.position) && this.session.release(fetch),
        )
    this.#mustRelist = false
    this.#paused = []
    for (const fetch of released) fetch.on('answered')
    return released
  }

  /** How long it may wait for records. Partitions that are full, and not named, become free to ask for meanwhile, and must not wait for long. */
  waitMs(longest: number): number {
    const named = this.asked.size
    if (named >= this.members || this.heldBytes === 0) return longest
    return Math.min(
      longest,
      (SHORT_WAIT_MS + named / SHORT_WAIT_PARTITIONS_PER_MS) * 2 ** Math.min(this.emptyAnswers, 10),
    )
  }
}

export class FetchBrokers {
  readonly #brokers = new Map<number, FetchBroker>()
  readonly #bufferBytes: number
  #pausedBytes = 0

  /** @param bufferBytes the memory that is shared out */
  constructor(bufferBytes: number) {
    this.#bufferBytes = bufferBytes
  }

  /** Bytes that one broker may have asked for and waiting. */
  get share(): number {
    return this.#bufferBytes / Math.max(1, this.#brokers.size)
  }

  /** Bytes that are asked for or wait to be taken. */
  get bufferedBytes(): number {
    let bytes = this.#pausedBytes
    for (const { askedBytes, heldBytes } of this.#brokers.values()) bytes += askedBytes + heldBytes
    return bytes
  }

  /** Whether paused partitions hold more than they may. */
  get isPausedFull(): boolean {
    return this.#pausedBytes > this.#bufferBytes * PAUSED_SHARE
  }

  /** All of them as they are now. */
  get all(): FetchBroker[] {
    return [...this.#brokers.values()]
  }

  /** The broker that a partition is read from. */
  of(fetch: PartitionFetch): FetchBroker | undefined {
    return this.#brokers.get(fetch.broker)
  }

  /** Has a partition named in the next request to a broker. */
  list(fetch: PartitionFetch, id: number): FetchBroker {
    const broker = this.#moveTo(fetch, id)
    fetch.isListed = true
    broker.listed.push(fetch)
    return broker
  }

  /** Takes all partitions that can be asked for off the list of a broker. */
  takeListed(broker: FetchBroker): PartitionFetch[] {
    const { listed } = broker
    broker.listed = []
    return listed.filter((fetch) => {
      // It may have moved to another broker since, and even back.
      if (!fetch.isListed || fetch.broker !== broker.id) return false
      fetch.isListed = false
      return fetch.state === 'idle' && !fetch.isPaused
    })
  }

  /** Those whose request was sent before a time and is not answered. */
  silentSince(time: number): FetchBroker[] {
    return [...this.#brokers.values()].filter(({ isBusy, askedAt }) => isBusy && askedAt < time)
  }

  /** For so long no answer could be read. */
  heldUp(ms: number): void {
    for (const broker of this.#brokers.values()) broker.askedAt += ms
  }

  takeAllListed(): PartitionFetch[] {
    return [...this.#brokers.values()].flatMap((broker) => this.takeListed(broker))
  }

  /** Counts bytes that came or went of a partition. */
  hold(fetch: PartitionFetch, bytes: number): void {
    if (fetch.isPaused) this.#pausedBytes += bytes
    else {
      const broker = this.of(fetch)
      if (broker !== undefined) broker.heldBytes += bytes
    }
  }

  setPaused(fetch: PartitionFetch, isPaused: boolean): void {
    this.hold(fetch, -fetch.bufferedBytes)
    fetch.isPaused = isPaused
    this.hold(fetch, fetch.bufferedBytes)
  }

  /** Forgets a partition of which nothing waits any more. */
  remove(fetch: PartitionFetch): void {
    fetch.isListed = false
    this.#leave(fetch)
  }

  /** A request is sent that may bring so many bytes. */
  ask(broker: FetchBroker, bytes: number): void {
    broker.isBusy = true
    broker.askedAt = performance.now()
    broker.askedBytes = bytes
  }

  /** The request has ended. */
  answered(broker: FetchBroker): void {
    broker.isBusy = false
    broker.askedBytes = 0
    this.#forgetUnused(broker)
  }

  #moveTo(fetch: PartitionFetch, id: number): FetchBroker {
    let broker = this.#brokers.get(id)
    if (fetch.broker === id && broker !== undefined) return broker
    this.#leave(fetch)
    if (broker === undefined) this.#brokers.set(id, (broker = new FetchBroker(id)))
    fetch.broker = id
    broker.members++
    if (!fetch.isPaused) broker.heldBytes += fetch.bufferedBytes
    return broker
  }

  #leave(fetch: PartitionFetch): void {
    const broker = this.of(fetch)
    if (broker === undefined) return
    fetch.broker = -1
    broker.session.release(fetch)
    if (!fetch.isPaused) broker.heldBytes -= fetch.bufferedBytes
    broker.members--
    this.#forgetUnused(broker)
  }

  #forgetUnused(broker: FetchBroker): void {
    if (broker.members === 0 && !broker.isBusy) this.#brokers.delete(broker.id)
  }
}
