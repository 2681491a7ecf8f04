/**
 * `KafkaSource`: reads topics in a program.
 *
 * ```ts
 * await using source = new KafkaSource({ bootstrapServers: 'localhost:9092', topics: 'orders', groupId: 'billing' })
 * for await (const record of source) console.log(record.offset, record.value?.toString())
 * ```
 */
import { IGNORED_CONSUMER_FIELDS } from '../kafka/properties/ignored-fields.ts'
import type { Batch } from '../records/batch.ts'
import { AbortedError, ConfigError } from '../errors/index.ts'
import type { Cluster } from '../kafka/cluster/cluster.ts'
import type { CommitMode } from '../kafka/consumer/options.ts'
import type { ConsumerProgress } from '../kafka/consumer/progress.ts'
import { Consumer } from '../kafka/consumer/consumer.ts'
import { consumerSettings, type ConsumerSettings } from '../kafka/properties/settings.ts'
import type { TopicPartition } from '../kafka/topic-partition.ts'
import type { Options } from '../options/declaration.ts'
import { parseOptions } from '../options/parse.ts'
import type { ConsumerRecord } from '../records/record.ts'
import { FOR_TRANSACTIONS } from './for-transactions.ts'
import { paced } from './batch-loop.ts'
import type { Decoders, DecodersFor } from './decoded-record.ts'
import { Loops, type RecordId } from './loops.ts'
import { RecordLoop } from './record-loop.ts'
import type { SourceNames } from './options/source.ts'
import type { AnyOf } from './options/any-of.ts'
import { SharedConnection } from './shared-connection.ts'
import { KAFKA_SOURCE_FIELDS, KAFKA_SOURCE_RULES } from './source-fields.ts'

/**
 * Options of a `KafkaSource`: in camelCase, or as Kafka spells them (`'fetch.min.bytes'`). Keys and values are Buffers, unless `decode` makes
 * something else of them.
 */
export type KafkaSourceOptions<K = Buffer, V = Buffer> = SourceNames &
  AnyOf<SourceNames, 'topics' | 'topic'> &
  AnyOf<SourceNames, 'bootstrapServers' | 'bootstrap.servers' | 'brokers'> &
  DecodersFor<K, V> & {
    /** Makes keys and values of their bytes when they are first asked for. */
    readonly decode?: Decoders<K, V>
    /** Told of what is not an error, for instance a failed commit that will be tried again. */
    readonly onWarning?: (message: string, facts?: { readonly [name: string]: unknown }) => void
  }

/**
 * Reads topics, in batches or record by record. It connects with the first read.
 *
 * With a `groupId` the offsets of acknowledged batches are committed every `autoCommitIntervalMs`, on rebalances and on
 * `close`; a batch that was read but not acknowledged is read again after a restart (at least once); `commit` names other
 * ways. Without a group every partition is read from `autoOffsetReset` on and nothing is committed.
 */
export class KafkaSource<K = Buffer, V = Buffer> implements AsyncIterable<ConsumerRecord<K, V>> {
  readonly #options
  readonly #decode: Decoders<K, V> | undefined
  readonly #warn: (message: string, facts?: { readonly [name: string]: unknown }) => void
  readonly #connection: SharedConnection<Consumer>
  readonly #loops = new Loops()
  #commits: CommitMode
  /** Whether the program has chosen `isolation` itself. */
  readonly #choseIsolation: boolean

  /** @throws {ConfigError} with all problems of the options */
  constructor(options: KafkaSourceOptions<K, V>) {
    const { decode, onWarning, ...rest } = options
    const parsed = parseOptions<typeof KAFKA_SOURCE_FIELDS>(
      {
        options: { ...KAFKA_SOURCE_FIELDS, ...IGNORED_CONSUMER_FIELDS },
        rules: KAFKA_SOURCE_RULES,
      },
      rest,
    )
    if (parsed.problems.length > 0) throw ConfigError.of('Cannot create a KafkaSource', parsed.problems)
    this.#options = parsed.options
    this.#commits = commitModeOf(parsed.options)
    this.#choseIsolation = 'isolation' in options || 'isolation.level' in options
    this.#decode = decode
    this.#warn = onWarning ?? (() => {})
    const { cluster, consumer } = consumerSettings(parsed.options)
    this.#connection = new SharedConnection('a KafkaSource', cluster, (connected, signal) =>
      this.#connect(connected, consumer, signal),
    )
    for (const { message } of parsed.warnings) this.#warn(message)
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
      if (consumer !== undefined) yield* paced(consumer, stop, this.#options.maxPollRecords)
    } finally {
      this.#loops.end(loop)
    }
  }

  /**
   * Record by record. A record is acknowledged when the loop asks for the next one. The record at which a loop is left, by `break`,
   * `return` or an error, is not: the next loop begins with it, in this program or after a restart. Call `commit(record)` before
   * `break` when it is dealt with. After `close` the loop ends with the record that it is at.
   *
   * @throws {DecodeError} where `record.key` or `record.value` is read; otherwise as `batches`
   */
  [Symbol.asyncIterator](): AsyncIterator<ConsumerRecord<K, V>> {
    const stop = this.#connection.closing
    return new RecordLoop<K, V>({
      loops: this.#loops,
      stop,
      open: () => this.#consumer(stop),
      decode: this.#decode,
      maxRows: this.#options.maxPollRecords,
    })
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
   * Commits what has been acknowledged, now.
   *
   * @param record the record that a loop over records is at, when it is dealt with: it is acknowledged first
   * @throws {BrokerError} {ConnectionError}
   */
  async commit(record?: RecordId): Promise<void> {
    if (record !== undefined) this.#loops.finish(record)
    const consumer = await this.#connection.opened
    await consumer?.commit()
  }

  /**
   * Waits until every batch that was delivered is acknowledged, and commits: what comes before a checkpoint is never read again.
   * In a loop over records it covers what comes before the record that the loop is at; `commit(record)` covers that one, too.
   *
   * @throws {BrokerError} {ConnectionError}; {AbortedError} when the signal fires first
   */
  async checkpoint(signal: AbortSignal = this.#connection.closing): Promise<void> {
    const consumer = await this.#connection.opened
    if (!this.#loops.isOverRecords) await consumer?.drained(signal)
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

  /** Stops handing out these partitions until `resume`; the group membership goes on. */
  pause(partitions: readonly TopicPartition[]): void {
    this.#whenOpen((consumer) => consumer.pause(partitions))
  }

  resume(partitions: readonly TopicPartition[]): void {
    this.#whenOpen((consumer) => consumer.resume(partitions))
  }

  /** When it cannot be opened, whoever opens or reads is told. */
  #whenOpen(act: (consumer: Consumer) => void): void {
    this.#connection.opened?.then(act, () => {})
  }

  /** Partitions that are read at the moment. */
  async assignment(): Promise<readonly TopicPartition[]> {
    return (await this.#connection.opened)?.assignment ?? []
  }

  /** Most records of a batch, `max.poll.records`; undefined when there is no such limit. */
  get maxBatchRecords(): number | undefined {
    return this.#options.maxPollRecords
  }

  /** How far it has come; undefined before the first read. */
  async progress(): Promise<ConsumerProgress | undefined> {
    const progress = (await this.#connection.opened)?.progress()
    const { ahead } = this.#loops
    if (progress === undefined || ahead === 0) return progress
    return { ...progress, records: progress.records - ahead, lag: progress.lag && progress.lag + ahead }
  }

  /**
   * Ends reading, commits what has been acknowledged, leaves the group and closes all connections (I4). May be called twice.
   * A loop over records may finish the record that it is at, within 5 s: so leave the loop where its body closes the source.
   */
  close(): Promise<void> {
    this.#connection.stop()
    return this.#connection.close(async (consumer) => {
      await this.#loops.ended(CLOSE_WAIT_MS)
      await consumer.close()
    })
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #connect(cluster: Cluster, consumer: ConsumerSettings, signal: AbortSignal): Promise<Consumer> {
    const options = this.#options
    const settings = {
      ...consumer,
      autoCommitIntervalMs:
        options.commit?.strategy === 'periodic'
          ? (options.commit.interval ?? PERIOD_MS)
          : consumer.autoCommitIntervalMs,
      isolation: this.#commits === 'transaction' && !this.#choseIsolation ? 'read_committed' : consumer.isolation,
    } as const
    const opened = new Consumer({
      cluster,
      topics: options.topics,
      settings,
      untilEnd: options.untilEnd,
      commits: this.#commits,
      component: 'kafka',
      warn: this.#warn,
    })
    await opened.open(signal)
    return opened
  }
}

/** How long `close` waits for the body of a loop. */
const CLOSE_WAIT_MS = 5000

/** Between commits of `periodic`. */
const PERIOD_MS = 5000

function commitModeOf({
  commit,
  enableAutoCommit,
}: Pick<Options<typeof KAFKA_SOURCE_FIELDS>, 'commit' | 'enableAutoCommit'>): CommitMode {
  if (commit === undefined) return enableAutoCommit ? 'interval' : 'manual'
  return COMMIT_MODES[commit.strategy]
}

const COMMIT_MODES = {
  auto: 'interval',
  periodic: 'interval',
  each_batch: 'each',
  manual: 'manual',
  on_checkpoint: 'manual',
} as const
