/**
 * Metrics as JSON: what the Prometheus text has, for programs.
 */
import type { LabelValues, Sample } from './counters.ts'
import { METRICS, type Metric, type MetricName } from './table.ts'

/** One value of a metric. */
export interface MetricValue {
  /** Those with a value. */
  readonly labels: LabelValues
  /** Of a histogram: how many values were counted. */
  readonly value: number
  /** Of a histogram: sum of all values, and how many were at most as large as each bound. */
  readonly sum?: number
  /** Of a histogram: how many values are at most so large, cumulative. */
  readonly buckets?: readonly { readonly upTo: number | '+Inf'; readonly count: number }[]
}

/** Values by metric, in the order of the table. */
export type MetricsSnapshot = {
  readonly [metric in MetricName]?: {
    readonly type: Metric['type']
    readonly unit: string
    readonly values: readonly MetricValue[]
  }
}

/** @param samples of one or several `Counters` */
export function metricsSnapshot(samples: Iterable<Sample>): MetricsSnapshot {
  const byMetric = Map.groupBy(samples, ({ metric }) => metric)
  return Object.fromEntries(
    (Object.keys(METRICS) as MetricName[]).flatMap((name) => {
      const found = byMetric.get(name)
      if (found === undefined) return []
      const { type, unit, buckets }: Metric = METRICS[name]
      return [[name, { type, unit, values: found.map((sample) => valueOf(sample, buckets)) }]]
    }),
  )
}

function valueOf({ labels: all, value, distribution }: Sample, bounds: readonly number[] | undefined): MetricValue {
  const labels = Object.fromEntries(Object.entries(all).filter(([, text]) => text !== ''))
  if (distribution === undefined) return { labels, value }
  let count = 0
  const buckets = distribution.counts.map((inBucket, i) => ({
    upTo: bounds![i] ?? ('+Inf' as const),
    count: (count += inBucket),
  }))
  return { labels, value, sum: distribution.sum, buckets }
}
