/**
 * A schema registry for unit tests: the part of Confluent's API that the client uses, over plain HTTP, and whatever odd answer a test
 * puts in its way. It counts requests, so that tests can say how many were sent.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface OddAnswer {
  readonly status?: number
  readonly body?: string
  readonly headers?: { readonly [name: string]: string }
  /** The connection is closed instead. */
  readonly breaks?: boolean
  /** Never answered. */
  readonly hangs?: boolean
}

export interface StoredSchema {
  readonly schema: string
  readonly schemaType?: string
  readonly references?: readonly { readonly name: string; readonly subject: string; readonly version: number }[]
}

export class RegistryServer {
  /** `METHOD path`, in the order in which they came. */
  readonly requests: string[] = []
  /** Headers of the last request. */
  headers: IncomingMessage['headers'] = {}
  /** Answered to the next requests, in place of what is right. */
  readonly odd: OddAnswer[] = []
  /** Answered to every request while it is set. */
  always: OddAnswer | undefined
  /** Answers wait for it. */
  gate: Promise<void> | undefined
  readonly #server: Server
  readonly #texts: StoredSchema[] = []
  readonly #subjects = new Map<string, number[]>()

  private constructor() {
    this.#server = createServer((request, response) => {
      let body = ''
      request.setEncoding('utf8')
      request.on('data', (chunk: string) => (body += chunk))
      request.on('end', () => void this.#handle(request, response, body))
    })
  }

  static async start(): Promise<RegistryServer> {
    const server = new RegistryServer()
    await new Promise<void>((resolve) => server.#server.listen(0, '127.0.0.1', resolve))
    return server
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  /** Registers a schema as a program would have done before. @returns its id */
  add(subject: string, schema: StoredSchema): number {
    const text = JSON.stringify(schema)
    let id = this.#texts.findIndex((one) => JSON.stringify(one) === text) + 1
    if (id === 0) id = this.#texts.push(schema)
    const versions = this.#subjects.get(subject) ?? []
    if (!versions.includes(id)) this.#subjects.set(subject, [...versions, id])
    return id
  }

  async #handle(request: IncomingMessage, response: ServerResponse, body: string): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://registry')
    this.requests.push(`${request.method} ${url.pathname}${url.search}`)
    this.headers = request.headers
    await this.gate
    const odd = this.odd.shift() ?? this.always
    if (odd?.hangs === true) return
    if (odd?.breaks === true) return void request.socket.destroy()
    const [status, answer] = odd === undefined ? this.#answer(request.method ?? '', url.pathname, body) : [200, {}]
    response.writeHead(odd?.status ?? status, { 'content-type': 'application/json', ...odd?.headers })
    response.end(odd?.body ?? JSON.stringify(answer))
  }

  #answer(method: string, path: string, body: string): [status: number, answer: unknown] {
    const parts = path.split('/').slice(1).map(decodeURIComponent)
    if (parts[0] === 'subjects' && parts.length === 1) return [200, [...this.#subjects.keys()]]
    if (parts[0] === 'schemas') {
      const stored = this.#texts[Number(parts[2]) - 1]
      return stored === undefined
        ? [404, { error_code: 40403, message: `Schema ${parts[2]} not found.` }]
        : [200, stored]
    }
    const subject = parts[0] === 'compatibility' ? parts[2]! : parts[1]!
    if (method === 'POST') {
      const { schema, schemaType, references } = JSON.parse(body) as StoredSchema
      const stored: StoredSchema = {
        schema,
        ...(schemaType === 'AVRO' || schemaType === undefined ? {} : { schemaType }),
        ...(references === undefined ? {} : { references }),
      }
      if (parts[0] === 'compatibility') return [200, { is_compatible: schema.includes('good'), messages: ['why not'] }]
      if (schema.includes('incompatible')) return [409, { error_code: 409, message: 'Incompatible schema.' }]
      if (parts.length === 2) {
        const id = this.#texts.findIndex((one) => JSON.stringify(one) === JSON.stringify(stored)) + 1
        if (id === 0) return [404, { error_code: 40403, message: 'Schema not found' }]
        const version = (this.#subjects.get(subject)?.indexOf(id) ?? -1) + 1
        return [200, { subject, version, id, ...stored }]
      }
      return [200, { id: this.add(subject, stored) }]
    }
    const versions = this.#subjects.get(subject)
    const version = parts[3] === 'latest' ? versions?.length : Number(parts[3])
    const id = versions?.[(version ?? 0) - 1]
    if (id === undefined) return [404, { error_code: 40401, message: `Subject '${subject}' not found.` }]
    return [200, { subject, version, id, ...this.#texts[id - 1] }]
  }
}
