/**
 * Who is at the other end of a connection, and what it may send before that is known.
 *
 * ```
 *            SaslHandshake                SaslAuthenticate, once or more
 *  Expected ───────────────► Authenticating ─────────────────────────────► Authenticated
 *                               ▲    │ refused                                 │
 *                               │    └────► Over: the connection is closed     │
 *                               └────────── SaslHandshake, to authenticate again (KIP-368)
 * ```
 *
 * Without SASL a session is authenticated from the start.
 */
import { ERROR } from '../../protocol/error-codes.ts'
import { type Authenticated, type Conversation, NOTHING, Refused } from './conversation.ts'
import type { SaslMechanismName } from './options.ts'
import type { Security } from './security.ts'

export const SESSION_STATES = ['Expected', 'Authenticating', 'Authenticated', 'Over'] as const
export type SessionState = (typeof SESSION_STATES)[number]

const API_VERSIONS = 18
const SASL_HANDSHAKE = 17
const SASL_AUTHENTICATE = 36
/** What a client may send in each state; everything when undefined. */
export const ADMITTED: { readonly [state in SessionState]: readonly number[] | undefined } = {
  Expected: [API_VERSIONS, SASL_HANDSHAKE],
  Authenticating: [SASL_AUTHENTICATE],
  Authenticated: undefined,
  Over: [],
}
const TO_AUTHENTICATE_AGAIN = [API_VERSIONS, SASL_HANDSHAKE, SASL_AUTHENTICATE]

/** What SaslAuthenticate is answered. */
export interface AuthenticateOutcome {
  readonly errorCode: number
  readonly message: string | null
  readonly bytes: Buffer
  /** 0 when the session does not end. */
  readonly lifetimeMs: number
}

export class Session {
  readonly #security: Security
  #state: SessionState
  #conversation: Conversation | undefined
  #mechanism: SaslMechanismName | undefined
  /** Whether tokens come without a request around them, as after version 0 of SaslHandshake. */
  #isRaw = false
  #user: string | undefined
  #endsAtMs = Infinity
  principal: string

  /** @param principal of the client certificate, or that of clients without one */
  constructor(security: Security, principal: string) {
    this.#security = security
    this.#state = security.mechanisms.length > 0 ? 'Expected' : 'Authenticated'
    this.principal = principal
  }

  /** Whether the connection is closed as soon as the client has been answered. */
  get isOver(): boolean {
    return this.#state === 'Over'
  }

  /** Whether the next frame is a token, and not a request. */
  get expectsToken(): boolean {
    return this.#isRaw && this.#state === 'Authenticating'
  }

  /** Why a request is not admitted now; `undefined` when it is. */
  refusal(apiKey: number, nowMs: number): string | undefined {
    const admitted = ADMITTED[this.#state]
    if (admitted !== undefined && !admitted.includes(apiKey))
      return `a request with key ${apiKey} came before the client had authenticated`
    return nowMs >= this.#endsAtMs && this.#state === 'Authenticated' && !TO_AUTHENTICATE_AGAIN.includes(apiKey)
      ? 'the session has ended, and the client has not authenticated again'
      : undefined
  }

  /** Begins to authenticate, for the first time or again. @returns an error code */
  async handshake(mechanism: string, version: number): Promise<number> {
    if (this.#security.mechanisms.length === 0) return ERROR.ILLEGAL_SASL_STATE
    const begun = await this.#security.converse(mechanism)
    if (begun === undefined || (this.#mechanism !== undefined && this.#mechanism !== mechanism)) {
      this.#state = 'Over'
      return ERROR.UNSUPPORTED_SASL_MECHANISM
    }
    this.#conversation = begun.conversation
    this.#mechanism = begun.mechanism
    this.#isRaw = version === 0
    this.#state = 'Authenticating'
    return ERROR.NONE
  }

  async authenticate(token: Buffer, nowMs: number): Promise<AuthenticateOutcome> {
    const failed = (errorCode: number, message: string): AuthenticateOutcome => ({
      errorCode,
      message,
      bytes: NOTHING,
      lifetimeMs: 0,
    })
    if (this.#conversation === undefined || this.#state !== 'Authenticating')
      return failed(
        ERROR.ILLEGAL_SASL_STATE,
        'SaslAuthenticate request received after successful authentication, or before SaslHandshake',
      )
    try {
      const { bytes, authenticated } = await this.#conversation(token)
      const lifetimeMs = authenticated === undefined ? 0 : this.#begin(authenticated, nowMs)
      return { errorCode: ERROR.NONE, message: null, bytes, lifetimeMs }
    } catch (error) {
      this.#state = 'Over'
      if (!(error instanceof Refused)) throw error
      return failed(ERROR.SASL_AUTHENTICATION_FAILED, error.message)
    }
  }

  /** @returns how long the session lasts */
  #begin({ user, expiresAtMs = Infinity }: Authenticated, nowMs: number): number {
    if (this.#user !== undefined && this.#user !== user)
      throw new Refused(`Cannot change principals during re-authentication from ${this.#user}`)
    if (expiresAtMs <= nowMs) throw new Refused('Authentication failed: the credentials have ended')
    this.#user = user
    this.principal = `User:${user}`
    this.#state = 'Authenticated'
    this.#endsAtMs = Math.min(expiresAtMs, nowMs + this.#security.maxReauthMs)
    return this.#endsAtMs === Infinity ? 0 : this.#endsAtMs - nowMs
  }
}
