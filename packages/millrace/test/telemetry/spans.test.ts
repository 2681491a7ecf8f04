import { SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type EmbeddedBroker, startBroker } from '../../src/broker/index.ts'
import { runPipeline } from '../../src/engine/run-pipeline.ts'
import { runGraph } from '../../src/engine/graph/run-graph.ts'
import { exactlyOnce, KafkaSink, KafkaSource } from '../../src/index.ts'
import { MemorySink, memoryComponents, memoryGraph, memoryPlan, MemorySource } from '../support/memory-components.ts'
import { registerTelemetry } from '../support/telemetry.ts'

let broker: EmbeddedBroker
const topics = ['sent', 'linked', 'handled', 'failing', 'looped', 'polled', 'forwarded', 'input', 'output', 'quiet']
beforeAll(async () => {
  broker = await startBroker({ topics: Object.fromEntries(topics.map((topic) => [topic, 1])) })
})
afterAll(() => broker.close())

async function send(topic: string, ...values: readonly string[]): Promise<void> {
  await using sink = sinkOf(topic)
  await sink.write(values.map((value) => ({ value })))
}
const sinkOf = (topic: string): KafkaSink => new KafkaSink({ bootstrapServers: broker.bootstrapServers, topic })
const sourceOf = (topic: string, groupId?: string): KafkaSource =>
  new KafkaSource({
    bootstrapServers: broker.bootstrapServers,
    topics: topic,
    untilEnd: true,
    ...(groupId === undefined ? {} : { groupId }),
  })
const traceparentOf = ({ traceId, spanId }: { readonly traceId: string; readonly spanId: string }): string =>
  `00-${traceId}-${spanId}-01`

describe('a sink', () => {
  test('has one span for each call, whose context is in the headers of its records', async () => {
    await using telemetry = await registerTelemetry()
    await using sink = sinkOf('sent')
    await trace.getTracer('test').startActiveSpan('order', async (order) => {
      await sink.write([{ value: 'a' }, { value: 'b', headers: { region: 'eu' } }])
      order.end()
    })
    const [span, ...others] = telemetry.spansNamed('send sent')
    expect(others).toEqual([])
    const [order] = telemetry.spansNamed('order')
    expect(span).toMatchObject({
      kind: SpanKind.PRODUCER,
      attributes: {
        'messaging.system': 'kafka',
        'messaging.operation.type': 'send',
        'messaging.destination.name': 'sent',
        'messaging.batch.message_count': 2,
        'messaging.client.id': 'millrace',
      },
    })
    expect(span!.parentSpanContext!.spanId).toBe(order!.spanContext().spanId)
    const records = await broker.topic('sent').records()
    const headers = records.map((record) => record.headers.map(([name, value]) => [name, String(value)]))
    const own = ['traceparent', traceparentOf(span!.spanContext())]
    expect(headers).toEqual([[own], [['region', 'eu'], own]])
  })

  test('says what failed', async () => {
    await using telemetry = await registerTelemetry()
    await using sink = sinkOf('sent')
    await expect(sink.send({ value: 'a', partition: 9 })).rejects.toThrow('partition')
    const [span] = telemetry.spansNamed('send sent')
    expect(span!.status.code).toBe(SpanStatusCode.ERROR)
    expect(span!.attributes['error.type']).toBe('DELIVERY_FAILED')
  })
})

describe('a source', () => {
  test('has one span for a batch, with a link to each span that wrote its records', async () => {
    await using telemetry = await registerTelemetry()
    await using sink = sinkOf('linked')
    await sink.write([{ value: 'a' }, { value: 'b' }])
    await sink.write([{ value: 'c' }])
    await using source = sourceOf('linked', 'linked')
    for await (const batch of source.batches()) batch.ack()
    const links = telemetry
      .spansNamed('process linked')
      .flatMap((span) => span.links.map(({ context }) => context.spanId))
    expect(links).toEqual(telemetry.spansNamed('send linked').map((span) => span.spanContext().spanId))
    const [span] = telemetry.spansNamed('process linked')
    expect(span).toMatchObject({
      kind: SpanKind.CONSUMER,
      attributes: {
        'messaging.operation.type': 'process',
        'messaging.destination.name': 'linked',
        'messaging.destination.partition.id': '0',
        'messaging.kafka.offset': 0,
        'messaging.consumer.group.name': 'linked',
      },
    })
  })

  test('runs handlers in the context of their batch, and the span ends with the last of them', async () => {
    await using telemetry = await registerTelemetry()
    await send('handled', 'a', 'b', 'c')
    await using source = sourceOf('handled')
    await source.process(
      async ({ value }) => {
        await new Promise(setImmediate)
        trace
          .getTracer('test')
          .startSpan(`handle ${String(value)}`)
          .end()
      },
      { concurrency: 3, orderBy: 'none' },
    )
    const spans = telemetry.spansNamed('process handled')
    const ids = spans.map((span) => span.spanContext().spanId)
    for (const value of ['a', 'b', 'c']) {
      const [handled] = telemetry.spansNamed(`handle ${value}`)
      expect(ids).toContain(handled!.parentSpanContext!.spanId)
    }
    expect(spans.reduce((sum, { attributes }) => sum + Number(attributes['messaging.batch.message_count']), 0)).toBe(3)
    const order = telemetry.spans.map(({ name }) => name)
    expect(order.lastIndexOf('process handled')).toBeGreaterThan(order.lastIndexOf('handle c'))
  })

  test('marks the span of a batch of which a handler failed', async () => {
    await using telemetry = await registerTelemetry()
    await send('failing', 'a')
    await using source = sourceOf('failing')
    await expect(source.process(() => Promise.reject(new Error('no stock')))).rejects.toThrow('no stock')
    expect(telemetry.spansNamed('process failing')[0]!.status).toEqual({
      code: SpanStatusCode.ERROR,
      message: 'no stock',
    })
  })

  test('has spans for loops over records and for poll', async () => {
    await using telemetry = await registerTelemetry()
    await send('looped', 'a')
    await using loop = sourceOf('looped')
    for await (const { value } of loop) expect(String(value)).toBe('a')
    expect(telemetry.spansNamed('process looped')).toHaveLength(1)
    await send('polled', 'a')
    await using polls = sourceOf('polled')
    expect(await polls.poll()).toHaveLength(1)
    expect(telemetry.spansNamed('process polled')).toHaveLength(0)
    expect(await polls.poll()).toHaveLength(0)
    expect(telemetry.spansNamed('process polled')).toHaveLength(1)
  })
})

test('a record that is forwarded keeps its context, and the call that forwards it is linked to it', async () => {
  await using telemetry = await registerTelemetry()
  await send('linked', 'x')
  const created = telemetry.spansNamed('send linked')[0]!.spanContext()
  const record = { value: 'x', headers: [['traceparent', traceparentOf(created)]] } as const
  await using sink = sinkOf('forwarded')
  await sink.write([record])
  const [span] = telemetry.spansNamed('send forwarded')
  expect(span!.links.map(({ context }) => context.spanId)).toEqual([created.spanId])
  const [forwarded] = await broker.topic('forwarded').records()
  expect(forwarded!.headers.map(([, value]) => String(value))).toEqual([traceparentOf(created)])
})

test('exactlyOnce has a span for each batch, and what is written for it is a child', async () => {
  await using telemetry = await registerTelemetry()
  await send('input', 'a')
  await using source = sourceOf('input', 'once')
  await using sink = new KafkaSink({
    bootstrapServers: broker.bootstrapServers,
    topic: 'output',
    transactionalId: 'once',
  })
  await exactlyOnce(source, sink, (batch, transaction) => transaction.write([{ value: batch.value(0) }]))
  const [processed] = telemetry.spansNamed('process input')
  const [sent] = telemetry.spansNamed('send output')
  expect(sent!.parentSpanContext!.spanId).toBe(processed!.spanContext().spanId)
})

describe('a pipeline', () => {
  const never = new AbortController().signal
  const run = (sink: MemorySink, source = new MemorySource([['{"a":1}', '{"a":2}'], ['{"a":3}']], [])) => ({
    components: memoryComponents(source, sink),
    signal: never,
    abort: never,
    untilEnd: true,
    warn: () => {},
  })

  test('has one span for each batch, which ends when the sink has acknowledged it', async () => {
    await using telemetry = await registerTelemetry()
    await runPipeline(memoryPlan(), run(new MemorySink([])))
    expect(telemetry.spans.map(({ attributes }) => attributes)).toMatchObject([
      { 'millrace.pipeline': 'test', 'messaging.batch.message_count': 2 },
      { 'millrace.pipeline': 'test', 'messaging.batch.message_count': 1 },
    ])
  })

  test('of stages in a graph has the same', async () => {
    await using telemetry = await registerTelemetry()
    await runGraph(memoryGraph(), run(new MemorySink([])))
    expect(telemetry.spans).toHaveLength(2)
  })

  test('that fails marks the spans of what was not acknowledged', async () => {
    await using telemetry = await registerTelemetry()
    await expect(
      runPipeline(memoryPlan(), run(new MemorySink([]), new MemorySource([['{"a":1}'], ['half']], []))),
    ).rejects.toThrow()
    expect(telemetry.spans.map(({ status }) => status.code)).toEqual([SpanStatusCode.UNSET, SpanStatusCode.ERROR])
  })
})

test('without OpenTelemetry records get no headers', async () => {
  await using sink = sinkOf('quiet')
  await sink.send({ value: 'a' })
  expect((await broker.topic('quiet').records()).map(({ headers }) => headers)).toEqual([[]])
})
