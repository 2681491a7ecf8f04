/**
 * OAUTHBEARER: a bearer token shows who we are.
 *
 *     client  n,,^Aauth=Bearer TOKEN^AextensionName=value^A^A
 *     broker  nothing, or why not as JSON, to which the client answers ^A
 *
 * @see https://www.rfc-editor.org/rfc/rfc7628 and KIP-255, KIP-342 (extensions), KIP-768 (token endpoint)
 */
import type { Conversation, MechanismContext, SaslMechanism } from '../conversation.ts'
import { Renewed } from '../../../security/renewed.ts'
import type { OauthSettings } from '../settings.ts'
import { tokenGetter } from './tokens.ts'

const SEPARATOR = '\x01'

export function oauthBearer(settings: OauthSettings, context: MechanismContext): SaslMechanism {
  const tokens = new Renewed(tokenGetter(settings.tokens, context))
  return {
    name: 'OAUTHBEARER',
    advice: 'Check that the token is for this cluster (issuer, audience) and has not expired',
    async prepare(_host, signal): Promise<Conversation> {
      const { token, extensions } = await tokens.get(signal)
      const pairs = Object.entries({ ...settings.extensions, ...extensions })
      const fields = [`auth=Bearer ${token}`, ...pairs.map(([name, value]) => `${name}=${value}`)]
      const message = Buffer.from(`n,,${SEPARATOR}${fields.join(SEPARATOR)}${SEPARATOR}${SEPARATOR}`)
      return async (exchange) => {
        try {
          const answer = await exchange(message)
          if (answer.length === 0) return
          // The broker says so with an error code only when it has heard this.
          await exchange(Buffer.from(SEPARATOR))
          throw new Error(answer.toString().replaceAll(token, '[token]'))
        } catch (error) {
          tokens.forget()
          throw error
        }
      }
    },
  }
}
