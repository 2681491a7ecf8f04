/** What a program may listen to of a `KafkaSink`; `metrics/events.ts` says what each event means. */
import type { CircuitState } from '../../resilience/circuit-breaker.ts'
import type { ClientEventFacts } from './source-events.ts'

/** Events of a `KafkaSink`, by the name for `on`. */
export interface SinkEvents extends ClientEventFacts {
  /** A call is over, and records of it were acknowledged. */
  readonly written: { readonly clientId: string; readonly records: number; readonly ms: number }
  /** Records of a call failed for good. The call reports them, too. */
  readonly failed: {
    readonly clientId: string
    readonly records: number
    /** Code of the first error, and its message. */
    readonly code: string
    readonly error: string
  }
  /** The circuit breaker has changed. */
  readonly breaker: { readonly clientId: string; readonly state: CircuitState; readonly openMs?: number }
  /** A transaction was begun, committed or aborted. */
  readonly transaction: { readonly clientId: string; readonly state: 'begun' | 'committed' | 'aborted' }
}
