import { describe, expect, test } from 'vitest'
import { CONSUMER_FIELDS, PRODUCER_FIELDS } from '../../src/kafka/properties.ts'
import {
  clusterOptions,
  CONSUMER_RULES,
  consumerSettings,
  PRODUCER_RULES,
  producerSettings,
} from '../../src/kafka/settings.ts'
import { parseOptions } from '../../src/options/parse.ts'

const BROKERS = { bootstrapServers: 'localhost:9092' }
const PLAIN = 'org.apache.kafka.common.security.plain.PlainLoginModule required username="u" password="hush";'
const SCRAM = 'org.apache.kafka.common.security.scram.ScramLoginModule required username="u" password="hush";'

function consumer(input: object): {
  problems: string[]
  warnings: string[]
  settings: ReturnType<typeof consumerSettings> | undefined
} {
  const { options, problems, warnings } = parseOptions(
    { options: CONSUMER_FIELDS, rules: CONSUMER_RULES },
    { ...BROKERS, ...input },
  )
  return {
    problems: problems.map(({ message }) => message),
    warnings: warnings.map(({ message }) => message),
    settings: problems.length === 0 ? consumerSettings(options) : undefined,
  }
}

function producer(input: object): {
  problems: string[]
  warnings: string[]
  settings: ReturnType<typeof producerSettings> | undefined
} {
  const { options, problems, warnings } = parseOptions(
    { options: PRODUCER_FIELDS, rules: PRODUCER_RULES },
    { ...BROKERS, ...input },
  )
  return {
    problems: problems.map(({ message }) => message),
    warnings: warnings.map(({ message }) => message),
    settings: problems.length === 0 ? producerSettings(options) : undefined,
  }
}

describe('rules of producers', () => {
  test.each([
    { name: 'idempotence with acks all', options: { 'enable.idempotence': true, acks: 'all' } },
    {
      name: 'idempotence with acks 1',
      options: { 'enable.idempotence': true, acks: 1 },
      problem: 'enable.idempotence needs acks "all"',
    },
    { name: 'idempotence with acks 0', options: { 'enable.idempotence': true, acks: 0 }, problem: 'acks is "0"' },
    { name: 'no idempotence with acks 1', options: { 'enable.idempotence': false, acks: 1 } },
    {
      name: 'six in flight with idempotence',
      options: { 'enable.idempotence': true, 'max.in.flight.requests.per.connection': 6 },
      problem: 'a broker remembers only the last 5 batches',
    },
    {
      name: 'six in flight without idempotence',
      options: { 'enable.idempotence': false, 'max.in.flight.requests.per.connection': 6 },
    },
    {
      name: 'a delivery timeout shorter than one request',
      options: { 'delivery.timeout.ms': 10_000 },
      problem: 'must be at least linger.ms + request.timeout.ms (30005)',
    },
    { name: 'transactions', options: { 'transactional.id': 'x' } },
    {
      name: 'transactions with acks leader',
      options: { 'transactional.id': 'x', acks: 1 },
      problem: 'transactional.id needs acks "all"',
    },
    {
      name: 'transactions without idempotence',
      options: { 'transactional.id': 'x', 'enable.idempotence': false },
      problem: 'transactional.id needs acks "all"',
    },
    { name: 'gzip level 0', options: { 'compression.gzip.level': 0 }, problem: 'between 1 and 9, or -1' },
  ])('$name', ({ options, problem }) => {
    expect(producer(options).problems).toEqual(problem === undefined ? [] : [expect.stringContaining(problem)])
  })

  test.each([
    [{}, true],
    [{ acks: 1 }, false],
    [{ acks: 0 }, false],
    [{ acks: 'all', 'enable.idempotence': false }, false],
  ])('%j makes idempotence %s', (options, idempotence) => {
    expect(producer(options).settings?.producer.idempotence).toBe(idempotence)
  })

  test('uses five requests in flight where idempotence was not asked for, and says so', () => {
    const { settings, warnings } = producer({ 'max.in.flight.requests.per.connection': 10 })
    expect(settings?.producer.maxInFlight).toBe(5)
    expect(warnings).toEqual([expect.stringContaining('so 5 is used')])
  })

  test('takes the level of the codec in use', () => {
    const levels = { 'compression.gzip.level': 9, 'compression.lz4.level': 1, 'compression.zstd.level': 7 }
    const level = (type: string): number | undefined =>
      producer({ ...levels, 'compression.type': type }).settings?.producer.compressionLevel
    expect(['none', 'gzip', 'snappy', 'lz4', 'zstd'].map(level)).toEqual([undefined, 9, undefined, 1, 7])
  })

  test('gives canonical settings', () => {
    expect(producer({ acks: 1, 'linger.ms': 'PT0.02S', 'max.block.ms': 5000, clientId: 'me' }).settings).toEqual({
      cluster: {
        bootstrapServers: ['localhost:9092'],
        clientId: 'me',
        connectTimeoutMs: 10_000,
        requestTimeoutMs: 30_000,
        apiTimeoutMs: 5000,
        metadataMaxAgeMs: 300_000,
        retryBackoffMs: 100,
        retryBackoffMaxMs: 1000,
        security: { protocol: 'PLAINTEXT', sasl: undefined, tls: undefined },
      },
      producer: {
        acks: 1,
        idempotence: false,
        lingerMs: 20,
        batchBytes: 16_384,
        compression: 'none',
        compressionLevel: undefined,
        maxInFlight: 5,
        maxRequestBytes: 1_048_576,
        bufferBytes: 33_554_432,
        deliveryTimeoutMs: 120_000,
        requestTimeoutMs: 30_000,
        partitioner: 'murmur2',
        transactionalId: undefined,
        transactionTimeoutMs: 10_000,
        keySerializer: 'org.apache.kafka.common.serialization.StringSerializer',
        valueSerializer: 'org.apache.kafka.common.serialization.StringSerializer',
      },
    })
  })
})

describe('rules of consumers', () => {
  test.each([
    {
      name: 'heartbeats slower than the session',
      options: { 'heartbeat.interval.ms': 6000, 'session.timeout.ms': 6000 },
      problem: 'must be less than session.timeout.ms (6000)',
    },
    {
      name: 'a fetch that waits longer than a request may take',
      options: { 'fetch.max.wait.ms': 30_000 },
      problem: 'must be less than request.timeout.ms (30000)',
    },
    {
      name: 'a server assignor with the classic protocol',
      options: { 'group.remote.assignor': 'uniform' },
      problem: 'needs group.protocol consumer',
    },
    {
      name: 'a session timeout with the protocol of KIP-848',
      options: { 'group.protocol': 'CONSUMER', 'session.timeout.ms': 6000 },
      problem: 'for the broker to decide',
    },
    { name: 'a static member without a group', options: { 'group.instance.id': 'a' }, problem: 'needs group.id' },
    { name: 'a static member', options: { 'group.instance.id': 'a', groupId: 'g' } },
    { name: 'the protocol of KIP-848', options: { 'group.protocol': 'consumer', 'group.remote.assignor': 'range' } },
  ])('$name', ({ options, problem }) => {
    expect(consumer(options).problems).toEqual(problem === undefined ? [] : [expect.stringContaining(problem)])
  })
})

describe('security', () => {
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
    {
      name: 'OAuth',
      options: { securityProtocol: 'SASL_SSL', saslMechanism: 'OAUTHBEARER' },
      problem: 'OAUTHBEARER as it is not supported yet',
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
      problem: 'need one another',
    },
    {
      name: 'two truststores',
      options: { securityProtocol: 'SSL', 'ssl.truststore.location': 'a.pem', 'ssl.truststore.certificates': 'b' },
      problem: 'delete one',
    },
  ])('$name', ({ options, problem }) => {
    const { problems } = consumer(options)
    const { problems: full } = parseOptions(
      { options: CONSUMER_FIELDS, rules: CONSUMER_RULES },
      { ...BROKERS, ...options },
    )
    expect(full.map(({ message, suggestion }) => `${message} ${suggestion ?? ''}`)).toEqual(
      problem === undefined ? [] : [expect.stringContaining(problem)],
    )
    // I8
    expect(problems.join()).not.toContain('hush')
  })

  test('warns of a password that is sent in clear text', () => {
    const { settings, warnings } = consumer({
      securityProtocol: 'SASL_PLAINTEXT',
      saslMechanism: 'PLAIN',
      saslJaasConfig: PLAIN,
    })
    expect(warnings).toEqual([expect.stringContaining('sent in clear text')])
    expect(settings?.cluster.security).toEqual({
      protocol: 'SASL_PLAINTEXT',
      sasl: { mechanism: 'PLAIN', username: 'u', password: 'hush' },
      tls: undefined,
    })
  })

  test('never leaves out TLS where it was asked for', async () => {
    const { settings } = consumer({
      securityProtocol: 'SASL_SSL',
      saslMechanism: 'SCRAM-SHA-256',
      saslJaasConfig: SCRAM,
      'ssl.enabled.protocols': 'TLSv1.3',
    })
    const options = await clusterOptions(settings!.cluster, { directory: '.', clientId: 'fallback' })
    expect(options).toMatchObject({
      clientId: 'fallback',
      sasl: { mechanism: 'SCRAM-SHA-256', username: 'u', password: 'hush' },
      tls: { minVersion: 'TLSv1.3', maxVersion: 'TLSv1.3' },
    })
    expect(options).not.toHaveProperty('security')
  })
})
