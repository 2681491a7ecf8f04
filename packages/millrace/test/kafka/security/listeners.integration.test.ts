/**
 * Every kind of listener with every mechanism: what is accepted, and what a user is told who got it wrong.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { Cluster } from '../../../src/kafka/cluster/cluster.ts'
import { CONSUMER_FIELDS } from '../../../src/kafka/properties/consumer-fields.ts'
import { CONSUMER_RULES } from '../../../src/kafka/properties/rules.ts'
import { clusterOptions, consumerSettings } from '../../../src/kafka/properties/settings.ts'
import { parseOptions } from '../../../src/options/parse.ts'
import { javaAvailable } from '../../support/broker.ts'
import { AWS, listenerBroker, type ListenerName } from '../../support/listeners.ts'
import { TLS_FIXTURES } from '../../support/secure-broker.ts'
import { CLIENT } from '../../support/token-server.ts'

interface Properties {
  readonly [name: string]: unknown
}

describe.skipIf(!javaAvailable)('a broker with every kind of listener', () => {
  const broker = listenerBroker()

  /** Connects with Kafka properties, as a user writes them. @returns the id of the cluster */
  async function connect(listener: ListenerName, properties: Properties): Promise<string | null> {
    const { options, problems } = parseOptions(
      { options: CONSUMER_FIELDS, rules: CONSUMER_RULES },
      { 'bootstrap.servers': broker().address(listener), ...properties },
    )
    expect(problems).toEqual([])
    const cluster = new Cluster(
      await clusterOptions(consumerSettings(options).cluster, { directory: TLS_FIXTURES, clientId: 'test' }),
    )
    try {
      await cluster.connect()
      return cluster.clusterId
    } finally {
      await cluster.close()
    }
  }

  const text = (name: string): string => readFileSync(join(TLS_FIXTURES, name), 'utf8')
  const ca = { 'ssl.truststore.location': 'ca.pem' }
  const ssl = { 'security.protocol': 'SSL' }
  const saslSsl = { 'security.protocol': 'SASL_SSL', ...ca }
  const saslPlaintext = { 'security.protocol': 'SASL_PLAINTEXT' }

  const PLAIN = 'org.apache.kafka.common.security.plain.PlainLoginModule'
  const OAUTH = 'org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule'
  const plain = { 'sasl.mechanism': 'PLAIN', saslUsername: 'user', saslPassword: 'pass' }
  const scram = (digits: number): Properties => ({
    'sasl.mechanism': `SCRAM-SHA-${digits}`,
    saslUsername: 'bob',
    saslPassword: 'bob-secret',
  })
  const oauth = { 'sasl.mechanism': 'OAUTHBEARER' }
  const unsigned = { ...oauth, 'sasl.jaas.config': `${OAUTH} required unsecuredLoginStringClaim_sub="alice";` }
  const client = (): Properties => ({
    ...oauth,
    'sasl.oauthbearer.token.endpoint.url': broker().tokens.url,
    'sasl.oauthbearer.client.credentials.client.id': CLIENT.id,
    'sasl.oauthbearer.client.credentials.client.secret': CLIENT.secret,
  })
  const iam = {
    'sasl.mechanism': 'AWS_MSK_IAM',
    awsAccessKeyId: AWS.accessKeyId,
    awsSecretAccessKey: AWS.secretAccessKey,
    awsRegion: AWS.region,
  }

  interface Row {
    readonly listener: ListenerName
    readonly name: string
    readonly properties: () => Properties
  }

  test.each<Row>([
    { listener: 'PLAINTEXT', name: 'nothing', properties: () => ({}) },
    { listener: 'SSL', name: 'an authority as PEM file', properties: () => ({ ...ssl, ...ca }) },
    {
      listener: 'SSL',
      name: 'an authority as text',
      properties: () => ({ ...ssl, 'ssl.truststore.certificates': text('ca.pem') }),
    },
    {
      listener: 'SSL',
      name: 'a PKCS12 truststore',
      properties: () => ({ ...ssl, 'ssl.truststore.location': 'trust.p12', 'ssl.truststore.password': 'changeit' }),
    },
    {
      listener: 'MTLS',
      name: 'key and chain in one file',
      properties: () => ({ ...ssl, ...ca, 'ssl.keystore.location': 'server.pem' }),
    },
    {
      listener: 'MTLS',
      name: 'key and chain in two files',
      properties: () => ({ ...ssl, ...ca, 'ssl.key.location': 'key.pem', 'ssl.certificate.location': 'ca.pem' }),
    },
    {
      listener: 'MTLS',
      name: 'key and chain as text',
      properties: () => ({
        ...ssl,
        ...ca,
        'ssl.keystore.key': text('key.pem'),
        'ssl.keystore.certificate.chain': text('ca.pem'),
      }),
    },
    {
      listener: 'MTLS',
      name: 'a PKCS12 keystore',
      properties: () => ({
        ...ssl,
        ...ca,
        'ssl.keystore.location': 'server.p12',
        'ssl.keystore.password': 'changeit',
      }),
    },
    { listener: 'SASL', name: 'PLAIN', properties: () => ({ ...saslPlaintext, ...plain }) },
    { listener: 'SASL', name: 'SCRAM-SHA-256', properties: () => ({ ...saslPlaintext, ...scram(256) }) },
    { listener: 'SASL', name: 'SCRAM-SHA-512', properties: () => ({ ...saslPlaintext, ...scram(512) }) },
    { listener: 'SASL', name: 'OAUTHBEARER, unsigned', properties: () => ({ ...saslPlaintext, ...unsigned }) },
    { listener: 'SASL_TLS', name: 'PLAIN', properties: () => ({ ...saslSsl, ...plain }) },
    {
      listener: 'SASL_TLS',
      name: 'PLAIN by JAAS',
      properties: () => ({
        ...saslSsl,
        'sasl.mechanism': 'PLAIN',
        'sasl.jaas.config': `${PLAIN} required username="user" password="pass";`,
      }),
    },
    { listener: 'SASL_TLS', name: 'SCRAM-SHA-256', properties: () => ({ ...saslSsl, ...scram(256) }) },
    { listener: 'SASL_TLS', name: 'SCRAM-SHA-512', properties: () => ({ ...saslSsl, ...scram(512) }) },
    { listener: 'SASL_TLS', name: 'OAUTHBEARER by a token endpoint', properties: () => ({ ...saslSsl, ...client() }) },
    {
      listener: 'SASL_TLS',
      name: 'OAUTHBEARER with extensions',
      properties: () => ({ ...saslSsl, ...client(), oauthExtensions: { pool: 'p one', cluster: 'c' } }),
    },
    {
      listener: 'SASL_TLS',
      name: 'OAUTHBEARER with a token',
      properties: () => ({ ...saslSsl, ...oauth, oauthToken: broker().tokens.token() }),
    },
    {
      listener: 'SASL_TLS',
      name: 'OAUTHBEARER with a function',
      properties: () => ({ ...saslSsl, ...oauth, oauthToken: () => ({ token: broker().tokens.token() }) }),
    },
    { listener: 'SASL_TLS', name: 'AWS_MSK_IAM', properties: () => ({ ...saslSsl, ...iam }) },
    {
      listener: 'SASL_TLS',
      name: 'AWS_MSK_IAM with a session token',
      properties: () => ({ ...saslSsl, ...iam, awsSessionToken: 'a/b+c==' }),
    },
    {
      listener: 'SASL_MTLS',
      name: 'PLAIN and a certificate of ours',
      properties: () => ({ ...saslSsl, ...plain, 'ssl.keystore.location': 'server.pem' }),
    },
  ])('$listener accepts $name', async ({ listener, properties }) => {
    expect(await connect(listener, properties())).toMatch(/\S/)
  })

  const otherName = (listener: ListenerName): Properties => ({
    'bootstrap.servers': broker().address(listener).replace('127.0.0.1', '[::ffff:127.0.0.1]'),
  })

  interface Refusal extends Row {
    readonly code: string
    readonly message: RegExp
  }

  test.each<Refusal>([
    {
      listener: 'SSL',
      name: 'no authority',
      properties: () => ssl,
      code: 'TLS_FAILED',
      message: /not signed by a trusted authority: set ssl\.truststore\.location/,
    },
    {
      listener: 'SSL',
      name: 'another authority',
      properties: () => ({ ...ssl, 'ssl.truststore.location': 'other-ca.pem' }),
      code: 'TLS_FAILED',
      message: /not signed by a trusted authority/,
    },
    {
      listener: 'SSL',
      name: 'another host name',
      properties: () => ({ ...ssl, ...ca, ...otherName('SSL') }),
      code: 'TLS_FAILED',
      message: /certificate is for another host name/,
    },
    {
      listener: 'SSL',
      name: 'clear text',
      properties: () => ({}),
      code: 'TLS_FAILED',
      message: /set security\.protocol to SSL or SASL_SSL/,
    },
    {
      listener: 'MTLS',
      name: 'no certificate of ours',
      properties: () => ({ ...ssl, ...ca }),
      code: 'TLS_FAILED',
      message: /requires a client certificate that it trusts: set ssl\.keystore\.location/,
    },
    {
      listener: 'PLAINTEXT',
      name: 'TLS',
      properties: () => ({ ...ssl, ...ca }),
      code: 'BROKER_UNREACHABLE',
      message: /over TLS: .*check security\.protocol/,
    },
    {
      listener: 'PLAINTEXT',
      name: 'SASL over TLS',
      properties: () => ({ ...saslSsl, ...plain }),
      code: 'BROKER_UNREACHABLE',
      message: /over TLS: .*check security\.protocol/,
    },
    {
      listener: 'PLAINTEXT',
      name: 'SASL',
      properties: () => ({ ...saslPlaintext, ...scram(256) }),
      code: 'AUTHENTICATION_FAILED',
      message: /does not ask for SASL at this port: set security\.protocol to PLAINTEXT or SSL/,
    },
    {
      listener: 'SASL',
      name: 'no SASL',
      properties: () => ({}),
      code: 'AUTHENTICATION_FAILED',
      message: /requires SASL: set security\.protocol to SASL_PLAINTEXT and sasl\.mechanism to .*SCRAM-SHA-256/,
    },
    {
      listener: 'SASL_TLS',
      name: 'TLS without SASL',
      properties: () => ({ ...ssl, ...ca }),
      code: 'AUTHENTICATION_FAILED',
      message: /requires SASL: set security\.protocol to SASL_SSL and sasl\.mechanism to/,
    },
    {
      listener: 'SASL_TLS',
      name: 'SASL in clear text',
      properties: () => ({ ...saslPlaintext, ...scram(256) }),
      code: 'TLS_FAILED',
      message: /set security\.protocol to SSL or SASL_SSL/,
    },
    {
      listener: 'SASL',
      name: 'a wrong password with PLAIN',
      properties: () => ({ ...saslPlaintext, ...plain, saslPassword: 'hush' }),
      code: 'AUTHENTICATION_FAILED',
      message: /refused the credentials: .*Check sasl\.mechanism, the user name and the password/,
    },
    {
      listener: 'SASL_TLS',
      name: 'a wrong password with SCRAM',
      properties: () => ({ ...saslSsl, ...scram(512), saslPassword: 'hush' }),
      code: 'AUTHENTICATION_FAILED',
      message: /refused the credentials: .*SCRAM-SHA-512/,
    },
    {
      listener: 'SASL_TLS',
      name: 'an unsigned token',
      properties: () => ({ ...saslSsl, ...unsigned }),
      code: 'AUTHENTICATION_FAILED',
      message: /refused the credentials: .*invalid_token.*Check that the token is for this cluster/,
    },
    {
      listener: 'SASL_TLS',
      name: 'a token for somebody else',
      properties: () => ({ ...saslSsl, ...oauth, oauthToken: broker().tokens.token({ aud: 'hush' }) }),
      code: 'AUTHENTICATION_FAILED',
      message: /refused the credentials: .*invalid_token/,
    },
    {
      listener: 'SASL_TLS',
      name: 'a token that has ended',
      properties: () => ({ ...saslSsl, ...oauth, oauthToken: broker().tokens.token({}, -5) }),
      code: 'AUTHENTICATION_FAILED',
      message: /refused the credentials: .*invalid_token/,
    },
    {
      listener: 'SASL_TLS',
      name: 'a client that the token endpoint does not know',
      properties: () => ({ ...saslSsl, ...client(), 'sasl.oauthbearer.client.credentials.client.secret': 'hush' }),
      code: 'AUTHENTICATION_FAILED',
      message: /token endpoint .* refused the client "millrace": status 401, invalid_client, Who are you/,
    },
    {
      listener: 'SASL_TLS',
      name: 'no token endpoint',
      properties: () => ({
        ...saslSsl,
        ...client(),
        'sasl.oauthbearer.token.endpoint.url': 'http://127.0.0.1:2/token',
        'default.api.timeout.ms': 1000,
      }),
      code: 'TOKEN_UNAVAILABLE',
      message: /Cannot get a token from "http:\/\/127\.0\.0\.1:2\/token": connection refused/,
    },
    {
      listener: 'SASL_TLS',
      name: 'a wrong secret key',
      properties: () => ({ ...saslSsl, ...iam, awsSecretAccessKey: 'hush' }),
      code: 'AUTHENTICATION_FAILED',
      message: /refused the credentials: .*Access denied.*Check the region, the access key and the secret key/,
    },
    {
      listener: 'SASL_TLS',
      name: 'another region',
      properties: () => ({ ...saslSsl, ...iam, awsRegion: 'eu-central-1' }),
      code: 'AUTHENTICATION_FAILED',
      message: /refused the credentials: .*Access denied/,
    },
  ])(
    '$listener refuses $name within seconds, and the error says why',
    async ({ listener, properties, code, message }) => {
      const started = performance.now()
      const failure: unknown = await connect(listener, properties()).catch((error: unknown) => error)
      expect(failure).toMatchObject({ code, message: expect.stringMatching(message) })
      expect(performance.now() - started).toBeLessThan(30_000)
      // I8
      for (let error = failure; error instanceof Error; error = error.cause) expect(error.message).not.toContain('hush')
    },
  )
})
