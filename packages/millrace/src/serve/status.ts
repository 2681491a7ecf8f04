/**
 * What `/status` says of a pipeline, and the dashboard shows: how it is, its parts with their numbers, its partitions, and
 * what failed last.
 */
import type { SourceStatus } from '../contracts/source.ts'
import type { FailureEntry } from '../engine/watching/failure-log.ts'
import type { WatchedNode, WatchedPipeline } from '../engine/watching/watched-pipeline.ts'
import type { Reason } from './health.ts'
import type { HistoryPoint } from './history.ts'
import type { Numbers } from './numbers.ts'

/** A part of a pipeline with its numbers, all since the run began. Those that a part does not have are missing. */
export interface NodeStatus extends WatchedNode {
  readonly recordsIn?: number | undefined
  readonly recordsOut?: number | undefined
  readonly bytes?: number | undefined
  readonly busySeconds?: number | undefined
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
  readonly failures: readonly FailureEntry[]
  readonly rebalances: number
  readonly commits: number
  readonly commitFailures: number
}

/** @param mostPartitions of which there are rows */
export function pipelineStatus(
  pipeline: WatchedPipeline,
  numbers: Numbers,
  {
    reasons,
    now,
    mostPartitions,
  }: { readonly reasons: readonly Reason[]; readonly now: HistoryPoint | undefined; readonly mostPartitions: number },
): PipelineStatus {
  const { name, state, delivery, startedAt, error, failures } = pipeline
  const partitions = partitionRows(pipeline)
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
    error,
    read: { records: sum('millrace_source_records_total'), bytes: sum('millrace_source_bytes_total') },
    written: { records: written('millrace_sink_records_total'), bytes: written('millrace_sink_bytes_total') },
    lag: numbers.sum('millrace_source_lag_records', name),
    lagSeconds: numbers.max('millrace_source_lag_seconds', name),
    now,
    nodes: pipeline.nodes.map((node) => nodeStatus(node, pipeline, numbers)),
    partitions: partitions.slice(0, mostPartitions),
    partitionsLeftOut: Math.max(0, partitions.length - mostPartitions),
    failed: {
      retried: numbers.byCode('millrace_retried_records_total', name),
      skipped: numbers.byCode('millrace_skipped_records_total', name),
      deadLettered: numbers.byCode('millrace_dead_lettered_records_total', name),
    },
    failures: failures.entries,
    rebalances: sum('millrace_group_rebalances_total'),
    commits: sum('millrace_offset_commits_total'),
    commitFailures: sum('millrace_offset_commit_failures_total'),
  }
}

function nodeStatus(node: WatchedNode, { name, breakerStates }: WatchedPipeline, numbers: Numbers): NodeStatus {
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
      busySeconds: number('millrace_stage_busy_seconds_total'),
    }
  return {
    ...node,
    recordsIn: number('millrace_sink_records_total'),
    bytes: number('millrace_sink_bytes_total'),
    breaker: breakerStates.find((breaker) => breaker.id === id)?.state,
  }
}

function partitionRows({ sources }: WatchedPipeline): PartitionRow[] {
  const rows = sources.flatMap(({ id, status }) => {
    const found = status()
    return (found?.partitions ?? []).map((partition) => ({ stage: id, ...partition, owner: found?.memberId }))
  })
  const urgency = ({ problem, lag }: PartitionRow): number => (problem === undefined ? (lag ?? 0) : Number.MAX_VALUE)
  return rows.toSorted(
    (a, b) => urgency(b) - urgency(a) || (a.topic < b.topic ? -1 : a.topic > b.topic ? 1 : a.partition - b.partition),
  )
}
