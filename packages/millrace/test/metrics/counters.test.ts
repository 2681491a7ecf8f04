import { describe, expect, test } from 'vitest'
import { Counters, CountersByCode } from '../../src/metrics/counters.ts'

const SINK = { pipeline: 'p', stage: 'sink', component: 'file' }

test('adds up, in whatever part of the program is counted', () => {
  const counters = new Counters()
  const meter = counters.meter({ pipeline: 'p' }).with({ stage: 'sink', component: 'file' })
  meter.counter('millrace_sink_batches_total').add(2)
  counters.meter(SINK).counter('millrace_sink_batches_total').add(3)
  expect(counters.snapshot()).toEqual([{ metric: 'millrace_sink_batches_total', labels: SINK, value: 5 }])
})

test('keeps values with different labels apart, and leaves out labels that a metric does not have', () => {
  const counters = new Counters()
  for (const stage of ['sink', 'sink-2'])
    counters
      .meter({ ...SINK, stage, code: 'x' })
      .counter('millrace_sink_bytes_total')
      .add(1)
  expect(counters.snapshot().map(({ labels }) => labels)).toEqual([SINK, { ...SINK, stage: 'sink-2' }])
})

test('counters that were asked for first still count when there are more than fit', () => {
  const counters = new Counters()
  const meters = Array.from({ length: 200 }, (_, i) => counters.meter({ ...SINK, stage: `s${i}` }))
  const all = meters.map((meter) => meter.counter('millrace_sink_batches_total'))
  for (const [i, counter] of all.entries()) counter.add(i)
  for (const counter of all) counter.add(1)
  expect(counters.snapshot().map(({ value }) => value)).toEqual(Array.from({ length: 200 }, (_, i) => i + 1))
  expect(all[7]!.value).toBe(8)
})

test('reads one metric without the others, of what is included as well', () => {
  const [own, others] = [new Counters(), new Counters()]
  own.include(others, SINK)
  for (const stage of ['sink', 'sink-2'])
    own
      .meter({ ...SINK, stage })
      .counter('millrace_sink_batches_total')
      .add(2)
  others.meter({ stage: 'sink-3' }).counter('millrace_sink_batches_total').add(3)
  own.meter(SINK).observe('millrace_sink_records_total', () => expect.fail('was not asked for'))
  own.meter(SINK).observeEach('millrace_topic_written_records_total', () => expect.fail('was not asked for'))
  expect(own.of('millrace_sink_batches_total').map(({ labels, value }) => [labels.stage, value])).toEqual([
    ['sink', 2],
    ['sink-2', 2],
    ['sink-3', 3],
  ])
  expect(own.of('millrace_sink_bytes_total')).toEqual([])
})

describe('a number that is kept elsewhere', () => {
  test('is read when somebody looks, and is absent while it is not known', () => {
    const counters = new Counters()
    const known: { lag?: number } = {}
    counters.meter(SINK).observe('millrace_source_lag_records', () => known.lag)
    expect(counters.snapshot()).toEqual([])
    known.lag = 7
    expect(counters.snapshot()).toMatchObject([{ value: 7 }])
  })

  test('is replaced by that of the next run', () => {
    const counters = new Counters()
    counters.meter(SINK).observe('millrace_sink_records_total', () => 9)
    counters.meter(SINK).observe('millrace_sink_records_total', () => 1)
    expect(counters.snapshot()).toMatchObject([{ value: 1 }])
  })
})

test('counts by code', () => {
  const counters = new Counters()
  const skipped = new CountersByCode<string>(counters.meter({ pipeline: 'p' }), 'millrace_skipped_records_total')
  expect(skipped.values).toEqual({})
  skipped.add('DECODE_FAILED', 1)
  skipped.add('STAGE_FAILED', 2)
  skipped.add('DECODE_FAILED', 1)
  expect(skipped.values).toEqual({ DECODE_FAILED: 2, STAGE_FAILED: 2 })
  expect(counters.snapshot()).toEqual([
    { metric: 'millrace_skipped_records_total', labels: { pipeline: 'p', code: 'DECODE_FAILED' }, value: 2 },
    { metric: 'millrace_skipped_records_total', labels: { pipeline: 'p', code: 'STAGE_FAILED' }, value: 2 },
  ])
})

test('what others count has the labels of those that include it beside its own', () => {
  const [own, others] = [new Counters(), new Counters()]
  own.include(others, { pipeline: 'p', stage: 'source', component: 'kafka' })
  own.include(undefined, { pipeline: 'q' })
  others.meter({}).counter('millrace_kafka_connections_total').add(2)
  const observed: unknown[] = []
  const end = own.onObserved((...values) => observed.push(values))
  const request = others.meter({}).histogram('millrace_kafka_request_seconds', { request: 'Fetch' })
  request.observe(0.5)
  end()
  request.observe(0.5)
  const labels = { pipeline: 'p', stage: 'source', component: 'kafka' }
  expect(own.snapshot()).toMatchObject([
    { metric: 'millrace_kafka_connections_total', labels, value: 2 },
    { metric: 'millrace_kafka_request_seconds', labels: { ...labels, request: 'Fetch' }, value: 2 },
  ])
  expect(observed).toEqual([['millrace_kafka_request_seconds', { ...labels, request: 'Fetch' }, 0.5]])
})
