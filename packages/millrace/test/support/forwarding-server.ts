/** A server in front of another one, which can go down while that one stays: and counts what was asked. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

export class ForwardingServer {
  /** `METHOD path`, in the order in which they came. */
  readonly requests: string[] = []
  readonly #server: Server

  private constructor(target: string) {
    this.#server = createServer((request, response) => {
      this.requests.push(`${request.method} ${request.url}`)
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => {
        const body = chunks.length === 0 ? undefined : Buffer.concat(chunks)
        const headers = { 'content-type': request.headers['content-type'] ?? 'application/json' }
        fetch(`${target}${request.url}`, { method: request.method ?? 'GET', headers, body: body ?? null }).then(
          async (answer) => {
            response.writeHead(answer.status, { 'content-type': 'application/json' })
            response.end(Buffer.from(await answer.arrayBuffer()))
          },
          () => request.socket.destroy(),
        )
      })
    })
  }

  static async start(target: string): Promise<ForwardingServer> {
    const server = new ForwardingServer(target)
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
}
