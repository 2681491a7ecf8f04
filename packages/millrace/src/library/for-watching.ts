import type { FailureLog } from '../engine/watching/failure-log.ts'
import type { EventFacts, EventName } from '../metrics/events.ts'
import type { Counters } from '../metrics/counters.ts'
import type { ReadTimes } from './watching/read-times.ts'
import type { WriteTimes } from './watching/write-times.ts'

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
  /** Of a source. */
  readonly reads: ReadTimes
  /** Of a sink. */
  readonly writes: WriteTimes
  /** Passes on what an operator may want to know from now on. @returns ends that */
  onReport(report: Report): () => void
}
