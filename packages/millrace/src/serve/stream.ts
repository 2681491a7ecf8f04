/**
 * Snapshots for browsers, once a second, as server-sent events: first `history` with the last five minutes, then `status` after
 * each look.
 *
 * A snapshot is bounded in bytes, and the latest wins: while a client has not taken the last one, it gets no other. So a slow tab
 * costs one snapshot of memory, and never slows the pipeline. Clients that find nothing for 12 seconds should connect again.
 */
import type { ServerResponse } from 'node:http'
import type { Monitor } from './monitor.ts'

const MOST_CLIENTS = 20
const MOST_BYTES = 256 * 1024
const MOST_PARTITIONS = 200
/** How soon clients should connect again. */
const RETRY_MS = 2000

type Client = Pick<ServerResponse, 'writeHead' | 'write' | 'end' | 'on' | 'writableLength'>
type Watchable = Pick<Monitor, 'history' | 'status' | 'onLook'>

export class Streams {
  readonly #monitor: Watchable
  readonly #clients = new Set<Client>()
  #endLook: (() => void) | undefined

  constructor(monitor: Watchable) {
    this.#monitor = monitor
  }

  /** Begins to send. @returns false when there are too many clients */
  open(response: Client): boolean {
    if (this.#clients.size >= MOST_CLIENTS) return false
    response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-store' })
    const history = eventText('history', JSON.stringify(this.#monitor.history()))
    response.write(`retry: ${RETRY_MS}\n\n${history}${statusText(this.#monitor)}`)
    this.#clients.add(response)
    this.#endLook ??= this.#monitor.onLook(() => this.#send())
    response.on('close', () => this.#leave(response))
    return true
  }

  /** The last snapshot says how runs ended. */
  close(): void {
    this.#send()
    for (const client of this.#clients) client.end()
  }

  #leave(client: Client): void {
    this.#clients.delete(client)
    if (this.#clients.size > 0) return
    this.#endLook?.()
    this.#endLook = undefined
  }

  /** All clients get the same bytes. */
  #send(): void {
    const waiting = [...this.#clients].filter(({ writableLength }) => writableLength === 0)
    if (waiting.length === 0) return
    const bytes = Buffer.from(statusText(this.#monitor))
    for (const client of waiting) client.write(bytes)
  }
}

/** The status with as many partitions as fit. */
function statusText(monitor: Watchable): string {
  for (let partitions = MOST_PARTITIONS; ; partitions = Math.floor(partitions / 4)) {
    const json = JSON.stringify(monitor.status(partitions))
    if (partitions === 0 || json.length <= MOST_BYTES) return eventText('status', json)
  }
}

function eventText(event: string, json: string): string {
  return `event: ${event}\ndata: ${json}\n\n`
}
