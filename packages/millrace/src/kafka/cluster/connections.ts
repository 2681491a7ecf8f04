/**
 * Connections to brokers, one per broker and *lane*: a broker answers the requests of one connection in order, so a fetch
 * that waits for data must not stand in front of a heartbeat.
 */
import { setMaxListeners } from 'node:events'
import { ClosedError, ConnectionError } from '../../errors/index.ts'
import { TO_CHANNELS } from '../../metrics/channels.ts'
import type { Happenings } from '../../metrics/events.ts'
import { untilAborted } from '../../resilience/abort.ts'
import type { Address } from './bootstrap.ts'
import { BrokerConnection, type BrokerConnectionOptions } from './connection.ts'

/** A broker by its id, or a bootstrap server by a name of its own. */
export type BrokerNode = number | string

export interface ConnectionsOptions extends Omit<BrokerConnectionOptions, 'signal'> {
  /** What listens to connections that come and go; the channels when omitted. */
  readonly happenings?: Happenings | undefined
}

export class Connections {
  readonly #options: ConnectionsOptions
  readonly #addressOf: (node: BrokerNode) => Address | undefined
  readonly #connections = new Map<string, Promise<BrokerConnection>>()
  readonly #open = new Map<string, BrokerConnection>()
  readonly #closing = new AbortController()
  /** Addresses that were reached at least once. */
  readonly #reached = new Set<string>()

  constructor(options: ConnectionsOptions, addressOf: (node: BrokerNode) => Address | undefined) {
    this.#options = options
    this.#addressOf = addressOf
    setMaxListeners(0, this.#closing.signal) // one per connection that is being opened
  }

  get isClosed(): boolean {
    return this.#closing.signal.aborted
  }

  /**
   * An open connection, or one that is being opened; others may wait for it too, so a signal ends only the waiting.
   * @throws {ConnectionError} {ClosedError} {AbortedError}
   */
  get(node: BrokerNode, lane: string, signal: AbortSignal | undefined): Promise<BrokerConnection> {
    const key = `${node}/${lane}`
    const connection = this.#kept(node, key)
    return this.#open.has(key) ? connection : untilAborted(connection, 'Connecting', signal)
  }

  /** Closes all connections; requests under way fail. May be called twice. */
  async close(): Promise<void> {
    this.#closing.abort()
    const connections = [...this.#connections.values()]
    this.#connections.clear()
    this.#open.clear()
    await Promise.all(
      connections.map((opening) =>
        opening.then(
          (connection) => connection.close(),
          () => {},
        ),
      ),
    )
  }

  #kept(node: BrokerNode, key: string): Promise<BrokerConnection> {
    if (this.isClosed) return Promise.reject(new ClosedError('a client'))
    const known = this.#connections.get(key)
    if (known !== undefined && this.#open.get(key)?.isOpen !== false) return known
    const address = this.#addressOf(node)
    if (address === undefined)
      return Promise.reject(
        new ConnectionError('BROKER_UNREACHABLE', `Broker ${node} is not part of the cluster at the moment`),
      )
    this.#open.delete(key)
    const opening = this.#connect(node, address)
    this.#connections.set(key, opening)
    opening.then(
      (connection) => {
        if (this.isClosed) return connection.close()
        if (this.#connections.get(key) === opening) this.#open.set(key, connection)
        return undefined
      },
      () => {
        if (this.#connections.get(key) === opening) this.#connections.delete(key)
      },
    )
    return opening
  }

  async #connect(node: BrokerNode, address: Address): Promise<BrokerConnection> {
    const { host, port } = address
    try {
      const connection = await BrokerConnection.open(host, port, { ...this.#options, signal: this.#closing.signal })
      this.#reached.add(`${host}:${port}`)
      this.#options.metrics?.connected()
      this.#report('broker.connected', connection)
      const onClosed = (): void => {
        if (!this.isClosed) this.#report('broker.disconnected', connection)
      }
      connection.closed.then(onClosed, onClosed)
      return connection
    } catch (error) {
      if (!this.isClosed) this.#options.metrics?.connectionFailed(error)
      const isUnreachable = error instanceof ConnectionError && error.code === 'BROKER_UNREACHABLE'
      if (typeof node !== 'number' || !isUnreachable || this.#reached.has(`${host}:${port}`)) throw error
      throw new ConnectionError(
        'BROKER_UNREACHABLE',
        `${error.message}. This is the address that broker ${node} advertises: if clients cannot reach it, correct advertised.listeners of that broker`,
        { cause: error },
      )
    }
  }

  #report(event: 'broker.connected' | 'broker.disconnected', { address }: BrokerConnection): void {
    const { happenings = TO_CHANNELS, clientId } = this.#options
    if (!happenings.hears(event)) return
    const text =
      event === 'broker.connected'
        ? `Connected to broker "${address}"`
        : `The connection to broker "${address}" was lost`
    happenings.report(text, { event, clientId, broker: address })
  }
}
