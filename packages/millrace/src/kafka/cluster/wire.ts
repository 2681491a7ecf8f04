/**
 * The socket to one broker: frames out, frames in, and which response belongs to which request. It knows nothing of what they say.
 *
 * A broker answers the requests of a connection in their order. Each response repeats the correlation id of its request.
 */
import { connect as connectSocket, type Socket } from 'node:net'
import { connect as connectTls, type ConnectionOptions } from 'node:tls'
import { FrameGatherer } from './frames.ts'

export interface WireOptions {
  readonly connectTimeoutMs: number
  readonly tls?: ConnectionOptions | undefined
  /** Gives the attempt up; without meaning once the connection is open. */
  readonly signal: AbortSignal
}

/** Takes a response without its length, or why there will be none. */
export type OnResponse = (error: Error | undefined, response: Buffer | undefined) => void

/** The connection ended while, or before, a response was awaited. */
export class ConnectionClosed extends Error {
  override readonly name = 'ConnectionClosed'
}

/** The broker answers in TLS to clear text. */
export class TlsRequired extends Error {
  override readonly name = 'TlsRequired'
}

/**
 * Bytes that a socket reads at a time, into one buffer for its whole life. Buffers of Node's own, one per 64 KiB, cost a consumer
 * an eighth of its time.
 */
const RECEIVE_BYTES = 256 * 1024

/** What a TLS alert begins with: its type, and the major version. As the length of a response that would be 353 MB. */
const TLS_ALERT = 0x1503

export class Wire {
  readonly #socket: Socket
  /** Ids of the requests that wait for a response, the oldest first: brokers answer in this order. Not a `Map`, see `resilience/linked-list.ts`. */
  readonly #awaited: number[] = []
  /** Of each of them. */
  readonly #onResponse: OnResponse[] = []
  readonly #closed: Promise<void>
  readonly #frames = new FrameGatherer((frame) => this.#onFrame(frame))
  /** Whether what comes next may be a TLS alert in place of a response. */
  #mayBeTls = false
  #lastId = 0
  #failure: Error | undefined

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('error', (error) => (this.#failure ??= error))
    this.#closed = new Promise((resolve) => {
      socket.once('close', () => {
        this.#failAll()
        resolve()
      })
    })
  }

  /** @throws {Error} of the socket or of TLS */
  static connect(host: string, port: number, options: WireOptions): Promise<Wire> {
    const { connectTimeoutMs, signal, tls } = options
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(new ConnectionClosed('The client was closed'))
      let wire: Wire | undefined
      const onread = {
        buffer: Buffer.allocUnsafeSlow(RECEIVE_BYTES),
        callback(size: number, bytes: Uint8Array): boolean {
          // A broker says nothing before it is asked.
          if (wire !== undefined) wire.#receive((bytes as Buffer).subarray(0, size))
          return true
        },
      }
      const target = { ...tls, port, host, onread }
      const socket = tls === undefined ? connectSocket(target) : connectTls(target)
      socket.setNoDelay(true)
      let failure: Error | undefined
      const finish = (): void => {
        clearTimeout(timer)
        signal.removeEventListener('abort', giveUp)
        socket.off('close', onClose)
        socket.off('error', onError)
      }
      const onError = (error: Error): void => {
        failure ??= error
      }
      const onClose = (): void => {
        finish()
        reject(failure ?? new ConnectionClosed('The broker closed the connection'))
      }
      const giveUp = (): void => void socket.destroy(new ConnectionClosed('The client was closed'))
      const timer = setTimeout(
        () => socket.destroy(new Error(`The connection timed out after ${connectTimeoutMs} ms`)),
        connectTimeoutMs,
      )
      signal.addEventListener('abort', giveUp, { once: true })
      socket.on('error', onError)
      socket.once('close', onClose)
      socket.once(tls === undefined ? 'connect' : 'secureConnect', () => {
        wire = new Wire(socket)
        wire.#mayBeTls = tls === undefined
        finish()
        resolve(wire)
      })
    })
  }

  /** Resolves when it is closed, by whichever side. */
  get closed(): Promise<void> {
    return this.#closed
  }

  get isOpen(): boolean {
    return !this.#socket.destroyed && this.#socket.writable
  }

  /** For the next request. */
  nextId(): number {
    this.#lastId = (this.#lastId + 1) & 0x7fffffff
    return this.#lastId
  }

  /**
   * Sends a request, which must not change before it is answered.
   * @param isAnswered false when there is no response: `onResponse` is then called when the bytes have left
   */
  send(id: number, pieces: readonly Buffer[], isAnswered: boolean, onResponse: OnResponse): void {
    if (!this.isOpen) return onResponse(this.#lost(), undefined)
    const socket = this.#socket
    if (isAnswered) {
      this.#awaited.push(id)
      this.#onResponse.push(onResponse)
    }
    const onWritten = isAnswered
      ? undefined
      : (error?: Error | null): void => onResponse(error ? this.#lost() : undefined, undefined)
    const last = pieces.length - 1
    if (last > 0) socket.cork()
    for (let i = 0; i < last; i++) socket.write(pieces[i]!)
    socket.write(pieces[last]!, onWritten)
    if (last > 0) socket.uncork()
  }

  /** What was written has so long to leave: a broker that reads nothing, but answers the probes of TCP, would keep a socket open for ever. */
  async close(withinMs: number): Promise<void> {
    const socket = this.#socket
    const timer = setTimeout(() => socket.destroy(), withinMs)
    // Requests that are given up may be changed at once, and must not leave half changed.
    if (withinMs === 0) socket.destroy()
    else socket.destroySoon()
    await this.#closed
    clearTimeout(timer)
  }

  #receive(piece: Buffer): void {
    const isAlert = this.#mayBeTls && piece.length > 1 && piece.readUInt16BE() === TLS_ALERT
    this.#mayBeTls = false
    if (isAlert) this.#socket.destroy(new TlsRequired('The broker answers in TLS'))
    else if (!this.#frames.push(piece))
      this.#socket.destroy(new Error('The broker announced a response that is too long'))
  }

  #onFrame(frame: Buffer): void {
    const id = frame.length < 4 ? -1 : frame.readInt32BE()
    const place = this.#awaited.indexOf(id)
    if (place < 0) {
      this.#socket.destroy(new Error(`The broker answered a request that was not sent: correlation id ${id}`))
      return
    }
    this.#awaited.splice(place, 1)
    const [onResponse] = this.#onResponse.splice(place, 1)
    onResponse!(undefined, frame)
  }

  #failAll(): void {
    this.#awaited.length = 0
    for (const onResponse of this.#onResponse.splice(0)) onResponse(this.#lost(), undefined)
  }

  #lost(): Error {
    const failure = this.#failure
    if (failure instanceof TlsRequired) return failure
    return new ConnectionClosed(failure?.message ?? 'the broker closed it', { cause: failure })
  }
}
