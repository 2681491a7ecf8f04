import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer as createHttpServer } from 'node:http'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startBroker } from '../../src/broker/index.ts'
import { telemetryPlan } from '../../src/cli/telemetry.ts'
import { KafkaSink } from '../../src/index.ts'
import { cli } from '../support/cli.ts'
import { startOtlpReceiver } from '../support/otlp-receiver.ts'

let directory: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'millrace-telemetry-'))
  await writeFile(
    join(directory, 'orders.yaml'),
    'name: orders\nsource: {type: generate, records: 1000, seed: 5}\nstages:\n  - $match: {amount: {$gte: 100}}\nsink: {type: file, path: orders.jsonl, mode: overwrite}\n',
  )
})
afterAll(() => rm(directory, { recursive: true }))

const run = (environment: { readonly [name: string]: string }, file = 'orders.yaml') =>
  cli(['run', join(directory, file), '--until-end'], { environment })

describe('what the variables ask for', () => {
  const protocols = { traces: 'http/protobuf', metrics: 'http/protobuf' }
  test.each([
    { environment: {}, plan: undefined },
    { environment: { OTEL_SERVICE_NAME: 'orders' }, plan: undefined },
    {
      environment: { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:4318' },
      plan: { traces: 'otlp', metrics: 'otlp', protocols },
    },
    {
      environment: { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://c/v1/traces' },
      plan: { traces: 'otlp', metrics: 'none', protocols },
    },
    { environment: { OTEL_METRICS_EXPORTER: 'console' }, plan: { traces: 'none', metrics: 'console', protocols } },
    {
      environment: { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:4318', OTEL_METRICS_EXPORTER: 'none' },
      plan: { traces: 'otlp', metrics: 'none', protocols },
    },
    { environment: { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:4318', OTEL_SDK_DISABLED: 'true' }, plan: undefined },
  ])('$environment', ({ environment, plan }) => {
    expect(telemetryPlan(environment)).toEqual(plan)
  })

  test.each([
    [
      { OTEL_TRACES_EXPORTER: 'zipkin' },
      'OTEL_TRACES_EXPORTER must be otlp, console or none: current value is "zipkin"',
    ],
    [
      { OTEL_TRACES_EXPORTER: 'otlp', OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' },
      'OTEL_EXPORTER_OTLP_PROTOCOL must be http/protobuf or http/json: current value is "grpc"',
    ],
  ])('%o is refused', (environment, problem) => {
    expect(() => telemetryPlan(environment)).toThrow(problem)
  })
})

test('a run exports a span for each batch and the metrics of the table, as OTLP over HTTP', async () => {
  await using receiver = await startOtlpReceiver()
  const { code, stderr } = await run({
    OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
    OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
    OTEL_SERVICE_NAME: 'orders-service',
    OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=test',
  })
  expect(stderr).not.toContain('error')
  expect(code).toBe(0)
  expect(receiver.resource).toMatchObject({
    'service.name': 'orders-service',
    'deployment.environment.name': 'test',
    'service.version': expect.stringMatching(/^\d/) as unknown,
  })
  expect(receiver.spans.length).toBeGreaterThan(0)
  const counts = receiver.spans.map(({ attributes }) =>
    Number(attributes.find(({ key }) => key === 'messaging.batch.message_count')!.value.intValue),
  )
  expect(counts.reduce((sum, count) => sum + count, 0)).toBe(1000)
  for (const name of ['millrace.source.records', 'millrace.sink.write.seconds', 'millrace.process.resident.bytes'])
    expect(receiver.metricNames).toContain(name)
})

// A wrong token or path looked like a pipeline that does nothing: the run said nothing, and the collector showed nothing.
test('a run warns once of traces and of metrics that a collector refuses, and ends as usual', async () => {
  const collector = createHttpServer((request, response) => {
    request.resume()
    response.writeHead(401).end()
  })
  await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve))
  const { port } = collector.address() as AddressInfo
  const { code, stderr } = await run({ OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}` })
  collector.close()
  expect(code).toBe(0)
  for (const what of ['traces', 'metrics'])
    expect(stderr.match(new RegExp(`Cannot export ${what}: `, 'g')), what).toHaveLength(1)
})

test('spans of a run are linked to those that wrote its records', async () => {
  await using receiver = await startOtlpReceiver()
  await using broker = await startBroker({ topics: { orders: 1 } })
  await using sink = new KafkaSink({ bootstrapServers: broker.bootstrapServers, topic: 'orders' })
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
  await sink.write([
    { value: '{"amount":1}', headers: { traceparent } },
    { value: '{"amount":2}', headers: { traceparent } },
  ])
  await writeFile(
    join(directory, 'kafka.yaml'),
    `source: {type: kafka, topic: orders, bootstrapServers: "${broker.bootstrapServers}", groupId: g, autoOffsetReset: earliest}\nstages: [{$set: {a: 1}}]\nsink: {type: file, path: linked.jsonl}\n`,
  )
  const { code } = await run(
    { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${receiver.url}/v1/traces`, OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json' },
    'kafka.yaml',
  )
  expect(code).toBe(0)
  expect(receiver.spans).toMatchObject([{ name: 'process orders', links: [{ spanId: 'b7ad6b7169203331' }] }])
  expect(receiver.metricNames.size).toBe(0)
})

test('protobuf is the default, as it is for every SDK', async () => {
  await using receiver = await startOtlpReceiver()
  expect((await run({ OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url })).code).toBe(0)
  expect(receiver.requests).toEqual(
    expect.arrayContaining(['/v1/traces application/x-protobuf', '/v1/metrics application/x-protobuf']),
  )
})

test('a collector that is down keeps no run from ending', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  const { code, stdout, stderr } = await run({ OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}` })
  expect(code).toBe(0)
  expect(stdout).toContain('read 1,000 records')
  expect(stderr).toContain('Cannot export')
})

test('packages that are missing are named, with the command that installs them', async () => {
  const hook = `import { registerHooks } from 'node:module'
    registerHooks({ resolve(name, context, next) {
      if (!name.startsWith('@opentelemetry/')) return next(name, context)
      throw Object.assign(new Error('Cannot find package ' + name), { code: 'ERR_MODULE_NOT_FOUND' })
    } })`
  const { code, stderr } = await cli(['run', join(directory, 'orders.yaml')], {
    environment: { OTEL_TRACES_EXPORTER: 'otlp' },
    nodeOptions: ['--import', `data:text/javascript,${encodeURIComponent(hook)}`],
  })
  expect(stderr).toContain(
    'npm install @opentelemetry/api @opentelemetry/core @opentelemetry/resources @opentelemetry/sdk-metrics @opentelemetry/sdk-trace @opentelemetry/exporter-trace-otlp-proto',
  )
  expect(code).toBe(2)
})
