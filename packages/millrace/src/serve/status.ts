/**
 * What `/status` says of a pipeline, and the dashboard shows: how it is, its parts with their numbers, its partitions, and
 * what failed last.
 */
import type { PartitionStatus, SourceStatus } from '../contracts/source.ts'
import type { FailureEntry } from '../engine/watching/failure-log.ts'
import type { RecordText } from '../engine/watching/record-text.ts'
import type { WatchedNode, WatchedPipeline } from '../engine/watching/watched-pipeline.ts'
import { type Reason, shownMessage, STALL_MS } from './health.ts'
import { HeldPartitions } from './held-partitions.ts'
import type { HistoryPoint, Shares } from './history.ts'
import type { Sample } from '../metrics/counters.ts'
import type { Moment } from './moment.ts'
import type { Numbers } from './numbers.ts'

/** A part of a pipeline with its numbers, all since the run began. Those that a part does not have are missing. */
export interface NodeStatus extends WatchedNode {
  /** Whether the records before and after it can be looked at. */
  readonly hasRecords: boolean
  readonly recordsIn?: number | undefined
  readonly recordsOut?: number | undefined
  readonly bytes?: number | undefined
  readonly busySeconds?: number | undefined
  readonly backpressuredSeconds?: number | undefined
  readonly idleSeconds?: number | undefined
  /** What it spent the last second on: parts of one. */
  readonly now?: Shares | undefined
  readonly lag?: number | undefined
  readonly lagSeconds?: number | undefined
  readonly breaker?: string | undefined
}

export interface PartitionRow {
  readonly stage: string
  readonly topic: string
  readonly partition: number
  readonly state: SourceStatus['partitions'][number]['state']
  readonly position: number | undefined
  readonly end: number | undefined
  readonly committed: number | undefined
  readonly lag: number | undefined
  readonly lagSeconds: number | undefined
  /** Id of this member; undefined without a group. */
  readonly owner: string | undefined
  readonly problem: string | undefined
}

export interface FailureStatus extends FailureEntry {
  /** Of what ended the run. Others are at `/records`. */
  readonly record: RecordText | undefined
}

export interface PipelineStatus {
  readonly name: string
  readonly state: WatchedPipeline['state']
  readonly delivery: WatchedPipeline['delivery']
  readonly startedAt: string
  readonly ready: boolean
  readonly reasons: readonly Reason[]
  readonly error: WatchedPipeline['error']
  readonly read: { readonly records: number; readonly bytes: number }
  readonly written: { readonly records: number; readonly bytes: number }
  readonly lag: number | undefined
  readonly lagSeconds: number | undefined
  /** The last second. */
  readonly now: HistoryPoint | undefined
  readonly nodes: readonly NodeStatus[]
  /** Those that are furthest behind or have a problem come first. */
  readonly partitions: readonly PartitionRow[]
  /** How many more partitions there are. */
  readonly partitionsLeftOut: number
  readonly failed: {
    readonly retried: { readonly [code: string]: number }
    readonly skipped: { readonly [code: string]: number }
    readonly deadLettered: { readonly [code: string]: number }
  }
  /** The latest first. */
  readonly failures: readonly FailureStatus[]
  readonly rebalances: number
  readonly commits: number
  readonly commitFailures: number
}

/** @param mostPartitions of which there are rows */
export function pipelineStatus(
  pipeline: WatchedPipeline,
  moment: Moment,
  {
    reasons,
    now,
    mostPartitions,
    parts,
    hidesValues = false,
    held = new HeldPartitions(),
  }: {
    readonly reasons: readonly Reason[]
    readonly now: HistoryPoint | undefined
    readonly mostPartitions: number
    /** What each part spent the last second on, by its id. */
    readonly parts?: ReadonlyMap<string, Shares>
    readonly hidesValues?: boolean
    readonly held?: HeldPartitions
  },
): PipelineStatus {
  const { numbers } = moment
  const { name, state, delivery, startedAt, error } = pipeline
  const failures = pipeline.failures.entries.map((each) => ({
    ...each,
    message: shownMessage(each, hidesValues),
    // It cannot be asked for when the process has ended.
    record: each.fate === 'fatal' ? pipeline.failures.recordOf(each.id) : undefined,
  }))
  const partitions = partitionRows(moment.sourcesOf(pipeline), failures, held)
  const sum = (metric: Parameters<Numbers['sum']>[0]): number => numbers.sum(metric, name) ?? 0
  const sinks = pipeline.nodes.filter(({ kind }) => kind === 'sink')
  const written = (metric: Parameters<Numbers['sum']>[0]): number =>
    sinks.reduce((total, { id }) => total + (numbers.sum(metric, name, id) ?? 0), 0)
  return {
    name,
    state,
    delivery,
    startedAt,
    ready: reasons.length === 0,
    reasons,
    error: error && { ...error, message: shownMessage(error, hidesValues) },
    read: { records: sum('millrace_source_records_total'), bytes: sum('millrace_source_bytes_total') },
    written: { records: written('millrace_sink_records_total'), bytes: written('millrace_sink_bytes_total') },
    lag: numbers.sum('millrace_source_lag_records', name),
    lagSeconds: numbers.max('millrace_source_lag_seconds', name),
    now,
    nodes: pipeline.nodes.map((node) => ({
      ...nodeStatus(node, pipeline, numbers),
      ...statesOf(numbers.of('millrace_component_state_seconds_total', name), node.id),
      now: parts?.get(node.id),
      hasRecords: pipeline.taps.has(node.id),
    })),
    partitions: partitions.slice(0, mostPartitions),
    partitionsLeftOut: Math.max(0, partitions.length - mostPartitions),
    failed: {
      retried: numbers.byCode('millrace_retried_records_total', name),
      skipped: numbers.byCode('millrace_skipped_records_total', name),
      deadLettered: numbers.byCode('millrace_dead_lettered_records_total', name),
    },
    failures,
    rebalances: sum('millrace_group_rebalances_total'),
    commits: sum('millrace_offset_commits_total'),
    commitFailures: sum('millrace_offset_commit_failures_total'),
  }
}

function nodeStatus(
  node: WatchedNode,
  { name, breakerStates }: WatchedPipeline,
  numbers: Numbers,
): Omit<NodeStatus, 'hasRecords'> {
  const { id, kind } = node
  const number = (metric: Parameters<Numbers['sum']>[0]): number | undefined => numbers.sum(metric, name, id)
  if (kind === 'source')
    return {
      ...node,
      recordsOut: number('millrace_source_records_total'),
      bytes: number('millrace_source_bytes_total'),
      lag: number('millrace_source_lag_records'),
      lagSeconds: numbers.max('millrace_source_lag_seconds', name, id),
    }
  if (kind === 'stage')
    return {
      ...node,
      recordsIn: number('millrace_stage_records_total'),
      recordsOut: number('millrace_stage_passed_records_total'),
    }
  return {
    ...node,
    recordsIn: number('millrace_sink_records_total'),
    bytes: number('millrace_sink_bytes_total'),
    breaker: breakerStates.find((breaker) => breaker.id === id)?.state,
  }
}

function statesOf(
  samples: readonly Sample[],
  id: string,
): Pick<NodeStatus, 'busySeconds' | 'backpressuredSeconds' | 'idleSeconds'> {
  const states = samples.filter(({ labels }) => labels.stage === id)
  return Object.fromEntries(states.map(({ labels, value }) => [`${labels.state}Seconds`, value]))
}

function partitionRows(
  sources: ReturnType<Moment['sourcesOf']>,
  failures: readonly FailureEntry[],
  held: HeldPartitions,
): PartitionRow[] {
  const now = performance.now()
  const rows = sources.flatMap(({ id, status: { partitions, memberId } }) =>
    partitions.map((partition) => {
      const problem = partition.problem ?? heldUpBy(partition, failures) ?? waitedFor(partition, held, now)
      return { stage: id, ...partition, problem, owner: memberId }
    }),
  )
  const urgency = ({ problem, lag }: PartitionRow): number => (problem === undefined ? (lag ?? 0) : Number.MAX_VALUE)
  return rows.toSorted(
    (a, b) => urgency(b) - urgency(a) || (a.topic < b.topic ? -1 : a.topic > b.topic ? 1 : a.partition - b.partition),
  )
}

/** The record that a partition cannot get past: it ended the run, or fails again and again and is not committed. */
function heldUpBy(
  { topic, partition, done, committed = 0 }: PartitionStatus,
  failures: readonly FailureEntry[],
): string | undefined {
  const found = failures.find(
    ({ fate, attempts, offset, ...place }) =>
      place.topic === topic &&
      place.partition === partition &&
      offset !== undefined &&
      Number(offset) >= (done ?? committed) &&
      (fate === 'fatal' || (fate === 'retried' && attempts > 1)),
  )
  if (found === undefined) return undefined
  const { fate, offset, attempts, code, message } = found
  const what = fate === 'fatal' ? 'ended the run' : `failed ${attempts} times`
  return `offset ${offset} ${what}: ${code}: ${message}`
}

/** A record that was read and is not done for long: a handler, a service or a sink takes its time with it. */
function waitedFor(partition: PartitionStatus, held: HeldPartitions, now: number): string | undefined {
  const ms = held.heldMs(partition, now)
  if (ms === undefined || ms < STALL_MS) return undefined
  return `offset ${partition.done} was read ${Math.round(ms / 1000)} s ago and is not done`
}
