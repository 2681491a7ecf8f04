/**
 * Sends closed batches to the leaders of their partitions and deals with what comes back.
 *
 * One request carries one batch of each of many partitions of a broker. What an answer means, per partition:
 *
 * | answer | what happens |
 * |---|---|
 * | none, or DUPLICATE_SEQUENCE_NUMBER | written |
 * | MESSAGE_TOO_LARGE | split in two and sent again; a single record fails |
 * | INVALID_RECORD, INVALID_TIMESTAMP | fails; the error of a record that the broker named is its own |
 * | OUT_OF_ORDER_SEQUENCE_NUMBER | sent again after the batches before it; fails when there are none |
 * | UNKNOWN_PRODUCER_ID, INVALID_PRODUCER_EPOCH | sent again in a new epoch, unless it may have been written; in a transaction it fails |
 * | CONCURRENT_TRANSACTIONS | sent again in a moment |
 * | retriable, or no answer at all | sent again with the same sequence, to the leader of then, until `deliveryTimeoutMs` |
 * | anything else | fails |
 */
import { isMillraceError, type MillraceError, UnexpectedError } from '../errors/index.ts'
import { type BackoffOptions, backoffMs } from '../resilience/retry.ts'
import type { Accumulator } from './accumulator.ts'
import type { PartitionQueue } from './accumulator-queue.ts'
import type { Cluster } from './cluster.ts'
import { isStaleMetadata } from './metadata-cache.ts'
import { brokerError } from './protocol/kafka-errors.ts'
import { identifyBatch } from './protocol/record-batch-builder.ts'
import { API_VERSIONS, PRODUCE, type ProducedPartition, type ProduceResponse } from './protocol/produce.ts'
import type { ProducerBatch } from './producer-batch.ts'
import type { ProducerSettings } from './producer-options.ts'
import { deliveryError } from './producer-reports.ts'
import { splitBatch } from './producer-split.ts'
import type { IdentityOwner } from './sequences.ts'
import { Transactions } from './transactions.ts'

const MESSAGE_TOO_LARGE = 10
const OUT_OF_ORDER_SEQUENCE_NUMBER = 45
const DUPLICATE_SEQUENCE_NUMBER = 46
const INVALID_PRODUCER_EPOCH = 47
const UNKNOWN_PRODUCER_ID = 59
const CONCURRENT_TRANSACTIONS = 51
const INVALID_RECORD = 87
const INVALID_TIMESTAMP = 32

/** Codes with which a leader says for certain that it has written nothing: RECORD_LIST_TOO_LARGE, NOT_ENOUGH_REPLICAS, refused authorizations, invalid timestamps and the like. */
const NOT_WRITTEN: ReadonlySet<number> = new Set([
  2,
  MESSAGE_TOO_LARGE,
  17,
  18,
  19,
  21,
  29,
  31,
  32,
  42,
  43,
  OUT_OF_ORDER_SEQUENCE_NUMBER,
  INVALID_PRODUCER_EPOCH,
  CONCURRENT_TRANSACTIONS,
  UNKNOWN_PRODUCER_ID,
  76,
  INVALID_RECORD,
])

/** How often what waits is looked at for being too old. */
const EXPIRY_CHECK_MS = 500

/** With a request under way, the next one is sent when so much has gathered (or at `flush`). */
const WORTH_SENDING_BYTES = 256 * 1024

const CONCURRENT_BACKOFF = { initialMs: 5, maxMs: 200 }

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
  /** Records and bytes (as sent) that were acknowledged, batches that were sent again. */
  readonly totals = { records: 0, bytes: 0, batches: 0, requests: 0, retries: 0 }
  readonly #cluster: Cluster
  readonly #settings: ProducerSettings
  readonly #accumulator: Accumulator
  readonly #owner: IdentityOwner | undefined
  readonly #transactions: Transactions | undefined
  #underWay = 0
  #onIdle: (() => void) | undefined
  readonly #brokers = new Map<number, Broker>()
  /** Topics whose metadata is being fetched, or was a moment ago. */
  readonly #refreshing = new Set<string>()
  #wakeTimer: NodeJS.Timeout | undefined
  #wakeAt = Infinity
  #expiryTimer: NodeJS.Timeout | undefined

  constructor(
    cluster: Cluster,
    settings: ProducerSettings,
    accumulator: Accumulator,
    owner: IdentityOwner | undefined,
  ) {
    this.#owner = owner
    this.#transactions = owner instanceof Transactions ? owner : undefined
    this.#cluster = cluster
    this.#settings = settings
    this.#accumulator = accumulator
  }

  /** Called whenever a batch is closed while more are being filled: sends if it is worth a request. */
  batchClosed(): void {
    if (this.#accumulator.waitingBytes >= WORTH_SENDING_BYTES) this.drain()
  }

  /** Sends what can be sent now. */
  drain(): void {
    const { ready } = this.#accumulator
    if (ready.size === 0) return
    this.#expiryTimer ??= setTimeout(() => this.#expire(), Math.min(EXPIRY_CHECK_MS, this.#settings.deliveryTimeoutMs))
    let requests: Map<number, Request>
    do {
      requests = this.#collect()
      for (const request of requests.values()) void this.#send(request)
    } while (requests.size > 0)
  }

  /** Fails everything that is not settled. */
  abandon(error: MillraceError): void {
    for (const queue of this.#accumulator.queues) {
      for (const batch of [...queue.sent, ...queue.waiting]) this.#fail(batch, error)
    }
  }

  /** Resolves when no request waits for its answer. */
  async idle(): Promise<void> {
    if (this.#underWay > 0) await new Promise<void>((resolve) => (this.#onIdle = resolve))
  }

  stop(): void {
    clearTimeout(this.#wakeTimer)
    clearTimeout(this.#expiryTimer)
  }

  /** Gathers at most one request per broker. */
  #collect(): Map<number, Request> {
    const { ready } = this.#accumulator
    const { maxInFlight, maxRequestBytes } = this.#settings
    const requests = new Map<number, Request>()
    const full = new Set<number>()
    const now = performance.now()
    // Those that are sent go to the end: each is looked at once.
    let left = ready.size
    for (const queue of ready) {
      if (left-- === 0) break
      const batch = queue.sendable
      if (batch === undefined) {
        // An answer will bring it back.
        ready.delete(queue)
        continue
      }
      if (batch.notBefore > now) {
        this.#wake(batch.notBefore)
        continue
      }
      const leader = this.#cluster.leader(queue.topic, queue.partition)
      if (leader < 0) {
        this.#refresh(queue.topic)
        continue
      }
      const broker = this.#broker(leader)
      if (broker.inFlight >= maxInFlight || full.has(leader)) continue
      const size = batch.closed!.end
      const request = requests.get(leader)
      if (request !== undefined && request.bytes + size > maxRequestBytes) {
        full.add(leader)
        continue
      }
      if (this.#owner?.admits(queue, batch.transaction) === false) continue
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
    const { totals } = this
    totals.requests++
    totals.batches += batches.length
    for (const batch of batches) {
      if (batch.attempts > 1) totals.retries++
      const { queue } = batch
      const { id, epoch } = queue.sequence.identity!
      identifyBatch(batch.closed!.bytes, batch.closed!.end, {
        producerId: id,
        producerEpoch: epoch,
        baseSequence: queue.isIdempotent ? batch.sequence : -1,
        transactional: this.#transactions !== undefined,
      })
    }
    let response: ProduceResponse | undefined
    let failure: MillraceError | undefined
    const isAnswered = this.#settings.acks !== 0
    try {
      response = await this.#cluster.request<ProduceResponse>(leader, PRODUCE, () => [this.#request(batches)], {
        lane: LANE,
        timeoutMs: this.#timeoutFor(batches),
        ...(this.#transactions === undefined ? {} : { maxVersion: this.#transactions.produceVersion }),
      })
    } catch (error) {
      failure = isMillraceError(error) ? error : new UnexpectedError('A Produce request failed', { cause: error })
    }
    if (isAnswered) broker.inFlight--
    if (--this.#underWay === 0) this.#onIdle?.()
    for (const batch of batches) {
      batch.queue.answered(batch)
      this.#accumulator.ready.add(batch.queue)
    }
    const open = batches.filter(({ settled }) => !settled)
    if (failure !== undefined) for (const batch of open) this.#unanswered(batch, failure)
    else if (!isAnswered) for (const batch of open) this.#delivered(batch, -1)
    else this.#answered(open, response!, leader)
    if (!isAnswered) {
      this.drain()
      await this.#untilHandled(leader)
      broker.inFlight--
    }
    this.drain()
  }

  /**
   * Without acknowledgements nothing would keep a slow broker from being flooded, and our memory from filling with what
   * the socket has not taken yet. A broker handles the requests of a connection in order, so any answer will do.
   */
  async #untilHandled(leader: number): Promise<void> {
    try {
      await this.#cluster.request(leader, API_VERSIONS, () => [], {
        lane: LANE,
        timeoutMs: this.#settings.requestTimeoutMs,
      })
    } catch {
      // The connection is gone, and with it what it held.
    }
  }

  #request(batches: readonly ProducerBatch[]): object {
    const topics = new Map<string, { name: string; partitions: { partition: number; records: Buffer }[] }>()
    for (const { queue, closed } of batches) {
      let topic = topics.get(queue.topic)
      if (topic === undefined) topics.set(queue.topic, (topic = { name: queue.topic, partitions: [] }))
      topic.partitions.push({ partition: queue.partition, records: closed!.bytes.subarray(0, closed!.end) })
    }
    const { acks, requestTimeoutMs } = this.#settings
    return {
      transactionalId: this.#transactions?.transactionalId ?? null,
      acks: acks === 'all' ? -1 : acks,
      timeoutMs: requestTimeoutMs,
      topics: [...topics.values()],
    }
  }

  /** A request does not outlast the delivery timeout of its batches by much. */
  #timeoutFor(batches: readonly ProducerBatch[]): number {
    const { requestTimeoutMs, deliveryTimeoutMs } = this.#settings
    let oldest = Infinity
    for (const { createdAt } of batches) oldest = Math.min(oldest, createdAt)
    return Math.min(requestTimeoutMs, Math.max(200, oldest + deliveryTimeoutMs - performance.now()))
  }

  #answered(batches: readonly ProducerBatch[], response: ProduceResponse, leader: number): void {
    const answers = new Map<PartitionQueue, ProducedPartition>()
    for (const { name, partitions } of response.topics) {
      const queues = this.#accumulator.topic(name)?.queues
      for (const answer of partitions) {
        const queue = queues?.[answer.partition]
        if (queue !== undefined) answers.set(queue, answer)
      }
    }
    for (const batch of batches) {
      const answer = answers.get(batch.queue)
      if (answer === undefined)
        this.#unanswered(
          batch,
          new UnexpectedError(
            `Broker ${leader} left partition ${batch.queue.partition} of topic "${batch.queue.topic}" out of its Produce response`,
          ),
        )
      else this.#answer(batch, answer, leader)
    }
  }

  #answer(batch: ProducerBatch, answer: ProducedPartition, leader: number): void {
    const { queue } = batch
    const { errorCode: code } = answer
    if (code === 0) return this.#delivered(batch, answer.baseOffset)
    if (code === DUPLICATE_SEQUENCE_NUMBER) return this.#delivered(batch, -1)
    if (batch.behind !== undefined) return this.#fail(batch, batch.behind)
    const mayBeWritten = batch.ambiguous
    const error = brokerError(code, `Cannot write to partition ${queue.partition} of topic "${queue.topic}"`, {
      topic: queue.topic,
      partition: queue.partition,
    })
    const reason = `${error.kafkaName}${answer.errorMessage === null ? '' : ` (${answer.errorMessage.replace(/\.$/, '')})`}`
    batch.lastError = error
    batch.ambiguous = mayBeWritten ? code !== OUT_OF_ORDER_SEQUENCE_NUMBER : !NOT_WRITTEN.has(code)
    switch (code) {
      case MESSAGE_TOO_LARGE:
        if (batch.count > 1) return this.#split(batch)
        return this.#fail(
          batch,
          deliveryError(
            queue,
            `the broker refused a record batch of ${batch.closed!.end} bytes with one record: raise max.message.bytes of the topic`,
            { code: 'RECORD_TOO_LARGE', cause: error },
          ),
        )
      case INVALID_RECORD:
      case INVALID_TIMESTAMP:
        return this.#refuse(batch, answer, error)
      case CONCURRENT_TRANSACTIONS:
        // The markers of the transaction before are still being written, which takes a moment.
        return this.#retry(batch, true, CONCURRENT_BACKOFF)
      case OUT_OF_ORDER_SEQUENCE_NUMBER:
        // Batches before it were refused or lost, or the chain is known to be broken: it will be renumbered or sent again.
        if (queue.sent[0] !== batch || queue.sequence.broken) return this.#retry(batch, false)
        return this.#fail(
          batch,
          deliveryError(
            queue,
            `${reason}: the leader has lost records that it had acknowledged, or has forgotten this producer`,
            { code: 'SEQUENCE_BROKEN', cause: error },
          ),
        )
      case UNKNOWN_PRODUCER_ID:
      case INVALID_PRODUCER_EPOCH:
        // A transaction that was forgotten or taken over cannot go on under another epoch (I5).
        if (this.#transactions !== undefined) return this.#fail(batch, deliveryError(queue, reason, { cause: error }))
        if (queue.sent[0] !== batch) return this.#retry(batch, false)
        if (mayBeWritten)
          return this.#fail(
            batch,
            deliveryError(
              queue,
              `${reason}: the leader has forgotten this producer, so it cannot be known whether an earlier attempt was written`,
              { code: 'SEQUENCE_BROKEN', cause: error },
            ),
          )
        queue.sequence.broken = queue.isIdempotent
        return this.#retry(batch, true)
      default:
        if (!error.retriable) return this.#fail(batch, deliveryError(queue, reason, { cause: error }))
        if (isStaleMetadata(error)) this.#leaderChanged(queue, answer, leader)
        return this.#retry(batch, true)
    }
  }

  /** The connection broke, or the answer did not come in time: nobody knows whether the batch was written. */
  #unanswered(batch: ProducerBatch, error: MillraceError): void {
    batch.lastError = error
    if (!error.retriable) return this.#fail(batch, deliveryError(batch.queue, error.message, { cause: error }))
    // An attempt that never got a connection was not sent.
    if (error.code !== 'BROKER_UNREACHABLE') batch.ambiguous = true
    this.#refresh(batch.queue.topic)
    this.#retry(batch, true)
  }

  #delivered(batch: ProducerBatch, baseOffset: number): void {
    const { queue, count } = batch
    queue.sequence.established = true
    batch.settled = true
    queue.remove(batch)
    this.totals.records += count
    this.totals.bytes += batch.closed!.end
    batch.delivered(baseOffset)
    this.#accumulator.release(batch)
  }

  #retry(batch: ProducerBatch, backOff: boolean, backoff: BackoffOptions = this.#cluster.backoff): void {
    const now = performance.now()
    if (batch.behind !== undefined) return this.#fail(batch, batch.behind)
    if (this.#isExpired(batch, now)) return this.#fail(batch, this.#timedOut(batch))
    batch.notBefore = backOff ? now + backoffMs(batch.attempts, backoff) : 0
  }

  #fail(batch: ProducerBatch, error: MillraceError, own?: ReadonlyMap<number, MillraceError>): void {
    this.#lose(batch, error, own)
    if (this.#settings.failsFollowing && batch.behind === undefined) this.#failFollowing(batch.queue, error)
  }

  /** How often everything of a partition has failed at once: what began to be written before must not be appended behind it. */
  cutOffs = 0

  /**
   * What is in flight the leader refuses, as there is a gap before it, or it has come to what was before it after all; the rest
   * has not been sent. Either way nothing overtakes the failed batch when it is written again (I2).
   */
  #failFollowing(queue: PartitionQueue, cause: MillraceError): void {
    const behind = deliveryError(queue, 'records before it in its partition were not written', {
      code: 'REFUSED_WITH_BATCH',
      cause,
    })
    this.cutOffs++
    this.#accumulator.closeOpen(queue)
    for (const batch of [...queue.sent, ...queue.waiting]) {
      batch.behind = behind
      if (!batch.inFlight) this.#lose(batch, behind)
    }
  }

  #lose(batch: ProducerBatch, error: MillraceError, own?: ReadonlyMap<number, MillraceError>): void {
    const { queue } = batch
    if (batch.sequence < 0) this.#accumulator.waitingBytes -= batch.closed!.end
    batch.settled = true
    queue.lose(batch)
    batch.failed(error, own)
    this.#accumulator.release(batch)
    this.#accumulator.ready.add(queue)
    this.#owner?.onLost(error)
  }

  #split(batch: ProducerBatch): void {
    const parts = splitBatch(batch, this.#settings.compressionLevel)
    batch.queue.replace(batch, parts)
    this.#accumulator.replace(batch, parts)
  }

  /** Records that the broker objects to fail with its words, the others because they were beside them. */
  #refuse(batch: ProducerBatch, answer: ProducedPartition, cause: MillraceError): void {
    const { queue } = batch
    const own = new Map<number, MillraceError>()
    for (const { index, message } of answer.recordErrors)
      own.set(
        index,
        deliveryError(
          queue,
          `the broker refused the record: ${message ?? answer.errorMessage ?? 'it did not say why'}`,
          { cause },
        ),
      )
    const others =
      own.size === 0
        ? deliveryError(queue, answer.errorMessage ?? 'the broker refused the record', { cause })
        : deliveryError(queue, 'other records of the same batch were refused by the broker', {
            code: 'REFUSED_WITH_BATCH',
            cause,
          })
    this.#fail(batch, others, own)
  }

  #leaderChanged(queue: PartitionQueue, answer: ProducedPartition, leader: number): void {
    const { topic, partition } = queue
    if (answer.leader !== undefined && answer.leader.id >= 0)
      this.#cluster.updateLeader(topic, partition, answer.leader.id, answer.leader.epoch)
    if (this.#cluster.leader(topic, partition) === leader) this.#refresh(topic)
  }

  /** Asks for the leaders of a topic, not more often than the back-off allows. */
  #refresh(topic: string): void {
    if (this.#refreshing.has(topic)) return
    this.#refreshing.add(topic)
    const afterwards = (): void => {
      this.drain()
      setTimeout(() => {
        this.#refreshing.delete(topic)
        this.drain()
      }, this.#cluster.backoff.initialMs)
    }
    this.#cluster
      .refresh([topic])
      .catch((error: unknown) => this.#noteError(topic, error))
      .finally(afterwards)
      .catch(() => {})
  }

  /** Keeps the reason why a topic cannot be reached, for when its batches time out. */
  #noteError(topic: string, error: unknown): void {
    if (!isMillraceError(error)) return
    for (const { sent, waiting } of this.#accumulator.topic(topic)?.queues ?? []) {
      for (const batch of [...sent, ...waiting]) batch.lastError = error
    }
  }

  #isExpired(batch: ProducerBatch, now: number): boolean {
    return now - batch.createdAt >= this.#settings.deliveryTimeoutMs
  }

  #timedOut(batch: ProducerBatch): MillraceError {
    const { deliveryTimeoutMs } = this.#settings
    const state = batch.ambiguous ? 'it is not known whether they were written' : 'they were not written'
    const last = batch.lastError === undefined ? 'no request could be sent' : batch.lastError.message
    return deliveryError(
      batch.queue,
      `${batch.count} records were not acknowledged within delivery.timeout.ms (${deliveryTimeoutMs} ms), and ${state}; last: ${last}`,
      { code: 'DELIVERY_TIMED_OUT', cause: batch.lastError },
    )
  }

  #expire(): void {
    this.#expiryTimer = undefined
    const now = performance.now()
    let left = false
    for (const queue of this.#accumulator.queues) {
      for (const list of [queue.sent, queue.waiting]) {
        for (const batch of list.slice()) {
          if (batch.settled) continue // with one before it
          if (!batch.inFlight && this.#isExpired(batch, now)) this.#fail(batch, this.#timedOut(batch))
          else left = true
        }
      }
    }
    if (left)
      this.#expiryTimer = setTimeout(() => this.#expire(), Math.min(EXPIRY_CHECK_MS, this.#settings.deliveryTimeoutMs))
    this.drain()
  }

  #wake(at: number): void {
    if (at >= this.#wakeAt) return
    clearTimeout(this.#wakeTimer)
    this.#wakeAt = at
    this.#wakeTimer = setTimeout(
      () => {
        this.#wakeAt = Infinity
        this.drain()
      },
      Math.max(1, at - performance.now()),
    )
  }

  #broker(id: number): Broker {
    let broker = this.#brokers.get(id)
    if (broker === undefined) this.#brokers.set(id, (broker = { inFlight: 0 }))
    return broker
  }
}
