/** A client that sends one request and reads its answer, for tests of what a broker says byte by byte. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { FrameGatherer } from '../../src/kafka/cluster/frames.ts'
import { decodeResponse, encodeRequest } from '../../src/protocol/frames.ts'
import type { Api, Decoded } from '../../src/protocol/message.ts'

interface Waiting {
  resolve(frame: Buffer): void
  reject(error: Error): void
}

export class RawClient implements Disposable {
  readonly socket: Socket
  /** Of a request that names none. */
  clientId = 'raw'
  readonly #waiting: Waiting[] = []
  #correlationId = 0

  private constructor(socket: Socket) {
    this.socket = socket
    const gatherer = new FrameGatherer((frame) => this.#waiting.shift()?.resolve(frame))
    socket.on('data', (piece: Buffer) => gatherer.push(piece))
    socket.on('error', () => {})
    socket.on('close', () => {
      for (const waiting of this.#waiting.splice(0)) waiting.reject(new Error('The broker closed the connection'))
    })
  }

  /** @param address such as `127.0.0.1:9092` */
  static async connect(address: string): Promise<RawClient> {
    const [host, port] = address.split(':')
    const socket = connect({ host: host!, port: Number(port), noDelay: true })
    await once(socket, 'connect')
    return new RawClient(socket)
  }

  /** Sends a request and waits for the answer. */
  async request<Q, R>(api: Api<Q, R>, version: number, request: Q): Promise<Decoded<R>> {
    const correlationId = ++this.#correlationId
    const frame = new Promise<Buffer>((resolve, reject) => this.#waiting.push({ resolve, reject }))
    this.#write(encodeRequest(api, version, correlationId, this.clientId, request))
    const { correlationId: answered, response } = decodeResponse(api, version, await frame)
    if (answered !== correlationId) throw new Error(`Answer ${answered} came to request ${correlationId}`)
    return response
  }

  /** Sends a request that has no answer. */
  send<Q, R>(api: Api<Q, R>, version: number, request: Q): void {
    this.#write(encodeRequest(api, version, ++this.#correlationId, this.clientId, request))
  }

  /** Waits for the next frame, of something that was written by hand. */
  expectFrame(): Promise<Buffer> {
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }))
  }

  #write(pieces: readonly Buffer[]): void {
    for (const piece of pieces) this.socket.write(piece)
  }

  close(): void {
    this.socket.destroy()
  }

  [Symbol.dispose](): void {
    this.close()
  }
}
