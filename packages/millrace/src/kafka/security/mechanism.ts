/**
 * SASL mechanisms: what a client says to prove who it is. How it is carried to a broker is in `authenticate.ts`.
 *
 * A mechanism belongs to one cluster and serves all its connections, so that they share a token. Its module is loaded only when it is used.
 */
import type { SaslSettings } from './settings.ts'

export interface SaslMechanism {
  /** As brokers know it. */
  readonly name: string
  /** What to look at when a broker refuses, as a sentence without a period. */
  readonly advice: string
  /**
   * Gets what the conversation needs, for instance a token. Called before every conversation, and before the broker hears of it, as it
   * closes connections that keep it waiting.
   *
   * @param host name of the broker
   * @throws {ConnectionError} `TOKEN_UNAVAILABLE`; {AuthenticationError} {FileError}
   */
  prepare(host: string, signal: AbortSignal): Promise<Conversation>
}

/**
 * Sends one message after the other and hears the answers, until both sides are content.
 * @throws {Error} when we are not; what `exchange` throws when the broker is not
 */
export type Conversation = (exchange: (message: Buffer) => Promise<Buffer>) => Promise<void>

export async function openMechanism(settings: SaslSettings, context: MechanismContext): Promise<SaslMechanism> {
  switch (settings.mechanism) {
    case 'PLAIN': {
      // RFC 4616: no authorization id, then user and password
      const message = Buffer.from(['', settings.username, settings.password].join('\0'))
      const conversation: Conversation = async (exchange) => void (await exchange(message))
      return { name: 'PLAIN', advice: ADVICE, prepare: () => Promise.resolve(conversation) }
    }
    case 'OAUTHBEARER':
      return (await import('./oauthbearer.ts')).oauthBearer(settings, context)
    case 'AWS_MSK_IAM':
      return (await import('./msk-iam.ts')).mskIam(settings, context)
    case 'SCRAM-SHA-256':
    case 'SCRAM-SHA-512':
      return (await import('./scram.ts')).scram(settings, ADVICE)
  }
}

export interface MechanismContext {
  /** How long one attempt to get a token may take. */
  readonly timeoutMs: number
  readonly environment: Readonly<{ [name: string]: string | undefined }>
}

const ADVICE = 'Check sasl.mechanism, user name and password'
