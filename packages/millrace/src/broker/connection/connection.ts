/**
 * A connection of a client: frames come in, requests are answered one after the other, in order, as Kafka does.
 *
 * Bytes are bounded on both sides. A frame that is longer than `MAX_REQUEST_BYTES` or not a request closes the connection.
 * Reading stops while requests wait, and no request is begun while the client has not taken what it was sent.
 */
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { FrameGatherer } from '../../kafka/cluster/frames.ts'
import type { Session } from '../security/session.ts'

/** `socket.request.max.bytes` */
const MAX_REQUEST_BYTES = 104_857_600
/** Bytes of requests that wait, from which on nothing more is read. */
const MAX_WAITING_BYTES = 8 * 1024 * 1024
/** Bytes of answers that are not sent, from which on no request is begun. */
const MAX_UNSENT_BYTES = 8 * 1024 * 1024

/** The client is disconnected without an answer. */
export const DISCONNECT: unique symbol = Symbol('disconnect')
/** Pieces of the answer; `undefined` when there is none. */
export type Answer = readonly Buffer[] | undefined | typeof DISCONNECT

export class Connection {
  readonly session: Session
  readonly remoteHost: string
  readonly #socket: Socket
  readonly #answer: (frame: Buffer, connection: Connection) => Answer | Promise<Answer>
  readonly #log: (line: string) => void
  readonly #waiting: Buffer[] = []
  readonly #goneCallbacks = new Set<() => void>()
  #waitingBytes = 0
  #working = false

  /** @param answer called with one request after the other, without their lengths */
  constructor(
    socket: Socket,
    session: Session,
    answer: (frame: Buffer, connection: Connection) => Answer | Promise<Answer>,
    log: (line: string) => void,
  ) {
    this.#socket = socket
    this.session = session
    // Every request asks for it, and the socket would ask the system.
    this.remoteHost = socket.remoteAddress ?? ''
    this.#answer = answer
    this.#log = log
    socket.setNoDelay(true)
    const gatherer = new FrameGatherer((frame) => this.#push(frame), MAX_REQUEST_BYTES)
    socket.on('data', (piece: Buffer) => {
      if (!gatherer.push(piece)) this.#refuse(new Error(`A request must be at most ${MAX_REQUEST_BYTES} bytes long`))
    })
    // A client that resets its connection has gone, like any other; `close` follows.
    socket.on('error', () => {})
    socket.once('close', () => {
      this.#waiting.length = 0
      for (const callback of this.#goneCallbacks) callback()
      this.#goneCallbacks.clear()
    })
  }

  get isOpen(): boolean {
    return !this.#socket.destroyed
  }

  onGone(callback: () => void): () => void {
    this.#goneCallbacks.add(callback)
    return () => this.#goneCallbacks.delete(callback)
  }

  close(): void {
    this.#socket.destroy()
  }

  #push(frame: Buffer): void {
    this.#waiting.push(frame)
    this.#waitingBytes += frame.length
    if (this.#waitingBytes > MAX_WAITING_BYTES) this.#socket.pause()
    if (!this.#working) this.#work().catch((error: unknown) => this.#refuse(error))
  }

  async #work(): Promise<void> {
    this.#working = true
    try {
      for (let frame = this.#waiting.shift(); frame !== undefined; frame = this.#waiting.shift()) {
        let answer = this.#answer(frame, this)
        if (answer instanceof Promise) answer = await answer
        this.#waitingBytes -= frame.length
        if (!this.isOpen) return
        if (answer === DISCONNECT) return this.close()
        if (answer !== undefined && !this.#send(answer)) await this.#drained()
        if (this.session.isOver) {
          this.#socket.end()
          return
        }
        if (this.#waitingBytes <= MAX_WAITING_BYTES && this.#socket.isPaused()) this.#socket.resume()
      }
    } finally {
      this.#working = false
    }
  }

  /** @returns whether there is room for more */
  #send(pieces: readonly Buffer[]): boolean {
    const socket = this.#socket
    socket.cork()
    for (const piece of pieces) socket.write(piece)
    socket.uncork()
    return socket.writableLength <= MAX_UNSENT_BYTES
  }

  async #drained(): Promise<void> {
    const gone = new AbortController()
    const forget = this.onGone(() => gone.abort())
    try {
      if (this.isOpen && this.#socket.writableNeedDrain) await once(this.#socket, 'drain', { signal: gone.signal })
    } catch (error) {
      if (!gone.signal.aborted) throw error
    } finally {
      forget()
    }
  }

  #refuse(error: unknown): void {
    if (!this.isOpen) return
    this.#log(`Closed a connection from ${this.remoteHost}: ${error instanceof Error ? error.message : String(error)}`)
    this.close()
  }
}
