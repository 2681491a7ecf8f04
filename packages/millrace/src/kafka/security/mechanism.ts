/**
 * SASL mechanisms: what a client says to prove who it is. How it is carried to a broker is in `authenticate.ts`.
 *
 * A mechanism belongs to one cluster and serves all its connections, so that they share a token. Its module is loaded only when it is used.
 */
import type { SaslMechanism, Conversation, MechanismContext } from './conversation.ts'
import type { SaslSettings } from './settings.ts'

export async function openMechanism(settings: SaslSettings, context: MechanismContext): Promise<SaslMechanism> {
  switch (settings.mechanism) {
    case 'PLAIN': {
      // RFC 4616: no authorization id, then user and password
      const message = Buffer.from(['', settings.username, settings.password].join('\0'))
      const conversation: Conversation = async (exchange) => void (await exchange(message))
      return { name: 'PLAIN', advice: ADVICE, prepare: () => Promise.resolve(conversation) }
    }
    case 'OAUTHBEARER':
      return (await import('./oauth/oauthbearer.ts')).oauthBearer(settings, context)
    case 'AWS_MSK_IAM':
      return (await import('./aws/msk-iam.ts')).mskIam(settings, context)
    case 'SCRAM-SHA-256':
    case 'SCRAM-SHA-512':
      return (await import('./scram.ts')).scram(settings, ADVICE)
  }
}

const ADVICE = 'Check sasl.mechanism, the user name and the password'
