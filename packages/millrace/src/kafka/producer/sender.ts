/**
 * Sends batches that are closed or due to the leaders of their partitions: which ones, when, and when again. What an answer means is
 * for `outcomes.ts`, which leaves in the queues what has to be sent again.
 *
 * One request carries one batch of each of many partitions of a broker; `maxInFlight` requests are under way per broker
 * at the most. Everything is driven by one method, `drain`, called whenever something may have become possible.
 */
import { isMillraceError, type MillraceError } from '../../errors/index.ts'
import { asMillraceError } from '../../errors/unexpected.ts'
import { guarded, inBackground } from '../../resilience/background.ts'
import type { ProducerBatch } from './partition-queue.ts'
import type { Accumulator } from './accumulator.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { identifyBatch } from '../protocol/record-batch-builder.ts'
import { API_VERSIONS } from '../protocol/api-versions.ts'
import { PRODUCE, type ProduceRequest, type ProduceResponse } from '../protocol/produce.ts'
import type { ProducerOptions } from './options.ts'
import type { Outcomes } from './outcomes.ts'
import type { IdentityOwner } from './identity.ts'
import { Transactions } from './transactions.ts'

/** How often what waits is looked at for being too old. */
const EXPIRY_CHECK_MS = 500

/** How long brokers may say that a topic does not exist before they are believed. */
const MISSING_PATIENCE_MS = 10_000

/** With a request under way, the next one is sent when so much has gathered (or at `flush`). */
const WORTH_SENDING_BYTES = 256 * 1024

/** A request has this long at least: one that is given up closes its connection, and what else is under way there has to be sent again. */
const SHORTEST_REQUEST_MS = 1000

/** Connections of the producer's own: see `Cluster`. */
const LANE = 'produce'

interface Broker {
  inFlight: number
}

interface Request {
  readonly leader: number
  readonly batches: ProducerBatch[]
  bytes: number
}

export class Sender {
  /** `retries` are batches that were sent again. */
  readonly totals = { batches: 0, requests: 0, retries: 0 }
  readonly #cluster: Cluster
  readonly #options: ProducerOptions
  readonly #accumulator: Accumulator
  readonly #owner: IdentityOwner | undefined
  readonly #transactions: Transactions | undefined
  readonly #outcomes: Outcomes
  #underWay = 0
  #idle: PromiseWithResolvers<void> | undefined
  /** Requests without a response that brokers may not have handled yet. */
  readonly #handling = new Set<Promise<boolean>>()
  readonly #handlingGivenUp = Promise.withResolvers<void>()
  readonly #brokers = new Map<number, Broker>()
  /** Topics whose metadata is being fetched, or was a moment ago; resolves when it was. */
  readonly #refreshing = new Map<string, Promise<void>>()
  /** Since when topics are said not to exist, and when that was said last. */
  readonly #missing = new Map<string, { readonly since: number; readonly last: number }>()
  /** Owns what runs in the background. */
  readonly #onFailure = (error: unknown): void => this.#outcomes.allBroken(error)
  #leaders: ReadonlySet<number> = new Set()
  #leadersVersion = -1
  #leadersCount = 0
  #wakeTimer: NodeJS.Timeout | undefined
  #wakeAt = Infinity
  #expiryTimer: NodeJS.Timeout | undefined

  constructor(
    cluster: Cluster,
    options: ProducerOptions,
    accumulator: Accumulator,
    owner: IdentityOwner | undefined,
    outcomes: Outcomes,
  ) {
    this.#cluster = cluster
    this.#options = options
    this.#accumulator = accumulator
    this.#owner = owner
    this.#transactions = owner instanceof Transactions ? owner : undefined
    this.#outcomes = outcomes
  }

  /** Called whenever a batch is closed while more are being filled: sends if it is worth a request. */
  batchClosed(): void {
    if (this.#accumulator.waitingBytes >= WORTH_SENDING_BYTES) this.drain()
  }

  /** Whether no leader takes another request: then there is no use in looking at every partition, and the next answer does. */
  get #isFull(): boolean {
    const { maxInFlight } = this.#options
    if (this.#underWay < maxInFlight) return false
    for (const leader of this.#leadersOfAll())
      if ((this.#brokers.get(leader)?.inFlight ?? 0) < maxInFlight) return false
    return true
  }

  /** Brokers that lead partitions, -1 where none does; looked up again when that may have changed. */
  #leadersOfAll(): ReadonlySet<number> {
    const { metadataVersion } = this.#cluster
    const { queues } = this.#accumulator
    if (this.#leadersVersion !== metadataVersion || this.#leadersCount !== queues.length) {
      this.#leadersVersion = metadataVersion
      this.#leadersCount = queues.length
      this.#leaders = new Set(queues.map(({ topic, partition }) => this.#cluster.leader(topic, partition)))
    }
    return this.#leaders
  }

  /** Sends what can be sent now. */
  drain(): void {
    const { ready } = this.#accumulator
    if (ready.size === 0) return
    this.#expiryTimer ??= this.#startExpiry()
    if (this.#isFull) return
    let requests: Map<number, Request>
    do {
      requests = this.#collect()
      for (const request of requests.values()) inBackground(this.#send(request), this.#onFailure)
    } while (requests.size > 0)
  }

  /** Asks for the leaders of a topic, not more often than the back-off allows. */
  findLeaders(topic: string): void {
    if (this.#refreshing.has(topic)) return
    const afterwards = (): void => {
      const later = (): void => {
        this.#refreshing.delete(topic)
        this.drain()
      }
      setTimeout(guarded(later, this.#onFailure), this.#cluster.backoff.initialMs)
      this.drain()
    }
    const refreshed = this.#cluster.refresh([topic]).then(
      () => void this.#missing.delete(topic),
      (error: unknown) => this.#noteError(topic, error),
    )
    this.#refreshing.set(topic, refreshed)
    inBackground(refreshed.then(afterwards), this.#onFailure)
  }

  /** Requests that wait for their answers. */
  get underWay(): number {
    return this.#underWay
  }

  /** Resolves when no request waits for its answer. */
  async idle(): Promise<void> {
    if (this.#underWay > 0) await (this.#idle ??= Promise.withResolvers()).promise
  }

  /** Resolves when brokers have handled what was sent without a response, or have lost it with its connection. */
  handled(): Promise<unknown> {
    return Promise.race([Promise.all(this.#handling), this.#handlingGivenUp.promise])
  }

  /** From now on `handled` does not wait. */
  giveUpHandling(): void {
    this.#handlingGivenUp.resolve()
  }

  stop(): void {
    clearTimeout(this.#wakeTimer)
    clearTimeout(this.#expiryTimer)
  }

  /** Gathers at most one request per broker. */
  #collect(): Map<number, Request> {
    const { ready } = this.#accumulator
    const { maxInFlight, maxRequestBytes } = this.#options
    const requests = new Map<number, Request>()
    const full = new Set<number>()
    const now = performance.now()
    // Those that are sent go to the end: each is looked at once.
    let left = ready.size
    for (const queue of ready) {
      if (left-- === 0) break
      let batch = queue.sendable
      const isOpen = batch !== undefined && batch === queue.open
      if (batch === undefined || (isOpen && !this.#accumulator.isDue(batch, now))) {
        // An answer, the next batch that is closed or the linger will bring it back.
        ready.delete(queue)
        continue
      }
      if (isOpen && this.#accumulator.isFilling) continue
      if (batch.notBefore > now) {
        this.#wake(batch.notBefore)
        continue
      }
      const leader = this.#cluster.leader(queue.topic, queue.partition)
      if (leader < 0) {
        this.findLeaders(queue.topic)
        continue
      }
      const broker = this.#broker(leader)
      if (broker.inFlight >= maxInFlight || full.has(leader)) continue
      let { size } = batch
      const request = requests.get(leader)
      if (request !== undefined && request.bytes + size > maxRequestBytes) {
        full.add(leader)
        continue
      }
      if (this.#owner?.admits(queue, batch.transaction) === false) continue
      if (isOpen) {
        this.#accumulator.closeDue(queue)
        batch = queue.waiting[0]
        if (batch === undefined) continue // it is broken
        size = batch.size
      }
      const isFirst = batch.sequence < 0
      if (!queue.send(batch)) continue
      if (isFirst) this.#accumulator.waitingBytes -= size
      // Behind the others, so that each partition has its turn.
      ready.delete(queue)
      ready.add(queue)
      if (request === undefined) requests.set(leader, { leader, batches: [batch], bytes: size })
      else {
        request.batches.push(batch)
        request.bytes += size
      }
    }
    return requests
  }

  async #send({ leader, batches }: Request): Promise<void> {
    const broker = this.#broker(leader)
    broker.inFlight++
    this.#underWay++
    this.totals.requests++
    this.totals.batches += batches.length
    let response: ProduceResponse | undefined
    let failure: MillraceError | undefined
    const isAnswered = this.#options.acks !== 0
    let handled: Promise<boolean> | undefined
    try {
      for (const batch of batches) this.#identify(batch)
      const answer = this.#cluster.request(leader, PRODUCE, () => this.#request(batches), {
        lane: LANE,
        timeoutMs: this.#timeoutFor(batches),
        ...(this.#transactions === undefined ? {} : { maxVersion: this.#transactions.produceVersion }),
      })
      if (!isAnswered) this.#handling.add((handled = this.#isHandled(leader)))
      response = await answer
    } catch (error) {
      failure = asMillraceError(error, 'A Produce request failed')
    }
    if (isAnswered) broker.inFlight--
    if (--this.#underWay === 0) {
      this.#idle?.resolve()
      this.#idle = undefined
    }
    for (const batch of batches) {
      batch.queue.answered(batch)
      this.#accumulator.ready.add(batch.queue)
    }
    const open = batches.filter(({ settled }) => !settled)
    if (failure !== undefined) for (const batch of open) this.#outcomes.unanswered(batch, failure)
    else if (!isAnswered) for (const batch of open) this.#outcomes.delivered(batch, -1)
    else this.#outcomes.answered(open, response!, leader)
    if (!isAnswered) {
      this.drain()
      // Nothing else reports that the broker leads no more; what it is sent until then is lost.
      const isHandled = await handled
      this.#handling.delete(handled!)
      if (!isHandled) await this.#leadersFound(batches)
      broker.inFlight--
    }
    this.drain()
  }

  /** Asks for the leaders of batches, and waits for the answer. */
  async #leadersFound(batches: readonly ProducerBatch[]): Promise<void> {
    const topics = new Set(batches.map(({ queue }) => queue.topic))
    for (const topic of topics) this.findLeaders(topic)
    await Promise.all(Array.from(topics, (topic) => this.#refreshing.get(topic)!))
  }

  #identify({ queue, closed, attempts, sequence }: ProducerBatch): void {
    if (attempts > 1) this.totals.retries++
    const { id, epoch } = queue.sequence.identity!
    const { bytes, end, hasCrc } = closed!
    const identity = {
      producerId: id,
      producerEpoch: epoch,
      baseSequence: queue.isIdempotent ? sequence : -1,
      transactional: this.#transactions !== undefined,
    }
    identifyBatch(bytes, end, identity, hasCrc)
  }

  /**
   * Without acknowledgements nothing would keep a slow broker from being flooded, and our memory from filling with what
   * the socket has not taken yet. A broker handles the requests of a connection in order, so any answer will do.
   *
   * To be called with nothing in between after the request it is about, so that it takes the same connection.
   * @returns false when the connection broke, which is how a broker refuses a batch; what the connection held is lost with it
   */
  async #isHandled(leader: number): Promise<boolean> {
    try {
      await this.#cluster.request(leader, API_VERSIONS, () => ({}), {
        maxVersion: 0,
        lane: LANE,
        timeoutMs: this.#options.requestTimeoutMs,
      })
      return true
    } catch {
      return false
    }
  }

  #request(batches: readonly ProducerBatch[]): ProduceRequest {
    const topics = new Map<string, { name: string; partitions: { partition: number; records: Buffer }[] }>()
    for (const { queue, closed } of batches) {
      let topic = topics.get(queue.topic)
      if (topic === undefined) topics.set(queue.topic, (topic = { name: queue.topic, partitions: [] }))
      topic.partitions.push({ partition: queue.partition, records: closed!.bytes.subarray(0, closed!.end) })
    }
    const { acks, requestTimeoutMs } = this.#options
    return {
      transactionalId: this.#transactions?.transactionalId ?? null,
      acks: acks === 'all' ? -1 : acks,
      timeoutMs: requestTimeoutMs,
      topics: [...topics.values()],
    }
  }

  /** A request does not outlast the delivery timeout of its batches by much. */
  #timeoutFor(batches: readonly ProducerBatch[]): number {
    const { requestTimeoutMs, deliveryTimeoutMs } = this.#options
    let oldest = Infinity
    for (const { createdAt } of batches) oldest = Math.min(oldest, createdAt)
    return Math.min(requestTimeoutMs, Math.max(SHORTEST_REQUEST_MS, oldest + deliveryTimeoutMs - performance.now()))
  }

  /** Keeps the reason why a topic cannot be reached, for when its batches time out. */
  #noteError(topic: string, error: unknown): void {
    if (!isMillraceError(error)) return
    for (const { sent, waiting, open } of this.#accumulator.topic(topic)?.queues ?? []) {
      for (const batch of [...sent, ...waiting]) batch.lastError = error
      if (open !== undefined) open.lastError = error
    }
    if (error.code === 'TOPIC_NOT_FOUND') this.#giveUpMissing(topic, error)
  }

  /** A topic that was deleted does not come back; one that is made again may be missing for a moment. */
  #giveUpMissing(topic: string, error: MillraceError): void {
    const now = performance.now()
    const before = this.#missing.get(topic)
    // After a while in which nothing was heard it may have been there.
    const since = before !== undefined && now - before.last < MISSING_PATIENCE_MS ? before.since : now
    this.#missing.set(topic, { since, last: now })
    if (now - since >= MISSING_PATIENCE_MS) this.#outcomes.topicIsGone(topic, error)
  }

  #expire(): void {
    this.#expiryTimer = undefined
    if (this.#outcomes.expire()) this.#expiryTimer = this.#startExpiry()
    this.drain()
  }

  #startExpiry(): NodeJS.Timeout {
    return setTimeout(
      guarded(() => this.#expire(), this.#onFailure),
      Math.min(EXPIRY_CHECK_MS, this.#options.deliveryTimeoutMs),
    )
  }

  #wake(at: number): void {
    if (at >= this.#wakeAt) return
    clearTimeout(this.#wakeTimer)
    this.#wakeAt = at
    const wake = (): void => {
      this.#wakeAt = Infinity
      this.drain()
    }
    this.#wakeTimer = setTimeout(guarded(wake, this.#onFailure), Math.max(1, at - performance.now()))
  }

  #broker(id: number): Broker {
    let broker = this.#brokers.get(id)
    if (broker === undefined) this.#brokers.set(id, (broker = { inFlight: 0 }))
    return broker
  }
}
