/**
 * What a second of watching costs the pipeline: a look of the monitor, and the snapshot that an open dashboard gets. Each case is a
 * process of its own, with as many looks as a short run has: most of that code never becomes hot.
 *
 * `node bench/micro/watching.ts [partitions stages]` prints milliseconds of processor time per look, and bytes per snapshot.
 */
import { execFileSync } from 'node:child_process'
import { Worker } from 'node:worker_threads'
import type { SourceStatus } from '../../packages/millrace/src/contracts/source.ts'
import { Activity, type SinkActivity } from '../../packages/millrace/src/engine/watching/activity.ts'
import { FailureLog } from '../../packages/millrace/src/engine/watching/failure-log.ts'
import { observeSink, observeSource } from '../../packages/millrace/src/engine/watching/observed.ts'
import { observeLine, ReadingTime } from '../../packages/millrace/src/engine/watching/part-times.ts'
import { StageTimer } from '../../packages/millrace/src/engine/watching/stage-timer.ts'
import type { WatchedPipeline } from '../../packages/millrace/src/engine/watching/watched-pipeline.ts'
import { ConnectionMetrics } from '../../packages/millrace/src/kafka/cluster/connection-metrics.ts'
import { Counters } from '../../packages/millrace/src/metrics/counters.ts'
import { Monitor, startServer } from '../../packages/millrace/src/serve/index.ts'

const LOOKS = 30
const CASES = [6, 96].flatMap((partitions) => [1, 5].map((stages) => [partitions, stages]))
/** As a run writes them to its log: joined, assigned, and so on. */
const EVENTS = 4

async function measure(partitions: number, stages: number): Promise<void> {
  const startedAt = cpuMs()
  const monitor = new Monitor('1')
  const server = await startServer(monitor, { host: '127.0.0.1', port: 0 })
  const startMs = cpuMs() - startedAt
  const pipeline = new BenchPipeline(partitions, stages)
  monitor.add(pipeline)
  for (let i = 0; i < EVENTS; i++)
    monitor.event('info', `Group "orders" assigned ${partitions} of ${partitions} partitions`, {
      event: 'partitions.assigned',
    })
  const alone = await looks(monitor, pipeline)
  const tab = new Worker(
    `const { workerData: url, parentPort } = require('node:worker_threads')
     fetch(url).then(async ({ body }) => { for await (const chunk of body) parentPort.postMessage(chunk.length) }, () => {})`,
    { eval: true, workerData: `${server.url}/stream` },
  )
  let bytes = 0
  await new Promise((resolve) => tab.once('message', resolve))
  tab.on('message', (length: number) => (bytes += length))
  await looks(monitor, pipeline, 2)
  bytes = 0
  const watched = await looks(monitor, pipeline)
  await new Promise((resolve) => setTimeout(resolve, 100))
  const text = [startMs, alone, watched].map((ms) => ms.toFixed(2)).join(' / ')
  process.stdout.write(
    `${partitions} partitions, ${stages} stages: start / look alone / with a tab: ${text} ms, ${Math.round(bytes / LOOKS)} bytes\n`,
  )
  await tab.terminate()
  await server.close()
}

/** The mean of all looks. */
async function looks(monitor: Monitor, pipeline: BenchPipeline, count = LOOKS): Promise<number> {
  let spent = 0
  for (let i = 0; i < count; i++) {
    pipeline.work()
    const before = cpuMs()
    await monitor.look()
    spent += cpuMs() - before
    // What is written goes out.
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  return spent / count
}

function cpuMs(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
}

/** Between Kafka topics; nothing runs. */
class BenchPipeline implements WatchedPipeline {
  readonly name = 'orders'
  readonly delivery = 'at_least_once'
  readonly nodes: WatchedPipeline['nodes']
  readonly counters = new Counters()
  readonly failures = new FailureLog()
  readonly startedAt = new Date().toISOString()
  readonly sources: WatchedPipeline['sources']
  readonly state = 'running'
  readonly error = undefined
  readonly taps: WatchedPipeline['taps']
  readonly breakerStates = []
  readonly #timers: readonly StageTimer[]
  readonly #requests: readonly ConnectionMetrics[]
  readonly #partitions: { delivered: number; readonly end: number }[]
  readonly #latency
  readonly #sink: SinkActivity
  /** Larger than the caches of a processor, so that a look finds them as the work of a pipeline leaves them. */
  readonly #memory = new Float64Array(4_000_000)
  #records = 0

  constructor(count: number, stageCount: number) {
    const { counters, name } = this
    const meter = counters.meter({ pipeline: name })
    const [source, sink] = [
      meter.with({ stage: 'source', component: 'kafka' }),
      meter.with({ stage: 'sink', component: 'kafka' }),
    ]
    this.#partitions = Array.from({ length: count }, () => ({ delivered: 0, end: 50_000_000 }))
    const status = (): SourceStatus => this.#status()
    const activity = new Activity()
    activity.reader().busy()
    activity.observe(meter)
    observeSource(source, { progress: () => this.#progress(), status })
    observeSink(sink, { progress: () => this.#progress() })
    const ids = Array.from({ length: stageCount }, (_, i) => `stage-${i + 1}`)
    this.#timers = ids.map((stage) => new StageTimer(meter.with({ stage, component: '$match' })))
    this.#sink = activity.sink()
    observeLine(
      { stages: { timers: this.#timers }, codecTimers: undefined, meters: { source, sinks: [sink] } },
      activity,
      new ReadingTime(),
      [this.#sink],
    )
    this.#requests = [new ConnectionMetrics(source), new ConnectionMetrics(sink)]
    this.#latency = meter.histogram('millrace_pipeline_latency_seconds')
    this.sources = [{ id: 'source', status }]
    this.taps = new Map(this.#timers.map(({ tap }, i) => [ids[i]!, tap]))
    this.nodes = [
      { id: 'source', kind: 'source', component: 'kafka', names: ['orders'], inputs: [] },
      ...ids.map(
        (id, i) => ({ id, kind: 'stage', component: '$match', names: [], inputs: [ids[i - 1] ?? 'source'] }) as const,
      ),
      { id: 'sink', kind: 'sink', component: 'kafka', names: ['large'], inputs: [ids.at(-1)!] },
    ]
  }

  problem(): object {
    return {}
  }

  /** A second of the pipeline. */
  work(): void {
    for (const [i, partition] of this.#partitions.entries()) partition.delivered += 10_000 + i
    this.#records += 10_000 * this.#partitions.length
    for (const timer of this.#timers) timer.count(500_000, 250_000, performance.now() - 200)
    for (const metrics of this.#requests)
      for (const [key, name] of ['Produce', 'Fetch', 'Metadata', 'ApiVersions', 'Heartbeat', 'OffsetCommit'].entries())
        metrics.responded({ key, name, min: 0, max: 0 }, performance.now() - 3)
    this.#latency.observe(0.3)
    this.#sink.worked(20)
    for (let i = 0; i < this.#memory.length; i += 8) this.#memory[i]! += i
  }

  #progress(): { readonly records: number; readonly bytes: number; readonly lag: number } {
    let lag = 0
    for (const { delivered, end } of this.#partitions) lag += Math.max(0, end - delivered)
    return { records: this.#records, bytes: this.#records * 155, lag }
  }

  #status(): SourceStatus {
    return {
      partitions: this.#partitions.map(({ delivered, end }, partition) => ({
        topic: 'orders',
        partition,
        state: 'reading',
        position: delivered,
        end,
        committed: delivered - 5000,
        done: delivered - 2000,
        lag: end - delivered,
        lagSeconds: Math.max(0, Date.now() - 1.7e12) / 1000,
        problem: undefined,
      })),
      topics: new Map([['orders', { records: this.#records, bytes: this.#records * 155 }]]),
      bufferedBytes: 1_000_000,
      memberId: 'millrace-orders-7c1a9f2e-8a58-4c4d-8f0a-2f6c2f2f8d55',
      isRebalancing: false,
    }
  }
}

const [partitions = 0, stages = 0] = process.argv.slice(2).map(Number)
if (partitions === 0)
  for (const each of CASES)
    process.stdout.write(execFileSync(process.execPath, [import.meta.filename, ...each.map(String)]))
else await measure(partitions, stages)
