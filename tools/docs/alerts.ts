/** docs/monitoring/alerts.yaml: rules for Prometheus. */
import { type MetricName, METRICS } from '../../packages/millrace/src/metrics/table.ts'

interface Alert {
  readonly name: string
  readonly expression: string
  /** How long it must be true. */
  readonly for: string
  readonly severity: 'warning' | 'critical'
  readonly summary: string
  /** What to do. */
  readonly description: string
}

/** For a counter that appears with its first value, which `increase` does not see. @param time such as `15m` */
function anyMore(counter: MetricName, time: string): string {
  return `increase(${counter}[${time}]) > 0 or (${counter} > 0 unless ${counter} offset ${time})`
}

const ALERTS: readonly Alert[] = [
  {
    name: 'MillraceNotReady',
    expression: 'millrace_pipeline_ready_state == 0',
    for: '5m',
    severity: 'critical',
    summary: 'Pipeline {{ $labels.pipeline }} does not read',
    description: 'GET /ready of {{ $labels.instance }} says why.',
  },
  {
    name: 'MillraceRunFailed',
    expression: anyMore('millrace_pipeline_failures_total', '10m'),
    for: '0m',
    severity: 'critical',
    summary: 'Pipeline {{ $labels.pipeline }} ended with {{ $labels.code }}',
    description: 'The log of {{ $labels.instance }} and GET /status have the error.',
  },
  {
    name: 'MillraceStuck',
    expression:
      'millrace_source_lag_records > 0 and on (instance, pipeline, stage) rate(millrace_source_records_total[5m]) == 0',
    for: '10m',
    severity: 'critical',
    summary: 'Pipeline {{ $labels.pipeline }} has {{ $value }} records to read, and reads none',
    description:
      'Look at GET /status: a sink that does not respond, an open circuit breaker, or a partition without a leader.',
  },
  {
    name: 'MillraceLagging',
    expression: 'millrace_source_lag_seconds > 300',
    for: '10m',
    severity: 'warning',
    summary: 'Pipeline {{ $labels.pipeline }} is {{ $value | humanizeDuration }} behind',
    description:
      'If millrace_pipeline_state_seconds_total grows as "backpressured", the sink is too slow; as "busy", add a process to the group.',
  },
  {
    name: 'MillracePartitionsUnreadable',
    expression: 'millrace_source_unreadable_partitions > 0',
    for: '2m',
    severity: 'critical',
    summary: '{{ $value }} partitions of pipeline {{ $labels.pipeline }} cannot be read',
    description: 'GET /status has the reason for each partition; often a broker is down.',
  },
  {
    name: 'MillraceRecordsSkipped',
    expression: anyMore('millrace_skipped_records_total', '15m'),
    for: '0m',
    severity: 'warning',
    summary: 'Pipeline {{ $labels.pipeline }} skips records with {{ $labels.code }}',
    description: 'GET /status has the latest of them with topic, partition and offset.',
  },
  {
    name: 'MillraceDeadLetters',
    expression: anyMore('millrace_dead_lettered_records_total', '15m'),
    for: '0m',
    severity: 'warning',
    summary: 'Pipeline {{ $labels.pipeline }} writes dead letters with {{ $labels.code }}',
    description: 'Repair the cause, then write them again with "millrace deadletter replay".',
  },
  {
    name: 'MillraceBreakerOpen',
    expression: 'millrace_breaker_open_state == 2',
    for: '5m',
    severity: 'critical',
    summary: 'The circuit breaker of {{ $labels.stage }} in pipeline {{ $labels.pipeline }} is open',
    description: 'The sink has failed too often. Deliveries wait, and nothing is lost.',
  },
  {
    name: 'MillraceCommitsFail',
    expression: 'increase(millrace_offset_commit_failures_total[15m]) > 3',
    for: '0m',
    severity: 'warning',
    summary: 'Pipeline {{ $labels.pipeline }} cannot commit offsets',
    description: 'After a restart, records since the last commit are read again.',
  },
  {
    name: 'MillraceRebalancing',
    expression: 'increase(millrace_group_rebalances_total[15m]) > 5',
    for: '0m',
    severity: 'warning',
    summary: 'The group of pipeline {{ $labels.pipeline }} has rebalanced {{ $value }} times in 15 minutes',
    description: 'Members come and go, or miss heartbeats: look for restarts and for MillraceEventLoopBlocked.',
  },
  {
    name: 'MillraceEventLoopBlocked',
    expression: 'histogram_quantile(0.99, sum by (instance, le) (rate(millrace_process_delay_seconds_bucket[5m]))) > 1',
    for: '5m',
    severity: 'warning',
    summary: 'The event loop of {{ $labels.instance }} is blocked for seconds',
    description: 'Heartbeats are late then. A stage or a handler works for too long at a time.',
  },
]

export function alertRules(): string {
  for (const { name, expression } of ALERTS) mustBeKnown(name, expression)
  const rules = ALERTS.map(({ name, expression, for: duration, severity, summary, description }) =>
    [
      `      - alert: ${name}`,
      // A string of JSON is one of YAML.
      `        expr: ${JSON.stringify(expression)}`,
      `        for: ${duration}`,
      `        labels: { severity: ${severity} }`,
      '        annotations:',
      `          summary: ${JSON.stringify(summary)}`,
      `          description: ${JSON.stringify(description)}`,
    ].join('\n'),
  )
  return ['# Generated by `npm run docs`; do not edit.', 'groups:', '  - name: millrace', '    rules:', ...rules].join(
    '\n',
  )
}

/** @throws {Error} for a metric that the table does not have */
export function mustBeKnown(name: string, expression: string): void {
  for (const [metric] of expression.matchAll(/\bmillrace_[a-z_]+/g)) {
    const base = metric.replace(/_(?:bucket|sum|count)$/, '')
    if (!(metric in METRICS) && !(base in METRICS)) throw new Error(`${name}: there is no metric ${metric}`)
  }
}
