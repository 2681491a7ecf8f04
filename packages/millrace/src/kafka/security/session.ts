/**
 * The session that SASL opens on a connection, and its renewal (KIP-368): a broker closes a connection that speaks in a session that has ended,
 * so the client authenticates again before that.
 *
 * Between SaslHandshake and the last SaslAuthenticate a broker takes no other request. So a renewal waits until everything under way is answered,
 * and requests wait until the renewal is over.
 */
import { inBackground } from '../../resilience/background.ts'
import { untilAborted } from '../../resilience/abort.ts'
import { retry } from '../../resilience/retry.ts'
import { authenticate, type SaslPeer } from './authenticate.ts'
import type { Conversation, SaslMechanism } from './conversation.ts'

/** A connection whose session is renewed. */
export interface SessionPeer extends SaslPeer {
  readonly host: string
  readonly isOpen: boolean
  /** Resolves when the broker has answered everything. */
  idle(): Promise<void>
  close(): Promise<void>
}

const RENEWAL_BACKOFF = { initialMs: 500, maxMs: 5000 }
/** Timers take no more. */
const MAX_TIMER_MS = 2_000_000_000

export class SaslSession {
  readonly #peer: SessionPeer
  readonly #mechanism: SaslMechanism
  readonly #closing = new AbortController()
  #held: (() => void)[] | undefined
  #timer: NodeJS.Timeout | undefined

  constructor(peer: SessionPeer, mechanism: SaslMechanism) {
    this.#peer = peer
    this.#mechanism = mechanism
  }

  /** Whether requests have to wait. */
  get isRenewing(): boolean {
    return this.#held !== undefined
  }

  /** @throws {AuthenticationError} {ConnectionError} */
  async begin(signal: AbortSignal): Promise<void> {
    await this.#converse(await this.#mechanism.prepare(this.#peer.host, signal))
  }

  /** Puts a request off until the renewal is over; they are sent in their order. */
  hold(send: () => void): void {
    this.#held!.push(send)
  }

  /** No more renewals. May be called twice. */
  end(): void {
    clearTimeout(this.#timer)
    this.#closing.abort()
  }

  async #converse(conversation: Conversation): Promise<void> {
    const lifetimeMs = await authenticate(this.#peer, this.#mechanism, conversation)
    if (lifetimeMs <= 0) return
    const endsAt = performance.now() + lifetimeMs
    // As Java does: early enough, and not all connections at once.
    const inMs = Math.min(lifetimeMs * (0.85 + 0.1 * Math.random()), MAX_TIMER_MS)
    this.#timer = setTimeout(() => inBackground(this.#renew(endsAt), () => this.#close()), inMs).unref()
  }

  #close(): void {
    inBackground(this.#peer.close(), () => {}) // it is gone either way
  }

  async #renew(endsAt: number): Promise<void> {
    const { signal } = this.#closing
    try {
      const conversation = await retry(() => this.#mechanism.prepare(this.#peer.host, signal), {
        timeoutMs: endsAt - performance.now(),
        backoff: RENEWAL_BACKOFF,
        signal,
      })
      if (!this.#peer.isOpen) return
      this.#held = []
      await untilAborted(this.#peer.idle(), 'Renewing a session', signal)
      await this.#converse(conversation)
    } catch {
      // A new connection takes its place, and tells the reason if it is still there. Requests do not wait for a socket that may never close.
      this.#close()
    } finally {
      const held = this.#held ?? []
      this.#held = undefined
      for (const send of held) send()
    }
  }
}
