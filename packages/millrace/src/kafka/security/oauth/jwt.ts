/**
 * JSON Web Tokens as far as a client cares: when one ends, and Kafka's unsecured ones for development.
 */
import { STRING_CLAIM } from '../settings.ts'

/** When a token ends, in milliseconds since 1970; undefined when it is no JWT or does not say. Nothing is verified. */
export function expiryOf(token: string): number | undefined {
  const parts = token.split('.')
  if (parts.length !== 3) return undefined
  try {
    const claims: unknown = JSON.parse(Buffer.from(parts[1]!, 'base64url').toString())
    const expiry = (claims as { exp?: unknown } | null)?.exp
    return typeof expiry === 'number' ? expiry * 1000 : undefined
  } catch {
    return undefined
  }
}

const NUMBER_CLAIM = 'unsecuredLoginNumberClaim_'
const LIST_CLAIM = 'unsecuredLoginListClaim_'
const LIFETIME = 'unsecuredLoginLifetimeSeconds'
const DEFAULT_LIFETIME_SECONDS = 3600

/**
 * A token that nobody signed, of the claims in a JAAS text; for brokers in development.
 * @see https://kafka.apache.org/43/security/authentication-using-sasl/ "Unsecured Token Creation Options for SASL/OAUTHBEARER"
 */
export function unsecuredToken(options: ReadonlyMap<string, string>, now: number = Date.now()): string {
  const issued = Math.floor(now / 1000)
  const lifetime = Number(options.get(LIFETIME) ?? DEFAULT_LIFETIME_SECONDS)
  const claims: { [name: string]: unknown } = { iat: issued, exp: issued + lifetime }
  for (const [name, value] of options) {
    if (name.startsWith(STRING_CLAIM)) claims[name.slice(STRING_CLAIM.length)] = value
    else if (name.startsWith(NUMBER_CLAIM)) claims[name.slice(NUMBER_CLAIM.length)] = Number(value)
    // The first character separates: `|a|b`.
    else if (name.startsWith(LIST_CLAIM)) claims[name.slice(LIST_CLAIM.length)] = value.slice(1).split(value.charAt(0))
  }
  const part = (content: object): string => Buffer.from(JSON.stringify(content)).toString('base64url')
  return `${part({ alg: 'none' })}.${part(claims)}.`
}
