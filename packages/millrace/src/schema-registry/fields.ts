/**
 * Options of a schema registry: where it is, who we are towards it, and how patient we are. Loads no client, so that lint stays fast.
 */
import type { Options, ValueType } from '../options/declaration.ts'
import { field } from '../options/fields.ts'
import { tokenUrl } from '../security/bearer-token.ts'

/** An address of a registry; a slash at its end is removed. */
const registryUrl: ValueType<string> = {
  expected: 'an address such as "http://localhost:8081"',
  schema: { type: 'string', pattern: '^https?://' },
  read(value, report) {
    const url = typeof value === 'string' ? URL.parse(value.trim()) : null
    const isWeb = url !== null && (url.protocol === 'http:' || url.protocol === 'https:')
    if (isWeb && url.username === '' && url.password === '' && url.search === '' && url.hash === '')
      return (value as string).trim().replace(/\/+$/, '')
    // An address with a password in it must not be printed (I8).
    report(
      isWeb && url.username !== ''
        ? {
            message: 'Cannot use a schema registry with user and password in its address',
            suggestion: 'set username and password',
          }
        : isWeb
          ? { message: 'Cannot use a schema registry with "?" or "#" in its address', suggestion: 'remove that part' }
          : {
              expected: this.expected,
              found: typeof value === 'string' && value.includes('@') ? 'an address that is not shown' : value,
              suggestion:
                typeof value === 'string' && /^[\w.-]+(?::\d+)?$/.test(value) ? `write "http://${value}"` : undefined,
            },
    )
    return ''
  },
}

export const REGISTRY_FIELDS = {
  url: field
    .list(field.of(registryUrl), { commaText: true })
    .doc(
      'Address of the schema registry, or several of one cluster, separated by commas or as a list. The others are used while the first one is down.',
    )
    .example('http://localhost:8081'),
  username: field.string().optional().doc('User name, or API key, for basic authentication.'),
  password: field.string().secret().optional().doc('Password, or API secret, that goes with `username`.'),
  bearerToken: field.string().secret().optional().doc('Token to send instead of a user name and password.'),
  oauthTokenEndpoint: field
    .of(tokenUrl)
    .optional()
    .doc('OAuth 2 token endpoint to get tokens from, with `oauthClientId` and `oauthClientSecret`.')
    .example('https://login.example.com/oauth2/token'),
  oauthClientId: field.string().optional().doc('Client id for requests to `oauthTokenEndpoint`.'),
  oauthClientSecret: field.string().secret().optional().doc('Client secret that goes with `oauthClientId`.'),
  oauthScope: field.string().optional().doc('Scope to request, if the token endpoint requires one.'),
  headers: field
    .map(field.string())
    .secret()
    .optional()
    .doc('Headers to send with every request.')
    .example({ 'target-sr-cluster': 'lsrc-1' }),
  truststoreLocation: field
    .string()
    .optional()
    .doc(
      'PEM or PKCS12 file with the certificates of trusted certificate authorities. By default those that Node.js trusts.',
    )
    .example('ca.pem'),
  truststorePassword: field.string().secret().optional().doc('Password of a PKCS12 truststore.'),
  keystoreLocation: field
    .string()
    .optional()
    .doc('PEM or PKCS12 file with the private key and certificate chain of this client.')
    .example('client.pem'),
  keystorePassword: field.string().secret().optional().doc('Password of a PKCS12 keystore.'),
  keyLocation: field
    .string()
    .optional()
    .doc('PEM file with the private key of this client; requires `certificateLocation`.'),
  certificateLocation: field
    .string()
    .optional()
    .doc('PEM file with the certificate chain of this client, if the key is in another file (`keyLocation`).'),
  keyPassword: field.string().secret().optional().doc('Password of an encrypted PEM key.'),
  endpointIdentification: field
    .oneOf(['https', 'none'], { '': 'none' })
    .default('https')
    .doc('Whether the certificate of the registry must match its host name. `none` turns the check off.'),
  requestTimeoutMs: field.durationMs({ min: 1 }).default(10_000).doc('How long to wait for one response.'),
  retryTimeoutMs: field
    .durationMs()
    .default(60_000)
    .doc(
      'How long a failed request is retried before it is reported. A pipeline waits longer: until the registry is back.',
    ),
  retryBackoffMs: field
    .durationMs()
    .default(100)
    .doc('First wait before a failed request is retried; doubles each time.'),
  retryBackoffMaxMs: field.durationMs().default(5000).doc('Longest wait before a failed request is retried.'),
  latestTtlMs: field
    .durationMs()
    .default(300_000)
    .doc('How long the latest version of a subject is cached. Schemas by id never change and are cached for good.'),
}

export type RegistryOptions = Options<typeof REGISTRY_FIELDS>

const AS_OBJECT = field.object(REGISTRY_FIELDS).type

/** A registry as an option: its address alone, or an object. */
export const schemaRegistry: ValueType<RegistryOptions> = {
  ...AS_OBJECT,
  expected: 'the address of a schema registry, or an object',
  shorthand: { type: 'string' },
  read: (value, report) =>
    AS_OBJECT.read(typeof value === 'string' || Array.isArray(value) ? { url: value } : value, report),
}
