/**
 * Metrics of what sources, sinks and circuit breakers count themselves.
 */
import type { Sink } from '../../contracts/sink.ts'
import type { PartitionStatus, Source, SourceProgress, SourceStatus } from '../../contracts/source.ts'
import type { LabelValues, Meter } from '../../metrics/counters.ts'
import type { NumberName } from '../../metrics/table.ts'
import type { CircuitBreaker } from '../../resilience/circuit-breaker.ts'

/** Of more partitions, only their sums are metrics unless they are asked for; `/status` has all of them. */
const MOST_PARTITIONS = 100

export function observeSource(meter: Meter, source: Pick<Source, 'progress' | 'status'>): void {
  meter.observe('millrace_source_records_total', () => source.progress().records)
  meter.observe('millrace_source_bytes_total', () => source.progress().bytes)
  meter.observe('millrace_source_lag_records', () => source.progress().lag ?? undefined)
  if (source.status !== undefined) observePartitions(meter, () => source.status!())
}

/** How long a status serves all that is asked for at the same time, in milliseconds. */
const SAME_MOMENT_MS = 100

function observePartitions(meter: Meter, read: () => SourceStatus | undefined): void {
  let latest: SourceStatus | undefined
  let readAt = -Infinity
  const status = (): SourceStatus | undefined => {
    const now = performance.now()
    if (now - readAt > SAME_MOMENT_MS) {
      latest = read()
      readAt = now
    }
    return latest
  }
  const partitions = (): readonly PartitionStatus[] => status()?.partitions ?? []
  meter.observe('millrace_source_lag_seconds', () => mostLagSeconds(partitions()))
  meter.observe('millrace_source_assigned_partitions', () => status()?.partitions.length)
  meter.observe('millrace_source_unreadable_partitions', () =>
    status()?.partitions.reduce((count, { problem }) => count + (problem === undefined ? 0 : 1), 0),
  )
  meter.observe('millrace_source_buffered_bytes', () => status()?.bufferedBytes)
  const topics = (value: 'records' | 'bytes') => (): Iterable<readonly [LabelValues, number]> =>
    Array.from(status()?.topics ?? [], ([topic, totals]) => [{ topic }, totals[value]] as const)
  meter.observeEach('millrace_topic_read_records_total', topics('records'))
  meter.observeEach('millrace_topic_read_bytes_total', topics('bytes'))
  meter.observeEach('millrace_topic_lag_records', () => lagByTopic(partitions()))
  const { partitionMetrics } = meter
  if (partitionMetrics === false) return
  const most = partitionMetrics === true ? Infinity : MOST_PARTITIONS
  const each = (metric: NumberName, value: (partition: PartitionStatus) => number | undefined): void =>
    meter.observeEach(metric, () => {
      const all = partitions()
      if (all.length > most) return []
      return all.flatMap((status) => {
        const { topic, partition } = status
        const number = value(status)
        return number === undefined ? [] : [[{ topic, partition: String(partition) }, number] as const]
      })
    })
  each('millrace_partition_lag_records', ({ lag }) => lag)
  each('millrace_partition_lag_seconds', ({ lagSeconds }) => lagSeconds)
  each('millrace_partition_position_offset', ({ position }) => position)
  each('millrace_partition_end_offset', ({ end }) => end)
  each('millrace_partition_committed_offset', ({ committed }) => committed)
}

/** Of the partition that is furthest behind; undefined when no partition knows. */
export function mostLagSeconds(partitions: readonly PartitionStatus[]): number | undefined {
  let most: number | undefined
  for (const { lagSeconds } of partitions)
    if (lagSeconds !== undefined && (most === undefined || lagSeconds > most)) most = lagSeconds
  return most
}

function lagByTopic(partitions: readonly PartitionStatus[]): readonly (readonly [LabelValues, number])[] {
  const lags = new Map<string, number>()
  for (const { topic, lag } of partitions) lags.set(topic, (lags.get(topic) ?? 0) + (lag ?? 0))
  return Array.from(lags, ([topic, lag]) => [{ topic }, lag] as const)
}

/** Records ahead of several sources: not known while it is not for one of them, and never where it never is for one. */
export function totalLag(lags: readonly SourceProgress['lag'][]): SourceProgress['lag'] {
  if (lags.includes(undefined)) return undefined
  return lags.includes(null) ? null : lags.reduce<number>((sum, lag) => sum + lag!, 0)
}

export function observeSink(meter: Meter, sink: Pick<Sink, 'progress'>): void {
  meter.observe('millrace_sink_records_total', () => sink.progress().records)
  meter.observe('millrace_sink_bytes_total', () => sink.progress().bytes)
}

const BREAKER_STATES = { closed: 0, 'half-open': 1, open: 2 } as const

export function observeBreaker(meter: Meter, breaker: Pick<CircuitBreaker, 'progress'>): void {
  meter.observe('millrace_breaker_open_state', () => BREAKER_STATES[breaker.progress.state])
  meter.observe('millrace_breaker_openings_total', () => breaker.progress.openings)
  meter.observe('millrace_breaker_rejections_total', () => breaker.progress.rejections)
}
