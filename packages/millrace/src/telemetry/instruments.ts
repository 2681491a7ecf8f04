/**
 * The metrics of `metrics/table.ts` as instruments of OpenTelemetry. Names have dots, and no `_total`: an exporter for Prometheus makes
 * the very names of the table of them, so that the same dashboard works.
 *
 * Counters and gauges are read when somebody collects; a histogram is recorded where it is counted, once a batch or a request.
 */
import type { Histogram, MeterProvider, Observable } from '@opentelemetry/api'
import type { Counters, LabelValues } from '../metrics/counters.ts'
import { METRICS, type HistogramName, type Metric, type MetricName } from '../metrics/table.ts'

const METER = 'millrace'

/** `millrace_source_records_total` is `millrace.source.records`. */
export function instrumentName(metric: MetricName): string {
  return metric.replace(/_total$/, '').replaceAll('_', '.')
}

/** Units that have a symbol; others are what is counted, in braces. @see https://ucum.org */
function unitOf({ unit }: Metric): string {
  if (unit === 'seconds') return 's'
  return unit === 'bytes' ? 'By' : `{${unit}}`
}

/**
 * Observes counters.
 * @param refresh brings up to date what has to be asked for, before they are read
 * @returns ends it
 */
export function observeCounters(
  provider: Pick<MeterProvider, 'getMeter'>,
  counters: Counters,
  refresh?: () => Promise<void>,
): () => void {
  const meter = provider.getMeter(METER)
  const observables = new Map<MetricName, Observable>()
  const histograms = new Map<MetricName, Histogram>()
  for (const [name, metric] of Object.entries(METRICS) as [MetricName, Metric][]) {
    const options = { description: metric.help, unit: unitOf(metric) }
    if (metric.type === 'counter') observables.set(name, meter.createObservableCounter(instrumentName(name), options))
    else if (metric.type === 'gauge') observables.set(name, meter.createObservableGauge(instrumentName(name), options))
    else {
      const advice = { explicitBucketBoundaries: [...metric.buckets!] }
      histograms.set(name, meter.createHistogram(instrumentName(name), { ...options, advice }))
    }
  }
  const endRecording = counters.onObserved((metric: HistogramName, labels, value) =>
    histograms.get(metric)!.record(value, attributesOf(labels)),
  )
  const read = async (result: {
    observe(instrument: Observable, value: number, attributes: LabelValues): void
  }): Promise<void> => {
    await refresh?.()
    for (const { metric, labels, value } of counters.snapshot()) {
      const instrument = observables.get(metric)
      if (instrument !== undefined) result.observe(instrument, value, attributesOf(labels))
    }
  }
  const instruments = [...observables.values()]
  meter.addBatchObservableCallback(read, instruments)
  return () => {
    endRecording()
    meter.removeBatchObservableCallback(read, instruments)
  }
}

/** Labels that have a value. */
function attributesOf(labels: LabelValues): { [label: string]: string } {
  return Object.fromEntries(Object.entries(labels).filter(([, value]) => value !== ''))
}
