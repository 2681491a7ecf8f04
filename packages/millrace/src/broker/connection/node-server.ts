import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import type { NodeAddress } from '../cluster/cluster.ts'
import { ConfigError } from '../../errors/index.ts'
import type { BrokerTls } from '../security/options.ts'
import { Session } from '../security/session.ts'
import { Connection } from './connection.ts'
import { answerFrame, type Dispatcher } from './dispatch.ts'

/** Principal of a client that has not said who it is. */
const ANONYMOUS = 'User:ANONYMOUS'

/** The listener of one node, and its connections. */
export class NodeServer {
  readonly #address: NodeAddress
  readonly #dispatcher: Dispatcher
  readonly #connections = new Set<Connection>()
  readonly #tls: BrokerTls | undefined
  #server: Server | undefined

  /** @param tls connections are in clear text when omitted */
  constructor(address: NodeAddress, dispatcher: Dispatcher, tls?: BrokerTls) {
    this.#tls = tls
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
    const { host, port } = this.#address.listens
    const server = await this.#listener()
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
    if (bound !== null && typeof bound === 'object') {
      this.#address.listens.port = bound.port
      if (this.#address.port === 0) this.#address.port = bound.port
    }
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

  async #listener(): Promise<Server> {
    if (this.#tls === undefined) return createServer((socket) => this.#accept(socket, ANONYMOUS))
    // Loaded only where it is used, as it takes time and memory.
    const { createTlsListener } = await import('./tls-listener.ts')
    return createTlsListener(this.#tls, this.#dispatcher.log, (socket, principal) => this.#accept(socket, principal))
  }

  #accept(socket: Socket, principal: string): void {
    const dispatcher = this.#dispatcher
    const { id } = this.#address
    const session = new Session(dispatcher.broker.security, principal)
    const connection = new Connection(
      socket,
      session,
      (frame, from) => answerFrame(dispatcher, id, frame, from),
      dispatcher.log,
    )
    this.#connections.add(connection)
    connection.onGone(() => this.#connections.delete(connection))
  }
}
