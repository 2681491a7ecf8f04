/**
 * What Rivven's connectors answer on the ports of `settings.metrics` and `settings.health`, for scrapers and probes that know them.
 * There `/metrics` has the metrics of Millrace as well.
 */
import type { WatchedPipeline } from '../engine/watching/watched-pipeline.ts'
import { escapeLabel, PROMETHEUS_CONTENT_TYPE } from '../metrics/prometheus.ts'
import type { MetricName } from '../metrics/table.ts'
import type { Monitor } from './monitor.ts'
import { Numbers } from './numbers.ts'

export interface RivvenRole {
  readonly serves: 'metrics' | 'health'
  /** Of health: `/health`. */
  readonly path: string
  /** Names of the pipelines that are sinks; the others are sources. */
  readonly sinks: readonly string[]
}

export interface Answer {
  readonly code: number
  readonly type: string
  readonly text: string
}

const JSON_TYPE = 'application/json; charset=utf-8'

/** @returns undefined for a path that it does not have */
export function rivvenAnswer(monitor: Monitor, role: RivvenRole, path: string): Answer | undefined {
  if (role.serves === 'metrics')
    return path === '/metrics'
      ? { code: 200, type: PROMETHEUS_CONTENT_TYPE, text: monitor.metrics() + connectorMetrics(monitor, role) }
      : undefined
  const json = (code: number, body: unknown): Answer => ({ code, type: JSON_TYPE, text: `${JSON.stringify(body)}\n` })
  const isReady = monitor.reasons.length === 0
  switch (path) {
    case role.path:
      return json(isReady ? 200 : 503, health(monitor, role))
    case '/ready':
      return json(isReady ? 200 : 503, { ready: isReady })
    case '/live':
      return json(monitor.isAlive ? 200 : 503, { alive: monitor.isAlive })
    default:
      return undefined
  }
}

function health(monitor: Monitor, { sinks }: RivvenRole): unknown {
  const connectors = monitor.pipelines.map((pipeline) => ({ pipeline, totals: totalsOf(pipeline) }))
  const listed = (isSink: boolean): unknown[] =>
    connectors
      .filter(({ pipeline }) => sinks.includes(pipeline.name) === isSink)
      .map(({ pipeline: { name, failures, ...pipeline }, totals }) => ({
        name,
        status: statusOf(monitor, name, pipeline.state),
        events_processed: totals.events,
        errors_count: totals.errors,
        last_error: failures.entries[0]?.message ?? null,
      }))
  const isReady = monitor.reasons.length === 0
  return {
    status: isReady ? 'healthy' : 'unhealthy',
    broker_connected: monitor.pipelines.every(({ state }) => state === 'running' || state === 'ended'),
    sources: listed(false),
    sinks: listed(true),
    uptime_secs: Math.floor(process.uptime()),
  }
}

/** In the words of Rivven. */
function statusOf(monitor: Monitor, name: string, state: WatchedPipeline['state']): string {
  if (state === 'running') return monitor.reasons.some(({ pipeline }) => pipeline === name) ? 'unhealthy' : 'running'
  return { starting: 'starting', stopping: 'running', ended: 'stopped', failed: 'failed' }[state]
}

function totalsOf({ name, counters }: WatchedPipeline): { readonly events: number; readonly errors: number } {
  const numbers = new Numbers([counters])
  const sum = (...metrics: readonly Parameters<Numbers['sum']>[0][]): number =>
    metrics.reduce((total, metric) => total + (numbers.sum(metric, name) ?? 0), 0)
  return {
    events: sum('millrace_source_records_total'),
    errors: sum(
      'millrace_skipped_records_total',
      'millrace_dead_lettered_records_total',
      'millrace_pipeline_failures_total',
    ),
  }
}

function connectorMetrics(monitor: Monitor, { sinks }: RivvenRole): string {
  let text = metric('uptime_seconds', 'gauge', 'Uptime in seconds', [['', Math.floor(process.uptime())]])
  for (const kind of ['source', 'sink'] as const) {
    const pipelines = monitor.pipelines.filter(({ name }) => sinks.includes(name) === (kind === 'sink'))
    if (pipelines.length === 0) continue
    const each = (value: (pipeline: WatchedPipeline) => number): [string, number][] =>
      pipelines.map((pipeline) => [`{${kind}="${escapeLabel(pipeline.name)}"}`, value(pipeline)])
    text += metric(
      `${kind}_events_total`,
      'counter',
      'Events processed',
      each((pipeline) => totalsOf(pipeline).events),
    )
    text += metric(
      `${kind}_errors_total`,
      'counter',
      'Errors',
      each((pipeline) => totalsOf(pipeline).errors),
    )
    const isRunning = ({ state }: WatchedPipeline): number => (state === 'running' ? 1 : 0)
    text += metric(`${kind}_running`, 'gauge', 'Whether it is running', each(isRunning))
  }
  const connections = new Set(monitor.pipelines.map(({ counters }) => counters))
  const sum = (name: MetricName): number =>
    [...connections].flatMap((counters) => counters.of(name)).reduce((total, { value }) => total + value, 0)
  const failures = sum('millrace_kafka_connection_failures_total')
  const attempts = failures + sum('millrace_kafka_connections_total')
  text += metric('broker_connection_attempts_total', 'counter', 'Attempts to connect to a broker', [['', attempts]])
  return text + metric('broker_connection_failures_total', 'counter', 'Failed attempts to connect', [['', failures]])
}

function metric(
  name: string,
  type: string,
  help: string,
  values: readonly (readonly [labels: string, value: number])[],
): string {
  const full = `rivven_connect_${name}`
  return `# HELP ${full} ${help}\n# TYPE ${full} ${type}\n${values.map(([labels, value]) => `${full}${labels} ${value}\n`).join('')}`
}
