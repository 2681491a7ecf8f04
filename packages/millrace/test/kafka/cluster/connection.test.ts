import { connect, createServer, type Server, type Socket } from 'node:net'
import { once } from 'node:events'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type EmbeddedBroker, startBroker } from '../../../src/broker/index.ts'
import { BrokerConnection } from '../../../src/kafka/cluster/connection.ts'
import { PRODUCE } from '../../../src/kafka/protocol/produce.ts'

/** More than the buffers of a connection hold. */
const RECORDS = Buffer.alloc(32 << 20)

const produce = (acks: 0 | -1) => ({
  transactionalId: null,
  acks,
  timeoutMs: 60_000,
  topics: [{ name: 't', partitions: [{ partition: 0, records: RECORDS }] }],
})

// Closing waited for as long as such a broker answered window probes, which is for ever.
describe('closing a connection to a broker that reads nothing any more', () => {
  let kafka: EmbeddedBroker
  let relay: Server
  let client: Socket
  let connection: BrokerConnection

  beforeEach(async () => {
    kafka = await startBroker({ topics: { t: 1 } })
    const [host, port] = kafka.bootstrapServers.split(':')
    relay = createServer((socket) => {
      client = socket
      const upstream = connect({ host: host!, port: Number(port) })
      for (const each of [socket, upstream]) each.on('error', () => {})
      socket.pipe(upstream).pipe(socket)
      socket.once('close', () => upstream.destroy())
    }).listen(0, '127.0.0.1')
    await once(relay, 'listening')
    connection = await BrokerConnection.open('127.0.0.1', (relay.address() as { port: number }).port, {
      clientId: 'test',
      connectTimeoutMs: 10_000,
      signal: new AbortController().signal,
    })
    client.unpipe()
    client.pause()
  })
  afterEach(async () => {
    client.destroy()
    relay.close()
    await kafka.close()
  })

  test.each<{ what: string; acks: 0 | -1; withinMs: number }>([
    { what: 'destroys the socket at once when a response is awaited', acks: -1, withinMs: 500 },
    { what: 'gives what needs no response a second', acks: 0, withinMs: 5000 },
  ])('$what', async ({ acks, withinMs }) => {
    const sent = connection.send(PRODUCE, connection.version(PRODUCE), produce(acks), { timeoutMs: 60_000 })
    const rejected = expect(sent).rejects.toMatchObject({ code: 'BROKER_DISCONNECTED' })
    const start = performance.now()
    await connection.close()
    expect(performance.now() - start).toBeLessThan(withinMs)
    expect(connection.isOpen).toBe(false)
    await rejected
  })
})
