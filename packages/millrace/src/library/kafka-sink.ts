/**
 * `KafkaSink`: writes topics in a program.
 *
 * ```ts
 * await using sink = new KafkaSink({ bootstrapServers: 'localhost:9092', topic: 'orders' })
 * const reports = await sink.write([{ key: 'o-1', value: '{"amount":12}' }])
 * ```
 */
import { ClosedError, ConfigError, isMillraceError, TransactionError } from '../errors/index.ts'
import { meaningOf, meaningOfAll } from '../errors/meaning.ts'
import type { Cluster } from '../kafka/cluster/cluster.ts'
import type { PartitionFunction } from '../kafka/producer/partitioners.ts'
import { Producer } from '../kafka/producer/producer.ts'
import type { DeliveryReports } from '../kafka/producer/reports.ts'
import { IGNORED_PRODUCER_FIELDS } from '../kafka/properties/ignored-fields.ts'
import { PRODUCER_FIELDS } from '../kafka/properties/producer-fields.ts'
import { PRODUCER_RULES } from '../kafka/properties/rules.ts'
import { producerSettings, type ProducerSettings } from '../kafka/properties/settings.ts'
import type { InputOptions, OptionRule } from '../options/declaration.ts'
import { field } from '../options/fields.ts'
import { parseOptions } from '../options/parse.ts'
import type { DeliveryReport, ProducerRecord } from '../records/record.ts'
import { untilAborted } from '../resilience/abort.ts'
import { CircuitBreaker, type CircuitProgress } from '../resilience/circuit-breaker.ts'
import { FOR_TRANSACTIONS } from './for-transactions.ts'
import { formatProblem } from './formats.ts'
import { PendingCalls } from './pending-calls.ts'
import { SharedConnection } from './shared-connection.ts'

/** How long closing tries to abort an open transaction. */
const CLOSE_ABORT_MS = 5000
/** How long closing waits for the next acknowledgement, or for a connection that accepted records wait for. */
const CLOSE_STALL_MS = 10_000

/** Options of a `KafkaSink`, declared once: names in camelCase, or as Kafka spells them (`'linger.ms'`). */
export const KAFKA_SINK_FIELDS = {
  ...PRODUCER_FIELDS,
  topic: field.topic().optional().doc('Topic for records without a topic of their own.').example('orders'),
  enableCircuitBreaker: field
    .boolean()
    .default(true)
    .aliases('enable_circuit_breaker')
    .doc(
      'Whether writes fail at once, with `CIRCUIT_OPEN`, after several failures in a row. Records that are rejected for their content do not count.',
    ),
  circuitBreakerThreshold: field
    .int({ min: 1 })
    .default(5)
    .aliases('circuit_breaker_threshold')
    .doc('Number of calls that must fail in a row, after all retries, before the circuit breaker opens.'),
  circuitBreakerTimeout: field
    .durationMs({ min: 1 })
    .default(60_000)
    .aliases('circuit_breaker_timeout')
    .doc('How long an open circuit breaker rejects writes before it allows one.')
    .example('PT60S'),
}

const RULES: readonly OptionRule<typeof KAFKA_SINK_FIELDS>[] = [
  ...PRODUCER_RULES,
  ({ keySerializer }) => formatProblem('keySerializer', keySerializer, 'write keys as bytes, for example a Buffer'),
  ({ valueSerializer }) =>
    formatProblem('valueSerializer', valueSerializer, 'write values as bytes, for example a Buffer'),
]

export type KafkaSinkOptions = Omit<InputOptions<typeof KAFKA_SINK_FIELDS>, 'partitioner'> & {
  /** Any other property of Kafka's producers. */
  readonly [property: string]: unknown
  /** One of the named partitioners, or a function that gives the partition of a record. */
  readonly partitioner?: InputOptions<typeof KAFKA_SINK_FIELDS>['partitioner'] | PartitionFunction
  /** Told of what is not an error. */
  readonly onWarning?: (message: string) => void
}

/**
 * Writes records. It connects with the first write.
 *
 * By default each record is written exactly once and in order per partition, however often requests have to be tried
 * again (an idempotent producer with `acks` all). `write` may be called again before earlier calls have resolved; when
 * `bufferBytes` of records wait for their acknowledgement, it waits too.
 *
 * With a `transactionalId` records are written in transactions: `beginTransaction`, `write`, `commitTransaction` or
 * `abortTransaction`. Readers of committed records see all of a transaction or nothing. `exactlyOnce` joins it with a source.
 */
export class KafkaSink {
  readonly #options
  readonly #partitioner: PartitionFunction | undefined
  readonly #breaker: CircuitBreaker | undefined
  readonly #connection: SharedConnection<Producer>
  readonly #pending = new PendingCalls()
  readonly #warn: (message: string) => void

  /** @throws {ConfigError} with all problems of the options */
  constructor(options: KafkaSinkOptions) {
    const { partitioner, onWarning, ...rest } = options
    this.#warn = onWarning ?? (() => {})
    const named = typeof partitioner === 'function' || partitioner === undefined ? rest : { ...rest, partitioner }
    const parsed = parseOptions<typeof KAFKA_SINK_FIELDS>(
      { options: { ...KAFKA_SINK_FIELDS, ...IGNORED_PRODUCER_FIELDS }, rules: RULES },
      named,
    )
    if (parsed.problems.length > 0) throw ConfigError.of('Cannot create a KafkaSink', parsed.problems)
    this.#options = parsed.options
    this.#partitioner = typeof partitioner === 'function' ? partitioner : undefined
    const { enableCircuitBreaker, circuitBreakerThreshold, circuitBreakerTimeout } = parsed.options
    if (enableCircuitBreaker)
      this.#breaker = new CircuitBreaker({
        failureThreshold: circuitBreakerThreshold,
        openMs: circuitBreakerTimeout,
        name: 'The KafkaSink',
        onChange: (state) => onWarning?.(`The circuit breaker of a KafkaSink is ${state}`),
      })
    const { cluster, producer } = producerSettings(parsed.options)
    this.#connection = new SharedConnection('a KafkaSink', cluster, (connected, signal) =>
      this.#connect(connected, producer, signal),
    )
    for (const { message } of parsed.warnings) onWarning?.(message)
  }

  /** State of the circuit breaker, how often it has opened, and calls that it refused; undefined when it is turned off. */
  get circuitBreaker(): CircuitProgress | undefined {
    return this.#breaker?.progress
  }

  /** Connects and checks that the topic exists; otherwise the first write does. May be tried again when it failed. */
  async open(signal?: AbortSignal): Promise<void> {
    await this.#connection.get(signal)
  }

  /**
   * Writes records and resolves when each of them is acknowledged or has failed for good. The records and their buffers must not change
   * until then.
   *
   * A record that failed does not fail the others: `reports.failures` and `reports.get(i)` tell. In a transaction it does, as
   * the transaction can only be aborted then.
   *
   * @throws {ConnectionError} {BrokerError} `TOPIC_NOT_FOUND` when nothing could be written at all; {AbortedError} when the signal fires;
   *   {CircuitOpenError} when the last calls have failed: nothing was tried, and `retryAfterMs` says when something will be
   */
  async write(
    records: readonly ProducerRecord[],
    options: { readonly signal?: AbortSignal } = {},
  ): Promise<DeliveryReports> {
    if (this.#connection.isClosed) throw new ClosedError('a KafkaSink')
    const pass = this.#breaker?.enter()
    let reports: DeliveryReports
    try {
      reports = await this.#write(records, options.signal)
    } catch (error) {
      if (meaningOf(error) === 'sink-down') pass?.failed()
      else pass?.cancelled()
      throw error
    }
    const meaning = reports.failures.size === 0 ? 'record' : meaningOfAll(reports.failures.values())
    if (meaning === 'sink-down') pass?.failed()
    else if (meaning === 'record') pass?.succeeded()
    else pass?.cancelled()
    return reports
  }

  async #write(records: readonly ProducerRecord[], signal: AbortSignal | undefined): Promise<DeliveryReports> {
    let reports: Promise<DeliveryReports>
    this.#pending.begin()
    try {
      const producer = await this.#connection.get(signal)
      if (this.#options.transactionalId !== undefined && !producer.hasTransaction)
        throw new TransactionError('Cannot write as no transaction is open: call beginTransaction first', {
          fatal: false,
        })
      reports = producer.write(records, this.#options.topic, signal)
    } finally {
      this.#pending.end()
    }
    return reports
  }

  /**
   * Writes one record. It and its buffers must not change until the promise is settled.
   * @returns where it stands
   * @throws {DeliveryError} when it was not written, and whatever `write` throws
   */
  async send(record: ProducerRecord, options: { readonly signal?: AbortSignal } = {}): Promise<DeliveryReport> {
    const report = (await this.write([record], options)).get(0)
    if (isMillraceError(report)) throw report
    return report
  }

  /** Sends what is waiting at once and resolves when everything written so far is acknowledged or has failed. */
  async flush(signal?: AbortSignal): Promise<void> {
    await untilAborted(this.#pending.none(), 'Flushing a KafkaSink', signal)
    const producer = await this.#connection.opened
    await producer?.flush(signal)
  }

  /**
   * Begins a transaction. The first one connects, and fences every earlier sink with the same `transactionalId`.
   * @throws {TransactionError} when one is open already, or there is no `transactionalId`
   */
  async beginTransaction(signal?: AbortSignal): Promise<void> {
    const producer = await this.#connection.get(signal)
    producer.beginTransaction()
  }

  /**
   * Waits until everything written is acknowledged, and commits it.
   * @throws {TransactionError} when a record failed: call `abortTransaction`; with `fatal` another sink has taken over and this one may not write any more
   * @throws {ConnectionError} {AbortedError} when it was given up or not answered: call `abortTransaction`, which aborts it, or finds out that it is committed
   */
  async commitTransaction(signal?: AbortSignal): Promise<void> {
    const producer = await this.#connection.get(signal)
    await producer.commitTransaction(() => undefined, signal)
  }

  /**
   * Aborts the transaction: readers of committed records see nothing of it.
   * @throws {TransactionError} when none is open; `TRANSACTION_COMMITTED` when it was committed by an earlier `commitTransaction` that was not
   *   answered: its records must not be written again, and the next transaction may begin
   * @throws {ConnectionError} {AbortedError} when the coordinator did not answer: call it again
   */
  async abortTransaction(signal?: AbortSignal): Promise<void> {
    const producer = await this.#connection.get(signal)
    if ((await producer.abortTransaction(signal)) === 'committed')
      throw new TransactionError(
        'Cannot abort the transaction as it is committed: the response to commitTransaction was lost, so do not write its records again',
        { fatal: false, code: 'TRANSACTION_COMMITTED' },
      )
  }

  /** For `exactlyOnce`. @internal @throws {ConfigError} without a `transactionalId` */
  async [FOR_TRANSACTIONS](
    signal: AbortSignal,
  ): Promise<{ readonly producer: Producer; readonly topic: string | undefined }> {
    if (this.#options.transactionalId === undefined)
      throw new ConfigError(
        'Cannot write exactly once without a transactionalId: set one that no other running sink uses',
      )
    return { producer: await this.#connection.get(signal), topic: this.#options.topic }
  }

  /**
   * Writes what was accepted, and closes all connections (I4); an open transaction is aborted. What is not acknowledged fails when no
   * acknowledgement has come for 10 s. May be called twice.
   */
  close(): Promise<void> {
    const patienceMs = this.#pending.count === 0 ? 0 : CLOSE_STALL_MS
    return this.#connection.close((producer) => this.#release(producer), patienceMs)
  }

  async #release(producer: Producer): Promise<void> {
    await this.#pending.none()
    // The coordinator would do it too, but only after the transaction timeout, and readers wait for it.
    if (producer.hasTransaction) {
      const ending = await producer.abortTransaction(AbortSignal.timeout(CLOSE_ABORT_MS)).catch(() => undefined)
      if (ending === 'committed') this.#warn('The last transaction was committed, although no response said so')
    }
    const stalled = new AbortController()
    let before = producer.progress.records
    const timer = setInterval(() => {
      const { records } = producer.progress
      if (records === before) stalled.abort(new Error('No record was acknowledged'))
      before = records
    }, CLOSE_STALL_MS)
    try {
      await producer.close(stalled.signal)
    } finally {
      clearInterval(timer)
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #connect(cluster: Cluster, settings: ProducerSettings, signal: AbortSignal): Promise<Producer> {
    await cluster.connect(signal)
    if (this.#options.topic !== undefined) await cluster.topic(this.#options.topic, signal)
    const { transactionalId, transactionTimeoutMs } = settings
    const producer = new Producer(
      cluster,
      this.#partitioner === undefined ? settings : { ...settings, partitioner: this.#partitioner },
      transactionalId === undefined ? undefined : { transactionalId, timeoutMs: transactionTimeoutMs },
    )
    await producer.open(signal)
    return producer
  }
}
