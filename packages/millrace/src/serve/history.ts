/** The last five minutes of a pipeline, one row a second: what the charts of the dashboard show. */
import { METRICS } from '../metrics/table.ts'
import { type Numbers, quantile } from './numbers.ts'

/** What something spent its time on: parts of one. */
export interface Shares {
  readonly busy: number
  readonly backpressured: number
  readonly idle: number
}

/** One row. */
export interface HistoryPoint extends Shares {
  /** Seconds since 1970. */
  readonly at: number
  readonly readPerSecond: number
  readonly writtenPerSecond: number
  readonly bytesPerSecond: number
  readonly lag: number | null
  readonly lagSeconds: number | null
  /** 99 % of the batches of the last ten seconds were acknowledged within so many seconds after their newest record; null without batches. */
  readonly latencySeconds: number | null
}

const POINTS = 300
/** Latencies are of so many seconds: one may have few batches. */
const LATENCY_POINTS = 10

/** By state. */
interface Seconds {
  [state: string]: number
}

interface Totals {
  readonly at: number
  readonly read: number
  readonly written: number
  readonly bytes: number
  readonly states: Seconds
  /** By part. */
  readonly parts: ReadonlyMap<string, Seconds>
  readonly latencies: readonly number[]
}

export class History {
  readonly points: HistoryPoint[] = []
  /** What each part spent the last second on, by its id. */
  parts: ReadonlyMap<string, Shares> = new Map()
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
    this.parts = new Map(
      Array.from(totals.parts, ([id, states]) => [id, sharesOf(states, before.parts.get(id) ?? {})] as const),
    )
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
      ...sharesOf(totals.states, before.states),
    })
    if (this.points.length > POINTS) this.points.shift()
  }
}

/** Of the three together, as a look comes a little early or late. */
function sharesOf(after: Seconds, before: Seconds): Shares {
  const spent = (state: string): number => Math.max(0, (after[state] ?? 0) - (before[state] ?? 0))
  const [busy, backpressured, idle] = [spent('busy'), spent('backpressured'), spent('idle')]
  const all = busy + backpressured + idle || 1
  return { busy: busy / all, backpressured: backpressured / all, idle: idle / all }
}

function totalsOf(numbers: Numbers, pipeline: string, at: number): Totals {
  const states = numbers.of('millrace_pipeline_state_seconds_total', pipeline)
  const parts = new Map<string, Seconds>()
  for (const { labels, value } of numbers.of('millrace_component_state_seconds_total', pipeline)) {
    const { stage = '', state = '' } = labels
    const part = parts.get(stage) ?? {}
    part[state] = value
    parts.set(stage, part)
  }
  return {
    at,
    read: numbers.sum('millrace_source_records_total', pipeline) ?? 0,
    bytes: numbers.sum('millrace_source_bytes_total', pipeline) ?? 0,
    written: numbers
      .of('millrace_sink_records_total', pipeline)
      .reduce((sum, { labels, value }) => (labels.stage === 'dead-letters' ? sum : sum + value), 0),
    parts,
    states: Object.fromEntries(states.map(({ labels, value }) => [labels.state ?? '', value])),
    latencies: numbers.of('millrace_pipeline_latency_seconds', pipeline)[0]?.distribution?.counts ?? [],
  }
}
