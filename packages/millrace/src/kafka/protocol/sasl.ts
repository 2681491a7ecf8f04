/**
 * SaslHandshake (version 1) names a SASL mechanism, SaslAuthenticate (0 to 2) carries each of its messages.
 * @see https://kafka.apache.org/protocol#The_Messages_SaslHandshake
 */
import { saslHandshakeV1, saslAuthenticateV0, saslAuthenticateV1, saslAuthenticateV2 } from '@platformatic/kafka'
import type { ApiCall, ApiVersion } from './api-call.ts'

export const SASL_HANDSHAKE: ApiCall = {
  name: 'SaslHandshake',
  key: 17,
  versions: { 1: saslHandshakeV1.api as ApiVersion },
}

export interface SaslHandshakeAnswer {
  readonly errorCode: number
  readonly mechanisms: readonly string[]
}

export const SASL_AUTHENTICATE: ApiCall = {
  name: 'SaslAuthenticate',
  key: 36,
  versions: {
    0: saslAuthenticateV0.api as ApiVersion,
    1: saslAuthenticateV1.api as ApiVersion,
    2: saslAuthenticateV2.api as ApiVersion,
  },
}

export interface SaslAuthenticateAnswer {
  readonly errorCode: number
  readonly errorMessage: string | null
  readonly authBytes: Buffer
  readonly sessionLifetimeMs?: bigint
}
