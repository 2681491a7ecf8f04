/** Metrics of the connections of one component to the brokers: how long requests take, and what fails. */
import { isMillraceError } from '../../errors/index.ts'
import type { Counter, Histogram, Meter } from '../../metrics/counters.ts'
import type { ApiName } from '../protocol/api-call.ts'

export class ConnectionMetrics {
  readonly #meter: Meter
  readonly #connections: Counter
  /** By the number of the request. */
  readonly #requests: (Histogram | undefined)[] = []

  constructor(meter: Meter) {
    this.#meter = meter
    this.#connections = meter.counter('millrace_kafka_connections_total')
  }

  connected(): void {
    this.#connections.add(1)
  }

  connectionFailed(error: unknown): void {
    this.#meter.counter('millrace_kafka_connection_failures_total', { code: codeOf(error) }).add(1)
  }

  /** @param startedAt as `performance.now` returned it */
  responded({ key, name }: ApiName, startedAt: number): void {
    const request = (this.#requests[key] ??= this.#meter.histogram('millrace_kafka_request_seconds', { request: name }))
    request.observe((performance.now() - startedAt) / 1000)
  }

  requestFailed({ name }: ApiName, error: unknown): void {
    this.#meter.counter('millrace_kafka_request_failures_total', { request: name, code: codeOf(error) }).add(1)
  }
}

function codeOf(error: unknown): string {
  return isMillraceError(error) ? error.code : 'UNEXPECTED'
}
