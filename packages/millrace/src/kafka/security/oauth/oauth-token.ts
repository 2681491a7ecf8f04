/**
 * What tokens of OAUTHBEARER are given as, in options.
 */
import type { ValueType } from '../../../options/declaration.ts'

/** A token as a program gives it. */
export interface OauthToken {
  readonly token: string
  /** When it ends, as a date or in milliseconds since 1970; read from the token when it is a JWT and this is left out. */
  readonly expiresAt?: Date | number | undefined
  /** SASL extensions that go with this token. */
  readonly extensions?: { readonly [name: string]: string } | undefined
}

/** Asked whenever a connection needs a token and the last one is near its end, or its end is not known. */
export type OauthTokenProvider = () => Promise<OauthToken> | OauthToken

export const tokenGiver: ValueType<string | OauthTokenProvider> = {
  expected: 'a token as text',
  schema: { type: 'string', minLength: 1 },
  read(value, report) {
    if (typeof value === 'function') return value as OauthTokenProvider
    if (typeof value === 'string' && isToken(value.trim())) return value.trim()
    report(
      typeof value === 'string'
        ? {
            message: 'Cannot use the token as it contains characters that are not allowed in a bearer token',
            found: undefined,
          }
        : { expected: this.expected, found: value },
    )
    return ''
  },
}

/** Whether a text can be a bearer token (RFC 6750); anything else would break the message that carries it. */
export function isToken(text: string): boolean {
  return /^[\w\-.~+/]+=*$/.test(text)
}

/** Whether Kafka takes a name and value for a SASL extension. */
export function isExtension(name: string, value: string): boolean {
  return /^[A-Za-z]+$/.test(name) && name !== 'auth' && /^[\x21-\x7e \t\r\n]+$/.test(value)
}

export const tokenUrl: ValueType<string> = {
  expected: 'an address such as "https://login.example.com/oauth2/token" or "file:///run/secrets/token"',
  schema: { type: 'string' },
  read(value, report) {
    const url = typeof value === 'string' ? URL.parse(value.trim()) : null
    if (url !== null && PROTOCOLS.has(url.protocol) && url.username === '' && url.password === '')
      return (value as string).trim()
    // An address with a password in it must not be printed (I8).
    const hasSecret = url !== null && url.password !== ''
    report({
      ...(hasSecret
        ? { message: 'Cannot use a token endpoint with user and password in its address' }
        : { expected: this.expected, found: value }),
      suggestion: hasSecret ? 'set oauthClientId and oauthClientSecret' : undefined,
    })
    return ''
  },
}

const PROTOCOLS: ReadonlySet<string> = new Set(['https:', 'http:', 'file:'])
