import { describe, expect, test, vi } from 'vitest'
import { Counters } from '../../../src/metrics/counters.ts'
import { prometheusText } from '../../../src/metrics/prometheus.ts'
import { brokerAvailable } from '../../support/broker.ts'
import { fromTopic, runHere, toTopic } from '../../support/pipelines.ts'
import { type Family, readPrometheus } from '../../support/prometheus.ts'
import { topicBed } from '../../support/topics.ts'

describe.skipIf(!brokerAvailable)('the metrics of a pipeline between topics', () => {
  const bed = topicBed()

  test('agree with what the broker has, and are text that a strict reader takes', async () => {
    const [from, to] = [await bed().create({ partitions: 3 }), await bed().create({ partitions: 3 })]
    const start = Date.now() - 2000
    await bed().write(
      from,
      Array.from({ length: 3000 }, (_, i) => ({ key: `k${i % 20}`, value: `{"id":${i}}`, timestampMs: start })),
    )
    const metrics = new Counters()
    const stop = new AbortController()
    const running = runHere(
      {
        source: fromTopic(from, { 'auto.commit.interval.ms': 100 }),
        stages: [{ $match: { id: { $lt: 1000 } } }],
        sink: toTopic(to),
      },
      { metrics, untilEnd: false, signal: stop.signal },
    )
    let families: ReadonlyMap<string, Family> = new Map()
    const values = (name: string, labels: object = {}): number[] =>
      (families.get(name)?.samples ?? [])
        .filter((sample) => sample.name.startsWith(name))
        .filter((sample) => Object.entries(labels).every(([label, value]) => sample.labels[label] === value))
        .map(({ value }) => value)
    const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0)
    /** Of a histogram: how many values it has. */
    const counts = (name: string, labels: object = {}): number => sum(values(name, { ...labels, le: '+Inf' }))
    await vi.waitFor(() => {
      families = readPrometheus(prometheusText(metrics.snapshot()))
      expect(sum(values('millrace_partition_committed_offset'))).toBe(3000)
    }, 20_000)
    stop.abort()
    await running

    expect(values('millrace_source_records_total')).toEqual([3000])
    expect(values('millrace_topic_read_records_total', { topic: from })).toEqual([3000])
    expect(values('millrace_source_lag_records')).toEqual([0])
    expect(values('millrace_source_lag_seconds')).toEqual([0])
    expect(values('millrace_topic_written_records_total', { topic: to })).toEqual([1000])
    expect(values('millrace_stage_passed_records_total', { stage: 'stage-1' })).toEqual([1000])
    const ends = (await bed().values(from)).map(({ length }) => length)
    expect(values('millrace_partition_end_offset', { topic: from })).toEqual(ends)
    expect(values('millrace_partition_position_offset', { topic: from })).toEqual(ends)
    expect(sum(values('millrace_offset_commits_total'))).toBeGreaterThan(0)
    expect(counts('millrace_kafka_request_seconds', { request: 'Fetch' })).toBeGreaterThan(0)
    expect(counts('millrace_kafka_request_seconds', { request: 'Produce', stage: 'sink' })).toBeGreaterThan(0)
    expect(sum(values('millrace_kafka_connections_total'))).toBeGreaterThan(2)
    // Records were two seconds old or more when they were written.
    expect(values('millrace_pipeline_latency_seconds', { le: '1' })).toEqual([0])
    expect(counts('millrace_pipeline_latency_seconds')).toBeGreaterThan(0)
  })

  test('count a broker that is down as failed connections, and the run as failed', async () => {
    const metrics = new Counters()
    const bootstrapServers = '127.0.0.1:1'
    const run = runHere(
      {
        source: fromTopic('here', { bootstrapServers }),
        sink: toTopic('there', { bootstrapServers, 'max.block.ms': 500 }),
      },
      { metrics },
    )
    await expect(run).rejects.toMatchObject({ code: 'BROKER_UNREACHABLE' })
    const families = readPrometheus(prometheusText(metrics.snapshot()))
    expect(families.get('millrace_pipeline_failures_total')!.samples).toMatchObject([
      { labels: { code: 'BROKER_UNREACHABLE' }, value: 1 },
    ])
    const [failed] = families.get('millrace_kafka_connection_failures_total')!.samples
    expect(failed!.labels).toMatchObject({ stage: 'sink', component: 'kafka', code: 'BROKER_UNREACHABLE' })
    expect(failed!.value).toBeGreaterThan(0)
  })
})
