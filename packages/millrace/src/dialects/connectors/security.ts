/**
 * `security` of Rivven: how connections to brokers are secured, in its own words.
 */
import { SASL_MECHANISMS, SECURITY_PROTOCOLS, type SECURITY_FIELDS } from '../../kafka/security/fields.ts'
import { tokenGiver } from '../../kafka/security/oauth/oauth-token.ts'
import { tokenUrl } from '../../security/bearer-token.ts'
import { problem, type OptionRule, type Options } from '../../options/declaration.ts'
import { field } from '../../options/fields.ts'

export const securityFields = {
  protocol: field
    .oneOf(SECURITY_PROTOCOLS)
    .default('PLAINTEXT')
    .aliases('security_protocol')
    .doc('How connections are secured. Millrace never falls back to a weaker one.'),
  sasl_mechanism: field
    .oneOf(SASL_MECHANISMS, {
      SCRAM_SHA_256: 'SCRAM-SHA-256',
      SCRAM_SHA_512: 'SCRAM-SHA-512',
    })
    .optional()
    .aliases('mechanism')
    .doc('SASL mechanism. By default PLAIN, if `protocol` requires SASL.'),
  sasl_username: field.string().optional().aliases('username').doc('User name for PLAIN and SCRAM.'),
  sasl_password: field.string().secret().optional().aliases('password').doc('Password for PLAIN and SCRAM.'),
  oauth_token: field.of(tokenGiver).secret().optional().doc('Token for OAUTHBEARER.'),
  oauth_token_endpoint: field
    .of(tokenUrl)
    .optional()
    .doc('Where to get tokens for OAUTHBEARER: an OAuth 2 token endpoint (`https:`) or a file (`file:`).'),
  oauth_client_id: field.string().optional().doc('Client id for requests to `oauth_token_endpoint`.'),
  oauth_client_secret: field.string().secret().optional().doc('Client secret that goes with `oauth_client_id`.'),
  oauth_scope: field.string().optional().doc('Scope to request, if the token endpoint requires one.'),
  oauth_extensions: field.map(field.string()).optional().doc('SASL extensions to send with the token.'),
  aws_access_key_id: field
    .string()
    .secret()
    .optional()
    .doc('Access key for AWS_MSK_IAM. Without it, credentials are looked up where the AWS tools look.'),
  aws_secret_access_key: field.string().secret().optional().doc('Secret key for AWS_MSK_IAM.'),
  aws_session_token: field.string().secret().optional().doc('Session token of temporary credentials.'),
  aws_region: field.string().optional().doc('Region for AWS_MSK_IAM. By default taken from the broker address.'),
  aws_profile: field.string().optional().doc('Profile in `~/.aws` with the credentials for AWS_MSK_IAM.'),
  ssl_ca_cert: field
    .string()
    .optional()
    .aliases('ssl_ca_location', 'ca_cert')
    .doc('PEM file with the certificates of trusted certificate authorities. By default those that Node.js trusts.'),
  ssl_client_cert: field
    .string()
    .optional()
    .aliases('client_cert')
    .doc('PEM file with the certificate chain of this client.'),
  ssl_client_key: field.string().optional().aliases('client_key').doc('PEM file with the private key of this client.'),
}

type Security = Options<typeof securityFields>

/** The rules of Kafka's own options find the rest; these need the names of this dialect. */
export const securityRules: readonly OptionRule<typeof securityFields>[] = [
  ({ protocol, sasl_mechanism: mechanism }) =>
    mechanism === 'AWS_MSK_IAM' && protocol === 'SASL_PLAINTEXT'
      ? problem(
          'protocol',
          'Cannot use AWS_MSK_IAM with SASL_PLAINTEXT as IAM credentials must not travel without TLS',
          'set protocol to SASL_SSL',
        )
      : undefined,
  (options) => {
    const { protocol, sasl_mechanism: mechanism = 'PLAIN' } = options
    if (!protocol.startsWith('SASL')) return []
    return (NEEDED[mechanism] ?? [])
      .filter((name) => options[name] === undefined)
      .map((name) => problem(name, `Missing option "${name}", which ${protocol} with ${mechanism} requires`))
  },
  (options) =>
    options.protocol.startsWith('SASL') &&
    options.sasl_mechanism === 'OAUTHBEARER' &&
    (options.oauth_token ?? options.oauth_token_endpoint) === undefined
      ? problem(
          'oauth_token',
          'Missing a token, which OAUTHBEARER requires',
          'set oauth_token, or oauth_token_endpoint with oauth_client_id and oauth_client_secret',
        )
      : undefined,
]

const PASSWORD = ['sasl_username', 'sasl_password'] as const
const NEEDED: { readonly [mechanism: string]: readonly (keyof Security)[] | undefined } = {
  PLAIN: PASSWORD,
  'SCRAM-SHA-256': PASSWORD,
  'SCRAM-SHA-512': PASSWORD,
}

/** The same as options of our `kafka` components. */
export function securityOptions(security: Security | undefined): { readonly [name: string]: unknown } {
  if (security === undefined) return {}
  const { protocol } = security
  const mechanism = security.sasl_mechanism ?? (protocol.startsWith('SASL') ? 'PLAIN' : undefined)
  return {
    ...Object.fromEntries(Object.entries(SECURITY_NAMES).map(([ours, theirs]) => [ours, security[theirs]])),
    saslMechanism: mechanism,
  }
}

/** Name in `security` of each of our options. */
export const SECURITY_NAMES = {
  securityProtocol: 'protocol',
  saslMechanism: 'sasl_mechanism',
  saslUsername: 'sasl_username',
  saslPassword: 'sasl_password',
  oauthToken: 'oauth_token',
  oauthTokenEndpoint: 'oauth_token_endpoint',
  oauthClientId: 'oauth_client_id',
  oauthClientSecret: 'oauth_client_secret',
  oauthScope: 'oauth_scope',
  oauthExtensions: 'oauth_extensions',
  awsRegion: 'aws_region',
  awsAccessKeyId: 'aws_access_key_id',
  awsSecretAccessKey: 'aws_secret_access_key',
  awsSessionToken: 'aws_session_token',
  awsProfile: 'aws_profile',
  truststoreLocation: 'ssl_ca_cert',
  certificateLocation: 'ssl_client_cert',
  keyLocation: 'ssl_client_key',
} as const satisfies { readonly [ours in keyof typeof SECURITY_FIELDS]?: keyof typeof securityFields }
