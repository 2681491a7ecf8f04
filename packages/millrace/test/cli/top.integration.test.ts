import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Monitor, type RunningServer, startServer } from '../../src/serve/index.ts'
import { cli } from '../support/cli.ts'
import { fakePipeline } from '../support/watched.ts'

let server: RunningServer
beforeAll(async () => {
  const monitor = new Monitor('1.2.3')
  monitor.add(Object.assign(fakePipeline('orders'), { breakerStates: [{ id: 'sink', state: 'open' }] }))
  server = await startServer(monitor, { host: '127.0.0.1', port: 0, token: 'secret' })
})
afterAll(() => server.close())

describe('millrace top', () => {
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
