/**
 * All metrics, once: what they count, in which unit, and which labels distinguish their values. The Prometheus text, docs/metrics.md
 * and the Grafana dashboard are derived from this table, and the alert rules are checked against it.
 *
 * Names are API: dashboards break when one changes, so a test has a list of them. Counters are named `millrace_<noun>_<unit>_total`.
 * Labels have few values, all of them known from the file, from Kafka or from a table: names of pipelines and stages, topics, error
 * codes, never the text of an error. May import nothing but `errors/`.
 */

/** What distinguishes the values of a metric. */
export const LABELS = {
  pipeline: 'Name of the pipeline.',
  stage:
    'Part of the pipeline: `source`, `decode`, `stage-1`, `encode`, `sink`, `sink-2` and so on, `dead-letters`; in a graph the id of the stage.',
  component: 'Name of the component in the catalog, or of the stage.',
  topic: 'Name of the topic.',
  partition: 'Number of the partition.',
  code: 'Code of an error.',
  request: 'Name of a request of the Kafka protocol, such as `Fetch` or `Produce`.',
  state: 'What a pipeline or a part of it does: `busy`, `backpressured` or `idle`.',
  version: 'Version of Millrace.',
} as const

/** The name of a label, such as `pipeline` or `topic`. */
export type Label = keyof typeof LABELS

/** A metric: its type, unit, labels and help. */
export interface Metric {
  /** A counter only grows while the process runs; a gauge is how things are at the moment; a histogram counts values by size. */
  readonly type: 'counter' | 'gauge' | 'histogram'
  /** Plural. */
  readonly unit: string
  /** What distinguishes its values. */
  readonly labels: readonly Label[]
  /** In whole sentences. */
  readonly help: string
  /** Histograms: upper bounds, growing; one for all larger values comes behind them. */
  readonly buckets?: readonly number[]
}

/** Seconds that a request or a write takes. */
const REQUEST_SECONDS = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30] as const
/** Seconds from end to end. */
const LATENCY_SECONDS = [0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 3600] as const
/** Seconds that a turn of the event loop comes late. */
const DELAY_SECONDS = [0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1, 5] as const

const PROCESS = [] as const satisfies readonly Label[]
const PIPELINE = ['pipeline'] as const satisfies readonly Label[]
/** Of one component. */
const COMPONENT = ['pipeline', 'stage', 'component'] as const satisfies readonly Label[]
const STATE = ['pipeline', 'stage', 'component', 'state'] as const satisfies readonly Label[]
const TOPIC = ['pipeline', 'stage', 'topic'] as const satisfies readonly Label[]
const PARTITION = ['pipeline', 'stage', 'topic', 'partition'] as const satisfies readonly Label[]
/** Of records that failed, or of attempts. */
const BY_CODE = ['pipeline', 'code'] as const satisfies readonly Label[]
const REQUEST = ['pipeline', 'stage', 'component', 'request'] as const satisfies readonly Label[]
const CONNECTION = ['pipeline', 'stage', 'component', 'code'] as const satisfies readonly Label[]

/** All metrics of pipelines, by name. Names are API. */
export const METRICS = {
  // Sources
  millrace_source_records_total: counter('records', COMPONENT, 'Records that a source has read.'),
  millrace_source_bytes_total: counter('bytes', COMPONENT, 'Bytes of the records that a source has read.'),
  millrace_source_batches_total: counter(
    'batches',
    COMPONENT,
    'Batches of a source that the stages have processed. A batch that is split counts once for each slice.',
  ),
  millrace_source_lag_records: gauge(
    'records',
    COMPONENT,
    'Records that a source has still to read. Absent while unknown.',
  ),
  millrace_source_lag_seconds: gauge(
    'seconds',
    COMPONENT,
    'Age of the last record read of the partition that is furthest behind; 0 when everything is read. Absent while unknown.',
  ),
  millrace_source_assigned_partitions: gauge('partitions', COMPONENT, 'Partitions that a source reads.'),
  millrace_source_unreadable_partitions: gauge(
    'partitions',
    COMPONENT,
    'Partitions that a source cannot read at the moment, for instance because their leader is down.',
  ),
  millrace_source_buffered_bytes: gauge('bytes', COMPONENT, 'Bytes that a source has fetched ahead.'),
  millrace_topic_read_records_total: counter('records', TOPIC, 'Records that a source has read of a topic.'),
  millrace_topic_read_bytes_total: counter(
    'bytes',
    TOPIC,
    'Bytes that a source has read of a topic, as they were fetched.',
  ),
  millrace_topic_lag_records: gauge('records', TOPIC, 'Records of a topic that a source has still to read.'),
  millrace_partition_lag_records: gauge('records', PARTITION, 'Records of a partition that are still to be read.'),
  millrace_partition_lag_seconds: gauge(
    'seconds',
    PARTITION,
    'Age of the last record read of a partition; 0 when everything is read.',
  ),
  millrace_partition_position_offset: gauge(
    'offset',
    PARTITION,
    'Offset of the next record to be read of a partition.',
  ),
  millrace_partition_end_offset: gauge('offset', PARTITION, 'Offset at which a partition ends.'),
  millrace_partition_committed_offset: gauge(
    'offset',
    PARTITION,
    'Offset that this process has committed last for a partition.',
  ),
  millrace_offset_commits_total: counter('commits', COMPONENT, 'Commits of offsets by the consumer group of a source.'),
  millrace_offset_commit_failures_total: counter(
    'failures',
    COMPONENT,
    'Commits of offsets that failed, or of which something was refused.',
  ),
  millrace_group_rebalances_total: counter('rebalances', COMPONENT, 'Rebalances of a group member.'),

  // Stages
  millrace_stage_records_total: counter('records', COMPONENT, 'Records that have come to a stage.'),
  millrace_stage_passed_records_total: counter('records', COMPONENT, 'Records that a stage has passed on.'),
  millrace_stage_busy_seconds_total: counter('seconds', COMPONENT, 'Time that a stage has worked.'),

  millrace_component_state_seconds_total: counter(
    'seconds',
    STATE,
    'Time that a source, stage or sink was busy, waited for what is behind it (backpressured), or waited for what is before it (idle). Decoding is work of the source, encoding that of the sinks. A sink is backpressured while the pipeline waits for its writes.',
  ),

  // Sinks
  millrace_sink_records_total: counter('records', COMPONENT, 'Records that a sink has acknowledged.'),
  millrace_sink_bytes_total: counter('bytes', COMPONENT, 'Bytes of the records that a sink has acknowledged.'),
  millrace_sink_batches_total: counter('batches', COMPONENT, 'Batches that a sink has acknowledged.'),
  millrace_sink_forwarded_batches_total: counter(
    'batches',
    COMPONENT,
    'Batches whose record batches a sink has forwarded whole, still compressed.',
  ),
  millrace_sink_write_seconds: histogram(
    'seconds',
    REQUEST_SECONDS,
    COMPONENT,
    'Time from giving a batch to a sink until it is acknowledged or has failed.',
  ),
  millrace_topic_written_records_total: counter('records', TOPIC, 'Records of a topic that were acknowledged.'),
  millrace_topic_written_bytes_total: counter(
    'bytes',
    TOPIC,
    'Bytes of a topic that were acknowledged, as they were sent.',
  ),
  millrace_producer_buffered_bytes: gauge('bytes', COMPONENT, 'Memory of records that are not acknowledged yet.'),
  millrace_producer_batches_total: counter('batches', COMPONENT, 'Record batches that a producer has sent.'),
  millrace_producer_retries_total: counter('retries', COMPONENT, 'Record batches that a producer has sent again.'),
  millrace_breaker_open_state: gauge(
    'state',
    COMPONENT,
    'The circuit breaker of a sink: 0 closed, 1 half-open, 2 open.',
  ),
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

  // Pipelines
  millrace_pipeline_ready_state: gauge(
    'state',
    PIPELINE,
    '1 when a pipeline reads or is able to, 0 when not; `/ready` says why.',
  ),
  millrace_pipeline_state_seconds_total: counter(
    'seconds',
    ['pipeline', 'state'],
    'Time that a pipeline was busy with records, waited for a sink (backpressured), or waited for records (idle).',
  ),
  millrace_pipeline_latency_seconds: histogram(
    'seconds',
    LATENCY_SECONDS,
    PIPELINE,
    'Time from the timestamp of the newest record of a batch until the batch is acknowledged.',
  ),
  millrace_pipeline_flight_bytes: gauge(
    'bytes',
    PIPELINE,
    'Bytes that were given to the sinks and are not acknowledged.',
  ),
  millrace_pipeline_failures_total: counter('failures', BY_CODE, 'Runs that ended with an error.'),
  millrace_retried_records_total: counter(
    'records',
    BY_CODE,
    'Records whose delivery was retried, once for each attempt.',
  ),
  millrace_skipped_records_total: counter('records', BY_CODE, 'Records that failed and were skipped.'),
  millrace_dead_lettered_records_total: counter('records', BY_CODE, 'Records that failed and became dead letters.'),
  millrace_transaction_commits_total: counter('commits', PIPELINE, 'Transactions that have been committed.'),
  millrace_transaction_aborts_total: counter(
    'aborts',
    PIPELINE,
    'Transactions that have been aborted, after which records are read again.',
  ),

  // Connections to Kafka
  millrace_kafka_request_seconds: histogram(
    'seconds',
    REQUEST_SECONDS,
    REQUEST,
    'Time until a broker has responded. A Fetch request waits for records, up to `fetch.max.wait.ms`.',
  ),
  millrace_kafka_request_failures_total: counter(
    'failures',
    ['pipeline', 'stage', 'component', 'request', 'code'],
    'Requests without a response, for instance because the connection broke.',
  ),
  millrace_kafka_connections_total: counter('connections', COMPONENT, 'Connections to brokers that were opened.'),
  millrace_kafka_connection_failures_total: counter('failures', CONNECTION, 'Connections that could not be opened.'),

  // The process
  millrace_build_info: gauge('info', ['version'], 'Always 1; the version is a label.'),
  millrace_process_uptime_seconds: gauge('seconds', PROCESS, 'Time since the process started.'),
  millrace_process_cpu_seconds_total: counter('seconds', PROCESS, 'Processor time of the process, user and system.'),
  millrace_process_resident_bytes: gauge('bytes', PROCESS, 'Memory of the process as the system counts it.'),
  millrace_process_heap_bytes: gauge('bytes', PROCESS, 'Memory of JavaScript objects.'),
  millrace_process_buffer_bytes: gauge('bytes', PROCESS, 'Memory of buffers outside of the heap.'),
  millrace_process_delay_seconds: histogram(
    'seconds',
    DELAY_SECONDS,
    PROCESS,
    'How late the event loop runs a timer, looked at ten times a second. What blocks it delays heartbeats.',
  ),
} as const satisfies { readonly [name: `millrace_${string}`]: Metric }

/** The name of a metric of `METRICS`. */
export type MetricName = keyof typeof METRICS

type NamesOf<T extends Metric['type']> = {
  [name in MetricName]: (typeof METRICS)[name]['type'] extends T ? name : never
}[MetricName]

/** Metrics that can be counted up. */
export type CounterName = NamesOf<'counter'>
/** Metrics that count values by size. */
export type HistogramName = NamesOf<'histogram'>
/** Metrics with one number for each combination of labels. */
export type NumberName = Exclude<MetricName, HistogramName>

interface Of<T extends Metric['type'], L> {
  readonly type: T
  readonly unit: string
  readonly labels: L
  readonly help: string
}

function counter<const L extends readonly Label[]>(unit: string, labels: L, help: string): Of<'counter', L> {
  return { type: 'counter', unit, labels, help }
}

function gauge<const L extends readonly Label[]>(unit: string, labels: L, help: string): Of<'gauge', L> {
  return { type: 'gauge', unit, labels, help }
}

function histogram<const L extends readonly Label[]>(
  unit: string,
  buckets: readonly number[],
  labels: L,
  help: string,
): Of<'histogram', L> & { readonly buckets: readonly number[] } {
  return { type: 'histogram', unit, labels, help, buckets }
}
