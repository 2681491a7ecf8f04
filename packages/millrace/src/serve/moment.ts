/** What is known of the pipelines at one moment, each part read when it is asked for, and once: what a look has read serves the snapshot after it. */
import type { PartitionStatus, SourceStatus } from '../contracts/source.ts'
import type { WatchedPipeline } from '../engine/watching/watched-pipeline.ts'
import type { Counters } from '../metrics/counters.ts'
import { Numbers } from './numbers.ts'

interface StatusOfSource {
  readonly id: string
  readonly status: SourceStatus
}

export class Moment {
  readonly numbers: Numbers
  readonly #sources = new Map<WatchedPipeline, readonly StatusOfSource[]>()

  constructor(counters: readonly Counters[]) {
    this.numbers = new Numbers(counters)
  }

  /** Those that are open, and have partitions. */
  sourcesOf(pipeline: WatchedPipeline): readonly StatusOfSource[] {
    let found = this.#sources.get(pipeline)
    if (found === undefined) this.#sources.set(pipeline, (found = statusesOf(pipeline)))
    return found
  }

  partitionsOf(pipeline: WatchedPipeline): readonly PartitionStatus[] {
    return this.sourcesOf(pipeline).flatMap(({ status }) => status.partitions)
  }
}

function statusesOf({ sources }: WatchedPipeline): StatusOfSource[] {
  const found: StatusOfSource[] = []
  for (const { id, status: read } of sources) {
    const status = read()
    if (status !== undefined) found.push({ id, status })
  }
  return found
}
