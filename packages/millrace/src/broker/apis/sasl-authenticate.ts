/** SaslAuthenticate (36): a token of the mechanism that was chosen, and the one that answers it. */
import {
  saslAuthenticateApi,
  type SaslAuthenticateRequest,
  type SaslAuthenticateResponse,
} from '../../protocol/messages/sasl-authenticate.ts'
import type { Handler } from './handler.ts'

export const saslAuthenticate: Handler<SaslAuthenticateRequest, SaslAuthenticateResponse> = {
  api: saslAuthenticateApi,
  async handle({ authBytes }, { broker: { cluster }, session }) {
    const { errorCode, message, bytes, lifetimeMs } = await session.authenticate(authBytes, cluster.now())
    return { errorCode, errorMessage: message, authBytes: bytes, sessionLifetimeMs: lifetimeMs }
  },
  refuse: (_request, errorCode) => ({ errorCode, errorMessage: null, authBytes: Buffer.alloc(0) }),
}
