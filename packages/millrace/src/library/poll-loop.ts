/**
 * `source.poll()`: a number of records at a time, whenever the program asks.
 *
 * Polling reads the source as a loop does, until `close`. What a call returned is done when the next one begins, or `commit` is called.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { ConfigError } from '../errors/index.ts'
import type { Consumer } from '../kafka/consumer/consumer.ts'
import type { Batch } from '../records/batch.ts'
import type { ConsumerRecord } from '../records/record.ts'
import { Pace, timeWork } from '../resilience/pace.ts'
import { type BatchSpan, type Processor, processSpan } from '../telemetry/batch-span.ts'
import { DecodedRecord, type Decoders } from './decoded-record.ts'
import type { DecodePolicy } from './decode-policy.ts'
import type { Loop } from './loops.ts'
import type { ReadTimes } from './watching/read-times.ts'

/** Options of one call of `poll`. */
export interface PollOptions {
  /** How long to wait for records, in milliseconds; `Infinity` for as long as it takes. 1 s by default. */
  readonly timeoutMs?: number | undefined
  /** Most records to return, at least 1. 500 by default. */
  readonly maxRecords?: number | undefined
}

/** @throws {ConfigError} for numbers that mean nothing */
export function checkPoll({ timeoutMs = 0, maxRecords = 1 }: PollOptions): void {
  if (typeof timeoutMs !== 'number' || Number.isNaN(timeoutMs))
    throw new ConfigError(`Cannot poll a KafkaSource as timeoutMs must be a number of milliseconds: it is ${timeoutMs}`)
  if (!(maxRecords >= 1) || !(Number.isInteger(maxRecords) || maxRecords === Infinity))
    throw new ConfigError(
      `Cannot poll a KafkaSource as maxRecords must be a whole number of at least 1: it is ${maxRecords}`,
    )
}

export class PollLoop<K, V> implements Loop {
  readonly #decode: Decoders<K, V> | undefined
  readonly #policy: DecodePolicy | undefined
  readonly #processor: Processor
  readonly #reads: ReadTimes
  #batch: Batch | undefined
  #span: BatchSpan | undefined
  /** Rows of it that were returned, or passed over. */
  #rows = 0
  /** What is wrong with the record behind them: the next call fails with it. */
  #failure: { readonly error: unknown } | undefined
  #isPolling = false
  /** Of the time that the program works between two calls; how many records a call returns is for the program to say. */
  readonly #pace = new Pace(1)
  #worked: (() => number) | undefined

  /** @param policy for records that cannot be decoded; undefined where reading their key or value is to throw */
  constructor(
    decode: Decoders<K, V> | undefined,
    policy: DecodePolicy | undefined,
    processor: Processor,
    reads: ReadTimes,
  ) {
    this.#decode = decode
    this.#policy = policy
    this.#processor = processor
    this.#reads = reads
  }

  /** What was returned last is done. */
  finishAll(): void {
    // What a call that waits will return has not been returned.
    if (!this.#isPolling) this.#finish()
  }

  #finish(): void {
    this.#batch?.ackBefore(this.#rows)
    if (this.#failure === undefined) this.#batch = undefined
    this.#span?.end()
    this.#span = undefined
  }

  /**
   * @param stop ends the wait
   * @returns the next records of one partition, in order; none when there were none in time
   * @throws {ConfigError} while another call waits; otherwise as `Consumer.next`
   */
  async poll(consumer: Consumer, stop: AbortSignal, maxRecords: number): Promise<ConsumerRecord<K, V>[]> {
    if (this.#isPolling) throw new ConfigError('Cannot poll a KafkaSource in two calls at a time: await the first one')
    this.#isPolling = true
    try {
      this.#finish()
      // So that heartbeats and commits go on beside a program that never waits for anything else.
      if (this.#pace.worked(1, this.#worked?.() ?? 0)) await nextTurn()
      this.#throwFailure(consumer)
      const batch = await this.#reads.next(consumer, stop, maxRecords)
      this.#batch = batch
      this.#span = batch && processSpan(batch, this.#processor)
      this.#rows = batch?.length ?? 0
      this.#worked = timeWork()
      if (batch === undefined) return []
      return await (this.#policy === undefined ? this.#all(batch) : this.#admitted(consumer, batch, this.#policy))
    } finally {
      this.#isPolling = false
    }
  }

  #all(batch: Batch): ConsumerRecord<K, V>[] {
    return Array.from({ length: batch.length }, (_, row) => this.#decoded(batch.record(row)))
  }

  /** Its record comes again with the next call. */
  #throwFailure(consumer: Consumer): void {
    const failure = this.#failure
    if (failure === undefined) return
    consumer.giveBack(this.#batch!, this.#rows)
    this.#failure = this.#batch = undefined
    throw failure.error
  }

  /** Those that can be decoded. One that is to fail fails the call that would begin with it. */
  async #admitted(consumer: Consumer, batch: Batch, policy: DecodePolicy): Promise<ConsumerRecord<K, V>[]> {
    const admitted: ConsumerRecord<K, V>[] = []
    for (let row = 0; row < batch.length; row++) {
      const raw = batch.record(row)
      const record = this.#decoded(raw)
      try {
        if (await policy.admits(record, raw)) admitted.push(record)
      } catch (error) {
        this.#failure = { error }
        this.#rows = row
        if (admitted.length === 0) this.#throwFailure(consumer)
        return admitted
      }
    }
    return admitted
  }

  #decoded(record: ConsumerRecord): ConsumerRecord<K, V> {
    const decode = this.#decode
    // Without decoders K and V are Buffer.
    return decode === undefined ? (record as unknown as ConsumerRecord<K, V>) : new DecodedRecord(record, decode)
  }
}
