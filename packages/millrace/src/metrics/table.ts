/**
 * All metrics, once: what they count, in which unit, and which labels distinguish their values. Exporters and reference pages are
 * derived from this table.
 *
 * Counters are named `millrace_<noun>_<unit>_total`. Labels have few values, all of them known from the file or from a table: names
 * of pipelines and stages, error codes, never the text of an error. May import nothing but `errors/`.
 */

/** What distinguishes the values of a metric. */
export const LABELS = {
  pipeline: 'Name of the pipeline.',
  stage: 'Part of the pipeline: `source`, `sink`, `sink-2` and so on, `dead-letters`; in a graph the id of the stage.',
  component: 'Name of the component in the catalog.',
  code: 'Code of an error.',
} as const

export type Label = keyof typeof LABELS

export interface Metric {
  /** A counter only grows while the process runs; a gauge is how things are at the moment. */
  readonly type: 'counter' | 'gauge'
  /** Plural. */
  readonly unit: string
  readonly labels: readonly Label[]
  /** In whole sentences. */
  readonly help: string
}

/** Of one component. */
const COMPONENT = ['pipeline', 'stage', 'component'] as const satisfies readonly Label[]
const PIPELINE = ['pipeline'] as const satisfies readonly Label[]
/** Of records that failed, or of attempts. */
const BY_CODE = ['pipeline', 'code'] as const satisfies readonly Label[]

export const METRICS = {
  millrace_source_records_total: counter('records', COMPONENT, 'Records that a source has read.'),
  millrace_source_bytes_total: counter('bytes', COMPONENT, 'Bytes of the records that a source has read.'),
  millrace_source_batches_total: counter(
    'batches',
    COMPONENT,
    'Batches of a source that the stages have processed. A batch that is split counts once for each slice.',
  ),
  millrace_source_lag_records: {
    type: 'gauge',
    unit: 'records',
    labels: COMPONENT,
    help: 'Records that a source has still to read. Absent while unknown.',
  },
  millrace_sink_records_total: counter('records', COMPONENT, 'Records that a sink has acknowledged.'),
  millrace_sink_bytes_total: counter('bytes', COMPONENT, 'Bytes of the records that a sink has acknowledged.'),
  millrace_sink_batches_total: counter('batches', COMPONENT, 'Batches that a sink has acknowledged.'),
  millrace_sink_forwarded_batches_total: counter(
    'batches',
    COMPONENT,
    'Batches whose record batches a sink has forwarded whole, still compressed.',
  ),
  millrace_retried_records_total: counter(
    'records',
    BY_CODE,
    'Records whose delivery was retried, once for each attempt.',
  ),
  millrace_skipped_records_total: counter('records', BY_CODE, 'Records that failed and were skipped.'),
  millrace_dead_lettered_records_total: counter('records', BY_CODE, 'Records that failed and became dead letters.'),
  millrace_breaker_openings_total: counter(
    'openings',
    COMPONENT,
    'How often the circuit breaker of a sink has opened, including failed probes.',
  ),
  millrace_breaker_rejections_total: counter(
    'rejections',
    COMPONENT,
    'Deliveries that an open circuit breaker has delayed.',
  ),
  millrace_offset_commits_total: counter('commits', COMPONENT, 'Commits of offsets by the consumer group of a source.'),
  millrace_group_rebalances_total: counter('rebalances', COMPONENT, 'Rebalances of a group member.'),
  millrace_transaction_commits_total: counter('commits', PIPELINE, 'Transactions that have been committed.'),
  millrace_transaction_aborts_total: counter(
    'aborts',
    PIPELINE,
    'Transactions that have been aborted, after which records are read again.',
  ),
} as const satisfies { readonly [name: `millrace_${string}`]: Metric }

export type MetricName = keyof typeof METRICS

/** Metrics that can be counted up. */
export type CounterName = {
  [name in MetricName]: (typeof METRICS)[name]['type'] extends 'counter' ? name : never
}[MetricName]

function counter<const L extends readonly Label[], U extends string>(
  unit: U,
  labels: L,
  help: string,
): { readonly type: 'counter'; readonly unit: U; readonly labels: L; readonly help: string } {
  return { type: 'counter', unit, labels, help }
}
