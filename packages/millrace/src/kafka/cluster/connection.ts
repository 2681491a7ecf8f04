/**
 * One connection to one broker: connect, agree on API versions, authenticate, send requests.
 *
 * `wire.ts` carries the frames. Here are SASL and re-authentication, a timeout and an `AbortSignal` per request, versions negotiated
 * with this very broker, and errors that say which address and what the cause often is.
 */
import { isIP } from 'node:net'
import type { ConnectionOptions } from 'node:tls'
import { AbortedError, ConnectionError, isMillraceError } from '../../errors/index.ts'
import { inBackground } from '../../resilience/background.ts'
import type { ApiCall, ApiName } from '../protocol/api-call.ts'
import { API_VERSIONS } from '../protocol/api-versions.ts'
import { connectFailure } from './connect-failure.ts'
import type { ConnectionMetrics } from './connection-metrics.ts'
import { brokerError } from '../protocol/kafka-errors.ts'
import { offeredMechanisms } from '../security/authenticate.ts'
import type { SaslMechanism } from '../security/conversation.ts'
import { SaslSession, type SessionPeer } from '../security/session.ts'
import { ConnectionClosed, TlsRequired, Wire } from './wire.ts'

export interface VersionRange {
  readonly min: number
  readonly max: number
}

export interface SecurityOptions {
  readonly tls?: ConnectionOptions
  /** For which the certificate must be; the name of the host when omitted. */
  readonly tlsServerName?: string
  readonly sasl?: SaslMechanism
}

export interface BrokerConnectionOptions extends SecurityOptions {
  readonly clientId: string
  readonly connectTimeoutMs: number
  /** Gives the attempt up; without meaning once the connection is open. */
  readonly signal: AbortSignal
  /** Counts requests. */
  readonly metrics?: ConnectionMetrics | undefined
}

export interface SendOptions {
  readonly timeoutMs: number
  readonly signal?: AbortSignal | undefined
}

/** How long what was written may take to leave when a connection is closed. */
const CLOSE_MS = 1000

export class BrokerConnection {
  readonly address: string
  readonly #wire: Wire
  readonly #clientId: string
  readonly #metrics: ConnectionMetrics | undefined
  readonly #versions = new Map<number, VersionRange>()
  readonly #features = new Map<string, number>()
  /** Whether a request has been answered since the connection is open. */
  #answered = false
  /** Requests that the broker has not answered. */
  #underWay = 0
  #onIdle: (() => void) | undefined
  #session: SaslSession | undefined

  private constructor(address: string, wire: Wire, clientId: string, metrics: ConnectionMetrics | undefined) {
    this.address = address
    this.#wire = wire
    this.#clientId = clientId
    this.#metrics = metrics
  }

  /**
   * Connects, authenticates and asks for the API versions.
   * @throws {ConnectionError} `BROKER_UNREACHABLE` with the likely cause
   * @throws {AuthenticationError}
   */
  static async open(host: string, port: number, options: BrokerConnectionOptions): Promise<BrokerConnection> {
    const address = `${host}:${port}`
    const { tls, sasl, connectTimeoutMs, signal, clientId } = options
    const secure = tls !== undefined
    // A server name that is an address is not allowed (RFC 6066); the certificate is checked against the address all the same.
    const servername = options.tlsServerName ?? (isIP(host) === 0 ? host : undefined)
    let broker: BrokerConnection | undefined
    const giveUp = (): void => inBackground(broker!.#wire.close(0), () => {})
    try {
      const wire = await Wire.connect(host, port, {
        connectTimeoutMs,
        signal,
        tls: tls === undefined || servername === undefined ? tls : { ...tls, servername },
      })
      broker = new BrokerConnection(address, wire, clientId, options.metrics)
      signal.addEventListener('abort', giveUp, { once: true })
      await broker.#negotiate(connectTimeoutMs)
      if (sasl !== undefined) {
        broker.#session = new SaslSession(broker.#peer(host, connectTimeoutMs), sasl)
        await broker.#session.begin(signal)
      }
    } catch (error) {
      await broker?.close()
      throw connectFailure(address, secure, error)
    } finally {
      signal.removeEventListener('abort', giveUp)
    }
    broker.#answered = false
    return broker
  }

  /** Resolves when it is closed, by whichever side. */
  get closed(): Promise<void> {
    return this.#wire.closed
  }

  get isOpen(): boolean {
    return this.#wire.isOpen
  }

  /** The highest version of a call that both sides speak. @throws {ConnectionError} `UNSUPPORTED_BROKER` */
  version(call: ApiName, max = Infinity): number {
    const range = this.#versions.get(call.key)
    const highest = Math.min(call.max, max, range?.max ?? -1)
    if (range === undefined || highest < Math.max(call.min, range.min)) {
      const theirs = range === undefined ? 'none' : `${range.min} to ${range.max}`
      throw new ConnectionError(
        'UNSUPPORTED_BROKER',
        `Cannot send ${call.name} to broker "${this.address}" as no version is supported by both: the broker supports ${theirs}, Millrace ${call.min} to ${Math.min(call.max, max)}`,
      )
    }
    return highest
  }

  /** Whether the broker speaks a call in at least this version. */
  speaks(call: ApiName, version: number): boolean {
    const range = this.#versions.get(call.key)
    return range !== undefined && version >= range.min && version <= range.max
  }

  /** Level of a feature that the cluster has agreed on, for instance `transaction.version`; 0 when it has not. */
  feature(name: string): number {
    return this.#features.get(name) ?? 0
  }

  /**
   * Sends one request. A response that carries error codes is a response: the caller reads them.
   *
   * @throws {ConnectionError} `REQUEST_TIMED_OUT` (the connection is closed, as answers come in order), `BROKER_DISCONNECTED`
   * @throws {AbortedError} when the signal fires; the answer is then ignored
   */
  send<Q, R>(call: ApiCall<Q, R>, version: number, request: Q, options: SendOptions): Promise<R> {
    const session = this.#session
    if (session?.isRenewing !== true) return this.#send(call, version, request, options)
    return new Promise((resolve, reject) => {
      session.hold(() => {
        this.#send(call, version, request, options).then(resolve, reject)
      })
    })
  }

  #send<Q, R>(call: ApiCall<Q, R>, version: number, request: Q, options: SendOptions): Promise<R> {
    const { signal } = options
    if (signal?.aborted) return Promise.reject(new AbortedError(call.name, { cause: signal.reason }))
    return new Promise<R>((resolve, reject) => {
      const id = this.#wire.nextId()
      const pieces = call.encode(version, id, this.#clientId, request)
      const finish = (): void => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', onAbort)
      }
      const onAbort = (): void => {
        finish()
        reject(new AbortedError(call.name, { cause: signal?.reason }))
      }
      const timer = setTimeout(() => {
        finish()
        const error = new ConnectionError(
          'REQUEST_TIMED_OUT',
          `Broker "${this.address}" did not respond to ${call.name} within ${options.timeoutMs} ms`,
        )
        this.#metrics?.requestFailed(call, error)
        reject(error)
        inBackground(this.close(), () => {}) // nothing is left to be told
      }, options.timeoutMs)
      signal?.addEventListener('abort', onAbort, { once: true })
      this.#underWay++
      const isAnswered = call.isAnswered?.(request) ?? true
      const startedAt = performance.now()
      this.#wire.send(id, pieces, isAnswered, (error, response) => {
        finish()
        if (--this.#underWay === 0) this.#onIdle?.()
        if (error !== undefined) return reject(this.#failed(call, error))
        this.#metrics?.responded(call, startedAt)
        this.#answered = true
        // A request without a response has no result.
        if (response === undefined) return resolve(undefined as R)
        try {
          resolve(call.decode(version, response))
        } catch (cause) {
          reject(cause)
        }
      })
    })
  }

  /** For a connection that broke at its first request. @returns the mechanisms of a broker that wants SASL */
  async offeredMechanisms(timeoutMs: number): Promise<readonly string[] | undefined> {
    return offeredMechanisms(this.#peer('', timeoutMs)).catch(() => undefined)
  }

  /** Requests under way fail at once; what needs no answer has a second to leave. */
  close(): Promise<void> {
    this.#session?.end()
    return this.#wire.close(this.#underWay > 0 ? 0 : CLOSE_MS)
  }

  #peer(host: string, timeoutMs: number): SessionPeer {
    const isOpen = (): boolean => this.isOpen
    return {
      host,
      address: this.address,
      get isOpen() {
        return isOpen()
      },
      ask: (call, request) => this.#send(call, this.version(call), request, { timeoutMs }),
      idle: () => this.#idle(),
      close: () => this.close(),
    }
  }

  /** Resolves when everything is answered; what is lost with the connection counts as answered. */
  #idle(): Promise<void> {
    return this.#underWay === 0 ? Promise.resolve() : new Promise((resolve) => (this.#onIdle = resolve))
  }

  async #negotiate(timeoutMs: number): Promise<void> {
    const us = { clientSoftwareName: 'millrace', clientSoftwareVersion: '0.1.0' }
    let answer = await this.#send(API_VERSIONS, 3, us, { timeoutMs })
    // A broker that does not know version 3 answers in version 0 with UNSUPPORTED_VERSION (KIP-511).
    if (answer.errorCode !== 0) answer = await this.#send(API_VERSIONS, 0, {}, { timeoutMs })
    if (answer.errorCode !== 0)
      throw brokerError(answer.errorCode, `Cannot ask broker "${this.address}" for its API versions`)
    for (const { apiKey, minVersion, maxVersion } of answer.apiKeys)
      this.#versions.set(apiKey, { min: minVersion, max: maxVersion })
    for (const { name, maxVersionLevel } of answer.finalizedFeatures) this.#features.set(name, maxVersionLevel)
  }

  #failed(call: ApiName, error: Error): Error {
    const failure = this.#requestFailure(call, error)
    this.#metrics?.requestFailed(call, failure)
    return failure
  }

  #requestFailure(call: ApiName, error: Error): Error {
    if (isMillraceError(error)) return error
    if (error instanceof TlsRequired) {
      return new ConnectionError(
        'TLS_FAILED',
        `Broker "${this.address}" responded with TLS, but the client uses clear text: set security.protocol to SSL or SASL_SSL`,
        { cause: error },
      )
    }
    if (!this.#answered && error instanceof ConnectionClosed) {
      return new ConnectionError(
        'BROKER_DISCONNECTED',
        `Broker "${this.address}" closed the connection right after the first request, which often means that it requires TLS or SASL: check security.protocol`,
        { cause: error },
      )
    }
    return new ConnectionError(
      'BROKER_DISCONNECTED',
      `The connection to broker "${this.address}" broke while ${call.name} was in flight: ${error.message}`,
      { cause: error },
    )
  }
}
