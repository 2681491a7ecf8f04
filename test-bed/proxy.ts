/**
 * A TCP proxy before a broker that does to connections what networks do: breaks them, lets them hang, slows them down, and
 * loses the one answer that a test wants lost.
 *
 * Clients find it because the broker advertises its port (`sideDoors` of `startKafka`). It cuts both streams into Kafka's
 * frames and remembers which request each answer belongs to; it changes no byte.
 */

import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { type KafkaCluster, type SideDoor, startKafka } from './kafka.ts'
import { freePortRange } from './probe.ts'

/** Requests by the number with which they begin. */
const API_KEYS = {
  Produce: 0,
  Fetch: 1,
  OffsetCommit: 8,
  JoinGroup: 11,
  Heartbeat: 12,
  SyncGroup: 14,
  InitProducerId: 22,
  AddPartitionsToTxn: 24,
  AddOffsetsToTxn: 25,
  EndTxn: 26,
  TxnOffsetCommit: 28,
} as const

export type Api = keyof typeof API_KEYS

/**
 * What becomes of a connection whose answer was lost. TCP loses nothing in the middle of a stream: either the connection
 * breaks (`cut`), or nothing comes any more and nobody is told (`silence`, a half-open connection).
 */
export type Loss = 'cut' | 'silence'

interface Link {
  readonly client: Socket
  readonly broker: Socket
  /** Api key by correlation id, of requests without an answer so far. */
  readonly asked: Map<number, number>
  silent: boolean
}

/** Bytes that may wait in one direction of a slow connection. */
const HELD_BYTES = 4 << 20
const SLICE_MS = 20

export class Proxy {
  /** Time that every frame takes, there as well as back. */
  delayMs = 0
  /** Bytes per second and direction of each connection. */
  bytesPerSecond = Infinity
  /** Further time that answers of some kind take. */
  readonly answerDelayMs = new Map<Api, number>()
  readonly port: number
  readonly #server: Server
  readonly #target: number
  readonly #links = new Set<Link>()
  readonly #losses = new Map<number, { readonly loss: Loss; readonly done: () => void }>()

  private constructor(server: Server, target: number) {
    this.#server = server
    this.#target = target
    this.port = (server.address() as AddressInfo).port
    server.on('connection', (client) => this.#accept(client))
  }

  /** Listens on one port of the loopback interface and passes on to another. */
  static async start(port: number, target: number): Promise<Proxy> {
    const server = createServer({ noDelay: true })
    await listen(server, port)
    return new Proxy(server, target)
  }

  /**
   * Loses the next answer to a request of this kind: the broker has done what was asked, and the client is not told.
   *
   * @returns a promise of that moment; at most one per kind may be open
   */
  loseAnswer(api: Api, loss: Loss): Promise<void> {
    return new Promise((done) => this.#losses.set(API_KEYS[api], { loss, done }))
  }

  /** Loses no answer of this kind any more. */
  keepAnswers(api: Api): void {
    this.#losses.delete(API_KEYS[api])
  }

  /** Breaks all connections. @returns how many there were */
  cut(): number {
    const { size } = this.#links
    for (const link of this.#links) end(link)
    return size
  }

  /** Lets all connections of this moment hang: they stay open, and nothing passes any more. */
  silence(): void {
    for (const link of this.#links) link.silent = true
  }

  /** Is gone, as a broker whose machine is: connections break, and new ones are refused. */
  async down(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    this.cut()
    await closed
  }

  /** Is back, at the same port. */
  async up(): Promise<void> {
    await listen(this.#server, this.port)
  }

  close(): Promise<void> {
    return this.down()
  }

  #accept(client: Socket): void {
    const link: Link = {
      client,
      broker: connect({ port: this.#target, host: '127.0.0.1', noDelay: true }),
      asked: new Map(),
      silent: false,
    }
    this.#links.add(link)
    for (const socket of [link.client, link.broker]) {
      socket.on('error', () => end(link))
      socket.on('close', () => {
        end(link)
        this.#links.delete(link)
      })
    }
    void this.#pass(link, link.client, link.broker, (frame) => {
      link.asked.set(frame.readInt32BE(8), frame.readInt16BE(4))
      return 0
    })
    void this.#pass(link, link.broker, link.client, (frame) => this.#answer(link, frame))
  }

  /** @returns how long the answer is to be held back */
  #answer(link: Link, frame: Buffer): number {
    const id = frame.readInt32BE(4)
    const key = link.asked.get(id)
    link.asked.delete(id)
    if (key === undefined) return 0
    const lost = this.#losses.get(key)
    if (lost !== undefined) {
      this.#losses.delete(key)
      if (lost.loss === 'cut') end(link)
      link.silent = true
      lost.done()
    }
    for (const [api, delayMs] of this.answerDelayMs) if (API_KEYS[api] === key) return delayMs
    return 0
  }

  /** Passes frames on in order, each when its time has come. */
  async #pass(link: Link, from: Socket, to: Socket, look: (frame: Buffer) => number): Promise<void> {
    let held = 0
    let last = Promise.resolve()
    try {
      for await (const frame of frames(from)) {
        const due = performance.now() + this.delayMs + look(frame)
        // What a silent link sends is read all the same: neither side may notice.
        if (link.silent) continue
        held += frame.length
        last = last
          .then(async () => {
            const wait = due - performance.now()
            if (wait > 0) await sleep(wait)
            if (!link.silent) await this.#send(to, frame)
            held -= frame.length
          })
          .catch(() => end(link))
        if (held > HELD_BYTES) await last
      }
      await last
    } catch {
      // The connection broke; both ends are told below.
    }
    end(link)
  }

  async #send(to: Socket, frame: Buffer): Promise<void> {
    for (let sent = 0; sent < frame.length && !to.destroyed;) {
      const slow = this.bytesPerSecond < Infinity
      const size = slow ? Math.max(1, Math.floor((this.bytesPerSecond * SLICE_MS) / 1000)) : frame.length
      const isTaken = to.write(frame.subarray(sent, sent + size))
      sent += size
      if (slow) await sleep(SLICE_MS)
      if (!isTaken && !to.destroyed) await Promise.race([once(to, 'drain'), once(to, 'close')])
    }
  }
}

async function listen(server: Server, port: number): Promise<void> {
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
}

function end({ client, broker }: Link): void {
  client.destroy()
  broker.destroy()
}

/** Cuts a stream into frames: four bytes with the length, and what follows. */
async function* frames(socket: Socket): AsyncGenerator<Buffer, void, undefined> {
  let chunks: Buffer[] = []
  let held = 0
  let needed = 4
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    chunks.push(chunk)
    held += chunk.length
    while (held >= needed) {
      const bytes = chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)
      needed = 4 + bytes.readInt32BE(0)
      chunks = [bytes]
      if (held < needed) break
      yield bytes.subarray(0, needed)
      chunks = [bytes.subarray(needed)]
      held -= needed
      needed = 4
    }
  }
}

/** A cluster whose brokers can be reached directly and through proxies. */
export interface ProxiedKafka {
  readonly kafka: KafkaCluster
  /** One for each broker, in their order. */
  readonly proxies: readonly Proxy[]
  /** Addresses of the proxies. */
  readonly bootstrapServers: string
  stop(): Promise<void>
}

/**
 * Starts an ephemeral cluster with a proxy before each broker.
 *
 * @param start starts the brokers; those of Apache Kafka when omitted
 */
export async function startProxied(
  brokers: 1 | 3,
  start: (options: { brokers: 1 | 3; ephemeral: true; sideDoors: SideDoor[] }) => Promise<KafkaCluster> = startKafka,
): Promise<ProxiedKafka> {
  const first = await freePortRange(2 * brokers)
  const sideDoors = Array.from({ length: brokers }, (_, i) => ({
    port: first + i,
    advertisedPort: first + brokers + i,
  }))
  const kafka = await start({ brokers, ephemeral: true, sideDoors })
  const proxies = await Promise.all(sideDoors.map(({ port, advertisedPort }) => Proxy.start(advertisedPort, port)))
  return {
    kafka,
    proxies,
    bootstrapServers: proxies.map(({ port }) => `127.0.0.1:${port}`).join(','),
    async stop() {
      await Promise.all(proxies.map((proxy) => proxy.close()))
      await kafka.stop()
    },
  }
}
