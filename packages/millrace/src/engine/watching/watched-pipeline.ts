/**
 * A running pipeline as those see it who watch it: what it consists of, how it is, and what went wrong. The numbers are in its
 * metrics, by the names of its nodes. May not import the engine, which fills this in; `serve/` reads it.
 */
import type { Delivery } from '../../contracts/context.ts'
import type { SourceStatus } from '../../contracts/source.ts'
import type { Counters } from '../../metrics/counters.ts'
import type { CircuitState } from '../../resilience/circuit-breaker.ts'
import type { FailureLog } from './failure-log.ts'
import type { StageTap } from './stage-tap.ts'

/** `starting` until everything is connected; `stopping` while what was read is delivered and committed. */
export type RunState = 'starting' | 'running' | 'stopping' | 'ended' | 'failed'

/** A part of a pipeline. */
export interface WatchedNode {
  /** As the label `stage` of its metrics. */
  readonly id: string
  readonly kind: 'source' | 'stage' | 'sink' | 'dead-letters'
  readonly component: string
  /** Topics or files that it works on; empty for others. */
  readonly names: readonly string[]
  /** Ids of the nodes whose records it takes. */
  readonly inputs: readonly string[]
}

/** What there is to see of a source or a sink. */
export interface WatchedSource {
  readonly id: string
  /** Undefined while it is not open, and for sources without partitions. */
  readonly status: () => SourceStatus | undefined
}

export interface WatchedPipeline {
  readonly name: string
  readonly delivery: Delivery
  readonly nodes: readonly WatchedNode[]
  readonly counters: Counters
  readonly failures: Pick<FailureLog, 'entries' | 'keepRecords' | 'recordOf'>
  /** ISO 8601. */
  readonly startedAt: string
  readonly sources: readonly WatchedSource[]
  readonly state: RunState
  /** What it failed with. */
  readonly error: { readonly code: string; readonly message: string } | undefined
  /** What stands in the way at the moment, as parts of sentences; undefined while nothing does. */
  problem(): { readonly reading?: string | undefined; readonly writing?: string | undefined }
  /** Brings up to date what has to be asked for. */
  refresh?(): Promise<void>
  /** Where the records before and after a stage can be looked at, by the id of the stage. */
  readonly taps: ReadonlyMap<string, Pick<StageTap, 'ask'>>
  readonly breakerStates: readonly { readonly id: string; readonly state: CircuitState }[]
}
