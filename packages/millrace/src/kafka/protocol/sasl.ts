/**
 * SaslHandshake (version 1) names a SASL mechanism, SaslAuthenticate (0 to 2) carries each of its messages.
 * @see https://kafka.apache.org/protocol#The_Messages_SaslHandshake
 */
import { saslAuthenticateApi } from '../../protocol/messages/sasl-authenticate.ts'
import { saslHandshakeApi } from '../../protocol/messages/sasl-handshake.ts'
import { apiCall } from './api-call.ts'

export const SASL_HANDSHAKE = apiCall(saslHandshakeApi, 1, 1)

export const SASL_AUTHENTICATE = apiCall(saslAuthenticateApi, 0, 2)
