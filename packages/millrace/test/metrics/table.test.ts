import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { LABELS, METRICS, type Metric } from '../../src/metrics/table.ts'

test.each(Object.entries<Metric>(METRICS))(
  '%s is named after its unit and documented',
  (name, { type, unit, labels, help, buckets }) => {
    expect(name).toMatch(
      type === 'counter'
        ? new RegExp(`^millrace_[a-z]+(?:_[a-z]+)*_${unit}_total$|^millrace_kafka_${unit}_total$`)
        : new RegExp(`^millrace_(?:[a-z]+_)*${unit}$`),
    )
    expect(help).toMatch(/^[A-Z0-9].*\.$/)
    for (const label of labels) expect(LABELS).toHaveProperty(label)
    const isOfProcess = name.startsWith('millrace_process_') || name === 'millrace_build_info'
    expect(labels.includes('pipeline')).toBe(!isOfProcess)
    expect(buckets !== undefined).toBe(type === 'histogram')
    expect(buckets ?? []).toEqual((buckets ?? []).toSorted((a, b) => a - b))
  },
)

// Dashboards and alerts of others break when a name, a type or a label changes: add, and say in CHANGELOG.md what goes.
test('names, types and labels are API', () => {
  expect(
    Object.entries<Metric>(METRICS).map(([name, { type, labels }]) => `${name} ${type} ${labels.join(',')}`.trimEnd()),
  ).toMatchInlineSnapshot(`
    [
      "millrace_source_records_total counter pipeline,stage,component",
      "millrace_source_bytes_total counter pipeline,stage,component",
      "millrace_source_batches_total counter pipeline,stage,component",
      "millrace_source_lag_records gauge pipeline,stage,component",
      "millrace_source_lag_seconds gauge pipeline,stage,component",
      "millrace_source_assigned_partitions gauge pipeline,stage,component",
      "millrace_source_unreadable_partitions gauge pipeline,stage,component",
      "millrace_source_buffered_bytes gauge pipeline,stage,component",
      "millrace_topic_read_records_total counter pipeline,stage,topic",
      "millrace_topic_read_bytes_total counter pipeline,stage,topic",
      "millrace_topic_lag_records gauge pipeline,stage,topic",
      "millrace_partition_lag_records gauge pipeline,stage,topic,partition",
      "millrace_partition_lag_seconds gauge pipeline,stage,topic,partition",
      "millrace_partition_position_offset gauge pipeline,stage,topic,partition",
      "millrace_partition_end_offset gauge pipeline,stage,topic,partition",
      "millrace_partition_committed_offset gauge pipeline,stage,topic,partition",
      "millrace_offset_commits_total counter pipeline,stage,component",
      "millrace_offset_commit_failures_total counter pipeline,stage,component",
      "millrace_group_rebalances_total counter pipeline,stage,component",
      "millrace_stage_records_total counter pipeline,stage,component",
      "millrace_stage_passed_records_total counter pipeline,stage,component",
      "millrace_stage_busy_seconds_total counter pipeline,stage,component",
      "millrace_component_state_seconds_total counter pipeline,stage,component,state",
      "millrace_sink_records_total counter pipeline,stage,component",
      "millrace_sink_bytes_total counter pipeline,stage,component",
      "millrace_sink_batches_total counter pipeline,stage,component",
      "millrace_sink_forwarded_batches_total counter pipeline,stage,component",
      "millrace_sink_write_seconds histogram pipeline,stage,component",
      "millrace_topic_written_records_total counter pipeline,stage,topic",
      "millrace_topic_written_bytes_total counter pipeline,stage,topic",
      "millrace_producer_buffered_bytes gauge pipeline,stage,component",
      "millrace_producer_batches_total counter pipeline,stage,component",
      "millrace_producer_retries_total counter pipeline,stage,component",
      "millrace_breaker_open_state gauge pipeline,stage,component",
      "millrace_breaker_openings_total counter pipeline,stage,component",
      "millrace_breaker_rejections_total counter pipeline,stage,component",
      "millrace_pipeline_ready_state gauge pipeline",
      "millrace_pipeline_state_seconds_total counter pipeline,state",
      "millrace_pipeline_latency_seconds histogram pipeline",
      "millrace_pipeline_flight_bytes gauge pipeline",
      "millrace_pipeline_failures_total counter pipeline,code",
      "millrace_retried_records_total counter pipeline,code",
      "millrace_skipped_records_total counter pipeline,code",
      "millrace_dead_lettered_records_total counter pipeline,code",
      "millrace_transaction_commits_total counter pipeline",
      "millrace_transaction_aborts_total counter pipeline",
      "millrace_kafka_request_seconds histogram pipeline,stage,component,request",
      "millrace_kafka_request_failures_total counter pipeline,stage,component,request,code",
      "millrace_kafka_connections_total counter pipeline,stage,component",
      "millrace_kafka_connection_failures_total counter pipeline,stage,component,code",
      "millrace_build_info gauge version",
      "millrace_process_uptime_seconds gauge",
      "millrace_process_cpu_seconds_total counter",
      "millrace_process_resident_bytes gauge",
      "millrace_process_heap_bytes gauge",
      "millrace_process_buffer_bytes gauge",
      "millrace_process_delay_seconds histogram",
    ]
  `)
})

// A counter by code appears with its first value, and Prometheus' `increase` sees none: the first failure was never an alert.
test('alerts on what is counted by code fire for the first of them', () => {
  const rules = readFileSync(join(import.meta.dirname, '../../../../docs/monitoring/alerts.yaml'), 'utf8')
  const increases = [...rules.matchAll(/expr: "(increase\((millrace_\w+)\[(\w+)\]\).*)"$/gm)]
  const byCode = increases.filter(([, , name]) =>
    METRICS[name as keyof typeof METRICS].labels.includes('code' as never),
  )
  expect(byCode.map(([, , name]) => name)).toEqual([
    'millrace_pipeline_failures_total',
    'millrace_skipped_records_total',
    'millrace_dead_lettered_records_total',
  ])
  for (const [, expression, name, time] of byCode)
    expect(expression).toBe(`increase(${name}[${time}]) > 0 or (${name} > 0 unless ${name} offset ${time})`)
})
