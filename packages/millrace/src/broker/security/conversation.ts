/** Who has authenticated. */
export interface Authenticated {
  /** Name of the user, without `User:`. */
  readonly user: string
  /** When the credentials end; `undefined` when they do not. */
  readonly expiresAtMs?: number | undefined
}

/** An answer to a token of the client; `authenticated` in the last one. */
export interface SaslAnswer {
  readonly bytes: Buffer
  readonly authenticated?: Authenticated
}

/** The side of the broker in a SASL mechanism: is given one token after the other. @throws {Refused} */
export type Conversation = (token: Buffer) => SaslAnswer | Promise<SaslAnswer>

/** The credentials are not accepted. The message is sent to the client, so it must not reveal which of them is wrong. */
export class Refused extends Error {}

export const NOTHING: Buffer = Buffer.alloc(0)
