/**
 * One connection to one broker: connect, agree on API versions, authenticate, send requests.
 *
 * The protocol library does TLS and frames. What is ours: SASL and re-authentication, request timeouts per call, an `AbortSignal`, versions
 * negotiated with this very broker, and errors that say which address and what the cause often is.
 */
import { isIP } from 'node:net'
import { Connection, type ConnectionOptions } from '@platformatic/kafka'
import { AbortedError, ConnectionError, isMillraceError } from '../../errors/index.ts'
import { inBackground } from '../../resilience/background.ts'
import type { ApiCall } from '../protocol/api-call.ts'
import { API_VERSIONS, type ApiVersionsAnswer } from '../protocol/api-versions.ts'
import { connectFailure } from './connect-failure.ts'
import { gatherFrames } from './frames.ts'
import { brokerError } from '../protocol/kafka-errors.ts'
import { offeredMechanisms } from '../security/authenticate.ts'
import type { SaslMechanism } from '../security/conversation.ts'
import { SaslSession, type SessionPeer } from '../security/session.ts'

export interface VersionRange {
  readonly min: number
  readonly max: number
}

export interface SecurityOptions extends Pick<ConnectionOptions, 'tls' | 'tlsServerName'> {
  readonly sasl?: SaslMechanism
}

export interface BrokerConnectionOptions extends SecurityOptions {
  readonly clientId: string
  readonly connectTimeoutMs: number
  /** Gives the attempt up; without meaning once the connection is open. */
  readonly signal: AbortSignal
}

export interface SendOptions {
  readonly timeoutMs: number
  readonly signal?: AbortSignal | undefined
}

/** The protocol library's own limits, set so wide that ours always come first. */
const NEVER_MS = 2_000_000_000

/** How long what was written may take to leave when a connection is closed. */
const CLOSE_MS = 1000

export class BrokerConnection {
  readonly address: string
  readonly #connection: Connection
  readonly #versions = new Map<number, VersionRange>()
  readonly #features = new Map<string, number>()
  /** Whether a request has been answered since the connection is open. */
  #answered = false
  /** Requests that the broker has not answered. */
  #underWay = 0
  #onIdle: (() => void) | undefined
  #session: SaslSession | undefined

  private constructor(address: string, connection: Connection) {
    this.address = address
    this.#connection = connection
  }

  /**
   * Connects, authenticates and asks for the API versions.
   * @throws {ConnectionError} `BROKER_UNREACHABLE` with the likely cause
   * @throws {AuthenticationError}
   */
  static async open(host: string, port: number, options: BrokerConnectionOptions): Promise<BrokerConnection> {
    const address = `${host}:${port}`
    const secure = options.tls !== undefined
    // A server name that is an address is not allowed (RFC 6066); the certificate is checked against the address all the same.
    const connection = new Connection(options.clientId, {
      connectTimeout: options.connectTimeoutMs,
      requestTimeout: NEVER_MS,
      maxInflights: 1000,
      ...(options.tls === undefined
        ? {}
        : { tls: options.tls, tlsServerName: options.tlsServerName ?? isIP(host) === 0 }),
    })
    // Failures reach us through the callbacks; an 'error' event without a listener would end the process.
    let socketError: unknown
    connection.on('error', (error) => (socketError ??= error))
    const giveUp = (): void => inBackground(closeWithin(0, connection), () => {})
    options.signal.addEventListener('abort', giveUp, { once: true })
    try {
      await connection.connect(host, port)
    } catch (error) {
      options.signal.removeEventListener('abort', giveUp)
      throw connectFailure(address, secure, error, socketError)
    }
    const broker = new BrokerConnection(address, connection)
    const { sasl, connectTimeoutMs } = options
    try {
      await broker.#negotiate(connectTimeoutMs)
      // Only now: the first answer tells the library when it is TLS.
      gatherFrames(connection.socket)
      if (sasl !== undefined) {
        broker.#session = new SaslSession(broker.#peer(host, connectTimeoutMs), sasl)
        await broker.#session.begin(options.signal)
      }
    } catch (error) {
      await broker.close()
      throw connectFailure(address, secure, error, socketError)
    } finally {
      options.signal.removeEventListener('abort', giveUp)
    }
    broker.#answered = false
    return broker
  }

  get isOpen(): boolean {
    return this.#connection.isConnected()
  }

  /** The highest version of a call that both sides speak. @throws {ConnectionError} `UNSUPPORTED_BROKER` */
  version(call: ApiCall, max = Infinity): number {
    const range = this.#versions.get(call.key)
    const ours = Object.keys(call.versions)
      .map(Number)
      .filter((version) => version <= max)
    const common = range === undefined ? [] : ours.filter((version) => version >= range.min && version <= range.max)
    if (common.length === 0) {
      const theirs = range === undefined ? 'none' : `${range.min} to ${range.max}`
      throw new ConnectionError(
        'UNSUPPORTED_BROKER',
        `Cannot send ${call.name} to broker "${this.address}" as no version is supported by both: the broker supports ${theirs}, Millrace ${Math.min(...ours)} to ${Math.max(...ours)}`,
      )
    }
    return Math.max(...common)
  }

  /** Whether the broker speaks a call in at least this version. */
  speaks(call: ApiCall, version: number): boolean {
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
  send<R>(call: ApiCall, version: number, args: readonly unknown[], options: SendOptions): Promise<R> {
    const session = this.#session
    if (session?.isRenewing !== true) return this.#send(call, version, args, options)
    return new Promise((resolve, reject) => {
      session.hold(() => {
        this.#send<R>(call, version, args, options).then(resolve, reject)
      })
    })
  }

  #send<R>(call: ApiCall, version: number, args: readonly unknown[], options: SendOptions): Promise<R> {
    const { signal } = options
    if (signal?.aborted) return Promise.reject(new AbortedError(call.name, { cause: signal.reason }))
    return new Promise<R>((resolve, reject) => {
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
        reject(
          new ConnectionError(
            'REQUEST_TIMED_OUT',
            `Broker "${this.address}" did not respond to ${call.name} within ${options.timeoutMs} ms`,
          ),
        )
        inBackground(this.close(), () => {}) // nothing is left to be told
      }, options.timeoutMs)
      signal?.addEventListener('abort', onAbort, { once: true })
      this.#underWay++
      call.versions[version]!(this.#connection, ...args, (error: unknown, response: R) => {
        finish()
        if (--this.#underWay === 0) this.#onIdle?.()
        const answer = error === null || error === undefined ? response : responseOf<R>(error)
        if (answer === undefined) return reject(this.#requestFailure(call, error))
        this.#answered = true
        resolve(answer)
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
    return closeWithin(this.#underWay > 0 ? 0 : CLOSE_MS, this.#connection)
  }

  #peer(host: string, timeoutMs: number): SessionPeer {
    const isOpen = (): boolean => this.isOpen
    return {
      host,
      address: this.address,
      get isOpen() {
        return isOpen()
      },
      ask: (call, args) => this.#send(call, this.version(call), args, { timeoutMs }),
      idle: () => this.#idle(),
      close: () => this.close(),
    }
  }

  /** Resolves when everything is answered; what is lost with the connection counts as answered. */
  #idle(): Promise<void> {
    return this.#underWay === 0 ? Promise.resolve() : new Promise((resolve) => (this.#onIdle = resolve))
  }

  async #negotiate(timeoutMs: number): Promise<void> {
    let answer = await this.#send<ApiVersionsAnswer>(API_VERSIONS, 3, ['millrace', '0.1.0'], { timeoutMs })
    // A broker that does not know version 3 answers in version 0 with UNSUPPORTED_VERSION (KIP-511).
    if (answer.errorCode !== 0) answer = await this.#send<ApiVersionsAnswer>(API_VERSIONS, 0, [], { timeoutMs })
    if (answer.errorCode !== 0)
      throw brokerError(answer.errorCode, `Cannot ask broker "${this.address}" for its API versions`)
    for (const { apiKey, minVersion, maxVersion } of answer.apiKeys)
      this.#versions.set(apiKey, { min: minVersion, max: maxVersion })
    for (const { name, maxVersionLevel } of answer.finalizedFeatures ?? []) this.#features.set(name, maxVersionLevel)
  }

  #requestFailure(call: ApiCall, error: unknown): Error {
    if (isMillraceError(error)) return error
    const text = messageOf(error)
    if (text.includes('requires TLS')) {
      return new ConnectionError(
        'TLS_FAILED',
        `Broker "${this.address}" responded with TLS, but the client uses clear text: set security.protocol to SSL or SASL_SSL`,
        { cause: error },
      )
    }
    if (!this.#answered && text.includes('Connection closed')) {
      return new ConnectionError(
        'BROKER_DISCONNECTED',
        `Broker "${this.address}" closed the connection right after the first request, which often means that it requires TLS or SASL: check security.protocol`,
        { cause: error },
      )
    }
    return new ConnectionError(
      'BROKER_DISCONNECTED',
      `The connection to broker "${this.address}" broke while ${call.name} was in flight: ${text}`,
      { cause: error },
    )
  }
}

/** A broker that reads nothing, but answers the probes of TCP, would keep a socket that has something to write open for ever. */
function closeWithin(ms: number, connection: Connection): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => connection.socket?.destroy(), ms)
    connection.close(() => {
      clearTimeout(timer)
      resolve()
    })
  })
}

/** The response that came with an error of the protocol library, when there was one. */
function responseOf<R>(error: unknown): R | undefined {
  return (error as { response?: R } | null)?.response
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
