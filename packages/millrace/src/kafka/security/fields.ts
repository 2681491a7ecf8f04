/**
 * Options that say who we are towards the brokers, and how connections are encrypted. Rules across them are in `rules.ts`, what they mean in
 * `settings.ts`.
 */
import { field } from '../../options/fields.ts'
import { tokenUrl } from '../../security/bearer-token.ts'
import { tokenGiver } from './oauth/oauth-token.ts'

export const SECURITY_PROTOCOLS = ['PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'SASL_SSL'] as const
export const SASL_MECHANISMS = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512', 'OAUTHBEARER', 'AWS_MSK_IAM'] as const
const STORE_TYPES = ['PEM', 'PKCS12', 'JKS'] as const

/** For PLAIN and SCRAM. */
const PASSWORD_FIELDS = {
  saslUsername: field
    .string()
    .optional()
    .kafka('sasl.username')
    .doc('User name for PLAIN and SCRAM; use it instead of `saslJaasConfig`.'),
  saslPassword: field
    .string()
    .secret()
    .optional()
    .kafka('sasl.password')
    .doc('Password for PLAIN and SCRAM; use it instead of `saslJaasConfig`.'),
}

/** For OAUTHBEARER: a token, or where to get one. */
const OAUTH_FIELDS = {
  oauthToken: field
    .of(tokenGiver)
    .secret()
    .optional()
    .doc(
      'Token for OAUTHBEARER. A program can pass a function instead, `async () => ({ token, expiresAt })`, which is called whenever a connection needs a token.',
    ),
  oauthTokenEndpoint: field
    .of(tokenUrl)
    .optional()
    .kafka('sasl.oauthbearer.token.endpoint.url')
    .doc(
      'Where to get tokens: from an OAuth 2 token endpoint (`https:`), with `oauthClientId` and `oauthClientSecret`, or from a file (`file:`) that another process keeps up to date.',
    )
    .example('https://login.example.com/oauth2/token'),
  oauthClientId: field
    .string()
    .optional()
    .kafka('sasl.oauthbearer.client.credentials.client.id')
    .doc('Client id for requests to `oauthTokenEndpoint`.'),
  oauthClientSecret: field
    .string()
    .secret()
    .optional()
    .kafka('sasl.oauthbearer.client.credentials.client.secret')
    .doc('Client secret that goes with `oauthClientId`.'),
  oauthScope: field
    .string()
    .optional()
    .kafka('sasl.oauthbearer.scope')
    .doc('Scope to request, if the token endpoint requires one.'),
  oauthHeaderUrlencode: field
    .boolean()
    .default(false)
    .kafka('sasl.oauthbearer.header.urlencode')
    .doc(
      'Whether the client id and secret are URL-encoded in the header. RFC 6749 requires it, but few endpoints expect it.',
    ),
  oauthExtensions: field
    .map(field.string())
    .optional()
    .doc('SASL extensions to send with the token, for instance `logicalCluster`.')
    .example({ logicalCluster: 'lkc-1' }),
}

/** For AWS_MSK_IAM. */
const AWS_FIELDS = {
  awsRegion: field
    .string()
    .optional()
    .doc('Region of the MSK cluster. By default taken from the broker address, `AWS_REGION` or the profile.')
    .example('us-east-1'),
  awsAccessKeyId: field
    .string()
    .secret()
    .optional()
    .doc(
      'Access key for AWS_MSK_IAM. Without it, credentials come from `awsProfile`, the environment, a web identity (IRSA), the shared files, the container or the instance metadata, in this order.',
    ),
  awsSecretAccessKey: field.string().secret().optional().doc('Secret key that goes with `awsAccessKeyId`.'),
  awsSessionToken: field.string().secret().optional().doc('Session token of temporary credentials.'),
  awsProfile: field
    .string()
    .optional()
    .doc(
      'Profile in `~/.aws/credentials` and `~/.aws/config`. Profiles that assume a role, use single sign-on or run a command require the package `@aws-sdk/credential-provider-node`.',
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
      'Credentials in the form of Java clients: `<LoginModule> required username="..." password="...";`. Supports PlainLoginModule, ScramLoginModule, OAuthBearerLoginModule and IAMLoginModule.',
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
    .doc('PEM file with the certificates of trusted certificate authorities. By default those that Node.js trusts.')
    .example('ca.pem'),
  truststoreCertificates: field
    .string()
    .optional()
    .kafka('ssl.truststore.certificates')
    .doc('Certificates of trusted certificate authorities, as PEM text.'),
  truststoreType: field
    .oneOf(STORE_TYPES)
    .optional()
    .kafka('ssl.truststore.type')
    .doc('PEM or PKCS12. By default derived from the file name. JKS must be converted first.'),
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
    .doc(
      'File with the private key and certificate chain of this client, PEM or PKCS12, for brokers that require a client certificate.',
    )
    .example('client.pem'),
  keystoreType: field
    .oneOf(STORE_TYPES)
    .optional()
    .kafka('ssl.keystore.type')
    .doc('PEM or PKCS12. By default derived from the file name. JKS must be converted first.'),
  keystorePassword: field
    .string()
    .secret()
    .optional()
    .kafka('ssl.keystore.password')
    .doc('Password of a PKCS12 keystore.'),
  keystoreKey: field
    .string()
    .secret()
    .optional()
    .kafka('ssl.keystore.key')
    .doc('Private key of this client, as PEM text.'),
  keystoreCertificateChain: field
    .string()
    .optional()
    .kafka('ssl.keystore.certificate.chain')
    .doc('Certificate chain of this client, as PEM text.'),
  certificateLocation: field
    .string()
    .optional()
    .kafka('ssl.certificate.location')
    .doc('PEM file with the certificate chain of this client, if the key is in another file (`keyLocation`).')
    .example('client.pem'),
  keyLocation: field
    .string()
    .optional()
    .kafka('ssl.key.location')
    .doc('PEM file with the private key of this client; requires `certificateLocation`.')
    .example('client-key.pem'),
  keyPassword: field.string().secret().optional().kafka('ssl.key.password').doc('Password of an encrypted PEM key.'),
  endpointIdentification: field
    .oneOf(['https', 'none'], { '': 'none' })
    .default('https')
    .kafka('ssl.endpoint.identification.algorithm')
    .doc('Whether the certificate of a broker must match its host name. An empty text or `none` turns the check off.'),
  tlsProtocols: field
    .list(field.oneOf(['TLSv1.2', 'TLSv1.3']), { commaText: true })
    .default(['TLSv1.2', 'TLSv1.3'])
    .kafka('ssl.enabled.protocols')
    .doc('TLS versions that may be used.'),
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
