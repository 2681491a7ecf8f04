import { connect } from 'node:net'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { StageError } from '../../src/errors/index.ts'
import type { MetricsSnapshot } from '../../src/metrics/index.ts'
import type { Reason } from '../../src/serve/health.ts'
import { Monitor, type RunningServer, type ServerOptions, startServer, type Status } from '../../src/serve/index.ts'
import { batchOf } from '../support/batches.ts'
import { readPrometheus } from '../support/prometheus.ts'
import { type FakePipeline, fakePipeline, partitionStatus } from '../support/watched.ts'

const servers: RunningServer[] = []
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()))
})

async function served(
  options: Partial<ServerOptions> = {},
  hidesValues = false,
): Promise<{ readonly monitor: Monitor; readonly pipeline: FakePipeline; readonly url: string }> {
  const monitor = new Monitor('1.2.3', hidesValues)
  const pipeline = fakePipeline()
  monitor.add(pipeline)
  const server = await startServer(monitor, { host: '127.0.0.1', port: 0, ...options })
  servers.push(server)
  return { monitor, pipeline, url: server.url }
}

async function get<T>(
  url: string,
  headers: { readonly [name: string]: string } = {},
): Promise<{ readonly code: number; readonly body: T }> {
  const response = await fetch(url, { headers })
  const text = await response.text()
  const isJson = response.headers.get('content-type')?.startsWith('application/json') === true
  return { code: response.status, body: (isJson ? JSON.parse(text) : text) as T } // what the route answers
}

interface Ready {
  readonly ready: boolean
  readonly reasons: readonly Reason[]
}

/** Sends headers that `fetch` does not. */
function raw(url: string, request: string): Promise<string> {
  const { hostname, port } = new URL(url)
  return new Promise((resolve, reject) => {
    let answer = ''
    const socket = connect(Number(port), hostname, () => socket.write(request))
    socket.on('data', (chunk: Buffer) => (answer += chunk.toString()))
    socket.on('close', () => resolve(answer))
    socket.on('error', reject)
  })
}

test('/metrics is text that a strict reader takes, with what the pipeline and the process count', async () => {
  const { pipeline, url } = await served()
  pipeline.records = 42
  const response = await fetch(`${url}/metrics`)
  expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8')
  const families = readPrometheus(await response.text())
  expect(families.get('millrace_source_records_total')!.samples[0]).toMatchObject({ value: 42 })
  expect(families.get('millrace_pipeline_ready_state')!.samples[0]).toMatchObject({ value: 1 })
  expect(families.get('millrace_build_info')!.samples[0]!.labels).toEqual({ version: '1.2.3' })
  const json = await get<MetricsSnapshot>(`${url}/metrics.json`)
  expect(json.body.millrace_source_records_total!.values[0]!.value).toBe(42)
})

describe('/live and /ready', () => {
  test('are 200 while the pipeline runs', async () => {
    const { url } = await served()
    expect(await get(`${url}/live`)).toEqual({ code: 200, body: { alive: true } })
    expect(await get(`${url}/ready`)).toEqual({ code: 200, body: { ready: true, reasons: [] } })
  })

  test.each([
    ['starting', { state: 'starting' }, 'starting', 200],
    ['stopping', { state: 'stopping' }, 'stopping', 200],
    ['blocked in reading', { blocked: { reading: 'joining group "g" for 5 s' } }, 'cannot-read', 200],
    ['blocked in writing', { blocked: { writing: 'no answer from k1:9092' } }, 'cannot-write', 200],
    ['behind a circuit that is open', { breakerStates: [{ id: 'sink', state: 'open' }] }, 'circuit-open', 200],
    ['failed', { state: 'failed', error: { code: 'DECODE_FAILED', message: 'bad' } }, 'failed', 503],
  ] as const)('a pipeline that is %s is not ready, and /ready says why', async (_, change, reason, live) => {
    const { pipeline, url } = await served()
    Object.assign(pipeline, change)
    const { code, body } = await get<Ready>(`${url}/ready`)
    expect([code, body.ready, body.reasons[0]!.reason, body.reasons[0]!.pipeline]).toEqual([
      503,
      false,
      reason,
      'orders',
    ])
    expect(body.reasons[0]!.message).toMatch(/^[A-Z]/)
    expect((await get(`${url}/live`)).code).toBe(live)
    expect(
      readPrometheus((await get<string>(`${url}/metrics`)).body).get('millrace_pipeline_ready_state')!.samples[0]!
        .value,
    ).toBe(0)
  })

  test('a pipeline that has ended by itself is ready: there is nothing left to read', async () => {
    const { pipeline, url } = await served()
    pipeline.state = 'ended'
    expect((await get(`${url}/ready`)).code).toBe(200)
  })
})

test('/status names each part with its numbers, partitions with problems first, and the latest failures', async () => {
  const { monitor, pipeline, url } = await served()
  pipeline.records = 7
  pipeline.lag = 5
  pipeline.partitions = [
    partitionStatus(0),
    partitionStatus(1, { lag: 5 }),
    partitionStatus(2, { problem: 'no leader' }),
  ]
  pipeline.failures.add('skipped', new StageError('no number', { topic: 'orders', partition: 1, offset: 17n }))
  monitor.event('warn', 'The circuit breaker of the sink is open', { event: 'breaker.open', openMs: 1000 })
  const { body } = await get<Status>(`${url}/status`)
  expect(body).toMatchObject({ version: '1.2.3', pid: process.pid, ready: true })
  expect(body.events).toMatchObject([{ level: 'warn', event: 'breaker.open' }])
  const status = body.pipelines[0]!
  expect(status).toMatchObject({
    name: 'orders',
    state: 'running',
    lag: 5,
    read: { records: 7 },
    written: { records: 7 },
  })
  expect(status.nodes.map(({ id, recordsIn, recordsOut }) => [id, recordsIn, recordsOut])).toEqual([
    ['source', undefined, 7],
    ['stage-1', undefined, undefined],
    ['sink', 7, undefined],
  ])
  expect(status.partitions.map(({ partition, owner }) => [partition, owner])).toEqual([
    [2, 'member-1'],
    [1, 'member-1'],
    [0, 'member-1'],
  ])
  expect(status.failures).toMatchObject([{ code: 'STAGE_FAILED', topic: 'orders', partition: 1, offset: '17' }])
})

describe('/stream', () => {
  /** Events of a stream until there are as many as wanted. */
  async function events(url: string, count: number): Promise<{ readonly event: string; readonly data: Status }[]> {
    const abort = new AbortController()
    const response = await fetch(`${url}/stream`, { signal: abort.signal })
    const found: { event: string; data: Status }[] = []
    let text = ''
    for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
      text += chunk
      for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
        const [, event, data] = /^event: (\w+)\ndata: (.*)$/.exec(text.slice(0, end)) ?? []
        text = text.slice(end + 2)
        if (event !== undefined) found.push({ event, data: JSON.parse(data!) as Status })
      }
      if (found.length >= count) break
    }
    abort.abort()
    return found
  }

  test('begins with the history and has a snapshot each second, of which the last is of now', async () => {
    const { pipeline, url } = await served()
    const [history, first] = await events(url, 2)
    expect([history!.event, first!.event]).toEqual(['history', 'status'])
    const growing = setInterval(() => (pipeline.records += 100), 100)
    const later = await events(url, 4)
    clearInterval(growing)
    expect(later.map(({ event }) => event)).toEqual(['history', 'status', 'status', 'status'])
    const { now, read } = later.at(-1)!.data.pipelines[0]!
    expect(read.records).toBeGreaterThan(0)
    expect(now!.readPerSecond).toBeGreaterThan(0)
  })

  test('a snapshot is bounded, however many partitions there are', async () => {
    const { pipeline, url } = await served()
    pipeline.partitions = Array.from({ length: 5000 }, (_, i) => partitionStatus(i, { problem: 'x'.repeat(2000) }))
    const [, status] = await events(url, 2)
    expect(JSON.stringify(status!.data).length).toBeLessThan(256 * 1024)
    expect(status!.data.pipelines[0]!.partitionsLeftOut).toBeGreaterThan(4900)
    expect((await get<Status>(`${url}/status`)).body.pipelines[0]!.partitions).toHaveLength(5000)
  })

  test('more than 20 clients are refused, and their places are free again when they leave', async () => {
    const { url } = await served()
    const others = Array.from({ length: 20 }, () => new AbortController())
    await Promise.all(others.map(({ signal }) => fetch(`${url}/stream`, { signal })))
    await vi.waitFor(async () => expect((await get(`${url}/stream`)).code).toBe(503))
    for (const other of others) other.abort()
    await vi.waitFor(async () => {
      const abort = new AbortController()
      expect((await fetch(`${url}/stream`, { signal: abort.signal })).status).toBe(200)
      abort.abort()
    })
  })
})

describe('access', () => {
  test('with a token, only health without reasons and the files of the dashboard are open', async () => {
    const { pipeline, url } = await served({ token: 'secret' })
    pipeline.state = 'starting'
    for (const path of ['/metrics', '/metrics.json', '/status', '/stream'])
      expect((await get(url + path)).code).toBe(401)
    expect((await get(`${url}/status`, { authorization: 'Bearer wrong' })).code).toBe(401)
    expect((await get(`${url}/status`, { authorization: 'Bearer secret' })).code).toBe(200)
    expect((await get(`${url}/live`)).code).toBe(200)
    expect(await get(`${url}/ready`)).toEqual({ code: 503, body: { ready: false } })
    expect((await get<Ready>(`${url}/ready`, { authorization: 'Bearer secret' })).body.reasons).toHaveLength(1)
  })

  test('a page elsewhere whose name leads to the loopback address is refused', async () => {
    const { url } = await served()
    const answer = await raw(url, 'GET /status HTTP/1.1\r\nhost: evil.example:9600\r\nconnection: close\r\n\r\n')
    expect(answer).toMatch(/^HTTP\/1\.1 421 /)
    expect(await raw(url, 'GET /live HTTP/1.1\r\nhost: [::1]:9600\r\nconnection: close\r\n\r\n')).toMatch(
      /^HTTP\/1\.1 200 /,
    )
  })

  test('it only reads', async () => {
    const { url } = await served()
    expect((await fetch(`${url}/status`, { method: 'POST', body: '{}' })).status).toBe(405)
  })

  test.each(['/nothing', '/../package.json', '/%2e%2e/package.json', '/index.html/x'])(
    'there is no %s',
    async (path) => {
      const { url } = await served()
      const answer = await raw(url, `GET ${path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n`)
      expect(answer).toMatch(/^HTTP\/1\.1 404 /)
    },
  )

  test('a port that is taken is an error that says so', async () => {
    const { url } = await served()
    const port = Number(new URL(url).port)
    await expect(startServer(new Monitor('1'), { host: '127.0.0.1', port })).rejects.toMatchObject({
      code: 'HTTP_UNAVAILABLE',
      message: `Cannot serve HTTP at 127.0.0.1:${port} as another process uses this port: stop it, or choose another port with http or --http`,
    })
  })

  test('closing ends open streams', async () => {
    const { url } = await served()
    const response = await fetch(`${url}/stream`)
    await servers.splice(0)[0]!.close()
    await expect(response.text()).resolves.toContain('event: history')
  })
})

test('of Rivven’s ports, each has what it has there', async () => {
  const monitor = new Monitor('1')
  for (const name of ['in', 'out']) monitor.add(Object.assign(fakePipeline(name), { records: 3 }))
  const port = { host: '127.0.0.1', port: 0 }
  const metrics = await startServer(monitor, {
    ...port,
    rivven: { serves: 'metrics', path: '/metrics', sinks: ['out'] },
  })
  const health = await startServer(monitor, { ...port, rivven: { serves: 'health', path: '/health', sinks: ['out'] } })
  servers.push(metrics, health)
  const families = readPrometheus((await get<string>(`${metrics.url}/metrics`)).body)
  expect(families.get('rivven_connect_source_events_total')!.samples).toMatchObject([
    { labels: { source: 'in' }, value: 3 },
  ])
  expect(families.get('rivven_connect_sink_running')!.samples).toMatchObject([{ labels: { sink: 'out' }, value: 1 }])
  expect(families.has('millrace_source_records_total')).toBe(true)
  expect(await get(`${health.url}/health`)).toMatchObject({
    code: 200,
    body: {
      status: 'healthy',
      broker_connected: true,
      sources: [{ name: 'in', status: 'running', events_processed: 3, errors_count: 0, last_error: null }],
      sinks: [{ name: 'out' }],
    },
  })
  expect((await get(`${health.url}/ready`)).body).toEqual({ ready: true })
  expect((await get(`${health.url}/status`)).code).toBe(404)
})

describe('/records', () => {
  test('has the records before and after a stage from the second call on', async () => {
    const { pipeline, url } = await served()
    const path = `${url}/records?pipeline=orders&stage=stage-1`
    expect((await get(path)).body).toMatchObject({ isHidden: false, samples: [] })
    const batch = batchOf(['{"amount":1}'])
    pipeline.taps.get('stage-1')!.look(batch)!.done([batch])
    expect((await get(path)).body).toMatchObject({
      samples: [{ record: { offset: '100' }, before: '{"amount":1}', after: ['{"amount":1}'] }],
    })
    expect((await get(`${url}/records?pipeline=orders&stage=other`)).code).toBe(404)
    expect((await get(`${url}/records`)).code).toBe(404)
  })

  test('has the record of a failure; what ended the run is in the status, too', async () => {
    const { pipeline, url } = await served()
    const error = new StageError('amount is "x"', { topic: 'orders', partition: 3, offset: 100n })
    for (const fate of ['skipped', 'fatal'] as const)
      pipeline.failures.add(fate, error, error, () => batchOf(['{"amount":"x"}']).record(0))
    const { body } = await get<Status>(`${url}/status`)
    const [fatal, skipped] = body.pipelines[0]!.failures
    expect(fatal).toMatchObject({ hasRecord: true, record: { value: '{"amount":"x"}' } })
    expect(skipped!.record).toBeUndefined()
    const { body: found } = await get(`${url}/records?pipeline=orders&failure=${skipped!.id}`)
    expect(found).toMatchObject({ isHidden: false, record: { offset: '100', value: '{"amount":"x"}' } })
  })

  test('wants the token', async () => {
    const { url } = await served({ token: 'secret' })
    expect((await get(`${url}/records?pipeline=orders&stage=stage-1`)).code).toBe(401)
  })

  test('with hidden values nothing that the server returns has any, messages of errors included', async () => {
    const { monitor, pipeline, url } = await served({}, true)
    const error = new StageError('amount is "4111"', { topic: 'orders', partition: 3, offset: 100n })
    pipeline.failures.add('fatal', error, error, () => batchOf(['{"amount":"4111"}']).record(0))
    Object.assign(pipeline, { state: 'failed', error: { code: 'STAGE_FAILED', message: error.message } })
    monitor.event('warn', 'Skipped a record: amount is "4111"', { event: 'record.skipped', code: 'STAGE_FAILED' })
    const texts = await Promise.all(
      ['/status', '/ready', '/records?pipeline=orders&failure=1'].map(async (path) => (await fetch(url + path)).text()),
    )
    expect(texts.join('')).not.toContain('4111')
    expect(texts.join('')).toContain('STAGE_FAILED')
  })
})

describe('a partition is stuck', () => {
  test.each([
    ['by a record that ended the run', 'fatal', 1, 'offset 100 ended the run: STAGE_FAILED: no'],
    ['by a record that fails again and again', 'retried', 3, 'offset 100 failed 3 times: STAGE_FAILED: no'],
    ['not by a record that was tried again once', 'retried', 1, undefined],
  ] as const)('%s', async (_, fate, times, problem) => {
    const { pipeline, url } = await served()
    pipeline.partitions = [partitionStatus(3, { position: 120, done: 100 }), partitionStatus(4)]
    const error = new StageError('no', { topic: 'orders', partition: 3, offset: 100n })
    for (let i = 0; i < times; i++) pipeline.failures.add(fate, error)
    const rows = async (): Promise<readonly (string | undefined)[]> =>
      (await get<Status>(`${url}/status`)).body.pipelines[0]!.partitions.map((row) => row.problem)
    expect((await rows())[0]).toBe(problem)
    pipeline.partitions = [partitionStatus(3, { position: 120, done: 101 })]
    expect(await rows()).toEqual([undefined])
  })
})
