/**
 * Requests to a registry: to one of its addresses after the other until one answers, again after a wait, until the time is over.
 *
 * Plain `node:http` and not `fetch`, which takes neither certificates of authorities nor those of clients.
 */
import { request as httpRequest, Agent as HttpAgent, type IncomingMessage } from 'node:http'
import { request as httpsRequest, Agent as HttpsAgent } from 'node:https'
import { AbortedError, AuthenticationError, ClosedError, ConnectionError, RegistryError } from '../errors/index.ts'
import { isObject } from '../options/values.ts'
import { backoffMs, sleep } from '../resilience/retry.ts'
import { readTls } from '../security/tls.ts'
import { parsed, readRefusal } from './answers.ts'
import { authorization, type Authorization } from './credentials.ts'
import type { RegistrySettings } from './settings.ts'

export interface Call {
  readonly method: 'GET' | 'POST'
  /** Below the address, with its parts encoded. */
  readonly path: string
  readonly body?: object | undefined
  /** For messages: `Cannot get schema 5`. */
  readonly action: string
}

interface Answer {
  readonly status: number
  readonly text: string
  readonly location: string | undefined
  /** Milliseconds that the registry asks to wait. */
  readonly retryAfterMs: number
}

const CONTENT_TYPE = 'application/vnd.schemaregistry.v1+json'
/** Schemas are text that people write; what is longer is something else. */
const MAX_ANSWER_BYTES = 32 * 1024 * 1024
const MAX_SOCKETS = 8
const IDLE_MS = 30_000

export class Requests {
  readonly #settings: RegistrySettings
  readonly #directory: string
  readonly #authorization: Authorization
  readonly #closing = new AbortController()
  #agents: Promise<{ readonly http: HttpAgent; readonly https: HttpsAgent }> | undefined
  /** The address that answered last. */
  #current = 0

  constructor(settings: RegistrySettings, directory: string) {
    this.#settings = settings
    this.#directory = directory
    this.#authorization = authorization(settings.credentials, settings.requestTimeoutMs)
  }

  /**
   * The answer to a request, read from JSON by `read`.
   * @throws {ConnectionError} `REGISTRY_UNAVAILABLE` when no address had an answer in time
   * @throws {AuthenticationError} {RegistryError} when the registry refuses; {FileError} {ConfigError} of TLS files
   */
  async send<T>(call: Call, read: (answer: unknown) => T): Promise<T> {
    const { retryTimeoutMs, retryBackoffMs: initialMs, retryBackoffMaxMs: maxMs, urls } = this.#settings
    const deadline = performance.now() + retryTimeoutMs
    let wasRefused = false
    for (let attempt = 1; ; attempt++) {
      let unavailable: ConnectionError
      let askedMs = 0
      try {
        const url = urls[this.#current % urls.length]!
        const answer = await this.#attempt(url, call)
        if (answer.status === 401 && !wasRefused && this.#authorization.refused()) {
          wasRefused = true
          continue
        }
        return readAnswer(url, call, answer, read)
      } catch (error) {
        if (this.#closing.signal.aborted) throw new ClosedError('a schema registry client')
        if (!(error instanceof ConnectionError && error.retriable)) throw error
        unavailable = error
        askedMs = error instanceof Unavailable ? error.retryAfterMs : 0
        this.#current = (this.#current + 1) % urls.length
      }
      // All addresses are tried before the first wait.
      const round = Math.ceil(attempt / urls.length)
      const wait = attempt % urls.length === 0 ? Math.max(askedMs, backoffMs(round, { initialMs, maxMs })) : 0
      if (performance.now() + wait >= deadline) throw unavailable
      await sleep(wait, this.#closing.signal).catch((error: unknown) => {
        throw error instanceof AbortedError ? new ClosedError('a schema registry client') : error
      })
    }
  }

  /** Ends what is running. */
  async close(): Promise<void> {
    this.#closing.abort()
    const agents = await this.#agents?.catch(() => undefined)
    agents?.http.destroy()
    agents?.https.destroy()
  }

  async #attempt(url: string, { method, path, body, action }: Call): Promise<Answer> {
    const { requestTimeoutMs, headers } = this.#settings
    const header = await this.#authorization.header()
    this.#agents ??= this.#makeAgents()
    const agents = await this.#agents
    const signal = AbortSignal.any([this.#closing.signal, AbortSignal.timeout(requestTimeoutMs)])
    const payload = body === undefined ? undefined : Buffer.from(JSON.stringify(body))
    const isSecure = url.startsWith('https:')
    try {
      return await new Promise<Answer>((resolve, reject) => {
        const options = {
          method,
          signal,
          agent: isSecure ? agents.https : agents.http,
          headers: {
            accept: `${CONTENT_TYPE}, application/json`,
            ...(payload === undefined ? {} : { 'content-type': CONTENT_TYPE, 'content-length': payload.length }),
            ...(header === undefined ? {} : { authorization: header }),
            ...headers,
          },
        }
        const sent = (isSecure ? httpsRequest : httpRequest)(`${url}${path}`, options, (response) => {
          readText(response).then((text) => resolve(answerOf(response, text)), reject)
        })
        sent.on('error', reject)
        sent.end(payload)
      })
    } catch (error) {
      throw this.#closing.signal.aborted ? error : unreachable(url, action, error as Error, requestTimeoutMs)
    }
  }

  async #makeAgents(): Promise<{ readonly http: HttpAgent; readonly https: HttpsAgent }> {
    const { tls } = this.#settings
    const common = { keepAlive: true, maxSockets: MAX_SOCKETS, timeout: IDLE_MS }
    const secure = tls === undefined ? {} : await readTls(tls, this.#directory)
    return { http: new HttpAgent(common), https: new HttpsAgent({ ...secure, ...common }) }
  }
}

/** No answer, or one that will be another one later. */
class Unavailable extends ConnectionError {
  readonly retryAfterMs: number
  constructor(url: string, action: string, reason: string, details: { cause?: unknown; retryAfterMs?: number } = {}) {
    super('REGISTRY_UNAVAILABLE', `${action} from the schema registry at "${url}": ${reason}`, { cause: details.cause })
    this.name = 'ConnectionError'
    this.retryAfterMs = details.retryAfterMs ?? 0
  }
}

function readAnswer<T>(url: string, { action }: Call, answer: Answer, read: (answer: unknown) => T): T {
  const { status, text, location, retryAfterMs } = answer
  if (status >= 200 && status < 300) {
    const content = parsed(text)
    if (content === undefined)
      throw new Unavailable(
        url,
        action,
        `its response is not JSON${isPage(text) ? ' but a web page: is this the address of its API?' : ''}`,
      )
    try {
      return read(content)
    } catch (cause) {
      throw new RegistryError(
        'REGISTRY_ERROR',
        `${action} from the schema registry at "${url}": ${(cause as Error).message}`,
        {
          status,
          cause,
        },
      )
    }
  }
  const { registryCode, reason } = readRefusal(text)
  const said = [`status ${status}`, ...(reason === '' ? [] : [reason])].join(', ')
  if (status >= 500 || status === 429 || status === 408) throw new Unavailable(url, action, said, { retryAfterMs })
  if (status === 401 || status === 403)
    throw new AuthenticationError(
      `${action} as the schema registry at "${url}" refused the credentials: ${said}. Check username and password, the token, or the permissions of the account`,
    )
  if (status >= 300 && status < 400)
    throw new RegistryError(
      'REGISTRY_ERROR',
      `${action} as the schema registry at "${url}" responded with a redirect to "${location ?? ''}": set the url to where it is`,
      { status },
    )
  // A 404 of something that is no registry, or of a wrong path, has no code of its own: that is not an answer about a schema.
  if (status === 404 && registryCode === undefined && !isObject(parsed(text)))
    throw new RegistryError(
      'REGISTRY_ERROR',
      `${action} as there is no schema registry at "${url}" (${said}): the address may lack a path such as /apis/ccompat/v7`,
      { status },
    )
  const code =
    status === 404 ? 'SCHEMA_NOT_FOUND' : status === 409 || status === 422 ? 'SCHEMA_REFUSED' : 'REGISTRY_ERROR'
  throw new RegistryError(code, `${action}: the schema registry at "${url}" responded with ${said}`, {
    status,
    registryCode,
  })
}

function isPage(text: string): boolean {
  return /^\s*</.test(text)
}

function answerOf({ statusCode = 0, headers }: IncomingMessage, text: string): Answer {
  const seconds = Number(headers['retry-after'])
  const retryAfterMs = seconds > 0 ? Math.min(seconds * 1000, LONGEST_ASKED_MS) : 0
  return { status: statusCode, text, location: headers.location, retryAfterMs }
}

const LONGEST_ASKED_MS = 30_000

async function readText(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > MAX_ANSWER_BYTES) throw new Error(`its response is longer than ${MAX_ANSWER_BYTES} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}

/** Certificates that are not accepted stay so; everything else may be another time. */
function unreachable(url: string, action: string, error: Error, timeoutMs: number): ConnectionError {
  const { code = '', message } = error as NodeJS.ErrnoException
  const text = `${action} from the schema registry at "${url}"`
  if (TLS_CODES.test(code) || (code === 'EPROTO' && /ssl|tls/i.test(message)))
    return new ConnectionError('TLS_FAILED', `${text}: ${tlsReason(code, message)}`, { cause: error })
  const reason =
    error.name === 'AbortError' || error.name === 'TimeoutError'
      ? `no response within ${timeoutMs} ms`
      : ({ ECONNREFUSED: 'connection refused', ENOTFOUND: 'the host name cannot be resolved' }[code] ?? message)
  return new Unavailable(url, action, reason, { cause: error })
}

const TLS_CODES = /^(?:ERR_TLS|ERR_SSL|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO)/

function tlsReason(code: string, message: string): string {
  if (/WRONG_VERSION_NUMBER/.test(code + message)) return 'it does not use TLS: write http: instead of https:'
  if (/UNABLE_TO|SELF_SIGNED|DEPTH_ZERO/.test(code))
    return `its certificate is not trusted (${code}): set truststoreLocation`
  return message.replace(/\.$/, '')
}
