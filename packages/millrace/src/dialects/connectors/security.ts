/**
 * `security` of seed 001: how connections to brokers are secured, in its own words.
 */
import { SECURITY_PROTOCOLS } from '../../kafka/properties.ts'
import { field, problem, type OptionRule, type Options } from '../../options/fields.ts'

export const securityFields = {
  protocol: field
    .oneOf(SECURITY_PROTOCOLS)
    .default('PLAINTEXT')
    .aliases('security_protocol')
    .doc('How connections are secured. Millrace never falls back to a weaker one.'),
  sasl_mechanism: field
    .oneOf(['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512', 'OAUTHBEARER', 'AWS_MSK_IAM'], {
      SCRAM_SHA_256: 'SCRAM-SHA-256',
      SCRAM_SHA_512: 'SCRAM-SHA-512',
    })
    .optional()
    .aliases('mechanism')
    .doc('SASL mechanism; PLAIN by default where `protocol` asks for SASL.'),
  sasl_username: field.string().optional().aliases('username').doc('User name for PLAIN and SCRAM.'),
  sasl_password: field.string().secret().optional().aliases('password').doc('Password for PLAIN and SCRAM.'),
  oauth_token: field.string().secret().optional().doc('Token for OAUTHBEARER.'),
  aws_access_key_id: field.string().secret().optional().doc('Access key for AWS_MSK_IAM.'),
  aws_secret_access_key: field.string().secret().optional().doc('Secret key for AWS_MSK_IAM.'),
  aws_region: field.string().optional().doc('Region for AWS_MSK_IAM.'),
  ssl_ca_cert: field
    .string()
    .optional()
    .aliases('ssl_ca_location', 'ca_cert')
    .doc('PEM file with the certificates of trusted authorities. Without it those that Node.js trusts.'),
  ssl_client_cert: field.string().optional().aliases('client_cert').doc('PEM file with our certificate chain.'),
  ssl_client_key: field.string().optional().aliases('client_key').doc('PEM file with our private key.'),
}

type Security = Options<typeof securityFields>

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
    return protocol.startsWith('SASL')
      ? NEEDED[mechanism]
          .filter((name) => options[name] === undefined)
          .map((name) => problem(name, `Missing option "${name}", which ${protocol} with ${mechanism} needs`))
      : []
  },
]

const NEEDED: { readonly [M in NonNullable<Security['sasl_mechanism']>]: readonly (keyof Security)[] } = {
  PLAIN: ['sasl_username', 'sasl_password'],
  'SCRAM-SHA-256': ['sasl_username', 'sasl_password'],
  'SCRAM-SHA-512': ['sasl_username', 'sasl_password'],
  OAUTHBEARER: ['oauth_token'],
  AWS_MSK_IAM: ['aws_access_key_id', 'aws_secret_access_key', 'aws_region'],
}

/** The same as options of our `kafka` components. */
export function securityOptions(security: Security | undefined): { readonly [name: string]: unknown } {
  if (security === undefined) return {}
  const { protocol } = security
  const mechanism = security.sasl_mechanism ?? (protocol.startsWith('SASL') ? 'PLAIN' : undefined)
  return {
    securityProtocol: protocol,
    saslMechanism: mechanism,
    saslUsername: security.sasl_username,
    saslPassword: security.sasl_password,
    truststoreLocation: security.ssl_ca_cert,
    certificateLocation: security.ssl_client_cert,
    keyLocation: security.ssl_client_key,
  }
}

/** Name in `security` of an option that `securityOptions` gives. */
export const SECURITY_NAMES: { readonly [option: string]: string } = {
  securityProtocol: 'protocol',
  saslMechanism: 'sasl_mechanism',
  saslUsername: 'sasl_username',
  saslPassword: 'sasl_password',
  saslJaasConfig: 'sasl_username',
  truststoreLocation: 'ssl_ca_cert',
  certificateLocation: 'ssl_client_cert',
  keyLocation: 'ssl_client_key',
}
