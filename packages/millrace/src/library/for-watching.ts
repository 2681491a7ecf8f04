import type { FailureLog } from '../engine/watching/failure-log.ts'
import type { Counters } from '../metrics/counters.ts'

/** Key of what `KafkaSource` and `KafkaSink` offer to `serve`, and to nothing else. */
export const FOR_WATCHING: unique symbol = Symbol('millrace.for-watching')

/** What there is to see of them that they do not return themselves. */
export interface Watched {
  /** The latest failures of `process`. */
  readonly failures: FailureLog
  /** Counts connections to brokers, and their requests. */
  readonly connections: Counters
}
