/** Written by `npm run docs` from the declarations of the options: change those. */
import type { InputOptions } from '../../options/declaration.ts'
import type { ADMIN_FIELDS } from '../../kafka/properties/admin-fields.ts'

type Input = InputOptions<typeof ADMIN_FIELDS>

/** Options of all clients under all their names: in camelCase, and as Kafka spells them. */
export interface SharedNames {
  /** Addresses of some brokers as `host:port`, separated by commas or as a list. The other brokers are found through them. Example: `'localhost:9092'`. */
  readonly bootstrapServers?: Input['bootstrapServers'] | undefined
  /** The same as `bootstrapServers`. Addresses of some brokers as `host:port`, separated by commas or as a list. The other brokers are found through them. Example: `'localhost:9092'`. */
  readonly 'bootstrap.servers'?: Input['bootstrapServers'] | undefined
  /** The same as `bootstrapServers`. Addresses of some brokers as `host:port`, separated by commas or as a list. The other brokers are found through them. Example: `'localhost:9092'`. */
  readonly brokers?: Input['bootstrapServers'] | undefined
  /** Client name in the logs and quotas of brokers. By default `millrace-` and the name of the pipeline. */
  readonly clientId?: Input['clientId'] | undefined
  /** The same as `clientId`. Client name in the logs and quotas of brokers. By default `millrace-` and the name of the pipeline. */
  readonly 'client.id'?: Input['clientId'] | undefined
  /** How long one attempt to connect may take. Default: `10000`. */
  readonly connectTimeoutMs?: Input['connectTimeoutMs'] | string | undefined
  /** The same as `connectTimeoutMs`. How long one attempt to connect may take. Default: `10000`. */
  readonly 'socket.connection.setup.timeout.ms'?: Input['connectTimeoutMs'] | string | undefined
  /** How long topic metadata is cached before it is refreshed, for instance to find new partitions. Default: `300000`. */
  readonly metadataMaxAgeMs?: Input['metadataMaxAgeMs'] | string | undefined
  /** The same as `metadataMaxAgeMs`. How long topic metadata is cached before it is refreshed, for instance to find new partitions. Default: `300000`. */
  readonly 'metadata.max.age.ms'?: Input['metadataMaxAgeMs'] | string | undefined
  /** Longest wait before a failed request is retried. Default: `1000`. */
  readonly retryBackoffMaxMs?: Input['retryBackoffMaxMs'] | string | undefined
  /** The same as `retryBackoffMaxMs`. Longest wait before a failed request is retried. Default: `1000`. */
  readonly 'retry.backoff.max.ms'?: Input['retryBackoffMaxMs'] | string | undefined
  /** How connections are secured. Millrace never falls back to a weaker one. Default: `PLAINTEXT`. */
  readonly securityProtocol?: Input['securityProtocol'] | undefined
  /** The same as `securityProtocol`. How connections are secured. Millrace never falls back to a weaker one. Default: `PLAINTEXT`. */
  readonly 'security.protocol'?: Input['securityProtocol'] | undefined
  /** SASL mechanism: PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER or AWS_MSK_IAM. */
  readonly saslMechanism?: Input['saslMechanism'] | undefined
  /** The same as `saslMechanism`. SASL mechanism: PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER or AWS_MSK_IAM. */
  readonly 'sasl.mechanism'?: Input['saslMechanism'] | undefined
  /** Credentials in the form of Java clients: `<LoginModule> required username="..." password="...";`. Supports PlainLoginModule, ScramLoginModule, OAuthBearerLoginModule and IAMLoginModule. */
  readonly saslJaasConfig?: Input['saslJaasConfig'] | undefined
  /** The same as `saslJaasConfig`. Credentials in the form of Java clients: `<LoginModule> required username="..." password="...";`. Supports PlainLoginModule, ScramLoginModule, OAuthBearerLoginModule and IAMLoginModule. */
  readonly 'sasl.jaas.config'?: Input['saslJaasConfig'] | undefined
  /** User name for PLAIN and SCRAM; use it instead of `saslJaasConfig`. */
  readonly saslUsername?: Input['saslUsername'] | undefined
  /** The same as `saslUsername`. User name for PLAIN and SCRAM; use it instead of `saslJaasConfig`. */
  readonly 'sasl.username'?: Input['saslUsername'] | undefined
  /** Password for PLAIN and SCRAM; use it instead of `saslJaasConfig`. */
  readonly saslPassword?: Input['saslPassword'] | undefined
  /** The same as `saslPassword`. Password for PLAIN and SCRAM; use it instead of `saslJaasConfig`. */
  readonly 'sasl.password'?: Input['saslPassword'] | undefined
  /** Token for OAUTHBEARER. A program can pass a function instead, `async () => ({ token, expiresAt })`, which is called whenever a connection needs a token. */
  readonly oauthToken?: Input['oauthToken'] | undefined
  /** Where to get tokens: from an OAuth 2 token endpoint (`https:`), with `oauthClientId` and `oauthClientSecret`, or from a file (`file:`) that another process keeps up to date. Example: `'https://login.example.com/oauth2/token'`. */
  readonly oauthTokenEndpoint?: Input['oauthTokenEndpoint'] | undefined
  /** The same as `oauthTokenEndpoint`. Where to get tokens: from an OAuth 2 token endpoint (`https:`), with `oauthClientId` and `oauthClientSecret`, or from a file (`file:`) that another process keeps up to date. Example: `'https://login.example.com/oauth2/token'`. */
  readonly 'sasl.oauthbearer.token.endpoint.url'?: Input['oauthTokenEndpoint'] | undefined
  /** Client id for requests to `oauthTokenEndpoint`. */
  readonly oauthClientId?: Input['oauthClientId'] | undefined
  /** The same as `oauthClientId`. Client id for requests to `oauthTokenEndpoint`. */
  readonly 'sasl.oauthbearer.client.credentials.client.id'?: Input['oauthClientId'] | undefined
  /** Client secret that goes with `oauthClientId`. */
  readonly oauthClientSecret?: Input['oauthClientSecret'] | undefined
  /** The same as `oauthClientSecret`. Client secret that goes with `oauthClientId`. */
  readonly 'sasl.oauthbearer.client.credentials.client.secret'?: Input['oauthClientSecret'] | undefined
  /** Scope to request, if the token endpoint requires one. */
  readonly oauthScope?: Input['oauthScope'] | undefined
  /** The same as `oauthScope`. Scope to request, if the token endpoint requires one. */
  readonly 'sasl.oauthbearer.scope'?: Input['oauthScope'] | undefined
  /** Whether the client id and secret are URL-encoded in the header. RFC 6749 requires it, but few endpoints expect it. Default: `false`. */
  readonly oauthHeaderUrlencode?: Input['oauthHeaderUrlencode'] | undefined
  /** The same as `oauthHeaderUrlencode`. Whether the client id and secret are URL-encoded in the header. RFC 6749 requires it, but few endpoints expect it. Default: `false`. */
  readonly 'sasl.oauthbearer.header.urlencode'?: Input['oauthHeaderUrlencode'] | undefined
  /** SASL extensions to send with the token, for instance `logicalCluster`. Example: `{'logicalCluster':'lkc-1'}`. */
  readonly oauthExtensions?: Input['oauthExtensions'] | undefined
  /** Region of the MSK cluster. By default taken from the broker address, `AWS_REGION` or the profile. Example: `'us-east-1'`. */
  readonly awsRegion?: Input['awsRegion'] | undefined
  /** Access key for AWS_MSK_IAM. Without it, credentials come from `awsProfile`, the environment, a web identity (IRSA), the shared files, the container or the instance metadata, in this order. */
  readonly awsAccessKeyId?: Input['awsAccessKeyId'] | undefined
  /** Secret key that goes with `awsAccessKeyId`. */
  readonly awsSecretAccessKey?: Input['awsSecretAccessKey'] | undefined
  /** Session token of temporary credentials. */
  readonly awsSessionToken?: Input['awsSessionToken'] | undefined
  /** Profile in `~/.aws/credentials` and `~/.aws/config`. Profiles that assume a role, use single sign-on or run a command require the package `@aws-sdk/credential-provider-node`. */
  readonly awsProfile?: Input['awsProfile'] | undefined
  /** PEM file with the certificates of trusted certificate authorities. By default those that Node.js trusts. Example: `'ca.pem'`. */
  readonly truststoreLocation?: Input['truststoreLocation'] | undefined
  /** The same as `truststoreLocation`. PEM file with the certificates of trusted certificate authorities. By default those that Node.js trusts. Example: `'ca.pem'`. */
  readonly 'ssl.truststore.location'?: Input['truststoreLocation'] | undefined
  /** The same as `truststoreLocation`. PEM file with the certificates of trusted certificate authorities. By default those that Node.js trusts. Example: `'ca.pem'`. */
  readonly 'ssl.ca.location'?: Input['truststoreLocation'] | undefined
  /** Certificates of trusted certificate authorities, as PEM text. */
  readonly truststoreCertificates?: Input['truststoreCertificates'] | undefined
  /** The same as `truststoreCertificates`. Certificates of trusted certificate authorities, as PEM text. */
  readonly 'ssl.truststore.certificates'?: Input['truststoreCertificates'] | undefined
  /** PEM or PKCS12. By default derived from the file name. JKS must be converted first. */
  readonly truststoreType?: Input['truststoreType'] | undefined
  /** The same as `truststoreType`. PEM or PKCS12. By default derived from the file name. JKS must be converted first. */
  readonly 'ssl.truststore.type'?: Input['truststoreType'] | undefined
  /** Password of a PKCS12 truststore. */
  readonly truststorePassword?: Input['truststorePassword'] | undefined
  /** The same as `truststorePassword`. Password of a PKCS12 truststore. */
  readonly 'ssl.truststore.password'?: Input['truststorePassword'] | undefined
  /** File with the private key and certificate chain of this client, PEM or PKCS12, for brokers that require a client certificate. Example: `'client.pem'`. */
  readonly keystoreLocation?: Input['keystoreLocation'] | undefined
  /** The same as `keystoreLocation`. File with the private key and certificate chain of this client, PEM or PKCS12, for brokers that require a client certificate. Example: `'client.pem'`. */
  readonly 'ssl.keystore.location'?: Input['keystoreLocation'] | undefined
  /** PEM or PKCS12. By default derived from the file name. JKS must be converted first. */
  readonly keystoreType?: Input['keystoreType'] | undefined
  /** The same as `keystoreType`. PEM or PKCS12. By default derived from the file name. JKS must be converted first. */
  readonly 'ssl.keystore.type'?: Input['keystoreType'] | undefined
  /** Password of a PKCS12 keystore. */
  readonly keystorePassword?: Input['keystorePassword'] | undefined
  /** The same as `keystorePassword`. Password of a PKCS12 keystore. */
  readonly 'ssl.keystore.password'?: Input['keystorePassword'] | undefined
  /** Private key of this client, as PEM text. */
  readonly keystoreKey?: Input['keystoreKey'] | undefined
  /** The same as `keystoreKey`. Private key of this client, as PEM text. */
  readonly 'ssl.keystore.key'?: Input['keystoreKey'] | undefined
  /** Certificate chain of this client, as PEM text. */
  readonly keystoreCertificateChain?: Input['keystoreCertificateChain'] | undefined
  /** The same as `keystoreCertificateChain`. Certificate chain of this client, as PEM text. */
  readonly 'ssl.keystore.certificate.chain'?: Input['keystoreCertificateChain'] | undefined
  /** PEM file with the certificate chain of this client, if the key is in another file (`keyLocation`). Example: `'client.pem'`. */
  readonly certificateLocation?: Input['certificateLocation'] | undefined
  /** The same as `certificateLocation`. PEM file with the certificate chain of this client, if the key is in another file (`keyLocation`). Example: `'client.pem'`. */
  readonly 'ssl.certificate.location'?: Input['certificateLocation'] | undefined
  /** PEM file with the private key of this client; requires `certificateLocation`. Example: `'client-key.pem'`. */
  readonly keyLocation?: Input['keyLocation'] | undefined
  /** The same as `keyLocation`. PEM file with the private key of this client; requires `certificateLocation`. Example: `'client-key.pem'`. */
  readonly 'ssl.key.location'?: Input['keyLocation'] | undefined
  /** Password of an encrypted PEM key. */
  readonly keyPassword?: Input['keyPassword'] | undefined
  /** The same as `keyPassword`. Password of an encrypted PEM key. */
  readonly 'ssl.key.password'?: Input['keyPassword'] | undefined
  /** Whether the certificate of a broker must match its host name. An empty text or `none` turns the check off. Default: `https`. */
  readonly endpointIdentification?: Input['endpointIdentification'] | undefined
  /** The same as `endpointIdentification`. Whether the certificate of a broker must match its host name. An empty text or `none` turns the check off. Default: `https`. */
  readonly 'ssl.endpoint.identification.algorithm'?: Input['endpointIdentification'] | undefined
  /** TLS versions that may be used. */
  readonly tlsProtocols?: Input['tlsProtocols'] | undefined
  /** The same as `tlsProtocols`. TLS versions that may be used. */
  readonly 'ssl.enabled.protocols'?: Input['tlsProtocols'] | undefined
  /** Cipher suites that may be used. */
  readonly cipherSuites?: Input['cipherSuites'] | undefined
  /** The same as `cipherSuites`. Cipher suites that may be used. */
  readonly 'ssl.cipher.suites'?: Input['cipherSuites'] | undefined
  /** Has no effect: all addresses of a host are tried. */
  readonly 'client.dns.lookup'?: unknown
  /** Has no effect: it names or configures a Java class; use ${NAME} for environment variables. */
  readonly 'config.providers'?: unknown
  /** Has no effect: connections stay open until the client is closed. */
  readonly 'connections.max.idle.ms'?: unknown
  /** Has no effect: Millrace has metrics of its own. */
  readonly 'enable.metrics.push'?: unknown
  /** Has no effect: it names or configures a Java class. */
  readonly 'interceptor.classes'?: unknown
  /** Has no effect: bootstrap servers are used as soon as no known broker responds. */
  readonly 'metadata.recovery.rebootstrap.trigger.ms'?: unknown
  /** Has no effect: bootstrap servers are used as soon as no known broker responds. */
  readonly 'metadata.recovery.strategy'?: unknown
  /** Has no effect: Millrace has metrics of its own. */
  readonly 'metric.reporters'?: unknown
  /** Has no effect: Millrace has metrics of its own. */
  readonly 'metrics.num.samples'?: unknown
  /** Has no effect: Millrace has metrics of its own. */
  readonly 'metrics.recording.level'?: unknown
  /** Has no effect: Millrace has metrics of its own. */
  readonly 'metrics.sample.window.ms'?: unknown
  /** Has no effect: in Node.js, the operating system sets socket buffers. */
  readonly 'receive.buffer.bytes'?: unknown
  /** Has no effect: in Node.js, the operating system sets socket buffers. */
  readonly 'send.buffer.bytes'?: unknown
  /** Has no effect: a lost connection is re-established after retry.backoff.ms. */
  readonly 'reconnect.backoff.max.ms'?: unknown
  /** Has no effect: a lost connection is re-established after retry.backoff.ms. */
  readonly 'reconnect.backoff.ms'?: unknown
  /** Has no effect: every attempt may take socket.connection.setup.timeout.ms. */
  readonly 'socket.connection.setup.timeout.max.ms'?: unknown
  /** Has no effect: it names or configures a Java class. */
  readonly 'sasl.client.callback.handler.class'?: unknown
  /** Has no effect: it names or configures a Java class. */
  readonly 'sasl.login.callback.handler.class'?: unknown
  /** Has no effect: it names or configures a Java class. */
  readonly 'sasl.login.class'?: unknown
  /** Has no effect: Kerberos is not supported. */
  readonly 'sasl.kerberos.kinit.cmd'?: unknown
  /** Has no effect: Kerberos is not supported. */
  readonly 'sasl.kerberos.min.time.before.relogin'?: unknown
  /** Has no effect: Kerberos is not supported. */
  readonly 'sasl.kerberos.service.name'?: unknown
  /** Has no effect: Kerberos is not supported. */
  readonly 'sasl.kerberos.ticket.renew.jitter'?: unknown
  /** Has no effect: Kerberos is not supported. */
  readonly 'sasl.kerberos.ticket.renew.window.factor'?: unknown
  /** Has no effect: a token request may take socket.connection.setup.timeout.ms. */
  readonly 'sasl.login.connect.timeout.ms'?: unknown
  /** Has no effect: a token request may take socket.connection.setup.timeout.ms. */
  readonly 'sasl.login.read.timeout.ms'?: unknown
  /** Has no effect: a new token is fetched when a connection needs one and four fifths of its lifetime have passed. */
  readonly 'sasl.login.refresh.buffer.seconds'?: unknown
  /** Has no effect: a new token is fetched when a connection needs one and four fifths of its lifetime have passed. */
  readonly 'sasl.login.refresh.min.period.seconds'?: unknown
  /** Has no effect: a new token is fetched when a connection needs one and four fifths of its lifetime have passed. */
  readonly 'sasl.login.refresh.window.factor'?: unknown
  /** Has no effect: a new token is fetched when a connection needs one and four fifths of its lifetime have passed. */
  readonly 'sasl.login.refresh.window.jitter'?: unknown
  /** Has no effect: a token request is retried after retry.backoff.ms. */
  readonly 'sasl.login.retry.backoff.max.ms'?: unknown
  /** Has no effect: a token request is retried after retry.backoff.ms. */
  readonly 'sasl.login.retry.backoff.ms'?: unknown
  /** Has no effect: clients authenticate to the token endpoint with their secret, not with an assertion. */
  readonly 'sasl.oauthbearer.assertion.algorithm'?: unknown
  /** Has no effect: clients authenticate to the token endpoint with their secret, not with an assertion. */
  readonly 'sasl.oauthbearer.assertion.claim.aud'?: unknown
  /** Has no effect: clients authenticate to the token endpoint with their secret, not with an assertion. */
  readonly 'sasl.oauthbearer.assertion.claim.exp.seconds'?: unknown
  /** Has no effect: clients authenticate to the token endpoint with their secret, not with an assertion. */
  readonly 'sasl.oauthbearer.assertion.claim.iss'?: unknown
  /** Has no effect: clients authenticate to the token endpoint with their secret, not with an assertion. */
  readonly 'sasl.oauthbearer.assertion.claim.jti.include'?: unknown
  /** Has no effect: clients authenticate to the token endpoint with their secret, not with an assertion. */
  readonly 'sasl.oauthbearer.assertion.claim.nbf.seconds'?: unknown
  /** Has no effect: clients authenticate to the token endpoint with their secret, not with an assertion. */
  readonly 'sasl.oauthbearer.assertion.claim.sub'?: unknown
  /** Has no effect: clients authenticate to the token endpoint with their secret, not with an assertion. */
  readonly 'sasl.oauthbearer.assertion.file'?: unknown
  /** Has no effect: clients authenticate to the token endpoint with their secret, not with an assertion. */
  readonly 'sasl.oauthbearer.assertion.private.key.file'?: unknown
  /** Has no effect: clients authenticate to the token endpoint with their secret, not with an assertion. */
  readonly 'sasl.oauthbearer.assertion.private.key.passphrase'?: unknown
  /** Has no effect: clients authenticate to the token endpoint with their secret, not with an assertion. */
  readonly 'sasl.oauthbearer.assertion.template.file'?: unknown
  /** Has no effect: it is for brokers, which verify tokens. */
  readonly 'sasl.oauthbearer.clock.skew.seconds'?: unknown
  /** Has no effect: it is for brokers, which verify tokens. */
  readonly 'sasl.oauthbearer.expected.audience'?: unknown
  /** Has no effect: it is for brokers, which verify tokens. */
  readonly 'sasl.oauthbearer.expected.issuer'?: unknown
  /** Has no effect: it is for brokers, which verify tokens. */
  readonly 'sasl.oauthbearer.jwks.endpoint.refresh.ms'?: unknown
  /** Has no effect: it is for brokers, which verify tokens. */
  readonly 'sasl.oauthbearer.jwks.endpoint.retry.backoff.max.ms'?: unknown
  /** Has no effect: it is for brokers, which verify tokens. */
  readonly 'sasl.oauthbearer.jwks.endpoint.retry.backoff.ms'?: unknown
  /** Has no effect: it is for brokers, which verify tokens. */
  readonly 'sasl.oauthbearer.jwks.endpoint.url'?: unknown
  /** Has no effect: it names or configures a Java class. */
  readonly 'sasl.oauthbearer.jwt.retriever.class'?: unknown
  /** Has no effect: it names or configures a Java class. */
  readonly 'sasl.oauthbearer.jwt.validator.class'?: unknown
  /** Has no effect: it is for brokers, which verify tokens. */
  readonly 'sasl.oauthbearer.scope.claim.name'?: unknown
  /** Has no effect: it is for brokers, which verify tokens. */
  readonly 'sasl.oauthbearer.sub.claim.name'?: unknown
  /** Has no effect: it names or configures a Java class. */
  readonly 'security.providers'?: unknown
  /** Has no effect: it names or configures a Java class. */
  readonly 'ssl.engine.factory.class'?: unknown
  /** Has no effect: it names or configures a Java class. */
  readonly 'ssl.keymanager.algorithm'?: unknown
  /** Has no effect: ssl.enabled.protocols sets which versions of TLS may be used. */
  readonly 'ssl.protocol'?: unknown
  /** Has no effect: it names or configures a Java class. */
  readonly 'ssl.provider'?: unknown
  /** Has no effect: it names or configures a Java class. */
  readonly 'ssl.secure.random.implementation'?: unknown
  /** Has no effect: it names or configures a Java class. */
  readonly 'ssl.trustmanager.algorithm'?: unknown
}
