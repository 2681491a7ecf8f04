import parse from 'parse-prometheus-text-format'
import { describe, expect, test } from 'vitest'
import { Counters } from '../../src/metrics/counters.ts'
import { metricsSnapshot } from '../../src/metrics/json.ts'
import { observeProcess } from '../../src/metrics/process.ts'
import { prometheusText } from '../../src/metrics/prometheus.ts'
import { METRICS, type Label, type MetricName } from '../../src/metrics/table.ts'
import { readPrometheus } from '../support/prometheus.ts'

/** A value for every metric, with labels that need escapes. */
function everything(): Counters {
  const counters = new Counters()
  const odd: { [label in Label]?: string } = { pipeline: 'a "b"\\c\nd', stage: 'ä', topic: '}', code: '' }
  for (const stage of ['source', odd.stage!]) {
    const meter = counters.meter({ ...odd, stage })
    for (const [name, { type }] of Object.entries(METRICS)) {
      if (type === 'histogram') {
        const histogram = meter.histogram(name as 'millrace_sink_write_seconds')
        for (const value of [0, 0.001, 0.7, 5000]) histogram.observe(value)
      } else meter.observe(name as 'millrace_source_records_total', () => 1.5e300)
    }
  }
  return counters
}

test('every metric is text that a strict reader takes, whatever is in the labels', () => {
  const text = prometheusText(everything().snapshot())
  const families = readPrometheus(text)
  expect([...families.keys()]).toEqual(Object.keys(METRICS))
  for (const [name, { type, help }] of families) {
    expect({ type, help }).toEqual({ type: METRICS[name as MetricName].type, help: METRICS[name as MetricName].help })
  }
  const [sample] = families.get('millrace_source_records_total')!.samples
  expect(sample).toEqual({
    name: 'millrace_source_records_total',
    labels: { pipeline: 'a "b"\\c\nd', stage: 'source' },
    value: 1.5e300,
  })
})

test('another reader finds the same metrics', () => {
  const counters = new Counters()
  counters.meter({}).histogram('millrace_process_delay_seconds').observe(0.2)
  counters.meter({ pipeline: 'p', stage: 'source' }).counter('millrace_source_batches_total').add(3)
  expect(parse(prometheusText(counters.snapshot()))).toMatchObject([
    {
      name: 'millrace_source_batches_total',
      type: 'COUNTER',
      metrics: [{ value: '3', labels: { pipeline: 'p', stage: 'source' } }],
    },
    {
      name: 'millrace_process_delay_seconds',
      type: 'HISTOGRAM',
      metrics: [{ count: '1', sum: '0.2', buckets: { '0.1': '0', '0.5': '1', '+Inf': '1' } }],
    },
  ])
})

describe('a histogram', () => {
  test('counts a value in the first bucket that is large enough, and what is too large for all', () => {
    const counters = new Counters()
    const histogram = counters.meter({ pipeline: 'p' }).histogram('millrace_process_delay_seconds')
    for (const seconds of [0, 0.005, 0.0051, 5, 5.1, 77]) histogram.observe(seconds)
    const lines = prometheusText(counters.snapshot())
      .split('\n')
      .filter((line) => !line.startsWith('#'))
    expect(lines).toEqual([
      'millrace_process_delay_seconds_bucket{le="0.005"} 2',
      'millrace_process_delay_seconds_bucket{le="0.01"} 3',
      'millrace_process_delay_seconds_bucket{le="0.02"} 3',
      'millrace_process_delay_seconds_bucket{le="0.05"} 3',
      'millrace_process_delay_seconds_bucket{le="0.1"} 3',
      'millrace_process_delay_seconds_bucket{le="0.5"} 3',
      'millrace_process_delay_seconds_bucket{le="1"} 3',
      'millrace_process_delay_seconds_bucket{le="5"} 4',
      'millrace_process_delay_seconds_bucket{le="+Inf"} 6',
      expect.stringMatching(/^millrace_process_delay_seconds_sum 87\.1/),
      'millrace_process_delay_seconds_count 6',
      '',
    ])
  })

  test('as JSON it has the same buckets', () => {
    const counters = new Counters()
    counters.meter({ pipeline: 'p' }).histogram('millrace_pipeline_latency_seconds').observe(0.2)
    const { millrace_pipeline_latency_seconds: latency } = metricsSnapshot(counters.snapshot())
    expect(latency).toMatchObject({ type: 'histogram', unit: 'seconds' })
    expect(latency!.values[0]).toMatchObject({ labels: { pipeline: 'p' }, value: 1, sum: 0.2 })
    expect(latency!.values[0]!.buckets!.slice(3, 5)).toEqual([
      { upTo: 0.1, count: 0 },
      { upTo: 0.5, count: 1 },
    ])
    expect(latency!.values[0]!.buckets!.at(-1)).toEqual({ upTo: '+Inf', count: 1 })
  })
})

test('numbers of things that come and go are read when somebody looks', () => {
  const counters = new Counters()
  const partitions = new Map([
    ['0', 7],
    ['1', 9],
  ])
  const meter = counters.meter({ pipeline: 'p', stage: 'source' })
  const read = (): [{ topic: string; partition: string }, number][] =>
    Array.from(partitions, ([partition, lag]) => [{ topic: 'orders', partition }, lag])
  meter.observeEach('millrace_partition_lag_records', read)
  meter.observeEach('millrace_partition_lag_records', read)
  const lines = (): string[] =>
    prometheusText(counters.snapshot())
      .split('\n')
      .filter((line) => line.includes('{'))
  expect(lines()).toEqual([
    'millrace_partition_lag_records{pipeline="p",stage="source",topic="orders",partition="0"} 7',
    'millrace_partition_lag_records{pipeline="p",stage="source",topic="orders",partition="1"} 9',
  ])
  partitions.delete('0')
  expect(lines()).toHaveLength(1)
})

test('the process reports its version, memory and processor time', () => {
  const counters = new Counters()
  const end = observeProcess(counters, '1.2.3')
  const families = readPrometheus(prometheusText(counters.snapshot()))
  end()
  expect(families.get('millrace_build_info')!.samples).toEqual([
    { name: 'millrace_build_info', labels: { version: '1.2.3' }, value: 1 },
  ])
  expect(families.get('millrace_process_resident_bytes')!.samples[0]!.value).toBeGreaterThan(2 ** 20)
  expect(families.get('millrace_process_cpu_seconds_total')!.samples[0]!.value).toBeGreaterThan(0)
})

test.each([
  ['no HELP', 'a 1\n'],
  ['a second HELP', '# HELP a x\n# TYPE a gauge\na 1\n# HELP a x\n'],
  ['a quote that is not escaped', '# HELP a x\n# TYPE a gauge\na{b="c"d"} 1\n'],
  ['no end of the last line', '# HELP a x\n# TYPE a gauge\na 1'],
  [
    'buckets that shrink',
    '# HELP a x\n# TYPE a histogram\na_bucket{le="1"} 2\na_bucket{le="+Inf"} 1\na_sum 1\na_count 1\n',
  ],
  [
    'a count that is not that of the last bucket',
    '# HELP a x\n# TYPE a histogram\na_bucket{le="+Inf"} 1\na_sum 1\na_count 2\n',
  ],
  ['the same sample twice', '# HELP a x\n# TYPE a gauge\na{b="c"} 1\na{b="c"} 2\n'],
])('the strict reader refuses %s', (_, text) => {
  expect(() => readPrometheus(text)).toThrow()
})
