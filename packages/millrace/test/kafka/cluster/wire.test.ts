import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { ConnectionClosed, TlsRequired, Wire } from '../../../src/kafka/cluster/wire.ts'

const never = new AbortController().signal
const servers: Server[] = []
const wires: Wire[] = []
afterEach(async () => {
  await Promise.all(wires.splice(0).map((wire) => wire.close(0)))
  for (const server of servers.splice(0)) server.close()
})

/** A wire, and the socket at its other end. */
async function connected(): Promise<{ wire: Wire; broker: Socket }> {
  const server = createServer().listen(0, '127.0.0.1')
  servers.push(server)
  await once(server, 'listening')
  const accepted = once(server, 'connection') as Promise<[Socket]>
  const { port } = server.address() as { port: number }
  const wire = await Wire.connect('127.0.0.1', port, { connectTimeoutMs: 5000, signal: never })
  wires.push(wire)
  const [broker] = await accepted
  broker.on('error', () => {})
  return { wire, broker }
}

/** A response: size, correlation id and text. */
function response(id: number, text: string): Buffer {
  const body = Buffer.from(`----${text}`)
  body.writeInt32BE(id)
  const size = Buffer.alloc(4)
  size.writeInt32BE(body.length)
  return Buffer.concat([size, body])
}

/** Sends a request of one byte. @returns its id, and the text of the response */
function ask(wire: Wire, isAnswered = true): { id: number; answer: Promise<string | undefined> } {
  const id = wire.nextId()
  const answer = new Promise<string | undefined>((resolve, reject) => {
    wire.send(id, [Buffer.from('x'), Buffer.from('y')], isAnswered, (error, frame) => {
      if (error === undefined) resolve(frame?.toString('utf8', 4))
      else reject(error)
    })
  })
  answer.catch(() => {}) // looked at later
  return { id, answer }
}

describe('a wire', () => {
  test('gives each request its own response, however the bytes are cut', async () => {
    const { wire, broker } = await connected()
    const asked = [ask(wire), ask(wire), ask(wire)]
    const bytes = Buffer.concat(asked.map(({ id }) => response(id, `answer ${id}`)))
    for (const byte of bytes) {
      broker.write(Buffer.from([byte]))
      await new Promise((resolve) => setImmediate(resolve))
    }
    for (const { id, answer } of asked) expect(await answer).toBe(`answer ${id}`)
  })

  test('fails what is awaited when the broker closes the connection, and everything after that', async () => {
    const { wire, broker } = await connected()
    const asked = [ask(wire), ask(wire)]
    broker.write(response(asked[0]!.id, 'first'))
    expect(await asked[0]!.answer).toBe('first')
    broker.destroy()
    await expect(asked[1]!.answer).rejects.toThrow(ConnectionClosed)
    expect(wire.isOpen).toBe(false)
    await expect(ask(wire).answer).rejects.toThrow(ConnectionClosed)
  })

  test('ends a request without a response when its bytes have left', async () => {
    const { wire, broker } = await connected()
    const { answer } = ask(wire, false)
    expect(await answer).toBeUndefined()
    const [received] = (await once(broker, 'data')) as [Buffer]
    expect(received.toString()).toBe('xy')
    // Later responses are not taken for its own.
    const next = ask(wire)
    broker.write(response(next.id, 'next'))
    expect(await next.answer).toBe('next')
  })

  test('says that the broker answers in TLS', async () => {
    const { wire, broker } = await connected()
    const { answer } = ask(wire)
    broker.write(Buffer.from([0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 0x46]))
    await expect(answer).rejects.toThrow(TlsRequired)
  })

  test.each([
    { what: 'a response to no request', bytes: response(99, 'whose?'), reason: 'was not sent: correlation id 99' },
    { what: 'a response without an id', bytes: Buffer.from([0, 0, 0, 1, 7]), reason: 'correlation id -1' },
    { what: 'a length that cannot be', bytes: Buffer.from([0x7f, 0xff, 0xff, 0xff, 0]), reason: 'too long' },
  ])('closes the connection at $what', async ({ bytes, reason }) => {
    const { wire, broker } = await connected()
    const { answer } = ask(wire)
    broker.write(bytes)
    await expect(answer).rejects.toThrow(reason)
    expect(wire.isOpen).toBe(false)
  })

  test('closes in time although the broker reads nothing', async () => {
    const { wire, broker } = await connected()
    broker.pause()
    const id = wire.nextId()
    wire.send(id, [Buffer.alloc(32 << 20)], false, () => {})
    const start = performance.now()
    await wire.close(100)
    expect(performance.now() - start).toBeLessThan(5000)
  })

  test('is given up when the signal fires, and when the time is over', async () => {
    const aborted = Wire.connect('127.0.0.1', 1, { connectTimeoutMs: 5000, signal: AbortSignal.abort() })
    await expect(aborted).rejects.toThrow(ConnectionClosed)
    // Accepts, and says nothing to a handshake.
    const server = createServer().listen(0, '127.0.0.1')
    servers.push(server)
    await once(server, 'listening')
    const { port } = server.address() as { port: number }
    const silent = Wire.connect('127.0.0.1', port, { connectTimeoutMs: 50, signal: never, tls: {} })
    await expect(silent).rejects.toThrow('timed out after 50 ms')
  })
})
