/**
 * The producer: takes records, gathers them into record batches, sends these to the leaders and reports what happened to
 * each record.
 *
 * The way of a record: `write` → a job (`append-job.ts`) waits for its turn (`append-line.ts`) and puts the record into the
 * open batch of its partition (`accumulator.ts`) → the batch is closed → the sender (`sender.ts`) sends it, several times if
 * need be → the answer settles it (`outcomes.ts`) → the ticket of the call (`reports.ts`) counts it → the promise of `write`
 * resolves.
 *
 * Records of one partition are written in the order of the calls, whatever has to be tried again (with idempotence).
 */
import type { GroupOffsets } from '../../contracts/offsets.ts'
import type { Batch, RawRecordBatches } from '../../records/batch.ts'
import {
  AbortedError,
  ClosedError,
  ConfigError,
  EncodeError,
  type MillraceError,
  TransactionError,
} from '../../errors/index.ts'
import { isFaultOfRecord } from '../../errors/meaning.ts'
import { asMillraceError } from '../../errors/unexpected.ts'
import { untilAborted } from '../../resilience/abort.ts'
import { Accumulator, type TopicQueues } from './accumulator.ts'
import type { PartitionQueue } from './partition-queue.ts'
import type { Cluster } from '../cluster/cluster.ts'
import type { AppendJob } from './append-job.ts'
import { AppendLine } from './append-line.ts'
import { AppendBatch, type Route } from './append-batch.ts'
import { AppendRecords, type WritableRecord } from './append-records.ts'
import type { ProducerOptions } from './options.ts'
import { Outcomes } from './outcomes.ts'
import { forwardable, AppendRaw } from './append-raw.ts'
import { type DeliveryReports, refusedWith, ReportTicket, Ticket } from './reports.ts'
import { Sender } from './sender.ts'
import { IdempotentIdentity, type IdentityOwner } from './identity.ts'
import { type TransactionOptions, Transactions } from './transactions.ts'

export type { WritableRecord } from './append-records.ts'
export type { ProducerOptions } from './options.ts'
export type { DeliveryReports } from './reports.ts'

/** How far a producer has come. */
export interface ProducerProgress {
  /** Records that were acknowledged. */
  readonly records: number
  /** Their bytes as they were sent: compressed, with batch headers. */
  readonly bytes: number
  /** Bytes of the values of acknowledged records that came through `write`, before compression. */
  readonly valueBytes: number
  /** Memory held by records that are not acknowledged yet. */
  readonly bufferedBytes: number
  readonly requests: number
  readonly batches: number
  /** Batches that were sent again. */
  readonly retries: number
}

export class Producer {
  readonly #cluster: Cluster
  readonly #options: ProducerOptions
  readonly #identity: IdentityOwner | undefined
  readonly #transactions: Transactions | undefined
  readonly #accumulator: Accumulator
  readonly #outcomes: Outcomes
  readonly #sender: Sender
  readonly #line: AppendLine
  /** Batches by number, so that a caller can give one up. */
  readonly #tickets = new WeakMap<Batch, Ticket>()
  readonly #batchClosed = (): void => this.#sender.batchClosed()
  #closing: Promise<void> | undefined

  /**
   * Does not connect yet. The cluster stays the caller's, who closes it after the producer.
   * @throws {ConfigError} for a transaction without idempotence
   */
  constructor(cluster: Cluster, options: ProducerOptions, transaction?: TransactionOptions) {
    this.#cluster = cluster
    this.#options = options
    if (transaction !== undefined) {
      if (!this.#options.idempotence)
        throw new ConfigError(
          'Cannot use a transactional id without idempotence: set acks to "all" and idempotence to true',
        )
      this.#transactions = new Transactions(cluster, transaction, {
        onReady: () => this.#sender.drain(),
        onFailed: (error) => this.#abandon(isFaultOfRecord(error) ? refusedWith(error) : error),
      })
    }
    this.#identity =
      this.#transactions ??
      (this.#options.idempotence ? new IdempotentIdentity(cluster, (error) => this.#onIdentity(error)) : undefined)
    this.#accumulator = new Accumulator(this.#options, this.#identity, {
      onLinger: () => this.#sender.drain(),
      isAvailable: (topic, partition) => cluster.leader(topic, partition) >= 0,
      onBroken: (batch, error) => this.#outcomes.broken(batch, error),
      onFailure: (error) => this.#outcomes.allBroken(error),
    })
    this.#outcomes = new Outcomes(cluster, this.#options, this.#accumulator, this.#identity, (topic) =>
      this.#sender.findLeaders(topic),
    )
    this.#sender = new Sender(cluster, this.#options, this.#accumulator, this.#identity, this.#outcomes)
    this.#line = new AppendLine(
      cluster,
      this.#options,
      this.#accumulator,
      this.#sender,
      this.#outcomes,
      this.#transactions,
    )
  }

  /** Most bytes of a record, with what Kafka adds to it. */
  get #maxRecordBytes(): number {
    return Math.min(this.#options.maxRequestBytes, this.#options.bufferBytes)
  }

  get progress(): ProducerProgress {
    return { ...this.#outcomes.acknowledged, ...this.#sender.totals, bufferedBytes: this.#accumulator.heldBytes }
  }

  /** Why the oldest batch that failed and is tried again has not been written yet; undefined when there is none. */
  get problem(): string | undefined {
    for (const { sent, waiting } of this.#accumulator.queues)
      for (const { settled, lastError } of [...sent, ...waiting]) if (!settled && lastError) return lastError.message
    return undefined
  }

  /**
   * Reaches the cluster and gets a producer id. Optional: the first `write` does it too, but fails later.
   * @throws {ConnectionError} {BrokerError} for instance CLUSTER_AUTHORIZATION_FAILED
   */
  async open(signal?: AbortSignal): Promise<void> {
    this.#checkOpen()
    await this.#cluster.connect(signal)
    await this.#identity?.acquire(signal)
  }

  /**
   * Writes records and resolves when each of them has been acknowledged or has failed. Failures are data: look at
   * `failures` of the reports. May be called again before earlier calls have resolved.
   *
   * The records and their buffers must not change until the promise is settled.
   *
   * @param topic for records that do not name one
   * @throws {AbortedError} when the signal fires; what was appended before may still be written. {EncodeError} when it is no array
   * @throws {ClosedError} after `close`
   */
  async write(records: readonly WritableRecord[], topic?: string, signal?: AbortSignal): Promise<DeliveryReports> {
    this.#checkOpen()
    if (!Array.isArray(records)) throw new EncodeError('Cannot write records as they must be in an array')
    const ticket = new ReportTicket(records.length, this.#accumulator.queues)
    await this.#line.append(
      () => new AppendRecords(records, topic, ticket, this.#accumulator, this.#maxRecordBytes, this.#batchClosed),
      ticket,
      topic,
      signal,
    )
    return ticket.reports
  }

  /**
   * Writes the rows of a batch and resolves when all of them are acknowledged (I1). Rows that no stage changed are
   * copied as they were read: key, value, headers and timestamp. A timestamp of -1 becomes the time of the call.
   *
   * @throws {BatchError} row -> error of the rows that failed; the others were written
   * @throws {AbortedError} {ClosedError} as `write`
   */
  async writeBatch(batch: Batch, route: Route, signal?: AbortSignal): Promise<void> {
    this.#checkOpen()
    const ticket = this.#ticketOf(batch)
    await this.#line.append(
      () => new AppendBatch(batch, route, ticket, this.#accumulator, this.#maxRecordBytes, this.#batchClosed),
      ticket,
      route.topic,
      signal,
    )
    ticket.throwFailures(route.topic)
  }

  /**
   * Forwards the record batches of a batch as they are, still compressed, to the partition of the same number (or
   * `route.partition`), behind everything written to it before.
   *
   * @returns false when that is not possible (see `forwardable`; also when the topic or partition is not known yet): use
   *   `writeBatch`. Otherwise a promise as that of `writeBatch`
   */
  writeRaw(batch: Batch, route: Route, signal?: AbortSignal): Promise<void> | false {
    this.#checkOpen()
    const topic = this.#accumulator.topic(route.topic)
    const queue = topic?.queue(typeof route.partition === 'number' ? route.partition : batch.partition)
    const raw = forwardable(batch, this.#maxRecordBytes)
    return topic === undefined || queue === undefined || raw === undefined
      ? false
      : this.#writeRaw(batch, raw, topic, queue, signal)
  }

  async #writeRaw(
    batch: Batch,
    raw: RawRecordBatches,
    topic: TopicQueues,
    queue: PartitionQueue,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const ticket = this.#ticketOf(batch)
    const makeJob = (): AppendJob => new AppendRaw(raw, topic, queue, ticket, this.#accumulator, this.#batchClosed)
    await this.#line.append(makeJob, ticket, topic.name, signal)
    ticket.throwFailures(topic.name)
  }

  /**
   * Gives up what is not acknowledged of a batch: it fails with `DELIVERY_TIMED_OUT` and is not sent again. What shares a record
   * batch with it does so, too.
   */
  giveUp(batch: Batch): void {
    const ticket = this.#tickets.get(batch)
    if (ticket === undefined || ticket.isDone) return
    this.#line.giveUp(ticket)
    this.#outcomes.giveUp(ticket)
  }

  #ticketOf(batch: Batch): Ticket {
    const ticket = new Ticket(batch.length)
    this.#tickets.set(batch, ticket)
    return ticket
  }

  /**
   * Learns about a topic before it is written to, so that `writeRaw` can be used from the first batch on.
   * @throws {BrokerError} `TOPIC_NOT_FOUND`
   */
  learn(topic: string, signal?: AbortSignal): Promise<void> {
    return this.#line.learn(topic, signal)
  }

  /** Whether there is a transaction to be committed or aborted. */
  get hasTransaction(): boolean {
    const { state } = this.#transactions ?? {}
    return state === 'open' || state === 'doomed' || state === 'unknown'
  }

  /** Whether what is written now can be committed. */
  get isTransactionOpen(): boolean {
    return this.#transactions?.state === 'open'
  }

  /** What belongs to the open transaction will not be written: it can only be aborted. */
  doomTransaction(error: unknown): void {
    this.#transactions?.doom(asMillraceError(error, 'Cannot write in a transaction'))
  }

  /** Milliseconds after which the coordinator aborts a transaction; undefined without any. */
  get transactionTimeoutMs(): number | undefined {
    return this.#transactions?.timeoutMs
  }

  /** @throws {TransactionError} when one is open, or this producer may not write any more */
  beginTransaction(): void {
    this.#mustBeTransactional().begin(this.#accumulator.transaction)
  }

  /**
   * Commits everything written so far, and offsets with it. What is written from now on waits for the next `beginTransaction`.
   *
   * @param offsets asked for when everything is acknowledged
   * @returns the offsets
   * @throws {TransactionError} when something failed: abort; with `fatal` this producer may never write again
   * @throws {ConnectionError} {AbortedError} when it was given up or not answered: abort, which finds out whether it was committed
   */
  async commitTransaction<O extends GroupOffsets | undefined>(
    offsets: () => O | Promise<O>,
    signal?: AbortSignal,
  ): Promise<O> {
    const transactions = this.#mustBeTransactional()
    transactions.throwUnless('commit a transaction', 'open')
    let taken: O
    try {
      const ended = this.#line.run(async () => {
        this.#accumulator.closeAll()
        this.#accumulator.transaction++
        this.#sender.drain()
      })
      await untilAborted(Promise.all([ended, this.#line.written()]), 'Committing a transaction', signal)
      taken = await offsets()
    } catch (error) {
      // What is written from now on is not part of it, so that it must not be committed by a later call.
      transactions.doom(asMillraceError(error, 'Cannot commit'))
      throw error
    }
    await transactions.commit(taken, signal)
    return taken
  }

  /**
   * Aborts everything written and not committed; calls that still wait for it fail. After a commit whose outcome is not known it
   * finds out.
   * @returns `committed` when that commit had happened: nothing was aborted, and the transaction is over all the same
   * @throws {TransactionError} with `fatal`; {ConnectionError} {AbortedError} when the coordinator cannot be reached: abort again
   */
  async abortTransaction(signal?: AbortSignal): Promise<'aborted' | 'committed'> {
    const transactions = this.#mustBeTransactional()
    transactions.throwUnless('abort a transaction', 'open', 'doomed', 'unknown')
    this.#abandon(new TransactionError('The transaction was aborted', { fatal: false }))
    await this.#line.idle()
    await untilAborted(this.#sender.idle(), 'Aborting a transaction', signal)
    try {
      const ending = await transactions.abort(signal)
      this.#accumulator.transaction++
      return ending
    } finally {
      this.#line.reopen() // also when another call has ended it meanwhile
    }
  }

  /** Commits as `commitTransaction`, and begins the next transaction. */
  async commitAndBegin<O extends GroupOffsets | undefined>(
    offsets: () => O | Promise<O>,
    signal?: AbortSignal,
  ): Promise<O> {
    const committed = await this.commitTransaction(offsets, signal)
    this.beginTransaction()
    return committed
  }

  /** Aborts as `abortTransaction`, and begins the next transaction. */
  async abortAndBegin(signal?: AbortSignal): Promise<'aborted' | 'committed'> {
    const ending = await this.abortTransaction(signal)
    this.beginTransaction()
    return ending
  }

  #mustBeTransactional(): Transactions {
    if (this.#transactions === undefined)
      throw new TransactionError('Cannot use transactions without a transactional id: set transactional.id', {
        fatal: false,
      })
    return this.#transactions
  }

  /**
   * Sends at once what is waiting, and resolves when all that was written so far is acknowledged or has failed; the
   * failures are reported to the calls that wrote. With acks 0 it resolves when the brokers have handled it.
   * @throws {AbortedError}
   */
  async flush(signal?: AbortSignal): Promise<void> {
    this.#accumulator.flushing++
    try {
      this.#accumulator.makeAllDue()
      this.#sender.drain()
      const written = this.#line.written()
      // A connection that is closed before takes along what it still holds.
      const done = this.#options.acks === 0 ? written.then(() => this.#sender.handled()) : written
      await untilAborted(done, 'Flushing the producer', signal)
    } finally {
      this.#accumulator.flushing--
    }
  }

  /**
   * Sends what is waiting, waits until it is acknowledged or has failed, and releases everything (I4). May be called
   * twice. When the signal of any of the calls fires, what is still open fails.
   */
  async close(signal?: AbortSignal): Promise<void> {
    this.#closing ??= this.flush().finally(() => {
      this.#accumulator.stop()
      this.#sender.stop()
    })
    const onAbort = (): void => {
      this.#abandon(new AbortedError('Closing the producer', { cause: signal?.reason }))
      this.#sender.giveUpHandling()
    }
    if (signal?.aborted) onAbort()
    signal?.addEventListener('abort', onAbort, { once: true })
    try {
      await this.#closing
    } finally {
      signal?.removeEventListener('abort', onAbort)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #onIdentity(error?: unknown): void {
    if (error === undefined) this.#sender.drain()
    else this.#outcomes.abandon(asMillraceError(error, 'Cannot get a producer id'))
  }

  #abandon(error: MillraceError): void {
    this.#line.abandon(error)
    this.#accumulator.closeAll()
    this.#outcomes.abandon(error)
  }

  #checkOpen(): void {
    if (this.#closing !== undefined) throw new ClosedError('the producer')
  }
}
