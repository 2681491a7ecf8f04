/** What a `KafkaSink` counts. */
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
  readonly maxLatencyUs: number
  /** How often the circuit breaker has opened. */
  readonly circuitBreakerTrips: number
  /** Calls that the open circuit breaker rejected. */
  readonly circuitBreakerRejections: number
  /** When the last record or call failed. */
  readonly lastError: Date | undefined
  readonly lastErrorMsg: string | undefined
}

/** What is read of a producer. */
type Progress = { readonly valueBytes: number; readonly batches: number; readonly retries: number }

export class SinkStatistics {
  #sent = 0
  #failed = 0
  #latencyUs = 0
  #maxLatencyUs = 0
  #lastError: Date | undefined
  #lastErrorMsg: string | undefined

  /** A call is over: so many of its records were acknowledged, after so many milliseconds. */
  sent(records: number, ms: number): void {
    if (records === 0) return
    const us = ms * 1000
    this.#sent += records
    this.#latencyUs += us * records
    if (us > this.#maxLatencyUs) this.#maxLatencyUs = us
  }

  /** So many records of a call failed. */
  failed(records: number, error: unknown): void {
    this.#failed += records
    this.#lastError = new Date()
    this.#lastErrorMsg = error instanceof Error ? error.message : String(error)
  }

  read(producers: readonly Progress[], breaker: CircuitProgress | undefined): SinkMetrics {
    const sum = (of: (progress: Progress) => number): number => producers.reduce((all, each) => all + of(each), 0)
    return {
      messagesSent: this.#sent,
      messagesFailed: this.#failed,
      bytesSent: sum(({ valueBytes }) => valueBytes),
      sendAttempts: sum(({ batches }) => batches),
      retries: sum(({ retries }) => retries),
      avgLatencyUs: this.#sent === 0 ? 0 : Math.trunc(this.#latencyUs / this.#sent),
      maxLatencyUs: Math.trunc(this.#maxLatencyUs),
      circuitBreakerTrips: breaker?.openings ?? 0,
      circuitBreakerRejections: breaker?.rejections ?? 0,
      lastError: this.#lastError,
      lastErrorMsg: this.#lastErrorMsg,
    }
  }
}
