import { once } from 'node:events'
import { connect } from 'node:net'
import { describe, expect, test } from 'vitest'
import { metadataApi } from '../../src/protocol/messages/metadata.ts'
import { cli, startCli } from '../support/cli.ts'
import { RawClient } from '../support/raw-client.ts'

describe('millrace broker', () => {
  test('prints its address when it is ready, has the topics, and stops with SIGINT', async () => {
    const running = startCli(['broker', '--port', '0', '--json', '--topics', 'orders:6,invoices', '--topics', 'other'])
    const [line] = (await once(running.child.stdout!, 'data')) as [string]
    const { command, ok, result } = JSON.parse(line) as {
      command: string
      ok: boolean
      result: { bootstrapServers: string }
    }
    expect({ command, ok, result }).toEqual({
      command: 'broker',
      ok: true,
      result: {
        bootstrapServers: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
        topics: ['invoices', 'orders', 'other'],
      },
    })
    using client = await RawClient.connect(result.bootstrapServers)
    const { topics } = await client.request(metadataApi, 12, { topics: [{ name: 'orders' }] })
    expect(topics[0]!.partitions).toHaveLength(6)
    running.child.kill('SIGINT')
    expect(await running.ended).toMatchObject({ code: 0, stderr: '' })
  })

  test('creates no topics that clients ask for with --no-auto-create', async () => {
    const running = startCli(['broker', '--port', '0', '--json', '--no-auto-create'])
    const [line] = (await once(running.child.stdout!, 'data')) as [string]
    const { result } = JSON.parse(line) as { result: { bootstrapServers: string } }
    using client = await RawClient.connect(result.bootstrapServers)
    expect((await client.request(metadataApi, 12, { topics: [{ name: 'missing' }] })).topics[0]!.errorCode).toBe(3)
    running.child.kill('SIGTERM')
    expect((await running.ended).code).toBe(0)
  })

  test.each([
    { name: 'topics without a name', args: ['--topics', ':3'], problem: 'Cannot read --topics ":3"' },
    { name: 'a port that is none', args: ['--port', '70000'], problem: '"port" must be between 0 and 65535' },
  ])('refuses $name', async ({ args, problem }) => {
    const { code, stderr } = await cli(['broker', ...args])
    expect(code).toBe(2)
    expect(stderr).toContain(problem)
  })

  test('reports a port that is taken', async () => {
    const running = startCli(['broker', '--port', '0', '--json'])
    const [line] = (await once(running.child.stdout!, 'data')) as [string]
    const port = /:(\d+)"/.exec(line)![1]!
    const { code, stderr } = await cli(['broker', '--port', port])
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining('the port is taken') })
    running.child.kill('SIGINT')
    await running.ended
    const socket = connect(Number(port), '127.0.0.1')
    await once(socket, 'error')
  })
})
