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

export interface MechanismContext {
  /** How long one attempt to get a token may take. */
  readonly timeoutMs: number
  readonly environment: Readonly<{ [name: string]: string | undefined }>
}
