import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import type { NodeAddress } from '../cluster/cluster.ts'
import { ConfigError } from '../../errors/index.ts'
import { Connection } from './connection.ts'
import { answerFrame, type Dispatcher } from './dispatch.ts'

/** The listener of one node, and its connections. */
export class NodeServer {
  readonly #address: NodeAddress
  readonly #dispatcher: Dispatcher
  readonly #connections = new Set<Connection>()
  #server: Server | undefined

  constructor(address: NodeAddress, dispatcher: Dispatcher) {
    this.#address = address
    this.#dispatcher = dispatcher
  }

  get connections(): number {
    return this.#connections.size
  }

  /**
   * Listens at the port of the node, or at a free one when that is 0, which it then keeps.
   *
   * @throws {ConfigError} the port is taken, or the address is none of this machine
   */
  async start(): Promise<void> {
    if (this.#server !== undefined) return
    const { host, port } = this.#address
    const server = createServer((socket) => this.#accept(socket))
    server.listen({ host, port })
    try {
      await once(server, 'listening')
    } catch (cause) {
      const reason =
        (cause as NodeJS.ErrnoException).code === 'EADDRINUSE' ? 'the port is taken' : (cause as Error).message
      throw new ConfigError(`Cannot listen at ${host}:${port} as ${reason}: choose another port`, [], { cause })
    }
    this.#server = server
    const bound = server.address()
    if (bound !== null && typeof bound === 'object') this.#address.port = bound.port
    this.#address.running = true
  }

  /** Closes the listener and all connections at once. */
  async stop(): Promise<void> {
    const server = this.#server
    if (server === undefined) return
    this.#server = undefined
    this.#address.running = false
    const closed = new Promise<void>((resolve) => server.close(() => resolve()))
    for (const connection of this.#connections) connection.close()
    await closed
  }

  #accept(socket: Socket): void {
    const dispatcher = this.#dispatcher
    const { id } = this.#address
    const connection = new Connection(socket, (frame, from) => answerFrame(dispatcher, id, frame, from), dispatcher.log)
    this.#connections.add(connection)
    connection.onGone(() => this.#connections.delete(connection))
  }
}
