/**
 * What the engine is asked to run, and what it reports about it. Every dialect ends in a `PipelinePlan`; the engine knows
 * no file format and no concrete component.
 */
import type { Documents } from '../contracts/codec.ts'
import type { Delivery, Preview } from '../contracts/context.ts'
import type { SinkDefinition, SourceDefinition, Endpoints } from '../contracts/definitions.ts'
import type { FunctionDefinition } from '../contracts/functions.ts'
import type { Sink } from '../contracts/sink.ts'
import type { CommittedOffset, Source } from '../contracts/source.ts'
import type { Stage } from '../contracts/stage.ts'
import type { ConfigProblem, ErrorCode } from '../errors/index.ts'
import type { Counters } from '../metrics/counters.ts'
import type { Report } from '../metrics/events.ts'
import type { CircuitProgress } from '../resilience/circuit-breaker.ts'
import type { FailureRate } from '../resilience/failure-rate.ts'
import type { BackoffOptions } from '../resilience/retry.ts'
import type { WatchedPipeline } from './watching/watched-pipeline.ts'

/** A source or a sink of a plan. */
export interface PlannedComponent {
  /** Name in the catalog, for instance `kafka`. */
  readonly component: string
  /** Options as its definition declares them: checked, with defaults. May hold secrets: never print them (I8). */
  readonly options: { readonly [name: string]: unknown }
  /** Where it reads or writes, as its definition says. */
  readonly endpoints: Endpoints
}

export interface PlannedStage {
  /** With its dollar sign, for instance `$match`. */
  readonly name: string
  /** What the file says below the name; the stage itself checks it. */
  readonly spec: unknown
  /** Dotted path in the file, for instance `stages.0.$match`. */
  readonly path: string
}

/** When deliveries to the sink pause, and for how long. */
export interface CircuitBreakerPlan {
  /** Failed deliveries in a row. */
  readonly failureThreshold: number
  /** In place of `failureThreshold`: the share of failed deliveries. */
  readonly failureRate?: FailureRate | undefined
  /** Until one delivery is tried again. */
  readonly openMs: number
}

/** Where what there is to see of a run is served. */
export interface HttpPlan {
  readonly host: string
  readonly port: number
  /** Bearer token that clients must send. */
  readonly token?: string | undefined
  /** Whether there are metrics by partition; for at most 100 of a source when omitted. */
  readonly partitionMetrics?: boolean | undefined
  /** Whether the dashboard shows nothing of keys, values and headers. */
  readonly hideValues?: boolean | undefined
  /** Only what Rivven has on one of its ports. */
  readonly rivven?:
    | { readonly serves: 'metrics' | 'health'; readonly path: string; readonly sinks: readonly string[] }
    | undefined
}

/** How fast a source is read. */
export interface RateLimit {
  /** Undefined when there is no such limit. */
  readonly recordsPerSecond: number | undefined
  /** Records that may come at once after a pause. */
  readonly burst: number
  /** Records that may be on their way to the sink; undefined when there is no such limit. */
  readonly maxInFlight: number | undefined
}

/** Time between transactions, unless the file says otherwise. */
export const COMMIT_INTERVAL_MS = 100

/** A pipeline, whatever the shape of the file it was read from. */
export interface PipelinePlan {
  readonly name: string
  /** File it was read from, as it was named; undefined when it was made by a program. */
  readonly file: string | undefined
  /** Absolute path against which relative paths in options are resolved. */
  readonly directory: string
  readonly source: PlannedComponent
  readonly stages: readonly PlannedStage[]
  readonly sink: PlannedComponent
  /** Further sinks, which get every record after the first one has it. */
  readonly fanout?: readonly PlannedComponent[] | undefined
  readonly delivery: Delivery
  /** With `exactly_once`: time between commits; 100 ms when omitted. */
  readonly commitIntervalMs?: number | undefined
  readonly errorPolicy: ErrorPolicy
  /** Undefined when there is none. */
  readonly circuitBreaker?: CircuitBreakerPlan | undefined
  readonly rateLimit?: RateLimit | undefined
  /** Most records that go through the stages together; undefined leaves it to the source. */
  readonly maxBatchRecords?: number | undefined
  /** Names of pipelines of the same file that write what this one reads: up to the end, it runs after them. */
  readonly after?: readonly string[] | undefined
  /** Batches that may be on their way to the sink at the same time; when omitted only their bytes are bounded. */
  readonly maxBatchesInFlight?: number | undefined
  readonly http?: readonly HttpPlan[] | undefined
  /** What the operator should know, for instance options without effect. */
  readonly warnings: readonly ConfigProblem[]
}

/** The sinks of a plan, in the order in which a record comes to them. */
export function allSinksOf({ sink, fanout = [] }: Pick<PipelinePlan, 'sink' | 'fanout'>): readonly PlannedComponent[] {
  return [sink, ...fanout]
}

/** Several pipelines of one file, which run together. */
export interface PipelineGroup {
  readonly name: string
  readonly file: string | undefined
  /** At least two. */
  readonly pipelines: readonly PipelinePlan[]
  readonly http?: readonly HttpPlan[] | undefined
  readonly warnings: readonly ConfigProblem[]
}

/** What of a value is looked at between source and sink. */
export interface ValuesNeeded {
  /** Whether anything is. */
  readonly needsDocuments: boolean
  /** All that the first stages look at in the outermost object; undefined when they do not look at fields alone. */
  readonly fields: readonly string[] | undefined
  /** Whether `_meta` is attached to documents although no stage mentions it, as another sink includes it. */
  readonly attachesMeta?: boolean | undefined
}

/** Finds the components that a plan names; the catalog in production. */
export interface Components {
  /** @throws {ConfigError} when there is none of this name */
  source(name: string): Promise<SourceDefinition>
  sink(name: string): Promise<SinkDefinition>
  /** @param warn given what the operator should know, while it runs. @throws {ConfigError} with the path of the stage */
  stage(stage: PlannedStage, warn?: RunOptions['warn']): Promise<Stage>
  /** A function of stage graphs. @throws {ConfigError} when there is none of this name and kind */
  function(kind: FunctionDefinition['kind'], name: string): Promise<FunctionDefinition>
  /** How documents are made and written; undefined when bytes pass from this source to this sink untouched. */
  documents(
    source: Pick<Source, 'valueCodec' | 'keyCodec' | 'valueSchema' | 'keySchema'>,
    sink: Pick<Sink, 'valueCodec' | 'keyCodec' | 'valueSchema' | 'keySchema' | 'keyField' | 'includeMeta'>,
    stages: readonly PlannedStage[],
    needs: ValuesNeeded,
  ): Promise<Documents | undefined>
}

export interface RunOptions {
  readonly components: Components
  /** Stops gracefully: read no more, drain, flush, commit, close (I4). */
  readonly signal: AbortSignal
  /** Stops at once: what is in flight is given up and nothing more is committed. */
  readonly abort: AbortSignal
  /** Stop at the end of what was there when the run began. */
  readonly untilEnd: boolean
  /** Only look: no group is joined and nothing is committed. */
  readonly preview?: Preview | undefined
  /** Called about once a second, and once more at the end. */
  readonly onProgress?: ((progress: RunProgress) => void) | undefined
  readonly warn: Report
  /** Reports something that is no problem. */
  readonly inform?: Report | undefined
  /** Where the run counts; when omitted in counters of its own, which only make its progress. */
  readonly metrics?: Counters | undefined
  /** Called with each pipeline before it connects, so that its state can be shown. */
  readonly onPipeline?: ((pipeline: WatchedPipeline) => void) | undefined
}

/** How far a run has come, all counted from its beginning. */
export interface RunProgress {
  readonly elapsedMs: number
  readonly read: { readonly records: number; readonly bytes: number }
  readonly written: { readonly records: number; readonly bytes: number }
  /** Records that lie ahead of the source; null while that is not known, undefined when it cannot know. */
  readonly lag: number | null | undefined
  /** What stands in the way of reading or writing at the moment, as part of a sentence; undefined while nothing does. */
  readonly problem?: string | undefined
  /** Offsets that were committed last, per partition; on the last progress of a run only. */
  readonly committed?: readonly CommittedOffset[] | undefined
  /** What became of records that failed, by error code (I7). */
  readonly errors: ErrorProgress
  /** Undefined when there is none. */
  readonly circuitBreaker: CircuitProgress | undefined
}

export interface RunResult extends RunProgress {
  /** Why it ended: the source had no more, a stage lets nothing more through, or it was asked to stop. */
  readonly ended: 'source' | 'stage' | 'signal'
  /** Of a group: how each of its pipelines ended. */
  readonly pipelines?: readonly (RunResult & { readonly name: string })[]
}

/** How values travel; see docs/architecture.md. */
export type Lane = 'verbatim' | 'bytes' | 'fields' | 'documents'

/** What `explain` prints. Sentences without a period. */
export interface Explanation {
  readonly lane: Lane
  /** Why this lane and not a cheaper one. */
  readonly why: string
  readonly stages: readonly { readonly name: string; readonly needs: string; readonly does: string }[]
  readonly guarantee: { readonly name: PipelinePlan['delivery']; readonly means: string }
  /** Where a run starts to read; undefined where every run reads everything. */
  readonly starts?: string
  /** Who commits what, and when. */
  readonly commits: string
  /** Where schemas of keys and values come from; undefined where there are none. */
  readonly schemas?: string
  /** How partitions of the source map to partitions of the sink. */
  readonly partitions: string
  /** What bounds memory. */
  readonly backpressure: string
  /** What happens when a record fails. */
  readonly errors: string
}

export const ENVELOPES = ['headers', 'json', 'rivven', 'conveyor'] as const
export type EnvelopeName = (typeof ENVELOPES)[number]

/** What becomes of records that fail. */
export interface ErrorPolicy {
  /** How deliveries are tried again before that; undefined when they are not. */
  readonly retry: RetryPolicy | undefined
  readonly fate: 'fail' | 'skip' | 'deadLetter'
  /** Where dead letters go; with fate `deadLetter` only. */
  readonly deadLetters: DeadLetterPlan | undefined
}

export interface RetryPolicy {
  /** Attempts after the first one. */
  readonly maxRetries: number
  readonly backoff: BackoffOptions
}

export interface DeadLetterPlan {
  readonly sink: PlannedComponent
  readonly envelope: EnvelopeName
  /** What letters call the pipeline in place of its name. */
  readonly connector?: string | undefined
}

export const FAIL: ErrorPolicy = { retry: undefined, fate: 'fail', deadLetters: undefined }

/** Numbers of records, by error code. */
export type CountsByCode = { readonly [code in ErrorCode]?: number }

/** What the policy has done so far. */
export interface ErrorProgress {
  readonly skipped: CountsByCode
  readonly deadLettered: CountsByCode
  /** Records whose delivery was tried again, counted at each attempt. */
  readonly retried: CountsByCode
}
