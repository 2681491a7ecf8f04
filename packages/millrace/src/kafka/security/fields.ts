/**
 * Options that say who we are towards the brokers, and how connections are encrypted. Rules across them are in `rules.ts`, what they mean in
 * `settings.ts`.
 */
import { field } from '../../options/fields.ts'
import { tokenGiver, tokenUrl } from './oauth/oauth-token.ts'

export const SECURITY_PROTOCOLS = ['PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'SASL_SSL'] as const
export const SASL_MECHANISMS = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512', 'OAUTHBEARER', 'AWS_MSK_IAM'] as const
const STORE_TYPES = ['PEM', 'PKCS12', 'JKS'] as const

/** For PLAIN and SCRAM. */
const PASSWORD_FIELDS = {
  saslUsername: field
    .string()
    .optional()
    .kafka('sasl.username')
    .doc('User name for PLAIN and SCRAM; instead of `saslJaasConfig`.'),
  saslPassword: field
    .string()
    .secret()
    .optional()
    .kafka('sasl.password')
    .doc('Password for PLAIN and SCRAM; instead of `saslJaasConfig`.'),
}

/** For OAUTHBEARER: a token, or where to get one. */
const OAUTH_FIELDS = {
  oauthToken: field
    .of(tokenGiver)
    .secret()
    .optional()
    .doc(
      'Token for OAUTHBEARER. A program may give a function instead, `async () => ({ token, expiresAt })`, which is asked whenever a connection needs a token.',
    ),
  oauthTokenEndpoint: field
    .of(tokenUrl)
    .optional()
    .kafka('sasl.oauthbearer.token.endpoint.url')
    .doc(
      'Where tokens come from: an OAuth 2 token endpoint (`https:`), which is asked with `oauthClientId` and `oauthClientSecret`, or a file (`file:`) that something else keeps fresh.',
    )
    .example('https://login.example.com/oauth2/token'),
  oauthClientId: field
    .string()
    .optional()
    .kafka('sasl.oauthbearer.client.credentials.client.id')
    .doc('Client that asks `oauthTokenEndpoint` for tokens.'),
  oauthClientSecret: field
    .string()
    .secret()
    .optional()
    .kafka('sasl.oauthbearer.client.credentials.client.secret')
    .doc('Secret of `oauthClientId`.'),
  oauthScope: field
    .string()
    .optional()
    .kafka('sasl.oauthbearer.scope')
    .doc('Scope to ask for, where the token endpoint wants one.'),
  oauthHeaderUrlencode: field
    .boolean()
    .default(false)
    .kafka('sasl.oauthbearer.header.urlencode')
    .doc(
      'Whether id and secret are URL-encoded before they go into the header, as RFC 6749 asks and few endpoints do.',
    ),
  oauthExtensions: field
    .map(field.string())
    .optional()
    .doc('SASL extensions that go with the token, for instance `logicalCluster`.')
    .example({ logicalCluster: 'lkc-1' }),
}

/** For AWS_MSK_IAM. */
const AWS_FIELDS = {
  awsRegion: field
    .string()
    .optional()
    .doc('Region of the MSK cluster. By default that of the address of the broker, of `AWS_REGION`, or of the profile.')
    .example('us-east-1'),
  awsAccessKeyId: field
    .string()
    .secret()
    .optional()
    .doc(
      'Access key for AWS_MSK_IAM. Without it credentials come from `awsProfile`, the environment, a web identity (IRSA), the shared files, a container or the machine, in this order.',
    ),
  awsSecretAccessKey: field.string().secret().optional().doc('Secret key of `awsAccessKeyId`.'),
  awsSessionToken: field.string().secret().optional().doc('Session token of temporary credentials.'),
  awsProfile: field
    .string()
    .optional()
    .doc(
      'Profile in `~/.aws/credentials` and `~/.aws/config`. One that assumes a role, uses single sign-on or runs a command needs the package `@aws-sdk/credential-provider-node`.',
    ),
}

/** Who we are towards the brokers. */
const SASL_FIELDS = {
  saslMechanism: field
    .oneOf([...SASL_MECHANISMS, 'GSSAPI'])
    .optional()
    .kafka('sasl.mechanism')
    .doc('SASL mechanism: PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER or AWS_MSK_IAM.'),
  saslJaasConfig: field
    .string()
    .secret()
    .optional()
    .kafka('sasl.jaas.config')
    .doc(
      'Credentials as Java clients write them: `<LoginModule> required username="..." password="...";`. PlainLoginModule, ScramLoginModule, OAuthBearerLoginModule and IAMLoginModule are understood.',
    ),
  ...PASSWORD_FIELDS,
  ...OAUTH_FIELDS,
  ...AWS_FIELDS,
}

/** How brokers prove who they are, and we with a certificate. */
const TLS_FIELDS = {
  truststoreLocation: field
    .string()
    .optional()
    .kafka('ssl.truststore.location')
    .aliases('ssl.ca.location')
    .doc('File with the certificates of trusted authorities, PEM. Without it those that Node.js trusts.')
    .example('ca.pem'),
  truststoreCertificates: field
    .string()
    .optional()
    .kafka('ssl.truststore.certificates')
    .doc('The certificates themselves, as PEM text.'),
  truststoreType: field
    .oneOf(STORE_TYPES)
    .optional()
    .kafka('ssl.truststore.type')
    .doc('PEM or PKCS12; by default by the name of the file. JKS has to be converted.'),
  truststorePassword: field
    .string()
    .secret()
    .optional()
    .kafka('ssl.truststore.password')
    .doc('Password of a PKCS12 truststore.'),
  keystoreLocation: field
    .string()
    .optional()
    .kafka('ssl.keystore.location')
    .doc('File with our own private key and certificate chain, PEM or PKCS12, for brokers that ask for one.')
    .example('client.pem'),
  keystoreType: field
    .oneOf(STORE_TYPES)
    .optional()
    .kafka('ssl.keystore.type')
    .doc('PEM or PKCS12; by default by the name of the file. JKS has to be converted.'),
  keystorePassword: field
    .string()
    .secret()
    .optional()
    .kafka('ssl.keystore.password')
    .doc('Password of a PKCS12 keystore.'),
  keystoreKey: field.string().secret().optional().kafka('ssl.keystore.key').doc('Our private key as PEM text.'),
  keystoreCertificateChain: field
    .string()
    .optional()
    .kafka('ssl.keystore.certificate.chain')
    .doc('Our certificate chain as PEM text.'),
  certificateLocation: field
    .string()
    .optional()
    .kafka('ssl.certificate.location')
    .doc('File with our certificate chain, PEM; with `keyLocation`, where key and chain are two files.')
    .example('client.pem'),
  keyLocation: field
    .string()
    .optional()
    .kafka('ssl.key.location')
    .doc('File with our private key, PEM; with `certificateLocation`.')
    .example('client-key.pem'),
  keyPassword: field.string().secret().optional().kafka('ssl.key.password').doc('Password of an encrypted PEM key.'),
  endpointIdentification: field
    .oneOf(['https', 'none'], { '': 'none' })
    .default('https')
    .kafka('ssl.endpoint.identification.algorithm')
    .doc('Whether the certificate of a broker must be for its host name; empty text or `none` turns that off.'),
  tlsProtocols: field
    .list(field.oneOf(['TLSv1.2', 'TLSv1.3']), { commaText: true })
    .default(['TLSv1.2', 'TLSv1.3'])
    .kafka('ssl.enabled.protocols')
    .doc('Versions of TLS that may be used.'),
  cipherSuites: field
    .list(field.string(), { commaText: true })
    .optional()
    .kafka('ssl.cipher.suites')
    .doc('Cipher suites that may be used.'),
}

export const SECURITY_FIELDS = {
  securityProtocol: field
    .oneOf(SECURITY_PROTOCOLS)
    .default('PLAINTEXT')
    .kafka('security.protocol')
    .doc('How connections are secured. Millrace never falls back to a weaker one.'),
  ...SASL_FIELDS,
  ...TLS_FIELDS,
}
