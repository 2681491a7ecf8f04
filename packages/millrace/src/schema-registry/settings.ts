/** What the options of `fields.ts` mean together, before files are read. Loads nothing, as lint and help need it. */
import type { EndpointSettings } from '../security/bearer-token.ts'
import type { Store, StoreType, TlsSettings } from '../security/tls.ts'
import type { RegistryOptions } from './fields.ts'

/** How to reach a registry. */
export interface RegistrySettings {
  /** Without a slash at the end. All of them serve the same schemas. */
  readonly urls: readonly string[]
  readonly credentials: RegistryCredentials | undefined
  /** Sent with every request. */
  readonly headers: { readonly [name: string]: string }
  readonly tls: TlsSettings | undefined
  readonly requestTimeoutMs: number
  readonly retryTimeoutMs: number
  readonly retryBackoffMs: number
  readonly retryBackoffMaxMs: number
  readonly latestTtlMs: number
}

export type RegistryCredentials =
  | { readonly by: 'password'; readonly username: string; readonly password: string }
  | { readonly by: 'token'; readonly token: string }
  | { readonly by: 'oauth'; readonly endpoint: EndpointSettings }

/** Settings from options that passed `registryProblems`. */
export function registrySettings(options: RegistryOptions): RegistrySettings {
  const { requestTimeoutMs, retryTimeoutMs, retryBackoffMs, retryBackoffMaxMs, latestTtlMs } = options
  return {
    urls: options.url,
    credentials: credentialsOf(options),
    headers: options.headers ?? {},
    tls: options.url.some((url) => url.startsWith('https:')) ? tlsOf(options) : undefined,
    requestTimeoutMs,
    retryTimeoutMs,
    retryBackoffMs,
    retryBackoffMaxMs,
    latestTtlMs,
  }
}

function credentialsOf({
  username,
  password,
  bearerToken,
  oauthTokenEndpoint: url,
  oauthClientId: clientId,
  oauthClientSecret: clientSecret,
  oauthScope: scope,
}: RegistryOptions): RegistryCredentials | undefined {
  if (username !== undefined) return { by: 'password', username, password: password ?? '' }
  if (bearerToken !== undefined) return { by: 'token', token: bearerToken }
  if (url === undefined || clientId === undefined || clientSecret === undefined) return undefined
  return { by: 'oauth', endpoint: { url, clientId, clientSecret, scope, urlencode: false } }
}

function tlsOf(options: RegistryOptions): TlsSettings {
  const { truststoreLocation, keystoreLocation, keyLocation, certificateLocation } = options
  const keystore: Store | undefined =
    keystoreLocation !== undefined
      ? { type: typeOf(keystoreLocation), location: keystoreLocation, password: options.keystorePassword }
      : keyLocation === undefined
        ? undefined
        : { type: 'PEM', location: keyLocation, certificateLocation }
  return {
    truststore:
      truststoreLocation === undefined
        ? undefined
        : { type: typeOf(truststoreLocation), location: truststoreLocation, password: options.truststorePassword },
    keystore,
    keyPassword: options.keyPassword,
    verifyHostname: options.endpointIdentification === 'https',
    minVersion: 'TLSv1.2',
    maxVersion: 'TLSv1.3',
    cipherSuites: undefined,
  }
}

function typeOf(location: string): StoreType {
  return /\.(?:p12|pfx|pkcs12)$/i.test(location) ? 'PKCS12' : 'PEM'
}
