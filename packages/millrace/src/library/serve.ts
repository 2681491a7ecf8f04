/**
 * `serve`: metrics, health, status and the dashboard of a program's own sources and sinks.
 *
 * ```ts
 * await using server = await serve('127.0.0.1:9600', { billing: { source, sink } })
 * console.log(server.url)
 * ```
 */
import type { SourceStatus } from '../contracts/source.ts'
import { observeBreaker, observeSink, observeSource } from '../engine/watching/observed.ts'
import { FailureLog } from '../engine/watching/failure-log.ts'
import type { RunState, WatchedNode, WatchedPipeline, WatchedSource } from '../engine/watching/watched-pipeline.ts'
import { ConfigError } from '../errors/index.ts'
import type { ConsumerProgress } from '../kafka/consumer/progress.ts'
import { Counters } from '../metrics/counters.ts'
import { parseHttpAddress } from '../options/http-address.ts'
import type { CircuitProgress } from '../resilience/circuit-breaker.ts'
import { FOR_WATCHING } from './for-watching.ts'
import type { SinkMetrics } from './sink/statistics.ts'

/** What is watched of a `KafkaSource`. */
export interface ServedSource {
  progress(): Promise<ConsumerProgress | undefined>
  status(): SourceStatus | undefined
  /** What failed in `process`. @internal */
  readonly [FOR_WATCHING]?: FailureLog
}

/** What is watched of a `KafkaSink`. */
export interface ServedSink {
  readonly circuitBreaker: CircuitProgress | undefined
  metrics(): SinkMetrics
}

/** What belongs together: a source, a sink, or both. */
export interface ServedPipeline {
  readonly source?: ServedSource
  readonly sink?: ServedSink
}

export interface ServeOptions {
  /** A port, or an address such as `127.0.0.1:9600`; without a host only this machine can connect. Port 0 is any free one. */
  readonly listen: string | number
  /** Bearer token that clients must send; `/live`, `/ready` and the files of the dashboard are open without it. */
  readonly token?: string
  /** Whether there are metrics by partition; for at most 100 of a source when omitted. */
  readonly partitionMetrics?: boolean
  /** Shows nothing of keys, values and headers of records, nor error messages that may quote them. */
  readonly hideValues?: boolean
}

/** A server that runs. It does not keep the process alive. */
export interface HttpServer {
  /** For instance `http://127.0.0.1:9600`. */
  readonly url: string
  /** Ends it, and all connections. May be called twice. */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/**
 * Serves `/metrics`, `/live`, `/ready`, `/status` and the dashboard.
 *
 * @param where port or address, or an object with `listen` and `token`
 * @param pipelines by name, which is the label `pipeline` of the metrics
 * @throws {ConfigError} when the address is none; {ConnectionError} `HTTP_UNAVAILABLE` when it is taken
 */
export async function serve(
  where: string | number | ServeOptions,
  pipelines: { readonly [name: string]: ServedPipeline },
): Promise<HttpServer> {
  const { listen, token, hideValues, partitionMetrics } = typeof where === 'object' ? where : { listen: where }
  const address = parseHttpAddress(listen)
  if (address === undefined)
    throw new ConfigError(`Cannot serve at "${listen}" as it must be a port, or an address such as "127.0.0.1:9600"`)
  const { Monitor, ownVersion, startServer } = await import('../serve/index.ts')
  const monitor = new Monitor(await ownVersion(), hideValues)
  for (const [name, pipeline] of Object.entries(pipelines))
    monitor.add(new ProgramPipeline(name, pipeline, partitionMetrics))
  const server = await startServer(monitor, { ...address, token })
  const close = (): Promise<void> => server.close()
  return { url: server.url, close, [Symbol.asyncDispose]: close }
}

/** Sources and sinks of a program as the server sees them. */
class ProgramPipeline implements WatchedPipeline {
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
    this.failures = source?.[FOR_WATCHING] ?? new FailureLog()
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
    const meter = this.counters.meter({ pipeline: this.name, stage: 'source', component: 'kafka' })
    observeSource(meter, {
      progress: () => this.#progress ?? { records: 0, bytes: 0, lag: undefined },
      status: () => source.status(),
    })
    meter.observe('millrace_offset_commits_total', () => this.#progress?.commits)
    meter.observe('millrace_offset_commit_failures_total', () => this.#progress?.commitFailures)
    meter.observe('millrace_group_rebalances_total', () => this.#progress?.rebalances)
  }

  #observeSink(sink: ServedSink): void {
    const meter = this.counters.meter({ pipeline: this.name, stage: 'sink', component: 'kafka' })
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
  }
}
