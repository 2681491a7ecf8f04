/**
 * Counters of a Kafka source with the names of Rivven's connectors, for programs that report them themselves.
 *
 * ```ts
 * import { KafkaSourceMetrics } from 'millrace/metrics'
 * const metrics = new KafkaSourceMetrics()
 * metrics.recordBatch(batch.length, batch.byteLength)
 * console.log(metrics.snapshot().toPrometheusFormat('orders'))
 * ```
 */
import { BatchSizes, linesText, numbersFrom, sizeLines } from './batch-sizes.ts'

const FIELDS = [
  'messages_consumed',
  'bytes_consumed',
  'polls',
  'empty_polls',
  'errors',
  'commits',
  'commit_failures',
  'rebalances',
  'min_batch_size',
  'max_batch_size',
  'batch_size_sum',
  'batch_count',
] as const

/** A snapshot as JSON, in this order. */
export type KafkaSourceMetricsJson = { readonly [field in (typeof FIELDS)[number]]: number }

/** Counts what a source does. All numbers are of the time since it was created, or since `snapshotAndReset`. */
export class KafkaSourceMetrics {
  #messages = 0
  #bytes = 0
  #polls = 0
  #emptyPolls = 0
  #errors = 0
  #commits = 0
  #commitFailures = 0
  #rebalances = 0
  #sizes = new BatchSizes()

  /** Counts one poll. @param messages 0 for one that returned nothing */
  recordBatch(messages: number, bytes: number): void {
    this.#messages += messages
    this.#bytes += bytes
    this.#polls++
    if (messages === 0) this.#emptyPolls++
    else this.#sizes.add(messages)
  }

  /** Counts a failure. */
  recordError(): void {
    this.#errors++
  }

  /** Counts a commit of offsets that succeeded. */
  recordCommit(): void {
    this.#commits++
  }

  /** Counts a commit that failed. */
  recordCommitFailure(): void {
    this.#commitFailures++
  }

  /** Counts a rebalance. */
  recordRebalance(): void {
    this.#rebalances++
  }

  /** The numbers of now, which do not change any more. */
  snapshot(): KafkaSourceMetricsSnapshot {
    const { min, max, sum, count } = this.#sizes
    return KafkaSourceMetricsSnapshot.fromJSON({
      messages_consumed: this.#messages,
      bytes_consumed: this.#bytes,
      polls: this.#polls,
      empty_polls: this.#emptyPolls,
      errors: this.#errors,
      commits: this.#commits,
      commit_failures: this.#commitFailures,
      rebalances: this.#rebalances,
      min_batch_size: min,
      max_batch_size: max,
      batch_size_sum: sum,
      batch_count: count,
    })
  }

  /** The numbers of now, and counts from zero again: for reports of intervals. */
  snapshotAndReset(): KafkaSourceMetricsSnapshot {
    const snapshot = this.snapshot()
    this.#messages = this.#bytes = this.#polls = this.#emptyPolls = this.#errors = 0
    this.#commits = this.#commitFailures = this.#rebalances = 0
    this.#sizes = new BatchSizes()
    return snapshot
  }
}

/** What a source had done at some moment. */
export class KafkaSourceMetricsSnapshot {
  /** Records delivered. */
  readonly messagesConsumed: number
  /** Bytes of these records. */
  readonly bytesConsumed: number
  /** Batches that were asked for. */
  readonly polls: number
  /** Polls that returned nothing. */
  readonly emptyPolls: number
  /** What failed. */
  readonly errors: number
  /** Commits that succeeded. */
  readonly commits: number
  /** Commits that failed. */
  readonly commitFailures: number
  /** Rebalances of the group. */
  readonly rebalances: number
  /** Messages of the smallest batch that was not empty; 0 before there was one. */
  readonly minBatchSize: number
  /** Records of the largest batch. */
  readonly maxBatchSize: number
  /** Messages of all batches. */
  readonly batchSizeSum: number
  /** Batches that were not empty. */
  readonly batchCount: number

  private constructor(json: KafkaSourceMetricsJson) {
    this.messagesConsumed = json.messages_consumed
    this.bytesConsumed = json.bytes_consumed
    this.polls = json.polls
    this.emptyPolls = json.empty_polls
    this.errors = json.errors
    this.commits = json.commits
    this.commitFailures = json.commit_failures
    this.rebalances = json.rebalances
    this.minBatchSize = json.min_batch_size
    this.maxBatchSize = json.max_batch_size
    this.batchSizeSum = json.batch_size_sum
    this.batchCount = json.batch_count
  }

  /** @param json text, or what `JSON.parse` returns for it. @throws {ConfigError} `CONFIG_INVALID` names the field that is wrong */
  static fromJSON(json: string | KafkaSourceMetricsJson): KafkaSourceMetricsSnapshot {
    return new KafkaSourceMetricsSnapshot(numbersFrom(json, FIELDS))
  }

  /** Messages of an average batch; 0 before there was one. */
  avgBatchSize(): number {
    return this.batchCount === 0 ? 0 : this.batchSizeSum / this.batchCount
  }

  /** Messages per second. @param elapsedSeconds time that the snapshot covers; the rate is 0 for 0 and less */
  rate(elapsedSeconds: number): number {
    return elapsedSeconds > 0 ? this.messagesConsumed / elapsedSeconds : 0
  }

  /** Share of polls that returned nothing, from 0 to 1; 0 before there was a poll. */
  emptyPollRate(): number {
    return this.polls === 0 ? 0 : this.emptyPolls / this.polls
  }

  /** HELP, TYPE and value of each metric. @param prefix of the names, without the underscore. @throws {ConfigError} when no name can begin with it */
  toPrometheusFormat(prefix: string): string {
    return linesText(prefix, [
      ['messages_consumed_total', 'Total messages consumed', 'counter', this.messagesConsumed],
      ['bytes_consumed_total', 'Total bytes consumed', 'counter', this.bytesConsumed],
      ['polls_total', 'Total poll operations', 'counter', this.polls],
      ['empty_polls_total', 'Empty poll operations', 'counter', this.emptyPolls],
      ['errors_total', 'Total errors', 'counter', this.errors],
      ['commits_total', 'Total commit operations', 'counter', this.commits],
      ['commit_failures_total', 'Failed commit operations', 'counter', this.commitFailures],
      ['rebalances_total', 'Total rebalance events', 'counter', this.rebalances],
      ...sizeLines(this.minBatchSize, this.maxBatchSize, this.avgBatchSize()),
    ])
  }

  /** For `JSON.stringify`: the field names of Rivven, in its order. */
  toJSON(): KafkaSourceMetricsJson {
    return {
      messages_consumed: this.messagesConsumed,
      bytes_consumed: this.bytesConsumed,
      polls: this.polls,
      empty_polls: this.emptyPolls,
      errors: this.errors,
      commits: this.commits,
      commit_failures: this.commitFailures,
      rebalances: this.rebalances,
      min_batch_size: this.minBatchSize,
      max_batch_size: this.maxBatchSize,
      batch_size_sum: this.batchSizeSum,
      batch_count: this.batchCount,
    }
  }
}
