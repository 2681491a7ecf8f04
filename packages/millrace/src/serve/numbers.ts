/** The numbers of pipelines at one moment, found by metric, pipeline and stage. A metric is read when it is asked for, and once. */
import type { Counters, Sample } from '../metrics/counters.ts'
import type { MetricName } from '../metrics/table.ts'

export class Numbers {
  readonly #counters: readonly Counters[]
  /** By metric, then by pipeline. */
  readonly #read = new Map<MetricName, ReadonlyMap<string, readonly Sample[]>>()

  constructor(counters: readonly Counters[]) {
    this.#counters = counters
  }

  /** All values of a metric of one pipeline. */
  of(metric: MetricName, pipeline: string): readonly Sample[] {
    let found = this.#read.get(metric)
    if (found === undefined) this.#read.set(metric, (found = this.#byPipeline(metric)))
    return found.get(pipeline) ?? []
  }

  #byPipeline(metric: MetricName): ReadonlyMap<string, readonly Sample[]> {
    const byPipeline = new Map<string, Sample[]>()
    for (const counters of this.#counters)
      for (const sample of counters.of(metric)) {
        const name = sample.labels.pipeline ?? ''
        const list = byPipeline.get(name)
        if (list === undefined) byPipeline.set(name, [sample])
        else list.push(sample)
      }
    return byPipeline
  }

  /** Their sum, for one stage or all; undefined when nothing is known. */
  sum(metric: MetricName, pipeline: string, stage?: string): number | undefined {
    let sum: number | undefined
    for (const { labels, value } of this.of(metric, pipeline))
      if (stage === undefined || labels.stage === stage) sum = (sum ?? 0) + value
    return sum
  }

  /** The largest; undefined when nothing is known. */
  max(metric: MetricName, pipeline: string, stage?: string): number | undefined {
    let max: number | undefined
    for (const { labels, value } of this.of(metric, pipeline))
      if (stage === undefined || labels.stage === stage) max = Math.max(max ?? value, value)
    return max
  }

  /** Of metrics by code. */
  byCode(metric: MetricName, pipeline: string): { readonly [code: string]: number } {
    return Object.fromEntries(this.of(metric, pipeline).map(({ labels, value }) => [labels.code ?? '', value]))
  }
}

/**
 * The value below which a share of the values of a histogram lies, by linear interpolation within its bucket.
 * @param counts not cumulative, those above all bounds last. @returns undefined without values; the last bound for what lies above it
 */
export function quantile(share: number, bounds: readonly number[], counts: readonly number[]): number | undefined {
  const total = counts.reduce((sum, count) => sum + count, 0)
  if (total === 0) return undefined
  let below = 0
  for (const [i, count] of counts.entries()) {
    if (count > 0 && below + count >= share * total) {
      if (i >= bounds.length) return bounds.at(-1)
      const from = i === 0 ? 0 : bounds[i - 1]!
      return from + ((bounds[i]! - from) * (share * total - below)) / count
    }
    below += count
  }
  return bounds.at(-1)
}
