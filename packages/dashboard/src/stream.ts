/**
 * Reads the snapshots of the server. `fetch` instead of `EventSource`, which cannot send a token.
 *
 * When nothing comes for 12 seconds, or the connection breaks, it connects again after two seconds; in a hidden tab, when the tab is
 * shown again.
 */
import type { HistoryPoint, Status } from './data.ts'

const WATCHDOG_MS = 12_000
const RETRY_MS = 2000

export interface StreamListener {
  onHistory(history: { readonly [pipeline: string]: readonly HistoryPoint[] }): void
  onStatus(status: Status): void
  onLost(): void
  /** The server wants a token, or another one. */
  onLocked(): void
}

export class Stream {
  readonly #listener: StreamListener
  #token: string | undefined
  #abort = new AbortController()
  #timer: ReturnType<typeof setTimeout> | undefined
  #watchdog: ReturnType<typeof setTimeout> | undefined

  constructor(listener: StreamListener, token: string | undefined) {
    this.#listener = listener
    this.#token = token
    document.addEventListener('visibilitychange', () => {
      if (document.visibilityState === 'visible' && this.#timer !== undefined) this.#connectNow()
    })
    this.#connectNow()
  }

  /** Connects again with a token. */
  unlock(token: string): void {
    this.#token = token
    this.#connectNow()
  }

  /** Asks for records. @returns undefined when there are none, or the server cannot be reached */
  async ask<T>(query: { readonly [name: string]: string }): Promise<T | undefined> {
    try {
      const response = await fetch(`records?${new URLSearchParams(query)}`, {
        headers: this.#headers,
        cache: 'no-store',
      })
      return response.ok ? ((await response.json()) as T) : undefined // what the server says there
    } catch {
      return undefined
    }
  }

  get #headers(): { [name: string]: string } {
    return this.#token === undefined ? {} : { authorization: `Bearer ${this.#token}` }
  }

  #connectNow(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#abort.abort()
    const abort = (this.#abort = new AbortController())
    this.#read(abort).catch(() => {
      if (abort !== this.#abort) return
      clearTimeout(this.#watchdog)
      this.#listener.onLost()
      this.#timer = setTimeout(() => this.#connectNow(), RETRY_MS)
    })
  }

  async #read(abort: AbortController): Promise<void> {
    this.#watch(abort)
    const response = await fetch('stream', { headers: this.#headers, signal: abort.signal, cache: 'no-store' })
    if (response.status === 401) {
      clearTimeout(this.#watchdog)
      this.#listener.onLocked()
      return
    }
    if (!response.ok || response.body === null) throw new Error(`HTTP ${response.status}`)
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader()
    let text = ''
    for (;;) {
      const { value, done } = await reader.read()
      if (done) throw new Error('The server closed the stream')
      this.#watch(abort)
      text += value
      for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
        this.#take(text.slice(0, end))
        text = text.slice(end + 2)
      }
    }
  }

  #watch(abort: AbortController): void {
    clearTimeout(this.#watchdog)
    this.#watchdog = setTimeout(() => abort.abort(), WATCHDOG_MS)
  }

  #take(block: string): void {
    const [, event, data] = /^event: (\w+)\ndata: (.*)$/.exec(block) ?? []
    if (event === 'history') this.#listener.onHistory(JSON.parse(data!) as { [pipeline: string]: HistoryPoint[] })
    if (event === 'status') this.#listener.onStatus(JSON.parse(data!) as Status)
  }
}
