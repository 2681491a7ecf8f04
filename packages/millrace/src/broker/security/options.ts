/** How the listeners of a broker are secured. Nothing is, unless one of these is set. */
import type { Authorize } from './authorizer.ts'

/** TLS at every listener. */
export interface BrokerTls {
  /** Private key and certificate chain as PEM text. */
  readonly key?: string | Buffer
  /** Certificate, and those between it and the authority, as PEM. */
  readonly cert?: string | Buffer
  /** Or both in a PKCS 12 file's bytes. */
  readonly pfx?: Buffer
  /** Of the key. */
  readonly passphrase?: string
  /** Certificates of the authorities that client certificates are from, as PEM text. */
  readonly ca?: string | Buffer
  /** Whether clients show a certificate (`ssl.client.auth`): `none` when omitted. Its subject becomes the principal. */
  readonly clientAuth?: 'none' | 'requested' | 'required'
}

export type SaslMechanismName = 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512' | 'OAUTHBEARER'

/** Passwords by user name. */
export type Passwords = Readonly<{ [user: string]: string }>

/** Who a token belongs to. */
export interface TokenOwner {
  /** Name of the user, without `User:`. */
  readonly principal: string
  /** When the token ends, in milliseconds since 1970: the client has to authenticate again before it does. */
  readonly expiresAtMs?: number
}

/** Every mechanism that is set can be used; clients have to authenticate before anything else. */
export interface BrokerSasl {
  /** Passwords by user, or a function that checks them. */
  readonly PLAIN?: Passwords | ((user: string, password: string) => boolean | Promise<boolean>)
  /** Users can also be added and removed while the broker runs, as `kafka-configs.sh --entity-type users` does. */
  readonly 'SCRAM-SHA-256'?: Passwords
  /** Passwords by user. */
  readonly 'SCRAM-SHA-512'?: Passwords
  /** Checks a token. It is refused when the function throws, or returns `undefined`. */
  readonly OAUTHBEARER?: (token: string) => TokenOwner | undefined | Promise<TokenOwner | undefined>
  /** Clients have to authenticate again after so many milliseconds (`connections.max.reauth.ms`); never when omitted. */
  readonly maxReauthMs?: number
}

/** ACLs, as the requests for them set them. */
export interface BrokerAcls {
  /** Principals that may do everything, such as `User:admin`. */
  readonly superUsers?: readonly string[]
  /** Whether everybody may use a resource without ACLs (`allow.everyone.if.no.acl.found`); false when omitted. */
  readonly allowIfNoAcl?: boolean
}

/** Who may connect to the embedded broker, and what they may do. */
export interface SecurityOptions {
  /** Without it connections are not encrypted. */
  readonly tls?: BrokerTls
  /** Without it clients need no password. */
  readonly sasl?: BrokerSasl
  /** Who may do what: ACLs that are created by requests, or a function. Everybody may do everything when omitted. */
  readonly authorization?: BrokerAcls | Authorize
}
