import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { topText } from '../../src/cli/top-text.ts'
import { StageError } from '../../src/errors/index.ts'
import { Monitor, type RunningServer, startServer } from '../../src/serve/index.ts'
import { cli } from '../support/cli.ts'
import { fakePipeline, partitionStatus } from '../support/watched.ts'

const monitor = new Monitor('1.2.3')
const pipeline = fakePipeline('orders')
let server: RunningServer
beforeAll(async () => {
  Object.assign(pipeline, { records: 4711, lag: 17, breakerStates: [{ id: 'sink', state: 'open' }] })
  pipeline.partitions = [partitionStatus(0), partitionStatus(3, { lag: 17, lagSeconds: 90 })]
  pipeline.failures.add('skipped', new StageError('no number', { topic: 'orders', partition: 3, offset: 12n }))
  monitor.add(pipeline)
  monitor.event('warn', 'The circuit breaker of the sink is open', { event: 'breaker.open' })
  server = await startServer(monitor, { host: '127.0.0.1', port: 0, token: 'secret' })
})
afterAll(() => server.close())

test('shows what matters first: health and why, numbers, partitions that are behind, failures', () => {
  const lines = topText(monitor.status(), 'http://x').split('\n')
  expect(lines[0]).toMatch(/^Millrace 1\.2\.3 {2}process \d+ {2}up .* {2}http:\/\/x$/)
  expect(lines.slice(2, 8)).toEqual([
    'orders  NOT READY',
    '  ! The circuit breaker of "sink" is open',
    '  read (4.71k)  written (4.71k)  lag 17',
    '  kafka orders > $match > kafka out (circuit open)',
    '  orders-3  lag 17, 90 s',
    '  skipped 1  STAGE_FAILED orders-3@12  no number',
  ])
  expect(lines.at(-2)).toMatch(/^ {2}\d\d:\d\d:\d\d {2}The circuit breaker of the sink is open$/)
})

test('says where the lag is not known, and nothing of a lag where there is none', () => {
  const monitored = new Monitor('1.2.3')
  const unknown = fakePipeline('unknown')
  unknown.partitions = [partitionStatus(0, { lag: undefined, lagSeconds: undefined })]
  const none = fakePipeline('none')
  for (const one of [unknown, none]) Object.assign(one, { lag: undefined })
  monitored.add(unknown)
  monitored.add(none)
  const text = topText(monitored.status(), 'http://x')
  expect(text).toMatch(/^unknown .*\n {2}read \(0\) {2}written \(0\) {2}lag \?$/m)
  expect(text).toContain('orders-0  lag ?')
  expect(text).toMatch(/^none .*\n {2}read \(0\) {2}written \(0\)$/m)
})

test('no line is longer than the terminal is wide', () => {
  const widths = topText(monitor.status(), 'http://x', 30)
    .split('\n')
    .map(({ length }) => length)
  expect(Math.max(...widths)).toBe(30)
})

describe('the command', () => {
  test('prints the status once where there is no terminal', async () => {
    const { code, stdout } = await cli(['top', server.url, '--token', 'secret'])
    expect(code).toBe(0)
    expect(stdout).toContain('orders  NOT READY')
  })

  test('prints it as JSON, with the token of the environment', async () => {
    const { stdout } = await cli(['top', new URL(server.url).port, '--json'], {
      environment: { MILLRACE_HTTP_TOKEN: 'secret' },
    })
    expect(JSON.parse(stdout)).toMatchObject({ ok: true, result: { pipelines: [{ name: 'orders', ready: false }] } })
  })

  const wrong: readonly (readonly [string, () => string, number, string])[] = [
    ['without the token', () => server.url, 3, 'without its token: pass --token, or set MILLRACE_HTTP_TOKEN'],
    ['where nothing is', () => '127.0.0.1:1', 3, 'Cannot read http://127.0.0.1:1/status: no pipeline is served there'],
    ['at what is no address', () => 'a b', 2, 'Cannot read "a b" as it must be an address'],
  ]
  test.each(wrong)('fails %s', async (_, address, want, message) => {
    const { code, stderr } = await cli(['top', address()])
    expect(code).toBe(want)
    expect(stderr).toContain(message)
  })
})
