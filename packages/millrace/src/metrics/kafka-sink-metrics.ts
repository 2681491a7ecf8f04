/**
 * Counters of a Kafka sink with the names of Rivven's connectors, for programs that report them themselves. They are used as those
 * of a source, in `kafka-source-metrics.ts`.
 */
import { BatchSizes, linesText, numbersFrom, sizeLines } from './batch-sizes.ts'

const FIELDS = [
  'messages_produced',
  'bytes_produced',
  'sends',
  'errors',
  'flushes',
  'retries',
  'min_batch_size',
  'max_batch_size',
  'batch_size_sum',
  'batch_count',
] as const

/** A snapshot as JSON, in this order. */
export type KafkaSinkMetricsJson = { readonly [field in (typeof FIELDS)[number]]: number }

/** Counts what a sink does. All numbers are of the time since it was created, or since `snapshotAndReset`. */
export class KafkaSinkMetrics {
  #messages = 0
  #bytes = 0
  #sends = 0
  #errors = 0
  #flushes = 0
  #retries = 0
  #sizes = new BatchSizes()
  readonly #beforeSnapshot: (() => void) | undefined

  /** @param beforeSnapshot called before the numbers are read, to count what is known elsewhere */
  constructor(beforeSnapshot?: () => void) {
    this.#beforeSnapshot = beforeSnapshot
  }

  /** Counts one call that sends messages. */
  recordBatch(messages: number, bytes: number): void {
    this.#messages += messages
    this.#bytes += bytes
    this.#sends++
    if (messages > 0) this.#sizes.add(messages)
  }

  /** Counts bytes of messages that were counted without. */
  recordBytes(bytes: number): void {
    this.#bytes += bytes
  }

  /** @param count messages that failed */
  recordError(count = 1): void {
    this.#errors += count
  }

  /** Counts a flush. */
  recordFlush(): void {
    this.#flushes++
  }

  /** @param count attempts that were repeated */
  recordRetry(count = 1): void {
    this.#retries += count
  }

  /** The numbers of now, which do not change any more. */
  snapshot(): KafkaSinkMetricsSnapshot {
    this.#beforeSnapshot?.()
    const { min, max, sum, count } = this.#sizes
    return KafkaSinkMetricsSnapshot.fromJSON({
      messages_produced: this.#messages,
      bytes_produced: this.#bytes,
      sends: this.#sends,
      errors: this.#errors,
      flushes: this.#flushes,
      retries: this.#retries,
      min_batch_size: min,
      max_batch_size: max,
      batch_size_sum: sum,
      batch_count: count,
    })
  }

  /** The numbers of now, and counts from zero again: for reports of intervals. */
  snapshotAndReset(): KafkaSinkMetricsSnapshot {
    const snapshot = this.snapshot()
    this.#messages = this.#bytes = this.#sends = this.#errors = this.#flushes = this.#retries = 0
    this.#sizes = new BatchSizes()
    return snapshot
  }
}

/** What a sink had done at some moment. */
export class KafkaSinkMetricsSnapshot {
  /** Records that were acknowledged. */
  readonly messagesProduced: number
  /** Bytes of these records. */
  readonly bytesProduced: number
  /** Calls that sent something. */
  readonly sends: number
  /** Records that failed. */
  readonly errors: number
  /** Calls of `flush`. */
  readonly flushes: number
  /** Batches that were sent again. */
  readonly retries: number
  /** Messages of the smallest batch that was not empty; 0 before there was one. */
  readonly minBatchSize: number
  /** Records of the largest batch. */
  readonly maxBatchSize: number
  /** Messages of all batches. */
  readonly batchSizeSum: number
  /** Batches that were not empty. */
  readonly batchCount: number

  private constructor(json: KafkaSinkMetricsJson) {
    this.messagesProduced = json.messages_produced
    this.bytesProduced = json.bytes_produced
    this.sends = json.sends
    this.errors = json.errors
    this.flushes = json.flushes
    this.retries = json.retries
    this.minBatchSize = json.min_batch_size
    this.maxBatchSize = json.max_batch_size
    this.batchSizeSum = json.batch_size_sum
    this.batchCount = json.batch_count
  }

  /** @param json text, or what `JSON.parse` returns for it. @throws {ConfigError} `CONFIG_INVALID` names the field that is wrong */
  static fromJSON(json: string | KafkaSinkMetricsJson): KafkaSinkMetricsSnapshot {
    return new KafkaSinkMetricsSnapshot(numbersFrom(json, FIELDS))
  }

  /** Messages of an average batch; 0 before there was one. */
  avgBatchSize(): number {
    return this.batchCount === 0 ? 0 : this.batchSizeSum / this.batchCount
  }

  /** Messages per second. @param elapsedSeconds time that the snapshot covers; the rate is 0 for 0 and less */
  rate(elapsedSeconds: number): number {
    return elapsedSeconds > 0 ? this.messagesProduced / elapsedSeconds : 0
  }

  /** Share of messages that were produced, of these and errors, from 0 to 1; 1 while there are neither. */
  successRate(): number {
    const total = this.messagesProduced + this.errors
    return total === 0 ? 1 : this.messagesProduced / total
  }

  /** HELP, TYPE and value of each metric. @param prefix of the names, without the underscore. @throws {ConfigError} when no name can begin with it */
  toPrometheusFormat(prefix: string): string {
    return linesText(prefix, [
      ['messages_produced_total', 'Total messages produced', 'counter', this.messagesProduced],
      ['bytes_produced_total', 'Total bytes produced', 'counter', this.bytesProduced],
      ['sends_total', 'Total send operations', 'counter', this.sends],
      ['errors_total', 'Total errors', 'counter', this.errors],
      ['flushes_total', 'Total flush operations', 'counter', this.flushes],
      ['retries_total', 'Total retries', 'counter', this.retries],
      ...sizeLines(this.minBatchSize, this.maxBatchSize, this.avgBatchSize()),
    ])
  }

  /** For `JSON.stringify`: the field names of Rivven, in its order. */
  toJSON(): KafkaSinkMetricsJson {
    return {
      messages_produced: this.messagesProduced,
      bytes_produced: this.bytesProduced,
      sends: this.sends,
      errors: this.errors,
      flushes: this.flushes,
      retries: this.retries,
      min_batch_size: this.minBatchSize,
      max_batch_size: this.maxBatchSize,
      batch_size_sum: this.batchSizeSum,
      batch_count: this.batchCount,
    }
  }
}
