import type { FailureLog } from '../engine/watching/failure-log.ts'
import type { EventFacts, EventName } from '../metrics/events.ts'
import type { Counters } from '../metrics/counters.ts'

/** Key of what `KafkaSource` and `KafkaSink` offer to `serve`, and to nothing else. */
export const FOR_WATCHING: unique symbol = Symbol('millrace.for-watching')

/** Called with what a client has to say. */
export type Report = (
  level: 'info' | 'warn' | 'error',
  message: string,
  facts: EventFacts & { readonly event: EventName },
) => void

/** What there is to see of them that they do not return themselves. */
export interface Watched {
  /** The latest failures of `process`. */
  readonly failures: FailureLog
  /** Counts connections to brokers, and their requests. */
  readonly connections: Counters
  /** Passes on what an operator may want to know from now on. @returns ends that */
  onReport(report: Report): () => void
}
