import { createServer } from 'node:net'
import { describe, expect, test } from 'vitest'
import { type BrokerNode, Connections } from '../../../src/kafka/cluster/connections.ts'

/** A port on which nothing listens. */
async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}

describe('connections', () => {
  // The operator checked the address in the file again and again, and that one was right.
  test.each<{ name: string; node: BrokerNode; isAdvertised: boolean }>([
    { name: 'that a broker advertises', node: 1, isAdvertised: true },
    { name: 'of the options', node: 'bootstrap-0', isAdvertised: false },
  ])('say whose address $name it is when nothing answers there', async ({ node, isAdvertised }) => {
    const port = await freePort()
    const connections = new Connections({ clientId: 'test', connectTimeoutMs: 1000 }, () => ({
      host: '127.0.0.1',
      port,
    }))
    const error: unknown = await connections.get(node, 'control', undefined).catch((reason: unknown) => reason)
    expect(error).toMatchObject({
      code: 'BROKER_UNREACHABLE',
      message: expect.stringContaining(`127.0.0.1:${port}`),
    })
    expect((error as Error).message.includes('correct advertised.listeners of that broker')).toBe(isAdvertised)
    await connections.close()
  })
})
