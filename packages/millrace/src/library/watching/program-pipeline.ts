/** Sources and sinks of a program as those see them who watch: the HTTP server, and exporters of metrics. */
import type { SourceStatus } from '../../contracts/source.ts'
import { observeBreaker, observeSink, observeSource } from '../../engine/watching/observed.ts'
import { observePart, observeTimes } from '../../engine/watching/part-times.ts'
import { FailureLog } from '../../engine/watching/failure-log.ts'
import type { RunState, WatchedNode, WatchedPipeline, WatchedSource } from '../../engine/watching/watched-pipeline.ts'
import type { ConsumerProgress } from '../../kafka/consumer/progress.ts'
import { Counters } from '../../metrics/counters.ts'
import type { CircuitProgress } from '../../resilience/circuit-breaker.ts'
import { FOR_WATCHING, type Watched } from '../for-watching.ts'
import type { SinkMetrics } from '../sink/statistics.ts'

/** What is watched of a `KafkaSource`. */
export interface ServedSource {
  /** As that of `KafkaSource`. */
  progress(): Promise<ConsumerProgress | undefined>
  /** As that of `KafkaSource`. */
  status(): SourceStatus | undefined
  /** What `serve` sees of it. @internal */
  readonly [FOR_WATCHING]?: Watched
}

/** What is watched of a `KafkaSink`. */
export interface ServedSink {
  /** As that of `KafkaSink`. */
  readonly circuitBreaker: CircuitProgress | undefined
  /** As that of `KafkaSink`. */
  metrics(): SinkMetrics
  /** What `serve` sees of it. @internal */
  readonly [FOR_WATCHING]?: Watched
}

/** What belongs together: a source, a sink, or both. */
export interface ServedPipeline {
  /** A `KafkaSource`. */
  readonly source?: ServedSource
  /** A `KafkaSink`. */
  readonly sink?: ServedSink
}

export class ProgramPipeline implements WatchedPipeline {
  readonly name: string
  readonly delivery = 'at_least_once'
  readonly nodes: readonly WatchedNode[]
  readonly counters: Counters
  readonly failures: FailureLog
  readonly startedAt = new Date().toISOString()
  readonly sources: readonly WatchedSource[]
  readonly error = undefined
  readonly taps = new Map<string, never>()
  readonly #source: ServedSource | undefined
  readonly #sink: ServedSink | undefined
  #progress: ConsumerProgress | undefined

  constructor(name: string, { source, sink }: ServedPipeline, partitionMetrics: boolean | undefined) {
    this.name = name
    this.counters = new Counters({ partitionMetrics })
    this.failures = source?.[FOR_WATCHING]?.failures ?? new FailureLog()
    this.#source = source
    this.#sink = sink
    this.nodes = [
      ...(source === undefined
        ? []
        : [{ id: 'source', kind: 'source', component: 'kafka', names: [], inputs: [] } as const]),
      ...(sink === undefined
        ? []
        : [
            {
              id: 'sink',
              kind: 'sink',
              component: 'kafka',
              names: [],
              inputs: source === undefined ? [] : ['source'],
            } as const,
          ]),
    ]
    this.sources = source === undefined ? [] : [{ id: 'source', status: () => source.status() }]
    if (source !== undefined) this.#observeSource(source)
    if (sink !== undefined) this.#observeSink(sink)
  }

  /** It cannot be seen whether a program still reads; one that has not connected is starting. */
  get state(): RunState {
    return this.#source !== undefined && this.#source.status() === undefined ? 'starting' : 'running'
  }

  get breakerStates(): WatchedPipeline['breakerStates'] {
    const breaker = this.#sink?.circuitBreaker
    return breaker === undefined ? [] : [{ id: 'sink', state: breaker.state }]
  }

  problem(): { readonly reading: string | undefined } {
    return { reading: this.#progress?.problem }
  }

  /** While it connects, its progress would wait for that. */
  async refresh(): Promise<void> {
    if (this.#source?.status() !== undefined) this.#progress = await this.#source.progress()
  }

  #observeSource(source: ServedSource): void {
    const labels = { pipeline: this.name, stage: 'source', component: 'kafka' }
    const meter = this.counters.meter(labels)
    this.counters.include(source[FOR_WATCHING]?.connections, labels)
    observeSource(meter, {
      progress: () => this.#progress ?? { records: 0, bytes: 0, lag: undefined },
      status: () => source.status(),
    })
    meter.observe('millrace_offset_commits_total', () => this.#progress?.commits)
    meter.observe('millrace_offset_commit_failures_total', () => this.#progress?.commitFailures)
    meter.observe('millrace_group_rebalances_total', () => this.#progress?.rebalances)
    const reads = source[FOR_WATCHING]?.reads
    if (reads === undefined) return
    observePart(meter, reads.activity, [reads.reading], [reads.program])
    reads.activity.observe(this.counters.meter({ pipeline: this.name }))
  }

  #observeSink(sink: ServedSink): void {
    const labels = { pipeline: this.name, stage: 'sink', component: 'kafka' }
    const meter = this.counters.meter(labels)
    this.counters.include(sink[FOR_WATCHING]?.connections, labels)
    observeSink(meter, {
      progress() {
        const { messagesSent, bytesSent } = sink.metrics()
        return { records: messagesSent, bytes: bytesSent }
      },
    })
    meter.observe('millrace_producer_retries_total', () => sink.metrics().retries)
    if (sink.circuitBreaker !== undefined)
      observeBreaker(meter, {
        get progress() {
          return sink.circuitBreaker!
        },
      })
    const writes = sink[FOR_WATCHING]?.writes
    if (writes === undefined) return
    const busy = (): number => writes.busySeconds
    // Whether the program waits for a write, or does something else meanwhile, cannot be seen.
    observeTimes(meter, () => writes.seconds, { busy, backpressured: () => 0 })
    if (this.#source !== undefined) return
    const pipeline = this.counters.meter({ pipeline: this.name })
    pipeline.observe('millrace_pipeline_state_seconds_total', busy, { state: 'busy' })
    pipeline.observe('millrace_pipeline_state_seconds_total', () => writes.seconds - busy(), { state: 'idle' })
  }
}
