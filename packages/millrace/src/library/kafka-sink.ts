/**
 * `KafkaSink`: writes topics in a program.
 *
 * ```ts
 * await using sink = new KafkaSink({ bootstrapServers: 'localhost:9092', topic: 'orders' })
 * const reports = await sink.write([{ key: 'o-1', value: '{"amount":12}' }])
 * ```
 */
import { ClosedError, ConfigError, isMillraceError, type MillraceError } from '../errors/index.ts'
import type { Cluster } from '../kafka/cluster/cluster.ts'
import type { Producer } from '../kafka/producer/producer.ts'
import type { DeliveryReports } from '../kafka/producer/reports.ts'
import type { EventFacts, EventName } from '../metrics/events.ts'
import type { KafkaSinkMetrics } from '../metrics/kafka-sink-metrics.ts'
import type { DeliveryReport } from '../records/record.ts'
import { untilAborted } from '../resilience/abort.ts'
import { sleep } from '../resilience/retry.ts'
import { CircuitBreaker, type CircuitProgress, type Pass } from '../resilience/circuit-breaker.ts'
import { FOR_TRANSACTIONS } from './for-transactions.ts'
import { FOR_WATCHING } from './for-watching.ts'
import { PendingCalls } from './pending-calls.ts'
import { SharedConnection } from './shared-connection.ts'
import type { DeliveryGuarantee, PartitionStrategy } from './sink/fields.ts'
import { CallOutcomes } from './sink/call-outcomes.ts'
import { type Encoded, RecordEncoder } from './sink/encoder.ts'
import type { SinkRecord, WriteChoices } from './sink/message.ts'
import { sentRecords } from './sink/sent-records.ts'
import type { KafkaSinkOptions } from './sink/options.ts'
import { Producers } from './sink/producers.ts'
import type { MessageSerializer } from './sink/serializers.ts'
import { type SinkSettings, sinkSettings } from './sink/settings.ts'
import { type SinkMetrics, SinkStatistics } from './sink/statistics.ts'
import { SinkTransactions, type TransactionalCall } from './sink/transactions.ts'
import { WatchedClient } from './watching/watched-client.ts'
import { ClientEvents, type EventSource, type Listener } from './watching/client-events.ts'
import type { SinkEvents } from './watching/sink-events.ts'

/** How long closing waits for the next acknowledgement, or for a connection that accepted records wait for. */
const CLOSE_STALL_MS = 10_000

/** Options of one call. */
export interface WriteOptions extends WriteChoices {
  /** Gives up waiting; what was sent before may still be written. */
  readonly signal?: AbortSignal | undefined
}

/** What became of one message of `sendBatch`. */
export type SendResult =
  | { readonly ok: true; readonly report: DeliveryReport; readonly error?: undefined }
  | { readonly ok: false; readonly error: MillraceError; readonly report?: undefined }

/**
 * Writes records whose values are of type `T`. It connects with the first write.
 *
 * By default each record is written exactly once and in order per partition, however often requests have to be tried
 * again (an idempotent producer with `acks` all). Calls may overlap; when `bufferBytes` of records wait for their acknowledgement, they
 * wait too.
 *
 * With a `transactionalId` records are written in transactions: `beginTransaction`, `write`, `commitTransaction` or
 * `abortTransaction`. Readers of committed records see all of a transaction or nothing. `exactlyOnce` joins it with a source.
 */
export class KafkaSink<T = Uint8Array | string> implements EventSource<SinkEvents> {
  /** What `serve` sees of it. @internal */
  readonly [FOR_WATCHING] = new WatchedClient()
  #options: KafkaSinkOptions<T>
  #settings!: SinkSettings
  #breaker: CircuitBreaker | undefined
  #connection!: SharedConnection<Producers>
  #encoder!: RecordEncoder<T>
  readonly #pending = new PendingCalls()
  readonly #transactions = new SinkTransactions(this.#pending, (state) =>
    this.#report(`transaction.${state}`, () => `A transaction was ${state}`, { state }),
  )
  readonly #statistics = new SinkStatistics(() => this.#progress)
  readonly #events: ClientEvents<SinkEvents>
  readonly #outcomes = new CallOutcomes(this.#statistics, this[FOR_WATCHING].writes, {
    hears: (event) => this.#events.hears(event),
    report: (event, message, facts) => this.#report(event, message, facts),
  })

  /** @throws {ConfigError} with all problems of the options */
  constructor(options: KafkaSinkOptions<T>) {
    this.#events = new ClientEvents('sink', options, this[FOR_WATCHING])
    this.#options = options
    this.#set(options)
  }

  /** As the constructor, with a serializer. @throws {ConfigError} */
  static withSerializer<T>(options: KafkaSinkOptions<T>, serializer: MessageSerializer<T>): KafkaSink<T> {
    return new KafkaSink<T>({ ...options, serializer })
  }

  /**
   * Sets the option `deliveryGuarantee`. Before the first write or `open` only.
   * @throws {ConfigError} for `exactly_once` without transactions, `at_most_once` with them, and once it is connected
   */
  withDeliveryGuarantee(deliveryGuarantee: DeliveryGuarantee): this {
    return this.#changed({ deliveryGuarantee })
  }

  /** Sets the option `partitionStrategy`. Before the first write or `open` only. @throws {ConfigError} once it is connected */
  withPartitionStrategy(partitionStrategy: PartitionStrategy): this {
    return this.#changed({ partitionStrategy })
  }

  #changed(change: Pick<KafkaSinkOptions<T>, 'deliveryGuarantee' | 'partitionStrategy'>): this {
    if (this.#connection.opened !== undefined || this.#connection.isClosed)
      throw new ConfigError('Cannot change a KafkaSink that is in use: do so before its first write')
    this.#set({ ...this.#options, ...change })
    return this
  }

  #set(options: KafkaSinkOptions<T>): void {
    const { onWarning: _, logger: _logger, serializer, ...named } = options
    const settings = sinkSettings(named)
    const { breaker, cluster, topic, needsPartition } = settings
    this.#options = options
    this.#settings = settings
    this.#encoder = new RecordEncoder(serializer, topic, needsPartition)
    this.#breaker =
      breaker &&
      new CircuitBreaker({
        ...breaker,
        name: 'The KafkaSink',
        onChange: (state) =>
          this.#report(`breaker.${state}`, () => `The circuit breaker of a KafkaSink is ${state}`, {
            state,
            ...(state === 'open' ? { openMs: breaker.openMs } : {}),
          }),
      })
    const open = (connected: Cluster, signal: AbortSignal): Promise<Producers> =>
      this.#connect(connected, settings, signal)
    const watching = this[FOR_WATCHING].watching(cluster.clientId ?? 'millrace', { sink: this })
    this.#connection = new SharedConnection('a KafkaSink', cluster, this.#events, open, watching)
    for (const warning of settings.warnings) this.#events.report(warning)
  }

  /** Calls a function with each event of a name. What it throws is reported, and has no other effect. */
  on<Name extends keyof SinkEvents>(name: Name, listener: Listener<SinkEvents[Name]>): this {
    this.#events.on(name, listener)
    return this
  }

  /** Ends what `on` began. */
  off<Name extends keyof SinkEvents>(name: Name, listener: Listener<SinkEvents[Name]>): this {
    this.#events.off(name, listener)
    return this
  }

  /** Where something listens. */
  #report(event: EventName, message: () => string, facts: EventFacts): void {
    if (!this.#events.hears(event)) return
    const clientId = this.#settings.cluster.clientId ?? 'millrace'
    this.#events.report(message(), { event, clientId, ...facts })
  }

  /** State of the circuit breaker, how often it has opened, and calls that it refused; undefined when it is turned off. */
  get circuitBreaker(): CircuitProgress | undefined {
    return this.#breaker?.progress
  }

  /** What it has counted since it was created. */
  metrics(): SinkMetrics {
    return this.#statistics.read(this.#progress, this.#breaker?.progress)
  }

  /** Counts what it does, with the names of Rivven's connectors; see `millrace/metrics`. */
  get counters(): KafkaSinkMetrics {
    return this.#statistics.counters
  }

  get #progress(): readonly Producer['progress'][] {
    return (this.#connection.value?.all ?? []).map(({ progress }) => progress)
  }

  /** Connects and checks that the topic exists; otherwise the first write does. May be tried again when it failed. */
  async open(signal?: AbortSignal): Promise<void> {
    await this.#connection.get(signal)
  }

  /**
   * Writes records and resolves when each of them is acknowledged or has failed for good. The records and their buffers must not change
   * until then.
   *
   * A record that failed does not fail the others: see `reports.failures` and `reports.get(i)`. In a transaction it does, as
   * the transaction can only be aborted then; so does a call that is refused as a whole, for instance by the circuit breaker.
   *
   * @throws {ConnectionError} {BrokerError} `TOPIC_NOT_FOUND` when nothing could be written at all; {AbortedError} when the signal fires;
   *   {CircuitOpenError} when the last calls have failed: nothing was tried, and `retryAfterMs` says when something will be
   */
  async write(records: readonly SinkRecord<T>[], options: WriteOptions = {}): Promise<DeliveryReports> {
    this.#checkOpen()
    const call = this.#settings.transaction && this.#transactions.call()
    const sent = sentRecords(records, this.#settings)
    const start = this.#outcomes.began()
    let pass: Pass | undefined
    let reports: DeliveryReports
    try {
      pass = this.#breaker?.enter()
      reports = await this.#write(sent?.records ?? records, options, call)
    } catch (error) {
      sent?.ended(error)
      if (call !== undefined) this.#transactions.failed(call, this.#connection.value?.main, error)
      this.#outcomes.threw(error, records.length, pass)
      throw error
    }
    sent?.ended(reports.failures.values().next().value)
    this.#outcomes.settled(reports, start, pass)
    return reports
  }

  /** Calls reach the producer in their order: one that need not wait must not overtake those that do. */
  #write(
    records: readonly SinkRecord<T>[],
    options: WriteOptions,
    call: TransactionalCall | undefined,
  ): Promise<DeliveryReports> {
    const encoded = this.#encoder.encode(records)
    const producers = this.#connection.ready
    return producers === undefined || encoded instanceof Promise || this.#pending.count > 0
      ? this.#writeLater(encoded, options, call)
      : this.#writeNow(producers, encoded, options, call)
  }

  async #writeLater(
    encoded: Encoded | Promise<Encoded>,
    options: WriteOptions,
    call: TransactionalCall | undefined,
  ): Promise<DeliveryReports> {
    let reports: Promise<DeliveryReports>
    this.#pending.begin()
    try {
      const ready = Promise.all([this.#connection.get(options.signal), encoded])
      const handOver = ([producers, all]: [Producers, Encoded]): { readonly reports: Promise<DeliveryReports> } => ({
        reports: this.#writeNow(producers, all, options, call),
      })
      reports = (await this.#pending.inTurn(ready, handOver)).reports
    } finally {
      this.#pending.end()
    }
    return reports
  }

  /** @throws {TransactionError} */
  #writeNow(
    producers: Producers,
    encoded: Encoded,
    options: WriteOptions,
    call: TransactionalCall | undefined,
  ): Promise<DeliveryReports> {
    const producer = producers.for(options)
    if (call !== undefined) this.#transactions.admit(call, producer)
    return producer.write(encoded, this.#settings.topic, options.signal)
  }

  /**
   * Writes one record. It and its buffers must not change until the promise is settled.
   * @returns where it is
   * @throws {DeliveryError} {EncodeError} when it was not written, and whatever `write` throws
   */
  async send(record: SinkRecord<T>, options: WriteOptions = {}): Promise<DeliveryReport> {
    const report = (await this.write([record], options)).get(0)
    if (isMillraceError(report)) throw report
    return report
  }

  /**
   * Writes records as `write`, and returns a result for each of them, in their order. It does not throw for records that fail, not
   * even for all of them, as when no broker can be reached or the circuit breaker is open.
   *
   * @throws {ClosedError} after `close`
   */
  async sendBatch(records: readonly SinkRecord<T>[], options: WriteOptions = {}): Promise<SendResult[]> {
    this.#checkOpen()
    let reports: DeliveryReports
    try {
      reports = await this.write(records, options)
    } catch (error) {
      if (!isMillraceError(error)) throw error
      return records.map(() => ({ ok: false, error }))
    }
    return Array.from(reports, (report) =>
      isMillraceError(report) ? { ok: false, error: report } : { ok: true, report },
    )
  }

  /** Sends what is waiting at once and resolves when everything written so far is acknowledged or has failed. */
  async flush(signal?: AbortSignal): Promise<void> {
    await untilAborted(this.#pending.none(), 'Flushing a KafkaSink', signal)
    const producers = await this.#connection.opened
    await Promise.all(producers?.all.map((producer) => producer.flush(signal)) ?? [])
    this.#statistics.counters.recordFlush()
  }

  /**
   * Begins a transaction. The first one connects, and fences every earlier sink with the same `transactionalId`.
   * @throws {TransactionError} when one is open already, or there is no `transactionalId`
   */
  async beginTransaction(signal?: AbortSignal): Promise<void> {
    const { main } = this.#connection.value ?? (await this.#connection.get(signal))
    this.#checkOpen()
    this.#transactions.begin(main)
  }

  /**
   * Waits until everything written is acknowledged, and commits it.
   * @throws {TransactionError} when a record failed: call `abortTransaction`; with `fatal` another sink has taken over and this one may not write any more
   * @throws {ConnectionError} {AbortedError} when it was given up or not answered: call `abortTransaction`, which aborts it, or finds out that it is committed
   */
  commitTransaction(signal?: AbortSignal): Promise<void> {
    return this.#transactions.commit(this.#main(signal), signal)
  }

  /**
   * Aborts the transaction: readers of committed records see nothing of it. Writes whose values are still being serialized fail.
   * @throws {TransactionError} when none is open; `TRANSACTION_COMMITTED` when it was committed by an earlier `commitTransaction` that was not
   *   answered: its records must not be written again, and the next transaction may begin
   * @throws {ConnectionError} {AbortedError} when the coordinator did not answer: call it again
   */
  abortTransaction(signal?: AbortSignal): Promise<void> {
    return this.#transactions.abort(this.#main(signal), signal)
  }

  async #main(signal: AbortSignal | undefined): Promise<Producer> {
    return (await this.#connection.get(signal)).main
  }

  #checkOpen(): void {
    if (this.#connection.isClosed) throw new ClosedError('a KafkaSink')
  }

  /** For `exactlyOnce`. @internal @throws {ConfigError} without a `transactionalId` */
  async [FOR_TRANSACTIONS](signal: AbortSignal): Promise<{
    readonly producer: Producer
    readonly write: (records: readonly SinkRecord<T>[], signal: AbortSignal) => Promise<DeliveryReports>
  }> {
    const { topic, transaction } = this.#settings
    if (transaction === undefined)
      throw new ConfigError(
        'Cannot write exactly once without a transactionalId: set one that no other running sink uses',
      )
    const { main: producer } = await this.#connection.get(signal)
    const write = async (records: readonly SinkRecord<T>[], over: AbortSignal): Promise<DeliveryReports> => {
      const sent = sentRecords(records, this.#settings)
      const encoded = this.#encoder.encode(sent?.records ?? records)
      const reports = producer.write(
        encoded instanceof Promise ? await untilAborted(encoded, 'Writing', over) : encoded,
        topic,
        over,
      )
      sent?.follow(reports)
      return reports
    }
    return { producer, write }
  }

  /**
   * Writes what was accepted, and closes all connections (I4). A commit that is under way has 10 s to end; a transaction that is still open
   * is aborted. What is not acknowledged fails when no acknowledgement has come for 10 s. May be called twice.
   */
  close(): Promise<void> {
    const patienceMs = this.#pending.count === 0 ? 0 : CLOSE_STALL_MS
    return this.#connection.close((producers) => this.#release(producers), patienceMs)
  }

  async #release({ main, all }: Producers): Promise<void> {
    const done = new AbortController()
    await Promise.race([this.#pending.none(), sleep(CLOSE_STALL_MS, done.signal).catch(() => {})])
    done.abort()
    this.#pending.giveUp(new ClosedError('a KafkaSink'))
    if ((await this.#transactions.close(main)) === 'committed')
      this.#events.report('The last transaction was committed, although no response said so')
    const acknowledged = (): number => all.reduce((sum, { progress }) => sum + progress.records, 0)
    const stalled = new AbortController()
    let before = acknowledged()
    const timer = setInterval(() => {
      const records = acknowledged()
      if (records === before) stalled.abort(new Error('No record was acknowledged'))
      before = records
    }, CLOSE_STALL_MS)
    try {
      await Promise.all(all.map((producer) => producer.close(stalled.signal)))
    } finally {
      clearInterval(timer)
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #connect(cluster: Cluster, settings: SinkSettings, signal: AbortSignal): Promise<Producers> {
    await cluster.connect(signal)
    if (settings.topic !== undefined) await cluster.newTopic(settings.topic, signal)
    const producers = new Producers(cluster, settings)
    await producers.main.open(signal)
    return producers
  }
}
