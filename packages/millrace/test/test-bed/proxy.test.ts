import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { freePorts } from '../../../../test-bed/probe.ts'
import { Proxy } from '../../../../test-bed/proxy.ts'

const PRODUCE = 0
const FETCH = 1

/** Something that answers each frame with its correlation id and as many bytes as the request says. */
let server: Server
let proxy: Proxy
let accepted: Set<Socket>

beforeEach(async () => {
  accepted = new Set()
  server = createServer((socket) => {
    accepted.add(socket)
    let held = Buffer.alloc(0)
    socket.on('error', () => {})
    socket.on('data', (chunk: Buffer) => {
      held = Buffer.concat([held, chunk])
      while (held.length >= 4 && held.length >= 4 + held.readInt32BE(0)) {
        const size = held.readInt32BE(12)
        const answer = Buffer.alloc(8 + size, 7)
        answer.writeInt32BE(4 + size, 0)
        answer.writeInt32BE(held.readInt32BE(8), 4)
        socket.write(answer)
        held = held.subarray(4 + held.readInt32BE(0))
      }
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const [port] = await freePorts(1)
  proxy = await Proxy.start(port!, (server.address() as AddressInfo).port)
})

afterEach(async () => {
  await proxy.close()
  for (const socket of accepted) socket.destroy()
  await new Promise((resolve) => server.close(resolve))
})

class Client {
  readonly socket = connect({ port: proxy.port, host: '127.0.0.1' })
  readonly closed = new Promise<void>((resolve) => this.socket.once('close', () => resolve()))
  #received = Buffer.alloc(0)
  #next = 0
  constructor() {
    this.socket.on('error', () => {})
    this.socket.on('data', (chunk: Buffer) => (this.#received = Buffer.concat([this.#received, chunk])))
  }
  send(api: number, answerBytes = 0): number {
    const request = Buffer.alloc(16)
    request.writeInt32BE(12, 0)
    request.writeInt16BE(api, 4)
    request.writeInt32BE(++this.#next, 8)
    request.writeInt32BE(answerBytes, 12)
    this.socket.write(request)
    return this.#next
  }
  /** Correlation ids and sizes of the answers so far. */
  get answers(): { id: number; size: number }[] {
    const answers: { id: number; size: number }[] = []
    for (let at = 0; at + 8 <= this.#received.length;) {
      const size = this.#received.readInt32BE(at)
      if (at + 4 + size > this.#received.length) break
      answers.push({ id: this.#received.readInt32BE(at + 4), size: size - 4 })
      at += 4 + size
    }
    return answers
  }
  async answered(count: number): Promise<void> {
    await expect.poll(() => this.answers.length, { interval: 5 }).toBeGreaterThanOrEqual(count)
  }
}

describe('proxy', () => {
  test('passes everything on unchanged and in order', async () => {
    const client = new Client()
    const sizes = [0, 1, 100, 300_000, 5, 70_000]
    for (const size of sizes) client.send(FETCH, size)
    await client.answered(sizes.length)
    expect(client.answers).toEqual(sizes.map((size, i) => ({ id: i + 1, size })))
    client.socket.destroy()
  })

  test('loses the answer to the one kind of request and cuts its connection', async () => {
    const client = new Client()
    const lost = proxy.loseAnswer('Produce', 'cut')
    client.send(FETCH)
    await client.answered(1)
    client.send(PRODUCE)
    await Promise.all([lost, client.closed])
    expect(client.answers).toEqual([{ id: 1, size: 0 }])
    const next = new Client()
    next.send(PRODUCE)
    await next.answered(1)
    next.socket.destroy()
  })

  test('loses a response silently: the connection stays open and nothing arrives any more', async () => {
    const client = new Client()
    const other = new Client()
    const lost = proxy.loseAnswer('Produce', 'silence')
    client.send(PRODUCE)
    await lost
    client.send(FETCH)
    other.send(FETCH)
    await other.answered(1)
    expect(client.answers).toEqual([])
    expect(client.socket.destroyed).toBe(false)
    client.socket.destroy()
    other.socket.destroy()
  })

  test('keeps an answer that is no longer to be lost', async () => {
    const client = new Client()
    void proxy.loseAnswer('Produce', 'cut')
    proxy.keepAnswers('Produce')
    client.send(PRODUCE)
    await client.answered(1)
    client.socket.destroy()
  })

  test('delays each answer without holding up those behind it', async () => {
    proxy.delayMs = 300
    const client = new Client()
    const started = performance.now()
    for (let i = 0; i < 20; i++) client.send(FETCH)
    await client.answered(20)
    const took = performance.now() - started
    expect(took).toBeGreaterThanOrEqual(600)
    // One after the other they would take twelve seconds.
    expect(took).toBeLessThan(9000)
    client.socket.destroy()
  })

  test('lets bytes trickle', async () => {
    proxy.bytesPerSecond = 50_000
    const client = new Client()
    const started = performance.now()
    client.send(FETCH, 10_000)
    await client.answered(1)
    expect(performance.now() - started).toBeGreaterThan(150)
    client.socket.destroy()
  })

  test('cuts what is open, refuses while it is down and accepts again', async () => {
    const client = new Client()
    client.send(FETCH)
    await client.answered(1)
    expect(proxy.cut()).toBe(1)
    await client.closed
    await proxy.down()
    const refused = new Client()
    await refused.closed
    await proxy.up()
    const back = new Client()
    back.send(FETCH)
    await back.answered(1)
    back.socket.destroy()
  })
})
