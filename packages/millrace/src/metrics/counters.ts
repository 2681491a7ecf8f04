/**
 * The numbers behind the metrics of a process, or of one run: elements of a typed array for each metric and combination of
 * labels. Counting is one addition; names and labels are looked at when a counter is asked for, and when somebody looks.
 */
import {
  METRICS,
  type CounterName,
  type HistogramName,
  type Label,
  type Metric,
  type MetricName,
  type NumberName,
} from './table.ts'

export type LabelValues = { readonly [label in Label]?: string }

/** A number that only grows. */
export interface Counter {
  readonly value: number
  add(count: number): void
}

/** Counts values by size. */
export interface Histogram {
  observe(value: number): void
}

/** How the parts of a pipeline count. Labels that say which part it is are there already. */
export interface Meter {
  /** Whether there are metrics by partition: always, never, or while they are few when undefined. */
  readonly partitionMetrics?: boolean | undefined
  /**
   * Ask once and keep it: this looks the labels up, `add` does not.
   * @param labels further ones, for instance the code of an error
   */
  counter(metric: CounterName, labels?: LabelValues): Counter
  /** The same for a histogram. */
  histogram(metric: HistogramName, labels?: LabelValues): Histogram
  /** A number that is kept elsewhere and read when somebody looks; undefined while it is not known. In place of an earlier one. */
  observe(metric: NumberName, read: () => number | undefined, labels?: LabelValues): void
  /** Numbers of something that comes and goes, such as partitions: whatever `read` yields when somebody looks. In place of earlier ones. */
  observeEach(metric: NumberName, read: () => Iterable<readonly [labels: LabelValues, value: number]>): void
  /** The same with further labels. */
  with(labels: LabelValues): Meter
}

/** The value of a metric for one combination of labels. */
export interface Sample {
  readonly metric: MetricName
  /** In the order of the table. */
  readonly labels: LabelValues
  /** Of a histogram: how many values were counted. */
  readonly value: number
  /** Of a histogram only: values up to each bound (not cumulative), those above all bounds last; and the sum of all. */
  readonly distribution?: { readonly counts: readonly number[]; readonly sum: number }
}

interface Series {
  readonly metric: MetricName
  readonly labels: LabelValues
  /** Where its numbers begin. Of a histogram: one for each bucket, one for what is larger, and the sum. */
  readonly index: number
  read?: () => number | undefined
}

interface SeriesOfMetric {
  readonly series: Series[]
  /** Series whose labels are not known beforehand, by the labels that are. */
  readonly lists: Map<string, () => Sample[]>
}

export interface CountersOptions {
  /** Whether there are metrics by partition; for at most 100 of a source when omitted. */
  readonly partitionMetrics?: boolean | undefined
}

export class Counters {
  readonly #options: CountersOptions
  /** A growing array is another one, so it is reached through here. */
  readonly #store = { values: new Float64Array(64) }
  #used = 0
  readonly #series = new Map<string, Series>()
  readonly #byMetric = new Map<MetricName, SeriesOfMetric>()
  readonly #observers: Observers = new Set()
  readonly #included: { readonly others: Counters; readonly labels: LabelValues }[] = []

  constructor(options: CountersOptions = {}) {
    this.#options = options
  }

  /** What counts with these labels. */
  meter(labels: LabelValues): Meter {
    return {
      partitionMetrics: this.#options.partitionMetrics,
      counter: (metric, more) => new StoredCounter(this.#store, this.#seriesOf(metric, { ...labels, ...more }).index),
      histogram: (metric, more) =>
        new StoredHistogram(this.#store, this.#seriesOf(metric, { ...labels, ...more }), this.#observers),
      observe: (metric, read, more) => {
        this.#seriesOf(metric, { ...labels, ...more }).read = read
      },
      observeEach: (metric, read) => {
        this.#ofMetric(metric).lists.set(JSON.stringify(labels), () =>
          Array.from(read(), ([more, value]) => ({ metric, labels: labelsOf(metric, { ...labels, ...more }), value })),
        )
      },
      with: (more) => this.meter({ ...labels, ...more }),
    }
  }

  /** Adds what others count, with these labels beside theirs. Nothing is added when there are none. */
  include(others: Counters | undefined, labels: LabelValues): void {
    if (others !== undefined) this.#included.push({ others, labels })
  }

  /** Passes each value that a histogram counts to a function as well. @returns ends that */
  onObserved(observer: Observer): () => void {
    this.#observers.add(observer)
    const ends = this.#included.map(({ others, labels: more }) =>
      others.onObserved((metric, labels, value) => observer(metric, withLabels(metric, labels, more), value)),
    )
    return () => {
      this.#observers.delete(observer)
      for (const end of ends) end()
    }
  }

  /** All values, by metric in the order in which they were first asked for. */
  snapshot(): readonly Sample[] {
    const samples = Array.from(this.#byMetric.keys(), (metric) => this.#own(metric)).flat()
    for (const { others, labels } of this.#included)
      for (const sample of others.snapshot()) samples.push(included(sample, labels))
    return samples
  }

  /** The values of one metric. Others are not read, so that one who looks at few of them pays for these alone. */
  of(metric: MetricName): readonly Sample[] {
    const samples = this.#own(metric)
    for (const { others, labels } of this.#included)
      for (const sample of others.of(metric)) samples.push(included(sample, labels))
    return samples
  }

  /** Those of things that come and go last. */
  #own(metric: MetricName): Sample[] {
    const samples: Sample[] = []
    const found = this.#byMetric.get(metric)
    if (found === undefined) return samples
    const { buckets }: Metric = METRICS[metric]
    for (const { labels, index, read } of found.series) {
      if (buckets !== undefined) samples.push(this.#distribution(metric, labels, index, buckets.length))
      else {
        const value = read === undefined ? this.#store.values[index]! : read()
        if (value !== undefined) samples.push({ metric, labels, value })
      }
    }
    for (const list of found.lists.values()) samples.push(...list())
    return samples
  }

  #distribution(metric: MetricName, labels: LabelValues, index: number, bounds: number): Sample {
    const { values } = this.#store
    const counts = Array.from(values.subarray(index, index + bounds + 1))
    const value = counts.reduce((total, count) => total + count, 0)
    return { metric, labels, value, distribution: { counts, sum: values[index + bounds + 1]! } }
  }

  #ofMetric(metric: MetricName): SeriesOfMetric {
    let found = this.#byMetric.get(metric)
    if (found === undefined) this.#byMetric.set(metric, (found = { series: [], lists: new Map() }))
    return found
  }

  #seriesOf(metric: MetricName, given: LabelValues): Series {
    const labels = labelsOf(metric, given)
    const key = JSON.stringify([metric, ...Object.values(labels)])
    const known = this.#series.get(key)
    if (known !== undefined) return known
    const { buckets }: Metric = METRICS[metric]
    const series: Series = { metric, labels, index: this.#reserve(buckets === undefined ? 1 : buckets.length + 2) }
    this.#series.set(key, series)
    this.#ofMetric(metric).series.push(series)
    return series
  }

  #reserve(count: number): number {
    const index = this.#used
    this.#used += count
    if (this.#used > this.#store.values.length) {
      const larger = new Float64Array(this.#store.values.length * 2)
      larger.set(this.#store.values)
      this.#store.values = larger
    }
    return index
  }
}

function included(sample: Sample, more: LabelValues): Sample {
  return { ...sample, labels: withLabels(sample.metric, sample.labels, more) }
}

/** Labels, and further ones for those without a value. */
function withLabels(metric: MetricName, labels: LabelValues, more: LabelValues): LabelValues {
  const own = Object.entries(labels).filter(([, value]) => value !== '')
  return labelsOf(metric, { ...more, ...Object.fromEntries(own) })
}

/** The labels that a metric has, in the order of the table. */
function labelsOf(metric: MetricName, given: LabelValues): LabelValues {
  return Object.fromEntries(METRICS[metric].labels.map((label) => [label, given[label] ?? '']))
}

class StoredCounter implements Counter {
  readonly #store: { readonly values: Float64Array }
  readonly #index: number

  constructor(store: { readonly values: Float64Array }, index: number) {
    this.#store = store
    this.#index = index
  }

  get value(): number {
    return this.#store.values[this.#index]!
  }

  add(count: number): void {
    this.#store.values[this.#index]! += count
  }
}

/** Gets what histograms count. */
type Observer = (metric: HistogramName, labels: LabelValues, value: number) => void
type Observers = Set<Observer>

class StoredHistogram implements Histogram {
  readonly #store: { readonly values: Float64Array }
  readonly #series: Series
  readonly #index: number
  readonly #buckets: readonly number[]
  readonly #observers: Observers

  constructor(store: { readonly values: Float64Array }, series: Series, observers: Observers) {
    this.#store = store
    this.#series = series
    this.#index = series.index
    this.#buckets = (METRICS[series.metric] as Metric).buckets!
    this.#observers = observers
  }

  observe(value: number): void {
    const { metric, labels } = this.#series
    // The series of a histogram has its name.
    if (this.#observers.size > 0)
      for (const observer of this.#observers) observer(metric as HistogramName, labels, value)
    const { length } = this.#buckets
    let bucket = 0
    while (bucket < length && value > this.#buckets[bucket]!) bucket++
    const { values } = this.#store
    values[this.#index + bucket]! += 1
    values[this.#index + length + 1]! += value
  }
}

/** Counters by the code of an error, each made with the first error of its code. */
export class CountersByCode<C extends string> {
  readonly #meter: Meter
  readonly #metric: CounterName
  readonly #counters = new Map<C, Counter>()

  constructor(meter: Meter, metric: CounterName) {
    this.#meter = meter
    this.#metric = metric
  }

  add(code: C, count: number): void {
    let counter = this.#counters.get(code)
    if (counter === undefined) this.#counters.set(code, (counter = this.#meter.counter(this.#metric, { code })))
    counter.add(count)
  }

  get values(): { readonly [code in C]?: number } {
    return Object.fromEntries(Array.from(this.#counters, ([code, { value }]) => [code, value])) as {
      readonly [code in C]?: number
    }
  }
}

/** For components that are created to be looked at, not to be run: what they count is thrown out. */
export const UNSEEN_METER: Meter = new Counters().meter({})
