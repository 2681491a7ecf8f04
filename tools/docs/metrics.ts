/** docs/metrics.md */
import { LABELS, METRICS, type Metric } from '../../packages/millrace/src/metrics/table.ts'
import { cell, GENERATED } from './tables.ts'

/** Metrics by what they are about, which is the word after `millrace_`. */
export const GROUPS = [
  ['Pipelines', ['pipeline', 'component', 'retried', 'skipped', 'dead', 'transaction']],
  ['Sources', ['source', 'offset', 'group']],
  ['Topics and partitions', ['topic', 'partition']],
  ['Stages', ['stage']],
  ['Sinks', ['sink', 'producer', 'breaker']],
  ['Connections to Kafka', ['kafka']],
  ['The process', ['process', 'build']],
] as const satisfies readonly (readonly [title: string, words: readonly string[]])[]

/** @throws {Error} for a metric that belongs to no group, or to two */
export function metricsOf(words: readonly string[]): readonly (readonly [string, Metric])[] {
  const all = Object.entries<Metric>(METRICS)
  const homeless = all.find(
    ([name]) => GROUPS.filter(([, group]) => group.some((word) => word === name.split('_')[1])).length !== 1,
  )
  if (homeless !== undefined) throw new Error(`tools/docs/metrics.ts: ${homeless[0]} must be in one group`)
  return all.filter(([name]) => words.includes(name.split('_')[1]!))
}

export function metricsPage(): string {
  const sections = GROUPS.map(([title, words]) => {
    const rows = metricsOf(words).map(([name, { type, unit, labels, help, buckets }]) => {
      const bounds = buckets === undefined ? '' : ` Buckets: ${buckets.join(', ')}.`
      return `| \`${name}\` | ${type} | ${unit} | ${labels.map((label) => `\`${label}\``).join(' ')} | ${cell(help + bounds)} |`
    })
    return `## ${title}\n\n${['| metric | type | unit | labels | what it says |', '|---|---|---|---|---|', ...rows].join('\n')}`
  })
  const labels = Object.entries(LABELS).map(([label, help]) => `| \`${label}\` | ${cell(help)} |`)
  return [
    '# Metrics',
    GENERATED,
    'A run reports these metrics. Names, types and labels are stable: one that changes is listed in the changelog. A label without a value is left out.',
    'The [Grafana dashboard](monitoring/grafana.json) and the [alert rules](monitoring/alerts.yaml) are made from the same table.',
    ...sections,
    `## Labels\n\n${['| label | |', '|---|---|', ...labels].join('\n')}`,
    'Metrics with the label `partition` are left out for a source with more than 100 partitions, unless `http` has `partitionMetrics: true`.',
  ].join('\n\n')
}
