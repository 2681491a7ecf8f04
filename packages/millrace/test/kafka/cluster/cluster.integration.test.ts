import { createServer, type Server } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Cluster } from '../../../src/kafka/cluster/cluster.ts'
import { bootstrapServers, brokerAvailable, uniqueName } from '../../support/broker.ts'
import { topicBed } from '../../support/topics.ts'

/** What a TLS server sends to a client that does not speak TLS: a fatal alert, "protocol version". */
const ALERT = Buffer.from([0x15, 3, 3, 0, 2, 2, 70])

describe.skipIf(!brokerAvailable)('cluster', () => {
  const bed = topicBed()

  test('says which topic is missing to those that ask for it only', async () => {
    const topic = await bed().create()
    const cluster = new Cluster({ bootstrapServers: [bootstrapServers()], clientId: 'cluster' })
    const missing = uniqueName('missing')
    const [found, refused] = await Promise.allSettled([cluster.refresh([topic]), cluster.refresh([missing])])
    expect(found).toMatchObject({ status: 'fulfilled' })
    expect(refused).toMatchObject({ status: 'rejected', reason: { code: 'TOPIC_NOT_FOUND', topic: missing } })
    expect(cluster.cachedTopic(topic)).toMatchObject({ name: topic })
    await cluster.close()
  })

  // One broker with a wrong certificate failed the whole round, although all others could have answered.
  describe('with a bootstrap server that speaks TLS where the others do not', () => {
    let server: Server
    beforeAll(async () => {
      server = createServer((socket) => socket.on('error', () => {}).end(ALERT))
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    })
    afterAll(() => server.close())

    test('uses the others', async () => {
      const { port } = server.address() as { port: number }
      const wrong = `127.0.0.1:${port}`
      const alone = new Cluster({ bootstrapServers: [wrong], clientId: 'cluster', apiTimeoutMs: 20_000 })
      await expect(alone.connect()).rejects.toMatchObject({ code: 'TLS_FAILED' })
      await alone.close()
      const cluster = new Cluster({
        bootstrapServers: [wrong, bootstrapServers()],
        clientId: 'cluster',
        apiTimeoutMs: 20_000,
      })
      await cluster.connect()
      expect(cluster.brokers.length).toBeGreaterThan(0)
      await cluster.close()
    })
  })
})
