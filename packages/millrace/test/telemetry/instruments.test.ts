import type { MetricData } from '@opentelemetry/sdk-metrics'
import { metrics } from '@opentelemetry/api'
import { expect, test } from 'vitest'
import { startBroker } from '../../src/broker/index.ts'
import { KafkaSink, KafkaSource } from '../../src/index.ts'
import { Counters } from '../../src/metrics/counters.ts'
import { METRICS, type Metric, type MetricName } from '../../src/metrics/table.ts'
import { instrumentName, observeCounters } from '../../src/telemetry/instruments.ts'
import { registerTelemetry } from '../support/telemetry.ts'

const pointsOf = (data: readonly MetricData[], name: string): MetricData['dataPoints'] | undefined =>
  data.find(({ descriptor }) => descriptor.name === name)?.dataPoints

test('each metric of the table is an instrument, from whose name an exporter for Prometheus makes that of the table', () => {
  const suffix: { readonly [unit: string]: string } = { seconds: '_seconds', bytes: '_bytes' }
  for (const [name, { type, unit }] of Object.entries<Metric>(METRICS)) {
    const converted = instrumentName(name as MetricName).replaceAll('.', '_')
    const withUnit =
      suffix[unit] === undefined || converted.endsWith(suffix[unit]) ? converted : converted + suffix[unit]
    expect(type === 'counter' ? `${withUnit}_total` : withUnit).toBe(name)
  }
  const names = Object.keys(METRICS).map((name) => instrumentName(name as MetricName))
  expect(new Set(names).size).toBe(names.length)
})

test('counters and gauges are read when somebody collects, histograms with the buckets of the table', async () => {
  await using telemetry = await registerTelemetry()
  const counters = new Counters()
  const meter = counters.meter({ pipeline: 'p', stage: 'source', component: 'kafka' })
  const before = meter.histogram('millrace_sink_write_seconds')
  const end = observeCounters(metrics.getMeterProvider(), counters)
  meter.counter('millrace_source_batches_total').add(3)
  meter.observe('millrace_source_lag_records', () => 7)
  before.observe(0.2)
  const data = await telemetry.metrics()
  const attributes = { pipeline: 'p', stage: 'source', component: 'kafka' }
  expect(pointsOf(data, 'millrace.source.batches')).toMatchObject([{ value: 3, attributes }])
  expect(pointsOf(data, 'millrace.source.lag.records')).toMatchObject([{ value: 7, attributes }])
  const [histogram] = pointsOf(data, 'millrace.sink.write.seconds')!
  expect(histogram).toMatchObject({
    attributes,
    value: { sum: 0.2, count: 1, buckets: { boundaries: METRICS.millrace_sink_write_seconds.buckets } },
  })
  const { descriptor } = data.find((each) => each.descriptor.name === 'millrace.sink.write.seconds')!
  expect(descriptor).toMatchObject({ unit: 's', description: METRICS.millrace_sink_write_seconds.help })
  end()
  before.observe(0.2)
  meter.counter('millrace_source_batches_total').add(1)
  const after = await telemetry.metrics()
  expect(pointsOf(after, 'millrace.sink.write.seconds')).toMatchObject([{ value: { count: 1 } }])
  expect(pointsOf(after, 'millrace.source.batches')).toMatchObject([{ value: 3 }])
})

test('sources and sinks of a program export theirs', async () => {
  await using telemetry = await registerTelemetry()
  await using broker = await startBroker({ topics: { orders: 1 } })
  const { bootstrapServers } = broker
  const sink = new KafkaSink({ bootstrapServers, topic: 'orders', clientId: 'writer' })
  await sink.write([{ value: 'a' }, { value: 'b' }])
  const source = new KafkaSource({ bootstrapServers, topics: 'orders', groupId: 'readers', untilEnd: true })
  for await (const batch of source.batches()) batch.ack()
  const data = await telemetry.metrics()
  expect(pointsOf(data, 'millrace.sink.records')).toMatchObject([{ value: 2, attributes: { pipeline: 'writer' } }])
  expect(pointsOf(data, 'millrace.source.records')).toMatchObject([{ value: 2, attributes: { pipeline: 'readers' } }])
  const requests = pointsOf(data, 'millrace.kafka.request.seconds')!.map(({ attributes }) => attributes)
  expect(requests).toContainEqual({ pipeline: 'writer', stage: 'sink', component: 'kafka', request: 'Produce' })
  expect(requests).toContainEqual({ pipeline: 'readers', stage: 'source', component: 'kafka', request: 'Fetch' })
  await Promise.all([source.close(), sink.close()])
})
