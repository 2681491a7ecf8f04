/** SaslHandshake (17): chooses a mechanism. After version 0, tokens follow without requests around them; after version 1, in SaslAuthenticate. */
import {
  saslHandshakeApi,
  type SaslHandshakeRequest,
  type SaslHandshakeResponse,
} from '../../protocol/messages/sasl-handshake.ts'
import type { Handler } from './handler.ts'

export const saslHandshake: Handler<SaslHandshakeRequest, SaslHandshakeResponse> = {
  api: saslHandshakeApi,
  handle: async ({ mechanism }, { broker: { security }, session, version }) => ({
    errorCode: await session.handshake(mechanism, version),
    mechanisms: security.mechanisms,
  }),
  refuse: (_request, errorCode, { broker: { security } }) => ({ errorCode, mechanisms: security.mechanisms }),
}
