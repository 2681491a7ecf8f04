/**
 * What tokens of OAUTHBEARER are given as, in options.
 */
import type { ValueType } from '../../../options/declaration.ts'
import { isToken, type BearerToken } from '../../../security/bearer-token.ts'

/** A token as a program gives it. */
export interface OauthToken extends BearerToken {
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

/** Whether Kafka takes a name and value for a SASL extension. */
export function isExtension(name: string, value: string): boolean {
  return /^[A-Za-z]+$/.test(name) && name !== 'auth' && /^[\x21-\x7e \t\r\n]+$/.test(value)
}
