/**
 * The numbers behind the metrics of a process, or of one run: one element of a typed array for each metric and combination of
 * labels. Counting is one addition; names and labels are looked at when a counter is asked for, and when somebody looks.
 */
import { METRICS, type CounterName, type Label, type MetricName } from './table.ts'

export type LabelValues = { readonly [label in Label]?: string }

/** A number that only grows. */
export interface Counter {
  readonly value: number
  add(count: number): void
}

/** How the parts of a pipeline count. Labels that say which part it is are there already. */
export interface Meter {
  /**
   * Ask once and keep it: this looks the labels up, `add` does not.
   * @param labels further ones, for instance the code of an error
   */
  counter(metric: CounterName, labels?: LabelValues): Counter
  /** A number that is kept elsewhere and read when somebody looks; undefined while it is not known. In place of an earlier one. */
  observe(metric: MetricName, read: () => number | undefined): void
  /** The same with further labels. */
  with(labels: LabelValues): Meter
}

/** The value of a metric for one combination of labels. */
export interface Sample {
  readonly metric: MetricName
  /** In the order of the table. */
  readonly labels: LabelValues
  readonly value: number
}

export class Counters {
  /** A growing array is another one, so it is reached through here. */
  readonly #store = { values: new Float64Array(64) }
  readonly #series: { readonly metric: MetricName; readonly labels: LabelValues; read?: () => number | undefined }[] =
    []
  readonly #indexes = new Map<string, number>()

  /** What counts with these labels. */
  meter(labels: LabelValues): Meter {
    return {
      counter: (metric, more) => new StoredCounter(this.#store, this.#indexOf(metric, { ...labels, ...more })),
      observe: (metric, read) => {
        this.#series[this.#indexOf(metric, labels)]!.read = read
      },
      with: (more) => this.meter({ ...labels, ...more }),
    }
  }

  /** All values, in the order in which they were first asked for. */
  snapshot(): readonly Sample[] {
    return this.#series.flatMap(({ metric, labels, read }, i) => {
      const value = read === undefined ? this.#store.values[i]! : read()
      return value === undefined ? [] : { metric, labels, value }
    })
  }

  #indexOf(metric: MetricName, given: LabelValues): number {
    const labels: LabelValues = Object.fromEntries(METRICS[metric].labels.map((label) => [label, given[label] ?? '']))
    const key = JSON.stringify([metric, ...Object.values(labels)])
    const known = this.#indexes.get(key)
    if (known !== undefined) return known
    const index = this.#series.push({ metric, labels }) - 1
    this.#indexes.set(key, index)
    if (index >= this.#store.values.length) {
      const larger = new Float64Array(this.#store.values.length * 2)
      larger.set(this.#store.values)
      this.#store.values = larger
    }
    return index
  }
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
