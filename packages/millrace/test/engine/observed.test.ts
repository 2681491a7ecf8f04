import { expect, test } from 'vitest'
import { runGraph } from '../../src/engine/graph/run-graph.ts'
import type { PipelinePlan, RunOptions } from '../../src/engine/plan.ts'
import { runPipeline } from '../../src/engine/run-pipeline.ts'
import { DeliveryError } from '../../src/errors/index.ts'
import { Counters } from '../../src/metrics/counters.ts'
import type { Label, MetricName } from '../../src/metrics/table.ts'
import { MemorySink, memoryComponents, memoryGraph, memoryPlan, MemorySource } from '../support/memory-components.ts'

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
  expect(valuesOf(metrics, { pipeline: 'test', stage: 'source', component: 'memory' })).toEqual({
    millrace_source_records_total: 3,
    millrace_source_bytes_total: 0,
    millrace_source_batches_total: 2,
  })
  expect(valuesOf(metrics, { pipeline: 'test', stage: 'sink', component: 'memory' })).toEqual({
    millrace_sink_records_total: 3,
    millrace_sink_bytes_total: 0,
    millrace_sink_batches_total: 2,
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
