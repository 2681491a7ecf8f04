/**
 * Metrics of what sources, sinks and circuit breakers count themselves.
 */
import type { Sink } from '../contracts/sink.ts'
import type { Source, SourceProgress } from '../contracts/source.ts'
import type { Meter } from '../metrics/counters.ts'
import type { CircuitBreaker } from '../resilience/circuit-breaker.ts'

export function observeSource(meter: Meter, source: Pick<Source, 'progress'>): void {
  meter.observe('millrace_source_records_total', () => source.progress().records)
  meter.observe('millrace_source_bytes_total', () => source.progress().bytes)
  meter.observe('millrace_source_lag_records', () => source.progress().lag ?? undefined)
}

export function observeSink(meter: Meter, sink: Pick<Sink, 'progress'>): void {
  meter.observe('millrace_sink_records_total', () => sink.progress().records)
  meter.observe('millrace_sink_bytes_total', () => sink.progress().bytes)
}

/** Records ahead of several sources: not known while it is not for one of them, and never where it never is for one. */
export function totalLag(lags: readonly SourceProgress['lag'][]): SourceProgress['lag'] {
  if (lags.includes(undefined)) return undefined
  return lags.includes(null) ? null : lags.reduce<number>((sum, lag) => sum + lag!, 0)
}

export function observeBreaker(meter: Meter, breaker: CircuitBreaker): void {
  meter.observe('millrace_breaker_openings_total', () => breaker.progress.openings)
  meter.observe('millrace_breaker_rejections_total', () => breaker.progress.rejections)
}
