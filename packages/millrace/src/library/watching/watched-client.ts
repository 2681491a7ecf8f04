/** What there is to see of a `KafkaSource` or `KafkaSink` that it does not return itself. */
import { FailureLog } from '../../engine/watching/failure-log.ts'
import { Counters } from '../../metrics/counters.ts'

export class WatchedClient {
  /** The latest failures of `process`. */
  readonly failures = new FailureLog('HANDLER_FAILED')
  /** Counts its connections to brokers, and their requests. */
  readonly connections = new Counters()
}
