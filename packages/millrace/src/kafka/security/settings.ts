/**
 * What the options of `fields.ts` mean together: canonical settings, before files are read. Loads nothing, as lint and help need it.
 */
import type { Options } from '../../options/declaration.ts'
import type { SECURITY_FIELDS } from './fields.ts'
import { parseJaas, type LoginModule } from './jaas.ts'
import type { EndpointSettings } from '../../security/bearer-token.ts'
import type { Store, StoreType, TlsSettings } from '../../security/tls.ts'
import type { OauthTokenProvider } from './oauth/oauth-token.ts'

export type SecurityOptions = Options<typeof SECURITY_FIELDS>

export interface SecuritySettings {
  readonly protocol: 'PLAINTEXT' | 'SSL' | 'SASL_PLAINTEXT' | 'SASL_SSL'
  readonly sasl: SaslSettings | undefined
  readonly tls: TlsSettings | undefined
}

export type SaslSettings = PasswordSettings | OauthSettings | AwsSettings

export interface PasswordSettings {
  readonly mechanism: 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512'
  readonly username: string
  readonly password: string
}

export interface OauthSettings {
  readonly mechanism: 'OAUTHBEARER'
  readonly tokens: TokenSettings
  readonly extensions: { readonly [name: string]: string }
}

/** Where tokens come from. */
export type TokenSettings =
  | { readonly from: 'text'; readonly token: string }
  | { readonly from: 'function'; readonly provider: OauthTokenProvider }
  | { readonly from: 'file'; readonly url: string }
  | ({ readonly from: 'endpoint' } & EndpointSettings)
  | { readonly from: 'claims'; readonly options: ReadonlyMap<string, string> }

export interface AwsSettings {
  readonly mechanism: 'AWS_MSK_IAM'
  readonly region: string | undefined
  readonly profile: string | undefined
  /** Found in the surroundings when undefined. */
  readonly credentials: AwsCredentials | undefined
}

export interface AwsCredentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken: string | undefined
}

/** Settings from options that passed `securityRule`. */
export function securitySettings(options: SecurityOptions): SecuritySettings {
  const protocol = options.securityProtocol
  return {
    protocol,
    sasl: protocol.startsWith('SASL') ? saslSettings(options) : undefined,
    tls: protocol.endsWith('SSL') ? tlsSettings(options) : undefined,
  }
}

function saslSettings(options: SecurityOptions): SaslSettings {
  const { saslMechanism: mechanism, saslJaasConfig, awsAccessKeyId, awsSecretAccessKey } = options
  const module = saslJaasConfig === undefined ? undefined : parseJaas(saslJaasConfig).module
  const jaas = module?.options
  if (mechanism === 'OAUTHBEARER')
    return {
      mechanism,
      tokens: tokenSettings(options, module)!,
      extensions: { ...prefixed(jaas, EXTENSION), ...options.oauthExtensions },
    }
  if (mechanism === 'AWS_MSK_IAM')
    return {
      mechanism,
      region: options.awsRegion,
      profile: options.awsProfile ?? jaas?.get('awsProfileName'),
      credentials:
        awsAccessKeyId === undefined || awsSecretAccessKey === undefined
          ? undefined
          : {
              accessKeyId: awsAccessKeyId,
              secretAccessKey: awsSecretAccessKey,
              sessionToken: options.awsSessionToken,
            },
    }
  return {
    mechanism: mechanism as PasswordSettings['mechanism'],
    username: (jaas?.get('username') ?? options.saslUsername)!,
    password: (jaas?.get('password') ?? options.saslPassword)!,
  }
}

/** @returns undefined when there is nothing that gives a token */
export function tokenSettings(options: SecurityOptions, module: LoginModule | undefined): TokenSettings | undefined {
  const { oauthToken, oauthTokenEndpoint: url } = options
  const jaas = module?.options
  if (typeof oauthToken === 'string') return { from: 'text', token: oauthToken }
  if (oauthToken !== undefined) return { from: 'function', provider: oauthToken }
  if (url !== undefined) {
    if (/^file:/i.test(url)) return { from: 'file', url }
    const clientId = options.oauthClientId ?? jaas?.get('clientId')
    const clientSecret = options.oauthClientSecret ?? jaas?.get('clientSecret')
    if (clientId === undefined || clientSecret === undefined) return undefined
    const scope = options.oauthScope ?? jaas?.get('scope')
    return { from: 'endpoint', url, clientId, clientSecret, scope, urlencode: options.oauthHeaderUrlencode }
  }
  return jaas?.has(`${STRING_CLAIM}sub`) === true ? { from: 'claims', options: jaas } : undefined
}

const EXTENSION = 'extension_'

/** Before the name of a text claim of an unsecured token, in JAAS. */
export const STRING_CLAIM = 'unsecuredLoginStringClaim_'

function prefixed(options: ReadonlyMap<string, string> | undefined, prefix: string): { [name: string]: string } {
  return Object.fromEntries(
    [...(options ?? [])].flatMap(([name, value]) =>
      name.startsWith(prefix) ? [[name.slice(prefix.length), value]] : [],
    ),
  )
}

function tlsSettings(options: SecurityOptions): TlsSettings {
  const { truststoreLocation, truststoreCertificates } = options
  const { keystoreLocation, keystoreKey, keystoreCertificateChain, keyLocation, certificateLocation } = options
  const truststore: Store | undefined =
    truststoreLocation !== undefined
      ? {
          type: storeType(options.truststoreType, truststoreLocation),
          location: truststoreLocation,
          password: options.truststorePassword,
        }
      : truststoreCertificates === undefined
        ? undefined
        : { type: 'PEM', pem: truststoreCertificates }
  const keystore: Store | undefined =
    keystoreLocation !== undefined
      ? {
          type: storeType(options.keystoreType, keystoreLocation),
          location: keystoreLocation,
          password: options.keystorePassword,
        }
      : keyLocation !== undefined
        ? { type: 'PEM', location: keyLocation, certificateLocation }
        : keystoreKey === undefined
          ? undefined
          : { type: 'PEM', pem: `${keystoreKey}\n${keystoreCertificateChain ?? ''}` }
  const versions = options.tlsProtocols
  return {
    truststore,
    keystore,
    keyPassword: options.keyPassword,
    verifyHostname: options.endpointIdentification === 'https',
    minVersion: versions.includes('TLSv1.2') ? 'TLSv1.2' : 'TLSv1.3',
    maxVersion: versions.includes('TLSv1.3') ? 'TLSv1.3' : 'TLSv1.2',
    cipherSuites: options.cipherSuites,
  }
}

function storeType(type: string | undefined, location: string): StoreType {
  return type === 'PKCS12' || (type === undefined && /\.(?:p12|pfx|pkcs12)$/i.test(location)) ? 'PKCS12' : 'PEM'
}
