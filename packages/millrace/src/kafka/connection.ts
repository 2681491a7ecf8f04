/**
 * One connection to one broker: connect, authenticate, agree on API versions, send requests.
 *
 * The protocol library does TLS, SASL and re-authentication. What is ours: request timeouts per call, an `AbortSignal`,
 * versions negotiated with this very broker, and errors that say which address and what the cause often is.
 */
import { isIP } from 'node:net'
import { apiVersionsV0, apiVersionsV3, Connection, type ConnectionOptions } from '@platformatic/kafka'
import { AbortedError, AuthenticationError, ConnectionError, isMillraceError } from '../errors/index.ts'
import { gatherFrames } from './frames.ts'
import { brokerError } from './protocol/kafka-errors.ts'

/** A request of the protocol library in one version: writes the request, reads the response. */
export interface ApiVersion {
  // oxlint-disable-next-line typescript/no-explicit-any -- each version of each request has arguments of its own
  (connection: Connection, ...args: any[]): void
}

/** A request in all versions that we can speak. */
export interface ApiCall {
  /** Kafka's name, for messages. */
  readonly name: string
  readonly key: number
  /** By version number. */
  readonly versions: { readonly [version: number]: ApiVersion }
}

export interface VersionRange {
  readonly min: number
  readonly max: number
}

export type SecurityOptions = Pick<ConnectionOptions, 'tls' | 'tlsServerName' | 'sasl'>

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

export class BrokerConnection {
  readonly address: string
  readonly #connection: Connection
  readonly #versions = new Map<number, VersionRange>()
  readonly #features = new Map<string, number>()
  #answered = false

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
      ...(options.sasl === undefined ? {} : { sasl: options.sasl }),
    })
    // Failures reach us through the callbacks; an 'error' event without a listener would end the process.
    connection.on('error', () => {})
    const giveUp = (): void => connection.close(() => {})
    options.signal.addEventListener('abort', giveUp, { once: true })
    try {
      await connection.connect(host, port)
    } catch (error) {
      options.signal.removeEventListener('abort', giveUp)
      throw connectFailure(address, secure, error)
    }
    const broker = new BrokerConnection(address, connection)
    try {
      await broker.#negotiate(options.connectTimeoutMs)
      // Only now: the first answer tells the library when it is TLS.
      gatherFrames(connection.socket)
    } catch (error) {
      await broker.close()
      throw connectFailure(address, secure, error)
    } finally {
      options.signal.removeEventListener('abort', giveUp)
    }
    return broker
  }

  get isOpen(): boolean {
    return this.#connection.isConnected() || this.#connection.status === 'reauthenticating'
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
        `Cannot send ${call.name} to broker "${this.address}" as no version is shared: the broker speaks ${theirs}, Millrace ${Math.min(...ours)} to ${Math.max(...ours)}`,
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
            `Broker "${this.address}" did not answer ${call.name} within ${options.timeoutMs} ms`,
          ),
        )
        void this.close()
      }, options.timeoutMs)
      signal?.addEventListener('abort', onAbort, { once: true })
      call.versions[version]!(this.#connection, ...args, (error: unknown, response: R) => {
        finish()
        const answer = error === null || error === undefined ? response : responseOf<R>(error)
        if (answer === undefined) return reject(this.#requestFailure(call, error))
        this.#answered = true
        resolve(answer)
      })
    })
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#connection.close(() => resolve())
    })
  }

  async #negotiate(timeoutMs: number): Promise<void> {
    interface Answer {
      readonly errorCode: number
      readonly apiKeys: readonly { readonly apiKey: number; readonly minVersion: number; readonly maxVersion: number }[]
      readonly finalizedFeatures?: readonly { readonly name: string; readonly maxVersionLevel: number }[]
    }
    const call: ApiCall = {
      name: 'ApiVersions',
      key: 18,
      versions: { 0: apiVersionsV0.api as ApiVersion, 3: apiVersionsV3.api as ApiVersion },
    }
    let answer = await this.send<Answer>(call, 3, ['millrace', '0.1.0'], { timeoutMs })
    // A broker that does not know version 3 answers in version 0 with UNSUPPORTED_VERSION (KIP-511).
    if (answer.errorCode !== 0) answer = await this.send<Answer>(call, 0, [], { timeoutMs })
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
        'BROKER_UNREACHABLE',
        `Broker "${this.address}" answered in TLS, but the client speaks clear text: set security.protocol to SSL or SASL_SSL`,
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
      `The connection to broker "${this.address}" broke while ${call.name} was under way: ${text}`,
      { cause: error },
    )
  }
}

/** The response that came with an error of the protocol library, when there was one. */
function responseOf<R>(error: unknown): R | undefined {
  return (error as { response?: R } | null)?.response
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

interface ErrorLink {
  readonly code?: string
  readonly message: string
  readonly cause?: unknown
  readonly errors?: readonly unknown[]
}

/** The error and its causes, down to the error of the socket. */
function chainOf(error: unknown): ErrorLink[] {
  const chain: ErrorLink[] = []
  for (
    let link = error as ErrorLink | null | undefined;
    link !== null && link !== undefined && chain.length < 8;
    link = (link.cause ?? link.errors?.[0]) as typeof link
  )
    chain.push(link)
  return chain
}

const CAUSES: readonly { readonly sign: RegExp; readonly text: string }[] = [
  {
    sign: /ECONNREFUSED/,
    text: 'connection refused, so nothing listens there: is the broker running, and is the port right',
  },
  { sign: /ENOTFOUND|EAI_AGAIN/, text: 'the host name is not known: is it spelled right' },
  { sign: /EHOSTUNREACH|ENETUNREACH/, text: 'no route to the host' },
  {
    sign: /wrong version number|packet length too long|EPROTO/i,
    text: 'the answer is not TLS, so this seems to be a clear-text port: set security.protocol to PLAINTEXT or SASL_PLAINTEXT, or use the TLS port',
  },
  {
    sign: /requires TLS|answered in TLS/,
    text: 'the broker speaks TLS there: set security.protocol to SSL or SASL_SSL',
  },
  {
    sign: /self.signed|unable to verify|unable to get (local )?issuer/i,
    text: 'its certificate is not signed by a trusted authority: set ssl.truststore.location (PEM) to the authority’s certificate',
  },
  {
    sign: /certificate required|handshake failure|bad certificate/i,
    text: 'the broker wants a client certificate: set ssl.keystore.location (PEM)',
  },
  { sign: /altnames|does not match certificate/i, text: 'its certificate is for another host name' },
  {
    sign: /secure TLS connection was established|ECONNRESET|Connection closed|closed the connection/,
    text: 'the connection was closed at once, which often means that one side speaks TLS or SASL and the other does not: check security.protocol',
  },
  {
    sign: /timed out|ETIMEDOUT/i,
    text: 'no answer in time: a firewall, a wrong port, or a listener of another protocol',
  },
]

function connectFailure(address: string, secure: boolean, error: unknown): Error {
  const chain = chainOf(error)
  const root = chain.at(-1)!
  // A TLS port that is spoken to in clear text closes the connection during the handshake of SASL.
  const isClosed = root.message.startsWith('Connection closed')
  if (
    !isClosed &&
    chain.some(({ code, message }) => code === 'PLT_KFK_AUTHENTICATION' || message.includes('SASL mechanism'))
  ) {
    return new AuthenticationError(
      `Broker "${address}" refused the credentials: ${root.message.replace(/\.$/, '')}. Check sasl.mechanism, user name and password`,
      { cause: error },
    )
  }
  const text = chain.map(({ code, message }) => `${code ?? ''} ${message}`).join(' ')
  const cause = CAUSES.find(({ sign }) => sign.test(text))?.text ?? root.message
  return new ConnectionError(
    'BROKER_UNREACHABLE',
    `Cannot reach broker "${address}"${secure ? ' over TLS' : ''}: ${cause}`,
    { cause: error },
  )
}
