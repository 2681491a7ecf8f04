/** What a `KafkaSink` counts. */
import { KafkaSinkMetrics } from '../../metrics/kafka-sink-metrics.ts'
import type { CircuitProgress } from '../../resilience/circuit-breaker.ts'

/** The numbers of a sink since it was created, under the names of the stream processor. */
export interface SinkMetrics {
  /** Records that were acknowledged; with acks 0, that were sent. */
  readonly messagesSent: number
  /** Records that failed for good, those that could not be serialized and those that an open circuit breaker rejected included. */
  readonly messagesFailed: number
  /** Bytes of the values of acknowledged records, before compression. */
  readonly bytesSent: number
  /** Batches of records that were sent, repeats included. */
  readonly sendAttempts: number
  /** Batches of records that were sent again. */
  readonly retries: number
  /** Microseconds from a call to the acknowledgement of its records, as the average of all acknowledged records; a whole number. */
  readonly avgLatencyUs: number
  /** Microseconds of the slowest call. */
  readonly maxLatencyUs: number
  /** How often the circuit breaker has opened. */
  readonly circuitBreakerTrips: number
  /** Calls that the open circuit breaker rejected. */
  readonly circuitBreakerRejections: number
  /** When the last record or call failed. */
  readonly lastError: Date | undefined
  /** Message of the last error; undefined before the first one. */
  readonly lastErrorMsg: string | undefined
}

/** What is read of a producer. */
type Progress = { readonly valueBytes: number; readonly batches: number; readonly retries: number }

export class SinkStatistics {
  /** The same with the names of Rivven's connectors. */
  readonly counters: KafkaSinkMetrics
  #sent = 0
  #failed = 0
  #latencyUs = 0
  #maxLatencyUs = 0
  #lastError: Date | undefined
  #lastErrorMsg: string | undefined
  /** What `counters` has of the producers. */
  #counted = { bytes: 0, retries: 0 }

  /** @param producers those that write at the moment */
  constructor(producers: () => readonly Progress[]) {
    this.counters = new KafkaSinkMetrics(() => {
      const bytes = sum(producers(), ({ valueBytes }) => valueBytes)
      const retries = sum(producers(), (each) => each.retries)
      this.counters.recordBytes(bytes - this.#counted.bytes)
      this.counters.recordRetry(retries - this.#counted.retries)
      this.#counted = { bytes, retries }
    })
  }

  /** A call is over: so many of its records were acknowledged, after so many milliseconds. */
  sent(records: number, ms: number): void {
    if (records === 0) return
    this.counters.recordBatch(records, 0)
    const us = ms * 1000
    this.#sent += records
    this.#latencyUs += us * records
    if (us > this.#maxLatencyUs) this.#maxLatencyUs = us
  }

  /** So many records of a call failed. */
  failed(records: number, error: unknown): void {
    this.#failed += records
    this.counters.recordError(records)
    this.#lastError = new Date()
    this.#lastErrorMsg = error instanceof Error ? error.message : String(error)
  }

  read(producers: readonly Progress[], breaker: CircuitProgress | undefined): SinkMetrics {
    return {
      messagesSent: this.#sent,
      messagesFailed: this.#failed,
      bytesSent: sum(producers, ({ valueBytes }) => valueBytes),
      sendAttempts: sum(producers, ({ batches }) => batches),
      retries: sum(producers, ({ retries }) => retries),
      avgLatencyUs: this.#sent === 0 ? 0 : Math.trunc(this.#latencyUs / this.#sent),
      maxLatencyUs: Math.trunc(this.#maxLatencyUs),
      circuitBreakerTrips: breaker?.openings ?? 0,
      circuitBreakerRejections: breaker?.rejections ?? 0,
      lastError: this.#lastError,
      lastErrorMsg: this.#lastErrorMsg,
    }
  }
}

function sum(producers: readonly Progress[], of: (progress: Progress) => number): number {
  return producers.reduce((all, each) => all + of(each), 0)
}
