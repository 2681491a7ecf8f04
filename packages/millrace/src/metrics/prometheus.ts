/**
 * Writes metrics in the text format of Prometheus, version 0.0.4: metrics in the order of the table, each with HELP and TYPE.
 *
 * @see https://prometheus.io/docs/instrumenting/exposition_formats/
 */
import type { LabelValues, Sample } from './counters.ts'
import { METRICS, type Metric, type MetricName } from './table.ts'

/** What a server says it sends. */
export const PROMETHEUS_CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

/**
 * The text for samples of one or several `Counters`. A metric without a sample is left out, and so are labels without a value.
 * @param samples where two have the same metric and labels, the last one counts
 */
export function prometheusText(samples: Iterable<Sample>): string {
  const byMetric = Map.groupBy(samples, ({ metric }) => metric)
  let text = ''
  for (const name of Object.keys(METRICS) as MetricName[]) {
    const found = byMetric.get(name)
    if (found === undefined) continue
    const { type, help }: Metric = METRICS[name]
    text += `# HELP ${name} ${escapeHelp(help)}\n# TYPE ${name} ${type}\n`
    const lines = new Map(found.map((sample) => [formatLabels(sample.labels), sample]))
    for (const [labels, sample] of lines) text += linesOf(name, labels, sample)
  }
  return text
}

function linesOf(name: MetricName, labels: string, { value, distribution }: Sample): string {
  if (distribution === undefined) return `${name}${braced(labels)} ${formatNumber(value)}\n`
  const { buckets }: Metric = METRICS[name]
  let text = ''
  let count = 0
  for (const [i, inBucket] of distribution.counts.entries()) {
    count += inBucket
    const bound = buckets![i]
    const le = `le="${bound === undefined ? '+Inf' : formatNumber(bound)}"`
    text += `${name}_bucket${braced(labels === '' ? le : `${labels},${le}`)} ${count}\n`
  }
  return `${text}${name}_sum${braced(labels)} ${formatNumber(distribution.sum)}\n${name}_count${braced(labels)} ${count}\n`
}

function braced(labels: string): string {
  return labels === '' ? '' : `{${labels}}`
}

function formatLabels(labels: LabelValues): string {
  return Object.entries(labels)
    .filter(([, value]) => value !== '')
    .map(([label, value]) => `${label}="${escapeLabel(value)}"`)
    .join(',')
}

/** Label values may hold anything, quotes and line ends escaped. */
export function escapeLabel(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
}

function escapeHelp(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')
}

function formatNumber(value: number): string {
  if (Number.isNaN(value)) return 'NaN'
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf'
  return String(value)
}
