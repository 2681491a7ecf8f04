/**
 * The HTTP server that shows running pipelines: `/metrics`, `/live`, `/ready`, `/status`, `/stream`, and the dashboard at `/`. It only reads.
 *
 * | route | answers |
 * |---|---|
 * | `/metrics` | text for Prometheus |
 * | `/metrics.json` | the same as JSON |
 * | `/live` | 200 while the process is alive: it answers, and no pipeline has failed; else 503 |
 * | `/ready` | 200 when all pipelines read or are able to, else 503 with `reasons` |
 * | `/status` | everything that is known, as JSON |
 * | `/records?pipeline=NAME&stage=ID` | the last records before and after a stage; `failure=ID` in place of `stage`: the record of a failure |
 * | `/stream` | the same once a second, as server-sent events |
 * | `/` | the dashboard |
 *
 * With a token, all but the files of the dashboard, `/live` and `/ready` want it, and `/ready` gives no reasons without it.
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { ConnectionError } from '../errors/index.ts'
import { type HttpAddress, isLoopback } from '../options/http-address.ts'
import { PROMETHEUS_CONTENT_TYPE } from '../metrics/prometheus.ts'
import type { Monitor } from './monitor.ts'
import { type RivvenRole, rivvenAnswer } from './rivven.ts'
import { staticFile } from './static-files.ts'
import { Streams } from './stream.ts'

export interface ServerOptions extends HttpAddress {
  /** Clients must send it as bearer token. */
  readonly token?: string | undefined
  /** Only what Rivven has on one of its ports. */
  readonly rivven?: RivvenRole | undefined
}

/** A server that runs. */
export interface RunningServer {
  /** Where it is, for instance `http://127.0.0.1:9600`. */
  readonly url: string
  /** Ends it, and all connections. May be called twice. */
  close(): Promise<void>
}

/** How long clients may take to send a request. */
const REQUEST_TIMEOUT_MS = 10_000

/** A page may load what is here, and nothing else. */
const SECURITY_HEADERS = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
}

/** @throws {ConnectionError} `HTTP_UNAVAILABLE` when it cannot listen there */
export async function startServer(monitor: Monitor, options: ServerOptions): Promise<RunningServer> {
  const routes = new Routes(monitor, options)
  const server = createServer({ requestTimeout: REQUEST_TIMEOUT_MS }, (request, response) =>
    routes.handle(request, response),
  )
  await listen(server, options)
  // What a server has to say must not keep a run alive that has ended.
  server.unref()
  monitor.start()
  const { port } = server.address() as AddressInfo // it listens on a port
  const host = options.host.includes(':') ? `[${options.host}]` : options.host
  return {
    url: `http://${host}:${port}`,
    async close() {
      monitor.stop()
      routes.close()
      await new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      })
    },
  }
}

function listen(server: Server, { host, port }: HttpAddress): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => reject(unavailable(host, port, cause)))
    server.listen({ host, port }, resolve)
  })
}

function unavailable(host: string, port: number, cause: NodeJS.ErrnoException): ConnectionError {
  const why =
    {
      EADDRINUSE: 'another process uses this port: stop it, or choose another port with http or --http',
      EACCES: 'this user may not open it: choose a port from 1024',
      EADDRNOTAVAIL: 'this machine does not have this address',
      ENOTFOUND: 'there is no host of this name',
    }[cause.code ?? ''] ?? cause.message
  return new ConnectionError('HTTP_UNAVAILABLE', `Cannot serve HTTP at ${host}:${port} as ${why}`, { cause })
}

class Routes {
  readonly #monitor: Monitor
  readonly #token: Buffer | undefined
  readonly #host: string
  readonly #rivven: RivvenRole | undefined
  readonly #streams: Streams

  constructor(monitor: Monitor, { token, host, rivven }: ServerOptions) {
    this.#monitor = monitor
    this.#token = token === undefined ? undefined : digest(token)
    this.#host = host
    this.#rivven = rivven
    this.#streams = new Streams(monitor)
  }

  handle(request: IncomingMessage, response: ServerResponse): void {
    for (const [name, value] of Object.entries(SECURITY_HEADERS)) response.setHeader(name, value)
    this.#route(request, response).catch((error: unknown) => {
      if (response.headersSent) response.destroy()
      else json(response, 500, { error: error instanceof Error ? error.message : String(error) })
    })
  }

  close(): void {
    this.#streams.close()
  }

  async #route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('allow', 'GET, HEAD')
      return json(response, 405, { error: 'This server only reads: use GET' })
    }
    if (!this.#isForUs(request)) return json(response, 421, { error: 'This server does not serve that host' })
    const [path, query] = (request.url ?? '/').split('?') as [string, string?]
    if (this.#rivven !== undefined) return this.#answerAsRivven(path, this.#rivven, response)
    const isAllowed = this.#isAllowed(request)
    const file = path === '/' ? 'index.html' : path.slice(1)
    switch (path) {
      case '/live':
        return this.#live(response)
      case '/ready':
        return this.#ready(response, isAllowed)
    }
    const found = await staticFile(file)
    if (found !== undefined) {
      response.writeHead(200, { 'content-type': found.type, 'cache-control': 'no-cache' })
      response.end(request.method === 'HEAD' ? undefined : found.bytes)
      return
    }
    if (!isAllowed) {
      response.setHeader('www-authenticate', 'Bearer')
      return json(response, 401, { error: 'This server wants a bearer token: send it in the header "authorization"' })
    }
    await this.#guarded(path, new URLSearchParams(query), response)
  }

  async #guarded(path: string, query: URLSearchParams, response: ServerResponse): Promise<void> {
    switch (path) {
      case '/metrics':
        await this.#monitor.refresh()
        response.writeHead(200, { 'content-type': PROMETHEUS_CONTENT_TYPE, 'cache-control': 'no-store' })
        response.end(this.#monitor.metrics())
        return
      case '/metrics.json':
        await this.#monitor.refresh()
        return json(response, 200, this.#monitor.metricsJson())
      case '/status':
        await this.#monitor.refresh()
        return json(response, 200, this.#monitor.status())
      case '/records': {
        const [pipeline, stage, failure] = ['pipeline', 'stage', 'failure'].map((name) => query.get(name) ?? '')
        const found =
          failure === ''
            ? this.#monitor.records(pipeline!, stage!)
            : this.#monitor.failedRecord(pipeline!, Number(failure))
        return found === undefined
          ? json(response, 404, { error: 'There are no such records: /status has the names of pipelines and stages' })
          : json(response, 200, found)
      }
      case '/stream':
        if (!this.#streams.open(response)) json(response, 503, { error: 'Too many dashboards are open' })
        return
      default:
        json(response, 404, { error: `There is no ${path}`, routes: ROUTES })
    }
  }

  #answerAsRivven(path: string, role: RivvenRole, response: ServerResponse): void {
    const answer = rivvenAnswer(this.#monitor, role, path)
    if (answer === undefined) return json(response, 404, { error: `There is no ${path}` })
    response.writeHead(answer.code, { 'content-type': answer.type, 'cache-control': 'no-store' })
    response.end(answer.text)
  }

  #live(response: ServerResponse): void {
    const { isAlive } = this.#monitor
    json(response, isAlive ? 200 : 503, { alive: isAlive })
  }

  async #ready(response: ServerResponse, isAllowed: boolean): Promise<void> {
    await this.#monitor.refresh()
    const { reasons } = this.#monitor
    const ready = reasons.length === 0
    json(response, ready ? 200 : 503, isAllowed ? { ready, reasons } : { ready })
  }

  #isAllowed({ headers }: IncomingMessage): boolean {
    if (this.#token === undefined) return true
    const [, given] = /^Bearer (.+)$/i.exec(headers.authorization ?? '') ?? []
    return given !== undefined && timingSafeEqual(digest(given), this.#token)
  }

  /** A page elsewhere may give its own name our loopback address; then the browser sends that name. */
  #isForUs({ headers }: IncomingMessage): boolean {
    if (!isLoopback(this.#host)) return true
    const [, bracketed, name] = /^(?:\[([^\]]+)\]|([^:]+))(?::\d+)?$/.exec(headers.host ?? '') ?? []
    const host = bracketed ?? name
    return host === undefined || host === this.#host || isLoopback(host)
  }
}

const ROUTES = ['/', '/metrics', '/metrics.json', '/live', '/ready', '/status', '/records', '/stream']

/** Of the same length, whatever was given. */
function digest(token: string): Buffer {
  return createHash('sha256').update(token).digest()
}

function json(response: ServerResponse, code: number, body: unknown): void {
  response.writeHead(code, { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' })
  response.end(`${JSON.stringify(body)}\n`)
}
