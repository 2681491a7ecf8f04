/**
 * What may be said together about security, and what it comes to.
 */
import { describe, expect, test } from 'vitest'
import { CONSUMER_FIELDS } from '../../../src/kafka/properties/consumer-fields.ts'
import { CONSUMER_RULES } from '../../../src/kafka/properties/rules.ts'
import { SECURITY_FIELDS } from '../../../src/kafka/security/fields.ts'
import { securityRule } from '../../../src/kafka/security/rules.ts'
import { securitySettings, type SecuritySettings } from '../../../src/kafka/security/settings.ts'
import { clusterOptions, consumerSettings } from '../../../src/kafka/properties/settings.ts'
import { parseOptions } from '../../../src/options/parse.ts'

const PLAIN = 'org.apache.kafka.common.security.plain.PlainLoginModule required username="u" password="hush";'
const SCRAM = 'org.apache.kafka.common.security.scram.ScramLoginModule required username="u" password="hush";'
const OAUTH = 'org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required'
const IAM = 'software.amazon.msk.auth.iam.IAMLoginModule required'

function read(input: object): { problems: string[]; warnings: string[]; settings: SecuritySettings | undefined } {
  const { options, problems, warnings } = parseOptions({ options: SECURITY_FIELDS, rules: [securityRule] }, input)
  const text = ({ path, message, suggestion }: (typeof problems)[number]): string =>
    `${path.join('.')}: ${message} ${suggestion ?? ''}`
  return {
    problems: problems.map(text),
    warnings: warnings.map(text),
    settings: problems.length === 0 ? securitySettings(options) : undefined,
  }
}

function expectProblems(options: object, problem: string | undefined): void {
  const { problems } = read(options)
  expect(problems).toEqual(problem === undefined ? [] : [expect.stringContaining(problem)])
  // I8
  expect(problems.join()).not.toContain('hush')
}

describe('rules of passwords and certificates', () => {
  test.each([
    { name: 'TLS', options: { securityProtocol: 'ssl' } },
    {
      name: 'SASL without a mechanism',
      options: { securityProtocol: 'SASL_SSL', saslJaasConfig: PLAIN },
      problem: 'Missing sasl.mechanism',
    },
    {
      name: 'SASL without credentials',
      options: { securityProtocol: 'SASL_SSL', saslMechanism: 'PLAIN' },
      problem: 'Missing credentials',
    },
    {
      name: 'a user without a password',
      options: { securityProtocol: 'SASL_SSL', saslMechanism: 'PLAIN', saslUsername: 'u' },
      problem: 'Missing credentials',
    },
    {
      name: 'Kerberos',
      options: { securityProtocol: 'SASL_SSL', saslMechanism: 'GSSAPI' },
      problem: 'Kerberos is not supported',
    },
    { name: 'PLAIN', options: { securityProtocol: 'SASL_SSL', saslMechanism: 'PLAIN', saslJaasConfig: PLAIN } },
    {
      name: 'user and password',
      options: { securityProtocol: 'SASL_SSL', saslMechanism: 'PLAIN', saslUsername: 'u', saslPassword: 'hush' },
    },
    {
      name: 'both ways of credentials',
      options: { securityProtocol: 'SASL_SSL', saslMechanism: 'PLAIN', saslJaasConfig: PLAIN, saslPassword: 'hush' },
      problem: 'Cannot use both saslJaasConfig and',
    },
    {
      name: 'SCRAM with the module for PLAIN',
      options: { securityProtocol: 'SASL_SSL', saslMechanism: 'SCRAM-SHA-512', saslJaasConfig: PLAIN },
      problem: 'with the login module for PLAIN',
    },
    { name: 'SCRAM', options: { securityProtocol: 'SASL_SSL', saslMechanism: 'SCRAM-SHA-512', saslJaasConfig: SCRAM } },
    {
      name: 'credentials that would not be used',
      options: { saslMechanism: 'PLAIN', saslJaasConfig: PLAIN },
      problem: 'security.protocol is PLAINTEXT, so the credentials would not be used',
    },
    {
      name: 'certificates that would not be used',
      options: { 'ssl.truststore.location': 'ca.pem' },
      problem: 'so the connection would not be encrypted',
    },
    {
      name: 'certificates beside credentials in clear text',
      options: {
        securityProtocol: 'SASL_PLAINTEXT',
        saslMechanism: 'SCRAM-SHA-256',
        saslJaasConfig: SCRAM,
        'ssl.truststore.location': 'ca.pem',
      },
      problem: 'so the connection would not be encrypted',
    },
    {
      name: 'a JKS truststore by its name',
      options: { securityProtocol: 'SSL', 'ssl.truststore.location': 'trust.jks' },
      problem: 'Cannot read a JKS truststore',
    },
    {
      name: 'a JKS keystore by its type',
      options: { securityProtocol: 'SSL', 'ssl.keystore.location': 'k', 'ssl.keystore.type': 'JKS' },
      problem: 'Cannot read a JKS keystore',
    },
    {
      name: 'a key without certificates',
      options: { securityProtocol: 'SSL', 'ssl.keystore.key': 'hush' },
      problem: 'must be set together',
    },
    {
      name: 'two truststores',
      options: { securityProtocol: 'SSL', 'ssl.truststore.location': 'a.pem', 'ssl.truststore.certificates': 'b' },
      problem: 'delete one',
    },
  ])('$name', ({ options, problem }) => {
    expectProblems(options, problem)
  })

  test('warns of a password that is sent in clear text', () => {
    const { settings, warnings } = read({
      securityProtocol: 'SASL_PLAINTEXT',
      saslMechanism: 'PLAIN',
      saslJaasConfig: PLAIN,
    })
    expect(warnings).toEqual([expect.stringContaining('sent in clear text')])
    expect(settings).toEqual({
      protocol: 'SASL_PLAINTEXT',
      sasl: { mechanism: 'PLAIN', username: 'u', password: 'hush' },
      tls: undefined,
    })
  })
})

describe('rules of tokens', () => {
  const oauth = { securityProtocol: 'SASL_SSL', saslMechanism: 'OAUTHBEARER' }
  const endpoint = { 'sasl.oauthbearer.token.endpoint.url': 'https://login.example.com/token' }
  const client = { oauthClientId: 'c', oauthClientSecret: 'hush' }

  test.each([
    { name: 'no token', options: {}, problem: 'saslMechanism: Missing a token' },
    { name: 'a token', options: { oauthToken: 'a.b.c' } },
    { name: 'a function', options: { oauthToken: () => ({ token: 't' }) } },
    { name: 'a number as token', options: { oauthToken: 5 }, problem: 'oauthToken: Cannot read option' },
    {
      name: 'a token with a line break inside',
      options: { oauthToken: 'hush\nhush' },
      problem: 'characters that are not allowed in a bearer token',
    },
    { name: 'a token endpoint', options: { ...endpoint, ...client } },
    {
      name: 'a token endpoint with the names of Kafka',
      options: {
        ...endpoint,
        'sasl.oauthbearer.client.credentials.client.id': 'c',
        'sasl.oauthbearer.client.credentials.client.secret': 'hush',
        'sasl.oauthbearer.scope': 's',
      },
    },
    {
      name: 'a token endpoint with the client in JAAS',
      options: { ...endpoint, saslJaasConfig: `${OAUTH} clientId="c" clientSecret="hush" scope="s";` },
    },
    { name: 'a token endpoint without client', options: endpoint, problem: 'oauthClientId: Missing the client' },
    {
      name: 'a token endpoint without secret',
      options: { ...endpoint, oauthClientId: 'c' },
      problem: 'oauthClientSecret: Missing the secret of the client',
    },
    {
      name: 'a client twice',
      options: { ...endpoint, ...client, saslJaasConfig: `${OAUTH} clientId="c";` },
      problem: 'oauthClientId: Cannot use both oauthClientId and clientId of sasl.jaas.config',
    },
    { name: 'a client without endpoint', options: client, problem: 'oauthClientId: It has no effect without' },
    {
      name: 'a token and an endpoint',
      options: { ...endpoint, ...client, oauthToken: 't' },
      problem: 'Cannot use both oauthToken and oauthTokenEndpoint delete one',
    },
    { name: 'a file', options: { oauthTokenEndpoint: 'file:///run/secrets/token' } },
    {
      name: 'a file and a client',
      options: { oauthTokenEndpoint: 'file:///run/secrets/token', ...client },
      problem: 'oauthClientId: It has no effect without',
    },
    {
      name: 'an endpoint of another protocol',
      options: { oauthTokenEndpoint: 'ftp://a/b', ...client },
      problem: 'oauthTokenEndpoint',
    },
    {
      name: 'a password in the address',
      options: { oauthTokenEndpoint: 'https://a:hush@b/c', ...client },
      problem: 'Cannot use a token endpoint with user and password in its address',
    },
    { name: 'claims for development', options: { saslJaasConfig: `${OAUTH} unsecuredLoginStringClaim_sub="alice";` } },
    { name: 'a module without anything', options: { saslJaasConfig: `${OAUTH};` }, problem: 'Missing a token' },
    {
      name: 'the module of another mechanism',
      options: { saslJaasConfig: SCRAM },
      problem: 'OAUTHBEARER with the login module for SCRAM',
    },
    { name: 'extensions', options: { oauthToken: 't', oauthExtensions: { logicalCluster: 'lkc-1' } } },
    {
      name: 'an extension that would replace the token',
      options: { oauthToken: 't', oauthExtensions: { auth: 'x' } },
      problem: 'Cannot use the SASL extension "auth"',
    },
    {
      name: 'an extension in JAAS with a digit',
      options: { oauthToken: 't', saslJaasConfig: `${OAUTH} extension_a1="x";` },
      problem: 'saslJaasConfig: Cannot use the SASL extension "a1"',
    },
    {
      name: 'a password',
      options: { oauthToken: 't', saslUsername: 'u', saslPassword: 'hush' },
      problem: 'saslUsername: It has no effect with sasl.mechanism OAUTHBEARER',
    },
    {
      name: 'a token without SASL',
      options: { oauthToken: 't', saslMechanism: undefined, securityProtocol: 'SSL' },
      problem: 'oauthToken: SASL is configured, but security.protocol is SSL',
    },
  ])('$name', ({ options, problem }) => {
    expectProblems({ ...oauth, ...options }, problem)
  })

  test.each([
    {
      name: 'a token in clear text',
      options: { securityProtocol: 'SASL_PLAINTEXT', oauthToken: 't' },
      says: 'token is sent',
    },
    {
      name: 'a secret in clear text',
      options: { oauthTokenEndpoint: 'http://login/token', ...client },
      says: 'secret of the client is sent in clear text',
    },
  ])('warns of $name', ({ options, says }) => {
    expect(read({ ...oauth, ...options }).warnings).toEqual([expect.stringContaining(says)])
  })

  test('come to one way of getting a token', () => {
    const jaas = `${OAUTH} clientId="c" clientSecret="hush" scope="s" extension_logicalCluster="lkc-1";`
    expect(
      read({ ...oauth, ...endpoint, saslJaasConfig: jaas, oauthExtensions: { pool: 'p' } }).settings?.sasl,
    ).toEqual({
      mechanism: 'OAUTHBEARER',
      tokens: {
        from: 'endpoint',
        url: 'https://login.example.com/token',
        clientId: 'c',
        clientSecret: 'hush',
        scope: 's',
        urlencode: false,
      },
      extensions: { logicalCluster: 'lkc-1', pool: 'p' },
    })
  })
})

describe('rules of AWS', () => {
  const iam = { securityProtocol: 'SASL_SSL', saslMechanism: 'AWS_MSK_IAM' }
  const keys = { awsAccessKeyId: 'AKID', awsSecretAccessKey: 'hush' }

  test.each([
    { name: 'credentials of the surroundings', options: {} },
    { name: 'the login module of AWS', options: { saslJaasConfig: `${IAM};` } },
    { name: 'keys', options: keys },
    { name: 'temporary keys', options: { ...keys, awsSessionToken: 'hush' } },
    { name: 'half a key', options: { awsAccessKeyId: 'AKID' }, problem: 'must be set together' },
    {
      name: 'a session token alone',
      options: { awsSessionToken: 'hush' },
      problem: 'awsSessionToken requires awsAccessKeyId',
    },
    { name: 'a profile', options: { awsProfile: 'p' } },
    { name: 'a profile and keys', options: { ...keys, awsProfile: 'p' }, problem: 'both a profile and awsAccessKeyId' },
    {
      name: 'two profiles',
      options: { awsProfile: 'p', saslJaasConfig: `${IAM} awsProfileName="q";` },
      problem: 'both awsProfile and awsProfileName',
    },
    {
      name: 'a role that would have to be taken',
      options: { saslJaasConfig: `${IAM} awsRoleArn="arn:aws:iam::1:role/r";` },
      problem: 'Cannot assume the role awsRoleArn',
    },
    { name: 'no TLS', options: { securityProtocol: 'SASL_PLAINTEXT' }, problem: 'must not travel without TLS' },
    {
      name: 'a token',
      options: { oauthToken: 'hush' },
      problem: 'oauthToken: It has no effect with sasl.mechanism AWS_MSK_IAM',
    },
  ])('$name', ({ options, problem }) => {
    expectProblems({ ...iam, ...options }, problem)
  })
})

test('TLS is never left out where it was asked for', async () => {
  const { options } = parseOptions(
    { options: CONSUMER_FIELDS, rules: CONSUMER_RULES },
    {
      bootstrapServers: 'localhost:9092',
      securityProtocol: 'SASL_SSL',
      saslMechanism: 'SCRAM-SHA-256',
      saslJaasConfig: SCRAM,
      'ssl.enabled.protocols': 'TLSv1.3',
    },
  )
  const opened = await clusterOptions(consumerSettings(options).cluster, { directory: '.', clientId: 'fallback' })
  expect(opened).toMatchObject({
    clientId: 'fallback',
    sasl: { name: 'SCRAM-SHA-256' },
    tls: { minVersion: 'TLSv1.3', maxVersion: 'TLSv1.3' },
  })
  expect(opened).not.toHaveProperty('security')
})
