/**
 * Carries the conversation of a SASL mechanism to a broker: SaslHandshake names the mechanism, then every message is one
 * SaslAuthenticate, whose answer has the lifetime of the session (KIP-368).
 */
import { AuthenticationError, isMillraceError } from '../../errors/index.ts'
import { ERROR } from '../../protocol/error-codes.ts'
import type { ApiCall } from '../protocol/api-call.ts'
import { SASL_HANDSHAKE, SASL_AUTHENTICATE } from '../protocol/sasl.ts'
import type { Conversation, SaslMechanism } from './conversation.ts'

/** The connection, as far as it is needed here. */
export interface SaslPeer {
  readonly address: string
  /** Sends one request in the highest version that both sides speak. */
  ask<Q, R>(call: ApiCall<Q, R>, request: Q): Promise<R>
}

/**
 * @returns how long the broker lets the session live, in milliseconds; 0 when it does not say
 * @throws {AuthenticationError} when either side refuses; {ConnectionError} when the connection breaks
 */
export async function authenticate(
  peer: SaslPeer,
  mechanism: SaslMechanism,
  conversation: Conversation,
): Promise<number> {
  const { errorCode, mechanisms } = await peer.ask(SASL_HANDSHAKE, { mechanism: mechanism.name })
  if (errorCode === ERROR.UNSUPPORTED_SASL_MECHANISM)
    throw new AuthenticationError(
      `Broker "${peer.address}" does not offer the SASL mechanism ${mechanism.name}: set sasl.mechanism to ${mechanisms.join(' or ')}`,
    )
  if (errorCode === ERROR.ILLEGAL_SASL_STATE)
    throw new AuthenticationError(
      `Broker "${peer.address}" does not ask for SASL at this port: set security.protocol to PLAINTEXT or SSL, or use another port`,
    )
  const refuse = (reason: string, cause?: unknown): AuthenticationError =>
    new AuthenticationError(
      `Broker "${peer.address}" refused the credentials: ${reason.replace(/\.$/, '')}. ${mechanism.advice}`,
      { cause },
    )
  if (errorCode !== 0) throw refuse(`error ${errorCode} in response to SaslHandshake`)
  let lifetimeMs = 0
  try {
    await conversation(async (message) => {
      const answer = await peer.ask(SASL_AUTHENTICATE, { authBytes: message })
      if (answer.errorCode !== 0) throw refuse(answer.errorMessage ?? `error ${answer.errorCode}`)
      lifetimeMs = answer.sessionLifetimeMs
      return answer.authBytes
    })
  } catch (error) {
    throw isMillraceError(error) ? error : refuse((error as Error).message, error)
  }
  return lifetimeMs
}

/**
 * Asks a broker that closed the connection at the first request whether it wants SASL, in words that tell it nothing: a mechanism that does not
 * exist.
 * @returns the mechanisms that it offers; undefined when it does not want SASL
 */
export async function offeredMechanisms(peer: SaslPeer): Promise<readonly string[] | undefined> {
  const { errorCode, mechanisms } = await peer.ask(SASL_HANDSHAKE, { mechanism: 'NONE' })
  return errorCode === ERROR.UNSUPPORTED_SASL_MECHANISM ? mechanisms : undefined
}
