/**
 * What happens to batches that were sent, or could not be: an answer is understood here, no request is made.
 *
 * An answer has a result for each partition, that is, for each batch of the request:
 *
 * | result | what happens |
 * |---|---|
 * | none, or DUPLICATE_SEQUENCE_NUMBER | written |
 * | MESSAGE_TOO_LARGE, RECORD_LIST_TOO_LARGE | split in two and sent again; a single record fails, and a transaction may go on without it |
 * | the same, of what may have been written | split too; the leader refuses the sequences of its parts when it was |
 * | INVALID_RECORD, INVALID_TIMESTAMP | fails; the error of a record that the broker named is its own, and a transaction may go on without it |
 * | the same, of what may have been written | the others are sent again under its sequence, which the leader refuses when it was |
 * | OUT_OF_ORDER_SEQUENCE_NUMBER | sent again after the batches before it; fails when there are none |
 * | UNKNOWN_PRODUCER_ID, INVALID_PRODUCER_EPOCH | sent again in a new epoch, unless it may have been written; in a transaction it fails |
 * | CONCURRENT_TRANSACTIONS | sent again in a moment |
 * | retriable, or no answer at all | sent again with the same sequence, to the leader of then, until `deliveryTimeoutMs` |
 * | anything else | fails |
 *
 * A batch is settled once, delivered or failed, and gives its memory back then. One that fails leaves a gap in the
 * sequences of its partition, which goes on in a new epoch (`identity.ts`); with `failsFollowing` everything that was
 * appended behind it fails too, so that nothing overtakes it when it is written again (I2).
 */
import { type MillraceError, UnexpectedError } from '../../errors/index.ts'
import { asMillraceError } from '../../errors/unexpected.ts'
import { guarded } from '../../resilience/background.ts'
import { type BackoffOptions, backoffMs } from '../../resilience/retry.ts'
import type { Accumulator } from './accumulator.ts'
import type { PartitionQueue, ProducerBatch } from './partition-queue.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { isStaleMetadata } from '../cluster/metadata-cache.ts'
import { brokerError } from '../protocol/kafka-errors.ts'
import type { ProducedPartition, ProduceResponse } from '../protocol/produce.ts'
import type { ProducerOptions } from './options.ts'
import { deliveryError, ReportTicket, type Ticket, timedOut } from './reports.ts'
import { type RecordErrors, refusedBehind, refusedBeside, refusedRecords, tooLarge, unknownOf } from './refusals.ts'
import { isUnsent, isUnwritten } from './unwritten.ts'
import { batchWithout, splitBatch } from './split-batch.ts'
import type { IdentityOwner } from './identity.ts'
import { CONCURRENT_BACKOFF } from './transaction-errors.ts'
import { Transactions } from './transactions.ts'

const DUPLICATE_SEQUENCE_NUMBER = 46

export class Outcomes {
  /** Records that were acknowledged, their bytes as they were sent, and those of their values. */
  readonly acknowledged = { records: 0, bytes: 0, valueBytes: 0 }
  /** What may have been written, until it is reported. */
  #uncertain: { records: number; readonly error: MillraceError } | undefined
  readonly #cluster: Cluster
  readonly #options: ProducerOptions
  readonly #accumulator: Accumulator
  readonly #owner: IdentityOwner | undefined
  readonly #isTransactional: boolean
  /** Called when the leaders of a topic are not those that were asked. */
  readonly #onStaleLeaders: (topic: string) => void

  constructor(
    cluster: Cluster,
    options: ProducerOptions,
    accumulator: Accumulator,
    owner: IdentityOwner | undefined,
    onStaleLeaders: (topic: string) => void,
  ) {
    this.#cluster = cluster
    this.#options = options
    this.#accumulator = accumulator
    this.#owner = owner
    this.#isTransactional = owner instanceof Transactions
    this.#onStaleLeaders = onStaleLeaders
  }

  /** The leader has answered a request with these batches. */
  answered(batches: readonly ProducerBatch[], response: ProduceResponse, leader: number): void {
    const answers = new Map<PartitionQueue, ProducedPartition>()
    for (const { name, partitions } of response.topics) {
      const queues = this.#accumulator.topic(name)?.queues
      for (const answer of partitions) {
        const queue = queues?.[answer.partition]
        if (queue !== undefined) answers.set(queue, answer)
      }
    }
    for (const batch of batches) {
      if (batch.settled) continue // with the transaction that one before it has doomed
      try {
        this.#understand(batch, answers.get(batch.queue), leader)
      } catch (error) {
        this.broken(batch, error)
      }
    }
  }

  /** Something went wrong here, and not at a broker: the batch fails, whatever it was. */
  broken(batch: ProducerBatch, error: unknown): void {
    if (!batch.settled) this.#fail(batch, asMillraceError(error, 'Cannot write records'))
  }

  /** The same, where it is not known which batches it concerns: all fail. */
  allBroken(error: unknown): void {
    this.abandon(asMillraceError(error, 'Cannot write records'))
  }

  #understand(batch: ProducerBatch, answer: ProducedPartition | undefined, leader: number): void {
    if (answer !== undefined) return this.#answer(batch, answer, leader)
    this.unanswered(
      batch,
      new UnexpectedError(
        `Broker ${leader} left partition ${batch.queue.partition} of topic "${batch.queue.topic}" out of its Produce response`,
      ),
    )
  }

  /** The connection broke, or the answer did not come in time: nobody knows whether the batch was written. */
  unanswered(batch: ProducerBatch, error: MillraceError): void {
    if (batch.settled) return
    batch.lastError = error
    const isSent = !isUnsent(error)
    if (isSent) batch.ambiguous = true
    if (!error.retriable)
      return this.#fail(batch, deliveryError(batch.queue, `${error.message}${unknownOf(batch)}`, { cause: error }))
    if (this.#leaveUncertain(batch, error)) return
    this.#onStaleLeaders(batch.queue.topic)
    if (isSent) this.#retryRefused(batch)
    else this.#retry(batch, true)
  }

  /** Written, from offset `baseOffset` on; -1 when it is not known. */
  delivered(batch: ProducerBatch, baseOffset: number): void {
    const { queue, count } = batch
    queue.sequence.established = true
    batch.settled = true
    queue.remove(batch)
    if (batch.isOfUncertain) queue.wasSplitUnwritten()
    this.acknowledged.records += count
    this.acknowledged.bytes += batch.closed!.end
    this.acknowledged.valueBytes += batch.valueBytes
    batch.delivered(baseOffset)
    this.#accumulator.release(batch)
  }

  /** Fails everything that is not settled. */
  abandon(error: MillraceError): void {
    for (const queue of this.#accumulator.queues) {
      this.#accumulator.closeOpen(queue)
      // The first one that fails dooms its transaction, and with it all others.
      for (const batch of [...queue.sent, ...queue.waiting]) if (!batch.settled) this.#fail(batch, error)
    }
  }

  /** Fails what is not in flight to a topic that was deleted. */
  topicIsGone(topic: string, cause: MillraceError): void {
    for (const queue of this.#accumulator.topic(topic)?.queues ?? []) {
      this.#accumulator.closeOpen(queue)
      for (const batch of [...queue.sent, ...queue.waiting])
        if (!batch.settled && !batch.inFlight) this.#fail(batch, deliveryError(queue, cause.message, { cause }))
    }
  }

  /** Fails every batch with something of one call. */
  giveUp(ticket: Ticket): void {
    const isOf = ({ segments }: ProducerBatch): boolean => segments.some((segment) => segment.ticket === ticket)
    for (const queue of this.#accumulator.queues) {
      if (queue.open !== undefined && isOf(queue.open)) this.#accumulator.closeOpen(queue)
      for (const batch of [...queue.sent, ...queue.waiting]) {
        if (batch.settled || !isOf(batch)) continue
        batch.ambiguous ||= batch.inFlight
        this.#end(batch, timedOut(batch, 'given up'))
      }
    }
  }

  /**
   * Fails what has waited for too long and is not in flight.
   * @returns whether anything is left that may come to that
   */
  expire(): boolean {
    const now = performance.now()
    let left = false
    for (const queue of this.#accumulator.queues) {
      if (queue.open !== undefined) {
        if (this.#isExpired(queue.open, now)) this.#accumulator.closeOpen(queue)
        else left = true
      }
      for (const list of [queue.sent, queue.waiting]) {
        for (const batch of list.slice()) {
          if (batch.settled) continue // with one before it
          if (!batch.inFlight && this.#isExpired(batch, now)) this.#end(batch, timedOut(batch, this.#tooOld))
          else left = true
        }
      }
    }
    return left
  }

  #answer(batch: ProducerBatch, answer: ProducedPartition, leader: number): void {
    const { queue } = batch
    const { errorCode: code } = answer
    if (code === 0) return this.delivered(batch, answer.baseOffset)
    if (code === DUPLICATE_SEQUENCE_NUMBER) return this.delivered(batch, -1)
    const mayBeWritten = batch.ambiguous
    const error = brokerError(code, `Cannot write to partition ${queue.partition} of topic "${queue.topic}"`, {
      topic: queue.topic,
      partition: queue.partition,
      grant: `WRITE on topic "${queue.topic}"`,
    })
    const reason = `${error.kafkaName}${answer.errorMessage === null ? '' : ` (${answer.errorMessage.replace(/\.$/, '')})`}`
    batch.lastError = batch.lastAnswer = error
    batch.ambiguous = mayBeWritten
      ? error.kafkaName !== 'OUT_OF_ORDER_SEQUENCE_NUMBER' || batch.isOfUncertain
      : !isUnwritten(error.kafkaName, this.#options.acks)
    if (batch.behind !== undefined) return this.#endBehind(batch)
    switch (error.kafkaName) {
      case 'MESSAGE_TOO_LARGE':
      case 'RECORD_LIST_TOO_LARGE':
        if (batch.count > 1) return this.#split(batch)
        return this.#refuse(
          batch,
          (isLeftOut) => new Map([[0, tooLarge(batch, error, isLeftOut)]]),
          (own) => this.#fail(batch, own.get(0)!),
        )
      case 'INVALID_RECORD':
      case 'INVALID_TIMESTAMP':
        return this.#refuse(
          batch,
          (isLeftOut) => refusedRecords(batch, answer, error, isLeftOut),
          (own) => this.#fail(batch, refusedBeside(batch, answer, error, own), own),
        )
      case 'CONCURRENT_TRANSACTIONS':
        // The markers of the transaction before are still being written, which takes a moment.
        return this.#retry(batch, true, CONCURRENT_BACKOFF)
      case 'OUT_OF_ORDER_SEQUENCE_NUMBER':
        // Batches before it were refused or lost, or the chain is known to be broken: it will be renumbered or sent again.
        if (queue.sent[0] !== batch) return this.#retry(batch, false)
        if (batch.isOfUncertain) return this.#endUnknown(batch, `${reason} of a part of it`)
        if (queue.sequence.broken) return this.#retry(batch, false)
        return this.#fail(
          batch,
          deliveryError(
            queue,
            `${reason}: the leader has lost records that it had acknowledged, or has forgotten this producer`,
            { code: 'SEQUENCE_BROKEN', cause: error },
          ),
        )
      case 'UNKNOWN_PRODUCER_ID':
      case 'INVALID_PRODUCER_EPOCH':
        // A transaction that was forgotten or taken over cannot go on under another epoch (I5).
        if (this.#isTransactional) return this.#fail(batch, deliveryError(queue, reason, { cause: error }))
        if (queue.sent[0] !== batch) return this.#retry(batch, false)
        if (mayBeWritten) return this.#endUnknown(batch, `${reason}: the leader has forgotten this producer`)
        queue.sequence.broken = queue.isIdempotent
        return this.#retry(batch, true)
      default:
        if (!error.retriable)
          return this.#fail(batch, deliveryError(queue, `${reason}${unknownOf(batch)}`, { cause: error }))
        if (isStaleMetadata(error)) this.#leaderChanged(queue, answer, leader)
        if (this.#leaveUncertain(batch, error)) return
        return this.#retryRefused(batch)
    }
  }

  /** @returns whether a batch is settled as it may have been written, and must not be written again */
  #leaveUncertain(batch: ProducerBatch, error: MillraceError, isLast = !batch.queue.isIdempotent): boolean {
    if (!isLast || !batch.ambiguous || this.#options.onUncertain === undefined) return false
    if (this.#uncertain === undefined) {
      const uncertain = (this.#uncertain = { records: 0, error })
      const report = (): void => {
        this.#uncertain = undefined
        this.#options.onUncertain?.(uncertain.records, uncertain.error)
      }
      queueMicrotask(guarded(report, (thrown) => this.allBroken(thrown)))
    }
    this.#uncertain.records += batch.count
    batch.settled = true
    batch.queue.lose(batch)
    batch.delivered(-1)
    this.#accumulator.release(batch)
    this.#accumulator.ready.add(batch.queue)
    return true
  }

  /** It is not sent again: fails, unless it may have been written and that is to be left open. */
  #end(batch: ProducerBatch, error: MillraceError): void {
    if (!this.#leaveUncertain(batch, error, true)) this.#fail(batch, error)
  }

  /** What was before it has failed. */
  #endBehind(batch: ProducerBatch): void {
    this.#end(batch, refusedBehind(batch, batch.behind?.cause))
  }

  /** The leader cannot say any more whether an earlier attempt was written. */
  #endUnknown(batch: ProducerBatch, reason: string): void {
    const text = `${reason}, so it is unknown whether an earlier attempt was written`
    this.#end(batch, deliveryError(batch.queue, text, { code: 'SEQUENCE_BROKEN', cause: batch.lastError }))
  }

  /** Sends a batch again that was sent in vain, unless that has happened too often. */
  #retryRefused(batch: ProducerBatch): void {
    const { maxRetries = Infinity, retryBackoff = this.#cluster.backoff } = this.#options
    batch.refusals++
    if (batch.refusals > maxRetries && batch.behind === undefined) {
      const reason = batch.lastError?.message ?? 'it was not acknowledged'
      const tries = maxRetries === 0 ? 'it is not sent again' : `it was sent again ${maxRetries} times`
      const text = `${reason}; ${tries} (retries)${unknownOf(batch)}`
      return this.#end(batch, deliveryError(batch.queue, text, { cause: batch.lastError }))
    }
    this.#retry(batch, true, retryBackoff, batch.refusals)
  }

  #retry(
    batch: ProducerBatch,
    backOff: boolean,
    backoff: BackoffOptions = this.#cluster.backoff,
    attempt = batch.attempts,
  ): void {
    const now = performance.now()
    if (batch.behind !== undefined) return this.#endBehind(batch)
    if (this.#isExpired(batch, now)) return this.#end(batch, timedOut(batch, this.#tooOld))
    batch.notBefore = backOff ? now + backoffMs(attempt, backoff) : 0
  }

  /** Records are refused for their own sake. @param refusedOf their errors, by index @param fail all of them */
  #refuse(
    batch: ProducerBatch,
    refusedOf: (isLeftOut: boolean) => RecordErrors,
    fail: (own: RecordErrors) => void,
  ): void {
    const { queue } = batch
    // A program commits everything that it has written, or nothing; the engine decides about each record.
    const isLeftOut = this.#isTransactional && batch.segments.every(({ ticket }) => !(ticket instanceof ReportTicket))
    // It may have been written before the topic was configured otherwise, or message.timestamp.before.max.ms was over.
    const stops = this.#options.failsFollowing === 'for good' // the others of its batch, too (I2)
    const isUncertain = !stops && !this.#isTransactional && queue.isIdempotent && batch.ambiguous
    const refused = refusedOf(isLeftOut)
    const hasOthers = refused.size < batch.count
    if (refused.size === 0 || !(isLeftOut || (isUncertain && hasOthers))) return fail(refusedOf(false))
    // What is before it or under way behind it has to be known first.
    if (queue.sent[0] !== batch || queue.inFlight > 0) return this.#retry(batch, false)
    // A transaction cannot go on in another epoch; but as nothing was written from here on, it can go on without these records.
    if (isLeftOut && !queue.isUnwrittenFrom(batch)) return fail(refusedOf(false))
    const others = hasOthers ? [batchWithout(batch, refused, this.#options)] : []
    batch.settled = true
    if (isLeftOut) queue.leaveOut(batch, others[0])
    else queue.replace(batch, others)
    batch.failedAlone(refused)
    this.#accumulator.replace(batch, others)
  }

  #split(batch: ProducerBatch): void {
    const parts = splitBatch(batch, this.#options)
    batch.queue.replace(batch, parts)
    this.#accumulator.replace(batch, parts)
  }

  #fail(batch: ProducerBatch, error: MillraceError, own?: ReadonlyMap<number, MillraceError>): void {
    if (!this.#options.failsFollowing || batch.behind !== undefined) return this.#lose(batch, error, own)
    this.#accumulator.closeOpen(batch.queue)
    const following = batch.queue.following(batch)
    this.#lose(batch, error, own)
    this.#failFollowing(batch.queue, following, error)
  }

  /**
   * What is in flight the leader refuses, as there is a gap before it, or it has come to what was before it after all; the rest
   * has not been sent. Either way nothing overtakes the failed batch when it is written again (I2).
   */
  #failFollowing(queue: PartitionQueue, following: readonly ProducerBatch[], cause: MillraceError): void {
    queue.cutOff = this.#options.failsFollowing === 'for good' ? Infinity : ++this.#accumulator.cutOffs
    for (const batch of following) {
      if (batch.settled) continue // with the transaction that the first one has doomed
      batch.behind = { cause }
      if (!batch.inFlight) this.#endBehind(batch)
    }
  }

  #lose(batch: ProducerBatch, error: MillraceError, own?: ReadonlyMap<number, MillraceError>): void {
    const { queue } = batch
    if (batch.sequence < 0 && batch.closed !== undefined) this.#accumulator.waitingBytes -= batch.closed.end
    batch.settled = true
    queue.lose(batch)
    batch.failed(error, own)
    this.#accumulator.release(batch)
    this.#accumulator.ready.add(queue)
    this.#owner?.onLost(error, batch.transaction)
  }

  #leaderChanged(queue: PartitionQueue, answer: ProducedPartition, leader: number): void {
    const { topic, partition } = queue
    if (answer.leader !== undefined && answer.leader.id >= 0)
      this.#cluster.updateLeader(topic, partition, answer.leader.id, answer.leader.epoch)
    if (this.#cluster.leader(topic, partition) === leader) this.#onStaleLeaders(topic)
  }

  get #tooOld(): string {
    return `not acknowledged within delivery.timeout.ms (${this.#options.deliveryTimeoutMs} ms)`
  }

  #isExpired(batch: ProducerBatch, now: number): boolean {
    return now - batch.createdAt >= this.#options.deliveryTimeoutMs
  }
}
