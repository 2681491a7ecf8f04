/** What a component learns about the run that it is part of. */
import type { Meter } from '../metrics/counters.ts'
import type { Report } from '../metrics/events.ts'
import type { Sink } from './sink.ts'

/** What a pipeline promises of each record; see docs/guarantees.md. */
export type Delivery = 'at_least_once' | 'exactly_once' | 'at_most_once'

/** What a component is told about the run it is part of. */
export interface ComponentContext {
  /** Name of the pipeline; part of client ids, group ids and log lines. */
  readonly pipeline: string
  /** Stop at the end of what was there when the run began. */
  readonly untilEnd: boolean
  /** `at_least_once` when omitted. */
  readonly delivery?: Delivery | undefined
  /** Sinks: name that the source's member of its group keeps over a restart; undefined when it has none. */
  readonly member?: string | undefined
  /** Sinks: whether what fails may be written again, and nothing of its partition may have overtaken it then (I2). */
  readonly triesAgain?: boolean | undefined
  /** Sinks: whether retries or a circuit breaker decide what follows when nothing is acknowledged. */
  readonly retries?: boolean | undefined
  /** Sinks: another one, of whose transactions this one's records are to be part. */
  readonly joins?: Sink | undefined
  /** Directory against which relative paths are resolved. */
  readonly directory: string
  /** Tells the operator of something that is not an error, for instance a clamped option. */
  readonly warn: Report
  /** Reports something that is no problem, for instance what a group has assigned. */
  readonly inform?: Report | undefined
  /** How it counts; see `metrics/table.ts`. Nothing is counted per record. */
  readonly metrics: Meter
  /** Set for previews: a source then joins no group and commits nothing. */
  readonly preview?: Preview | undefined
}

export interface Preview {
  /** Where to begin reading: where a run would, at the first record, or behind the last one. */
  readonly from: 'run' | 'earliest' | 'latest' | { readonly timestampMs: number }
  /** Only this partition, from this offset on, in place of `from`; for sources that read topics. */
  readonly at?: { readonly partition: number; readonly offset: number | undefined } | undefined
}
