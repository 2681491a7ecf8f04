import { expect, test } from 'vitest'
import { runGraph } from '../../../src/engine/graph/run-graph.ts'
import type { PipelinePlan, RunOptions } from '../../../src/engine/plan.ts'
import { runPipeline } from '../../../src/engine/run-pipeline.ts'
import { DeliveryError } from '../../../src/errors/index.ts'
import type { WatchedPipeline } from '../../../src/engine/watching/watched-pipeline.ts'
import type { PartitionStatus } from '../../../src/contracts/source.ts'
import { observeSource } from '../../../src/engine/watching/observed.ts'
import { Counters } from '../../../src/metrics/counters.ts'
import type { Label, MetricName } from '../../../src/metrics/table.ts'
import { MemorySink, memoryComponents, memoryGraph, memoryPlan, MemorySource } from '../../support/memory-components.ts'

const never = new AbortController().signal

function options(components: RunOptions['components'], metrics: Counters): RunOptions {
  return { components, metrics, signal: never, abort: never, untilEnd: true, warn: () => {} }
}

/** Values by metric, for certain labels. */
function valuesOf(
  metrics: Counters,
  labels: { readonly [label in Label]?: string },
): { [metric in MetricName]?: number } {
  return Object.fromEntries(
    metrics
      .snapshot()
      .filter((sample) => Object.entries(labels).every(([label, value]) => sample.labels[label as Label] === value))
      .map(({ metric, value }) => [metric, value]),
  )
}

async function run(
  plan: Partial<PipelinePlan>,
  batches: readonly (readonly string[])[],
  sink: MemorySink,
): Promise<Counters> {
  const metrics = new Counters()
  await runPipeline(memoryPlan(plan), options(memoryComponents(new MemorySource(batches, []), sink), metrics))
  return metrics
}

test('a run counts what its source and its sink have done', async () => {
  const metrics = await run({}, [['{"a":1}', '{"a":2}'], ['{"a":3}']], new MemorySink([]))
  expect(valuesOf(metrics, { pipeline: 'test', stage: 'source', component: 'memory' })).toMatchObject({
    millrace_source_records_total: 3,
    millrace_source_bytes_total: 0,
    millrace_source_batches_total: 2,
  })
  expect(valuesOf(metrics, { pipeline: 'test', stage: 'sink', component: 'memory' })).toMatchObject({
    millrace_sink_records_total: 3,
    millrace_sink_bytes_total: 0,
    millrace_sink_batches_total: 2,
    millrace_sink_write_seconds: 2,
  })
})

test('each sink counts for itself', async () => {
  const { sink } = memoryPlan()
  const metrics = await run({ fanout: [sink] }, [['{"a":1}']], new MemorySink([]))
  for (const stage of ['sink', 'sink-2'])
    expect(valuesOf(metrics, { stage })).toMatchObject({ millrace_sink_batches_total: 1 })
})

test('records that fail count by their code (I7)', async () => {
  const skip = { retry: undefined, fate: 'skip', deadLetters: undefined } as const
  const metrics = await run({ errorPolicy: skip }, [['{"a":1}', 'half', 'half']], new MemorySink([]))
  expect(valuesOf(metrics, { code: 'DECODE_FAILED' })).toEqual({ millrace_skipped_records_total: 2 })
  const letters = { ...skip, fate: 'deadLetter', deadLetters: { sink: memoryPlan().sink, envelope: 'json' } } as const
  const written = await run({ errorPolicy: letters }, [['half']], new MemorySink([]))
  expect(valuesOf(written, { code: 'DECODE_FAILED' })).toEqual({ millrace_dead_lettered_records_total: 1 })
  expect(valuesOf(written, { stage: 'dead-letters' })).toMatchObject({ millrace_sink_records_total: 1 })
})

test('deliveries that are tried again, and a circuit breaker that opens, are counted', async () => {
  const sink = new MemorySink([])
  const write = sink.write.bind(sink)
  let failures = 0
  sink.write = async (batch) => {
    if (failures++ === 0) throw new DeliveryError('the sink is down', { code: 'DELIVERY_TIMED_OUT' })
    await write(batch)
  }
  const metrics = await run({ circuitBreaker: { failureThreshold: 1, openMs: 300 } }, [['{"a":1}']], sink)
  expect(valuesOf(metrics, { code: 'DELIVERY_TIMED_OUT' })).toEqual({ millrace_retried_records_total: 1 })
  expect(valuesOf(metrics, { stage: 'sink' })).toMatchObject({
    millrace_sink_batches_total: 1,
    millrace_breaker_openings_total: 1,
    millrace_breaker_rejections_total: 1,
    millrace_breaker_open_state: 0,
  })
})

test('transactions count when they are committed, and when they are aborted', async () => {
  const sink = new MemorySink([], true)
  const write = sink.write.bind(sink)
  let failures = 0
  sink.write = async (batch) => {
    if (failures++ === 0) throw new DeliveryError('the leader is gone', { code: 'DELIVERY_TIMED_OUT' })
    await write(batch)
  }
  const metrics = await run({ delivery: 'exactly_once', commitIntervalMs: 60_000 }, [['{"a":1}']], sink)
  expect(valuesOf(metrics, { pipeline: 'test' })).toMatchObject({
    millrace_transaction_commits_total: 1,
    millrace_transaction_aborts_total: 1,
  })
})

test.each(['at_least_once', 'exactly_once'] as const)('stages of a graph count by their ids: %s', async (delivery) => {
  const metrics = new Counters()
  const [source, sink] = [new MemorySource([['a', 'b'], ['c']], []), new MemorySink([], delivery === 'exactly_once')]
  const components = memoryComponents(source, sink)
  await runGraph(memoryGraph({ delivery }), options(components, metrics))
  expect(valuesOf(metrics, { pipeline: 'graph', stage: 'in', component: 'memory' })).toMatchObject({
    millrace_source_records_total: 3,
    millrace_source_batches_total: 2,
  })
  expect(valuesOf(metrics, { stage: 'out' })).toMatchObject({
    millrace_sink_records_total: 3,
    millrace_sink_batches_total: 2,
  })
})

test('each stage counts what comes, what it passes on, and how long it works', async () => {
  const stages = [
    { name: '$match', spec: { a: { $gte: 2 } }, path: 'stages.0.$match' },
    { name: '$set', spec: { b: 1 }, path: 'stages.1.$set' },
  ]
  const metrics = await run({ stages }, [['{"a":1}', '{"a":2}'], ['{"a":3}']], new MemorySink([]))
  expect(valuesOf(metrics, { stage: 'stage-1', component: '$match' })).toEqual({
    millrace_stage_records_total: 3,
    millrace_stage_passed_records_total: 2,
    millrace_stage_busy_seconds_total: expect.closeTo(0, 0),
    millrace_component_state_seconds_total: expect.closeTo(0, 0),
  })
  expect(valuesOf(metrics, { stage: 'stage-2', component: '$set' })).toMatchObject({
    millrace_stage_records_total: 2,
    millrace_stage_passed_records_total: 2,
  })
  expect(valuesOf(metrics, { stage: 'decode' })).toMatchObject({ millrace_stage_passed_records_total: 3 })
  expect(valuesOf(metrics, { stage: 'encode' })).toMatchObject({ millrace_stage_records_total: 2 })
})

/** Seconds of each state of a part of a pipeline. */
function statesOf(metrics: Counters, stage: string): { readonly [state: string]: number } {
  const samples = metrics
    .snapshot()
    .filter(({ metric, labels }) => metric === 'millrace_component_state_seconds_total' && labels.stage === stage)
  return Object.fromEntries(samples.map(({ labels, value }) => [labels.state!, value]))
}

/** A sink whose second write takes until what comes before it was held up for a while. */
function slowSink(metrics: Counters, stage: string, transactional = false): MemorySink {
  const sink = new MemorySink([], transactional)
  const write = sink.write.bind(sink)
  let writes = 0
  sink.write = async (batch) => {
    if (++writes === 2)
      await expect.poll(() => statesOf(metrics, stage)['backpressured'], { interval: 5 }).toBeGreaterThan(0.02)
    await write(batch)
  }
  return sink
}

test.each(['at_least_once', 'exactly_once'] as const)(
  'what is before a slow sink is backpressured, and so is the sink: %s',
  async (delivery) => {
    const metrics = new Counters()
    const sink = slowSink(metrics, 'stage-1', delivery === 'exactly_once')
    const source = new MemorySource([['{"a":1}'], ['{"a":2}'], ['{"a":3}']], [])
    const stages = [{ name: '$set', spec: { b: 1 }, path: 'stages.0.$set' }]
    const plan = memoryPlan({ stages, delivery, maxBatchesInFlight: 1 })
    await runPipeline(plan, options(memoryComponents(source, sink), metrics))
    for (const stage of ['source', 'stage-1', 'sink'])
      expect(statesOf(metrics, stage)).toEqual({
        busy: expect.any(Number),
        backpressured: expect.toSatisfy((seconds: number) => seconds > 0.02),
        idle: expect.any(Number),
      })
  },
)

test('a source that has nothing to read is idle, and so is what is behind it', async () => {
  const metrics = new Counters()
  const source = new MemorySource([['{"a":1}'], ['{"a":2}']], [])
  const batches = source.batches.bind(source)
  source.batches = async function* (signal) {
    for await (const batch of batches(signal)) {
      await expect.poll(() => statesOf(metrics, 'sink')['idle'], { interval: 5 }).toBeGreaterThan(0.02)
      yield batch
    }
  }
  await runPipeline(memoryPlan(), options(memoryComponents(source, new MemorySink([])), metrics))
  expect(statesOf(metrics, 'source')['idle']).toBeGreaterThan(0.02)
})

test('the parts of a graph have their times by their ids', async () => {
  const metrics = new Counters()
  const components = memoryComponents(new MemorySource([['a'], ['b']], []), new MemorySink([]))
  await runGraph(memoryGraph({}), options(components, metrics))
  const of = (stage: string): readonly string[] => Object.keys(statesOf(metrics, stage))
  expect([of('in'), of('out')]).toEqual(Array.from({ length: 2 }, () => ['busy', 'backpressured', 'idle']))
})

test('a run says how it is: starting, running, and how it ended', async () => {
  const pipelines: WatchedPipeline[] = []
  const states: string[] = []
  const source = new MemorySource([['{"a":1}', 'half']], [])
  const sink = new MemorySink([])
  const open = sink.open.bind(sink)
  sink.open = async () => {
    states.push(pipelines[0]!.state)
    await open()
  }
  const write = sink.write.bind(sink)
  sink.write = async (batch) => {
    states.push(pipelines[0]!.state)
    await write(batch)
  }
  const onPipeline = (pipeline: WatchedPipeline): void => void pipelines.push(pipeline)
  const running = runPipeline(memoryPlan(), { ...options(memoryComponents(source, sink), new Counters()), onPipeline })
  await expect(running).rejects.toThrow()
  const [{ state, error, nodes, failures, counters }] = pipelines as [WatchedPipeline]
  expect([...new Set([...states, state])]).toEqual(['starting', 'running', 'failed'])
  expect(error).toMatchObject({ code: 'DECODE_FAILED' })
  expect(failures.entries).toMatchObject([
    { fate: 'fatal', code: 'DECODE_FAILED', partition: 3, offset: '101', count: 1 },
  ])
  expect(valuesOf(counters, { code: 'DECODE_FAILED' })).toEqual({ millrace_pipeline_failures_total: 1 })
  expect(nodes.map(({ id, kind, inputs }) => [id, kind, inputs])).toEqual([
    ['source', 'source', []],
    ['sink', 'sink', ['source']],
  ])
})

test('the latest failures of a run say where they happened, and what happened to the record', async () => {
  const pipelines: WatchedPipeline[] = []
  const components = memoryComponents(new MemorySource([['{"a":1}', 'half', 'half']], []), new MemorySink([]))
  await runPipeline(memoryPlan({ errorPolicy: { retry: undefined, fate: 'skip', deadLetters: undefined } }), {
    ...options(components, new Counters()),
    onPipeline: (pipeline) => void pipelines.push(pipeline),
  })
  expect(pipelines[0]!.failures.entries).toMatchObject([
    { fate: 'skipped', code: 'DECODE_FAILED', partition: 3, offset: '102', count: 2 },
  ])
  expect(pipelines[0]!.state).toBe('ended')
})

test.each([
  { partitions: 100, partitionMetrics: undefined, series: 100 },
  { partitions: 101, partitionMetrics: undefined, series: 0 },
  { partitions: 101, partitionMetrics: true, series: 101 },
  { partitions: 2, partitionMetrics: false, series: 0 },
])('$partitions partitions have $series metrics of lag with partitionMetrics $partitionMetrics', (row) => {
  const { partitions: count, partitionMetrics, series } = row
  const metrics = new Counters({ partitionMetrics })
  const partitions = Array.from({ length: count }, (_, partition): PartitionStatus => ({
    topic: 'orders',
    partition,
    state: 'reading',
    position: 0,
    end: 1,
    committed: undefined,
    lag: 1,
    lagSeconds: 1,
    problem: undefined,
  }))
  const status = { partitions, topics: new Map(), bufferedBytes: 0, memberId: undefined, isRebalancing: false }
  observeSource(metrics.meter({ pipeline: 'p', stage: 'source' }), {
    progress: () => ({ records: 0, bytes: 0, lag: 1 }),
    status: () => status,
  })
  const samples = metrics.snapshot()
  expect(samples.filter(({ metric }) => metric === 'millrace_partition_lag_records')).toHaveLength(series)
  expect(samples.find(({ metric }) => metric === 'millrace_topic_lag_records')!.value).toBe(count)
})
