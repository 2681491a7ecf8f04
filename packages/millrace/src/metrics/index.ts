/** `millrace/metrics`: counters of Kafka sources and sinks for programs, and the table of the metrics of pipelines. */
export { KafkaSinkMetrics, KafkaSinkMetricsSnapshot, type KafkaSinkMetricsJson } from './kafka-sink-metrics.ts'
export { KafkaSourceMetrics, KafkaSourceMetricsSnapshot, type KafkaSourceMetricsJson } from './kafka-source-metrics.ts'
export type { MetricsSnapshot, MetricValue } from './json.ts'
export { LABELS, METRICS, type Label, type Metric, type MetricName } from './table.ts'
