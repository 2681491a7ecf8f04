/** The last five minutes of a pipeline, one row a second: what the charts of the dashboard show. */
import { METRICS } from '../metrics/table.ts'
import { type Numbers, quantile } from './numbers.ts'

/** One row. */
export interface HistoryPoint {
  /** Seconds since 1970. */
  readonly at: number
  readonly readPerSecond: number
  readonly writtenPerSecond: number
  readonly bytesPerSecond: number
  readonly lag: number | null
  readonly lagSeconds: number | null
  /** 99 % of the batches of the last ten seconds were acknowledged within so many seconds after their newest record; null without batches. */
  readonly latencySeconds: number | null
  /** Shares of the last second. */
  readonly busy: number
  readonly backpressured: number
  readonly idle: number
}

const POINTS = 300
/** Latencies are of so many seconds: one may have few batches. */
const LATENCY_POINTS = 10

interface Totals {
  readonly at: number
  readonly read: number
  readonly written: number
  readonly bytes: number
  readonly states: { readonly [state: string]: number }
  readonly latencies: readonly number[]
}

export class History {
  readonly points: HistoryPoint[] = []
  readonly #totals: Totals[] = []
  readonly #pipeline: string

  constructor(pipeline: string) {
    this.#pipeline = pipeline
  }

  get latest(): HistoryPoint | undefined {
    return this.points.at(-1)
  }

  /** @param now milliseconds since 1970 */
  add(numbers: Numbers, now: number): void {
    const totals = totalsOf(numbers, this.#pipeline, now)
    const before = this.#totals.at(-1)
    this.#totals.push(totals)
    if (this.#totals.length > LATENCY_POINTS + 1) this.#totals.shift()
    if (before === undefined || totals.at <= before.at) return
    const seconds = (totals.at - before.at) / 1000
    const rate = (after: number, earlier: number): number => Math.max(0, after - earlier) / seconds
    const inState = (state: string): number => rate(totals.states[state] ?? 0, before.states[state] ?? 0)
    // Of the three together, as a look comes a little early or late.
    const watched = inState('busy') + inState('backpressured') + inState('idle')
    const share = (state: string): number => (watched === 0 ? 0 : inState(state) / watched)
    const [oldest] = this.#totals
    const recent = totals.latencies.map((count, i) => count - (oldest!.latencies[i] ?? 0))
    this.points.push({
      at: Math.round(now / 1000),
      readPerSecond: rate(totals.read, before.read),
      writtenPerSecond: rate(totals.written, before.written),
      bytesPerSecond: rate(totals.bytes, before.bytes),
      lag: numbers.sum('millrace_source_lag_records', this.#pipeline) ?? null,
      lagSeconds: numbers.max('millrace_source_lag_seconds', this.#pipeline) ?? null,
      latencySeconds: quantile(0.99, METRICS.millrace_pipeline_latency_seconds.buckets, recent) ?? null,
      busy: share('busy'),
      backpressured: share('backpressured'),
      idle: share('idle'),
    })
    if (this.points.length > POINTS) this.points.shift()
  }
}

function totalsOf(numbers: Numbers, pipeline: string, at: number): Totals {
  const states = numbers.of('millrace_pipeline_state_seconds_total', pipeline)
  return {
    at,
    read: numbers.sum('millrace_source_records_total', pipeline) ?? 0,
    bytes: numbers.sum('millrace_source_bytes_total', pipeline) ?? 0,
    written: numbers
      .of('millrace_sink_records_total', pipeline)
      .reduce((sum, { labels, value }) => (labels.stage === 'dead-letters' ? sum : sum + value), 0),
    states: Object.fromEntries(states.map(({ labels, value }) => [labels.state ?? '', value])),
    latencies: numbers.of('millrace_pipeline_latency_seconds', pipeline)[0]?.distribution?.counts ?? [],
  }
}
