/**
 * What a bearer token is, and where one can be had. Loads nothing, as lint needs it.
 */
import type { ValueType } from '../options/declaration.ts'

export interface BearerToken {
  readonly token: string
  /** When it ends, as a date or in milliseconds since 1970; read from the token when it is a JWT and this is left out. */
  readonly expiresAt?: Date | number | undefined
}

/** An OAuth 2 token endpoint, and the client that asks it. */
export interface EndpointSettings {
  readonly url: string
  readonly clientId: string
  readonly clientSecret: string
  readonly scope: string | undefined
  readonly urlencode: boolean
}

/** Whether a text can be a bearer token (RFC 6750); anything else would break the message that carries it. */
export function isToken(text: string): boolean {
  return /^[\w\-.~+/]+=*$/.test(text)
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
