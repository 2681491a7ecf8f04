/**
 * `KafkaSource`: reads topics in a program.
 *
 * ```ts
 * await using source = new KafkaSource({ bootstrapServers: 'localhost:9092', topics: 'orders', groupId: 'billing' })
 * for await (const record of source) console.log(record.offset, record.value?.toString())
 * ```
 */
import { IGNORED_CONSUMER_FIELDS } from '../kafka/properties/ignored-fields.ts'
import type { SourceStatus } from '../contracts/source.ts'
import type { Batch } from '../records/batch.ts'
import { AbortedError, ConfigError } from '../errors/index.ts'
import type { Cluster } from '../kafka/cluster/cluster.ts'
import type { Position } from '../kafka/consumer/assignment/positions.ts'
import type { ConsumerProgress, PartitionLag } from '../kafka/consumer/progress.ts'
import type { Consumer } from '../kafka/consumer/consumer.ts'
import type { CommitMode, RebalanceListener } from '../kafka/consumer/options.ts'
import { KafkaSourceMetrics } from '../metrics/kafka-source-metrics.ts'
import { consumerSettings, type ConsumerSettings } from '../kafka/properties/settings.ts'
import type { TopicPartition } from '../kafka/topic-partition.ts'
import { parseOptions } from '../options/parse.ts'
import { afterTime } from '../resilience/abort.ts'
import type { ConsumerRecord } from '../records/record.ts'
import type { Processor } from '../telemetry/batch-span.ts'
import type { FailureLog } from '../engine/watching/failure-log.ts'
import { FOR_TRANSACTIONS } from './for-transactions.ts'
import { FOR_WATCHING } from './for-watching.ts'
import { paced } from './batch-loop.ts'
import type { Decoders } from './decoded-record.ts'
import { DecodePolicy } from './decode-policy.ts'
import { KafkaSink } from './kafka-sink.ts'
import { Loops, type RecordId } from './loops.ts'
import { checkPoll, PollLoop, type PollOptions } from './poll-loop.ts'
import { RecordLoop } from './record-loop.ts'
import { SharedConnection } from './shared-connection.ts'
import { commitModeOf, KAFKA_SOURCE_FIELDS, KAFKA_SOURCE_RULES, settingsToRead } from './source/fields.ts'
import type { KafkaSourceOptions } from './source/options.ts'
import { type SourceMetrics, sourceMetrics } from './source/statistics.ts'
import { openConsumer } from './source/open-consumer.ts'
import { WatchedClient } from './watching/watched-client.ts'
import { ClientEvents, type EventSource, type Listener } from './watching/client-events.ts'
import type { SourceEvents } from './watching/source-events.ts'
import type { ProcessOptions, RecordHandler } from './work/options.ts'
import { type ProcessedSource, processAll } from './work/process.ts'
import { retryOptions, sinkOptions } from './work/derived-options.ts'

/**
 * Reads topics, in batches or record by record. It connects with the first read.
 *
 * With a `groupId` the offsets of acknowledged batches are committed every `autoCommitIntervalMs`, on rebalances and on
 * `close`; a batch that was read but not acknowledged is read again after a restart (at least once); `commit` names other
 * ways. Without a group every partition is read from `autoOffsetReset` on and nothing is committed.
 */
export class KafkaSource<K = Buffer, V = Buffer>
  implements AsyncIterable<ConsumerRecord<K, V>>, EventSource<SourceEvents>
{
  /** Counts what it does, with the names of Rivven's connectors; see `millrace/metrics`. */
  readonly counters = new KafkaSourceMetrics()
  readonly #options
  /** As they were given: what is derived from them has the same. Loose, so that a source of some type is a source of unknown. */
  readonly #given: RebalanceListener
  readonly #decode: Decoders<K, V> | undefined
  readonly #policy: DecodePolicy | undefined
  readonly #events: ClientEvents<SourceEvents>
  readonly #connection: SharedConnection<Consumer>
  /** What `serve` sees of it. @internal */
  readonly [FOR_WATCHING] = new WatchedClient()
  readonly #loops = new Loops(this[FOR_WATCHING].reads)
  /** For spans. */
  readonly #processor: Processor & { readonly clientId: string }
  #commits: CommitMode
  #polls: PollLoop<K, V> | undefined
  /** While a listener works on partitions that were assigned. */
  #assigning: Consumer | undefined
  /** Whether the program has chosen `isolation` itself. */
  readonly #choseIsolation: boolean

  /** @throws {ConfigError} with all problems of the options */
  constructor(options: KafkaSourceOptions<K, V>) {
    const {
      decode,
      onDecodeError,
      logger,
      onWarning,
      onAssigned: _assigned,
      onRevoked: _revoked,
      onLost: _lost,
      ...rest
    } = options
    const parsed = parseOptions<typeof KAFKA_SOURCE_FIELDS>(
      {
        options: { ...KAFKA_SOURCE_FIELDS, ...IGNORED_CONSUMER_FIELDS },
        rules: KAFKA_SOURCE_RULES,
      },
      rest,
    )
    if (parsed.problems.length > 0) throw ConfigError.of('Cannot create a KafkaSource', parsed.problems)
    this.#options = parsed.options
    this.#given = options
    this.#commits = commitModeOf(parsed.options)
    this.#choseIsolation = 'isolation' in options || 'isolation.level' in options
    this.#decode = decode
    this.#events = new ClientEvents('source', { logger, onWarning }, this[FOR_WATCHING])
    this.#policy = onDecodeError && new DecodePolicy(onDecodeError, this.#events.report)
    const { cluster, consumer } = consumerSettings(parsed.options)
    const open = (connected: Cluster, signal: AbortSignal): Promise<Consumer> =>
      this.#connect(connected, consumer, signal)
    this.#processor = { groupId: consumer.groupId, clientId: cluster.clientId ?? 'millrace' }
    const watching = this[FOR_WATCHING].watching(consumer.groupId ?? this.#processor.clientId, { source: this })
    this.#connection = new SharedConnection('a KafkaSource', cluster, this.#events, open, watching)
    for (const { message } of parsed.warnings) this.#events.report(message)
  }

  /** Calls a function with each event of a name. What it throws is reported, and has no other effect. */
  on<Name extends keyof SourceEvents>(name: Name, listener: Listener<SourceEvents[Name]>): this {
    this.#events.on(name, listener)
    return this
  }

  /** Ends what `on` began. */
  off<Name extends keyof SourceEvents>(name: Name, listener: Listener<SourceEvents[Name]>): this {
    this.#events.off(name, listener)
    return this
  }

  /** Connects, checks that the topics exist and joins the group; otherwise the first read does. */
  async open(signal?: AbortSignal): Promise<void> {
    await this.#connection.get(signal)
  }

  /**
   * The batches, in order per partition. Call `batch.ack()` when its records are dealt with; nothing is committed without.
   * Ends when the signal fires, on `close`, or at the end with `untilEnd`. What comes behind the last batch of a loop is read by
   * the next one. A batch that was not acknowledged is only read again after a restart.
   *
   * @throws {ConnectionError} {BrokerError} {CorruptRecordError}; {ConfigError} while another loop reads this source
   */
  async *batches(signal?: AbortSignal): AsyncGenerator<Batch, void, undefined> {
    const { closing } = this.#connection
    const stop = signal === undefined ? closing : AbortSignal.any([signal, closing])
    const loop = {}
    this.#loops.begin(loop)
    try {
      const consumer = await this.#consumer(stop)
      const { maxPollRecords } = this.#options
      if (consumer !== undefined)
        yield* paced(consumer, this[FOR_WATCHING].reads, stop, maxPollRecords, this.#processor)
    } finally {
      this.#loops.end(loop)
    }
  }

  /**
   * Record by record. A record is acknowledged when the loop asks for the next one. The record at which a loop is left, by `break`,
   * `return` or an error, is not: the next loop begins with it, in this program or after a restart. Call `commit(record)` before
   * `break` when it is dealt with. After `close` the loop ends with the record that it is at.
   *
   * @throws {DecodeError} where `record.key` or `record.value` is read, or as `onDecodeError` says; otherwise as `batches`
   */
  [Symbol.asyncIterator](): AsyncIterator<ConsumerRecord<K, V>> {
    const stop = this.#connection.closing
    return new RecordLoop<K, V>({
      loops: this.#loops,
      reads: this[FOR_WATCHING].reads,
      stop,
      open: () => this.#consumer(stop),
      decode: this.#decode,
      policy: this.#policy,
      maxRows: this.#options.maxPollRecords,
      processor: this.#processor,
    })
  }

  /**
   * Calls a handler for each record, several at a time with `concurrency`, and acknowledges a record when its handler is done: in order within a
   * partition (default) or a key, and committed without gaps. Failed records are tried again, go to retry topics or to a dead letter topic, as
   * the options say; by default the first failure ends the call.
   *
   * Resolves on `close`, when the signal fires, or at the end with `untilEnd`. Then no new record is started, and what was started may
   * finish within `drainTimeoutMs`. The same holds for partitions that go to another member.
   *
   * ```ts
   * await source.process(async ({ value }) => save(value), {
   *   concurrency: 32, orderBy: 'key', retry: { topics: ['orders.retry.5s', 'orders.retry.1m'], deadLetter: 'orders.dlq' },
   * })
   * ```
   *
   * @throws what a handler threw, where nothing else is to be done with its record; {ConfigError} for options that cannot be used; otherwise as
   *   `batches`
   */
  process(handler: RecordHandler<K, V>, options: ProcessOptions<K, V> = {}): Promise<void> {
    return processAll(this.#processed(this[FOR_WATCHING].failures), handler, options)
  }

  /** @param log keeps what failed: for retry topics, that of the source whose records they hold */
  #processed(log: FailureLog): ProcessedSource<K, V> {
    const { groupId, untilEnd, maxPollRecords } = this.#options
    return {
      groupId,
      processor: this.#processor,
      untilEnd,
      loops: this.#loops,
      reads: this[FOR_WATCHING].reads,
      failures: log,
      decode: this.#decode,
      maxBatchRecords: maxPollRecords,
      closing: this.#connection.closing,
      open: (stop) => this.#consumer(stop),
      retrySource: (topic) => new KafkaSource<K, V>(retryOptions<K, V>(this.#given, topic, groupId!)).#processed(log),
      createSink: () => new KafkaSink(sinkOptions(this.#given)),
      close: () => this.close(),
    }
  }

  /**
   * The next records of one partition, in order; an empty list when there are none within the timeout, when it is closed meanwhile, and at the end with
   * `untilEnd`. What a call returned counts as done when the next call begins, or when `commit` is called.
   *
   * @throws {ConfigError} for options that mean nothing, while a loop reads this source, or another call waits; {ClosedError} after `close`; otherwise as `batches`
   */
  async poll({ timeoutMs = 1000, maxRecords = 500 }: PollOptions = {}): Promise<ConsumerRecord<K, V>[]> {
    checkPoll({ timeoutMs, maxRecords })
    if (this.#polls === undefined) {
      const polls = new PollLoop<K, V>(this.#decode, this.#policy, this.#processor, this[FOR_WATCHING].reads)
      this.#loops.begin(polls)
      this.#polls = polls
    }
    const timeUp = AbortSignal.any([afterTime(timeoutMs), this.#connection.closing])
    const consumer = await this.#consumer(timeUp)
    if (consumer === undefined) return []
    return this.#polls.poll(consumer, timeUp, Math.min(maxRecords, this.#options.maxPollRecords ?? Infinity))
  }

  /** Connects; undefined when reading is to stop before. */
  async #consumer(stop: AbortSignal): Promise<Consumer | undefined> {
    try {
      return await this.#connection.get(stop)
    } catch (error) {
      if (stop.aborted && error instanceof AbortedError) return undefined
      throw error
    }
  }

  /**
   * Commits what has been acknowledged, now; what `poll` has returned last counts as done.
   *
   * @param record the record that a loop over records is at, when it is dealt with: it is acknowledged first
   * @throws {BrokerError} {ConnectionError}
   */
  async commit(record?: RecordId): Promise<void> {
    if (record === undefined) this.#loops.finishAll()
    else this.#loops.finish(record)
    const consumer = await this.#opened
    await consumer?.commit()
  }

  /**
   * Waits until every batch that was delivered is acknowledged, and commits: what comes before a checkpoint is never read again.
   * In a loop over records it covers what comes before the record that the loop is at; `commit(record)` covers that one, too. While
   * `process` runs it covers the records that are done without a gap, and waits for none. What `poll` has returned last counts as done.
   *
   * @throws {BrokerError} {ConnectionError}; {AbortedError} when the signal fires first
   */
  async checkpoint(signal: AbortSignal = this.#connection.closing): Promise<void> {
    this.#loops.finishAll()
    const consumer = await this.#opened
    if (!this.#loops.runBodies) await consumer?.drained(signal)
    await consumer?.commit()
  }

  /** For `exactlyOnce`. @internal @throws {ConfigError} without a group, and when it was read from before */
  async [FOR_TRANSACTIONS](signal: AbortSignal): Promise<Consumer> {
    if (this.#options.groupId === undefined)
      throw new ConfigError('Cannot read exactly once without a groupId, as there is nothing to commit')
    if (this.#connection.opened !== undefined)
      throw new ConfigError(
        'Cannot read exactly once from a source that was opened before: it would commit automatically',
      )
    this.#commits = 'transaction'
    return this.#connection.get(signal)
  }

  /** Delivers nothing of these partitions until `resume`: from the next record on in a loop over records, from the next batch in others. The group keeps them. */
  pause(partitions: readonly TopicPartition[]): void {
    this.#whenOpen((consumer) => consumer.pause(partitions))
  }

  /** Delivers them again. */
  resume(partitions: readonly TopicPartition[]): void {
    this.#whenOpen((consumer) => consumer.resume(partitions))
  }

  /** When it cannot be opened, whoever opens or reads is told. */
  #whenOpen(act: (consumer: Consumer) => void): void {
    const { value = this.#assigning, opened } = this.#connection
    // Without a promise in between, so that it counts for the next record.
    if (value !== undefined) act(value)
    else opened?.then(act, () => {})
  }

  /**
   * Reads a partition from another position on: an offset, `earliest`, `latest`, a `Date` or `{ timestampMs }`. What was read of it before does
   * not count any more when it is acknowledged, and the position counts as acknowledged. To seek as soon as partitions are assigned, use the
   * controls that `onAssigned` gets.
   *
   * @throws {ConfigError} when the partition is not assigned, or nothing was read yet; {BrokerError} {ConnectionError}
   */
  async seek(partition: TopicPartition, position: Position): Promise<void> {
    const consumer = await this.#opened
    if (consumer === undefined) throw new ConfigError('Cannot seek in a KafkaSource that is not open: call open first')
    await consumer.seek(partition, position)
  }

  /** How far each assigned partition was read, and how far that is from its end, in records and in time. Empty before the first read. */
  async lag(): Promise<readonly PartitionLag[]> {
    return (await this.#opened)?.lags ?? []
  }

  /**
   * Commits offsets that the program names: the offset after the last record that is done. Requires `commit: { strategy: 'manual' }`. After a topic was recreated, one that lies beyond what was read of it is refused; a lower one of the old topic is taken for one of the new.
   * @throws {ConfigError} otherwise, and without a `groupId`; {BrokerError} `COMMIT_REFUSED`; {ConnectionError}
   */
  async commitOffsets(
    offsets: readonly (TopicPartition & { readonly offset: bigint | number; readonly metadata?: string })[],
  ): Promise<void> {
    const consumer = await this.#opened
    if (consumer === undefined)
      throw new ConfigError('Cannot commit offsets of a KafkaSource that is not open: call open first')
    await consumer.commitOffsets(offsets.map((each) => ({ ...each, offset: Number(each.offset) })))
  }

  /** Partitions that are read at the moment. */
  async assignment(): Promise<readonly TopicPartition[]> {
    return (await this.#opened)?.assignment ?? []
  }

  /** Most records of a batch, `max.poll.records`; undefined when there is no such limit. */
  get maxBatchRecords(): number | undefined {
    return this.#options.maxPollRecords
  }

  /** How far it has come; undefined before the first read. */
  async progress(): Promise<ConsumerProgress | undefined> {
    const progress = (await this.#opened)?.progress()
    const { ahead } = this.#loops
    if (progress === undefined || ahead === 0) return progress
    const { records, lag } = progress
    return { ...progress, records: records - ahead, lag: lag === undefined ? undefined : lag + ahead }
  }

  /** What it has counted since it was created. */
  metrics(): SourceMetrics {
    return sourceMetrics(this.counters, this.#connection.value, this.#loops.ahead)
  }

  /** How it is in each partition; undefined while it is not connected. */
  status(): SourceStatus | undefined {
    return this.#connection.value?.status()
  }

  /**
   * Ends reading, commits what has been acknowledged, leaves the group and closes all connections (I4). May be called twice.
   * A loop over records may finish the record that it is at, within 5 s: so leave the loop where its body closes the source.
   */
  close(): Promise<void> {
    this.#connection.stop()
    return this.#connection.close(async (consumer) => {
      await this.#loops.ended()
      await consumer.close()
      this[FOR_WATCHING].reads.ended()
    })
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #connect(cluster: Cluster, consumer: ConsumerSettings, signal: AbortSignal): Promise<Consumer> {
    const options = this.#options
    const isCommitted = this.#commits === 'transaction' && !this.#choseIsolation
    const source = {
      options,
      settings: settingsToRead(consumer, options.commit, isCommitted),
      commits: this.#commits,
      listener: this.#given,
      events: this.#events,
      counters: this.counters,
      closing: this.#connection.closing,
      onAssigning: (assigning: Consumer | undefined) => {
        this.#assigning = assigning
      },
    }
    return openConsumer(cluster, source, signal)
  }

  /** What is open or being opened. A listener that is told of the first partitions need not wait for itself. */
  get #opened(): Promise<Consumer> | undefined {
    return this.#assigning === undefined ? this.#connection.opened : Promise.resolve(this.#assigning)
  }
}
