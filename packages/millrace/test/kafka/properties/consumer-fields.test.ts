import { describe, expect, test } from 'vitest'
import {
  CONSUMER_FIELDS,
  IGNORED_CONSUMER_FIELDS,
  IGNORED_PRODUCER_FIELDS,
  PRODUCER_FIELDS,
} from '../../../src/kafka/properties/consumer-fields.ts'
import type { Fields } from '../../../src/options/declaration.ts'
import { parseOptions } from '../../../src/options/parse.ts'

const CONSUMER = { ...CONSUMER_FIELDS, ...IGNORED_CONSUMER_FIELDS }
const PRODUCER = { ...PRODUCER_FIELDS, ...IGNORED_PRODUCER_FIELDS }

/** What `ConsumerConfig.configNames()` of Apache Kafka 4.3.1 lists. */
const JAVA_CONSUMER = `allow.auto.create.topics auto.commit.interval.ms auto.offset.reset bootstrap.servers check.crcs client.dns.lookup client.id client.rack
  config.providers connections.max.idle.ms default.api.timeout.ms enable.auto.commit enable.metrics.push exclude.internal.topics fetch.max.bytes fetch.max.wait.ms
  fetch.min.bytes group.id group.instance.id group.protocol group.remote.assignor heartbeat.interval.ms interceptor.classes
  internal.throw.on.fetch.stable.offset.unsupported isolation.level key.deserializer max.partition.fetch.bytes max.poll.interval.ms max.poll.records
  metadata.max.age.ms metadata.recovery.rebootstrap.trigger.ms metadata.recovery.strategy metric.reporters metrics.num.samples metrics.recording.level
  metrics.sample.window.ms partition.assignment.strategy receive.buffer.bytes reconnect.backoff.max.ms reconnect.backoff.ms request.timeout.ms
  retry.backoff.max.ms retry.backoff.ms send.buffer.bytes session.timeout.ms share.acknowledgement.mode share.acquire.mode value.deserializer`

/** What `ProducerConfig.configNames()` of Apache Kafka 4.3.1 lists. */
const JAVA_PRODUCER = `acks batch.size bootstrap.servers buffer.memory client.dns.lookup client.id compression.gzip.level compression.lz4.level compression.type
  compression.zstd.level config.providers connections.max.idle.ms delivery.timeout.ms enable.idempotence enable.metrics.push interceptor.classes key.serializer
  linger.ms max.block.ms max.in.flight.requests.per.connection max.request.size metadata.max.age.ms metadata.max.idle.ms metadata.recovery.rebootstrap.trigger.ms
  metadata.recovery.strategy metric.reporters metrics.num.samples metrics.recording.level metrics.sample.window.ms partitioner.adaptive.partitioning.enable
  partitioner.availability.timeout.ms partitioner.class partitioner.ignore.keys receive.buffer.bytes reconnect.backoff.max.ms reconnect.backoff.ms
  request.timeout.ms retries retry.backoff.max.ms retry.backoff.ms send.buffer.bytes transaction.timeout.ms transaction.two.phase.commit.enable transactional.id
  value.serializer`

/** What both list. */
const JAVA_SECURITY = `sasl.client.callback.handler.class sasl.jaas.config sasl.kerberos.kinit.cmd sasl.kerberos.min.time.before.relogin sasl.kerberos.service.name
  sasl.kerberos.ticket.renew.jitter sasl.kerberos.ticket.renew.window.factor sasl.login.callback.handler.class sasl.login.class sasl.login.connect.timeout.ms
  sasl.login.read.timeout.ms sasl.login.refresh.buffer.seconds sasl.login.refresh.min.period.seconds sasl.login.refresh.window.factor
  sasl.login.refresh.window.jitter sasl.login.retry.backoff.max.ms sasl.login.retry.backoff.ms sasl.mechanism sasl.oauthbearer.assertion.algorithm
  sasl.oauthbearer.assertion.claim.aud sasl.oauthbearer.assertion.claim.exp.seconds sasl.oauthbearer.assertion.claim.iss
  sasl.oauthbearer.assertion.claim.jti.include sasl.oauthbearer.assertion.claim.nbf.seconds sasl.oauthbearer.assertion.claim.sub
  sasl.oauthbearer.assertion.file sasl.oauthbearer.assertion.private.key.file sasl.oauthbearer.assertion.private.key.passphrase
  sasl.oauthbearer.assertion.template.file sasl.oauthbearer.client.credentials.client.id sasl.oauthbearer.client.credentials.client.secret
  sasl.oauthbearer.clock.skew.seconds sasl.oauthbearer.expected.audience sasl.oauthbearer.expected.issuer sasl.oauthbearer.header.urlencode
  sasl.oauthbearer.jwks.endpoint.refresh.ms sasl.oauthbearer.jwks.endpoint.retry.backoff.max.ms sasl.oauthbearer.jwks.endpoint.retry.backoff.ms
  sasl.oauthbearer.jwks.endpoint.url sasl.oauthbearer.jwt.retriever.class sasl.oauthbearer.jwt.validator.class sasl.oauthbearer.scope
  sasl.oauthbearer.scope.claim.name sasl.oauthbearer.sub.claim.name sasl.oauthbearer.token.endpoint.url security.protocol security.providers ssl.cipher.suites
  ssl.enabled.protocols ssl.endpoint.identification.algorithm ssl.engine.factory.class ssl.key.password ssl.keymanager.algorithm ssl.keystore.certificate.chain
  ssl.keystore.key ssl.keystore.location ssl.keystore.password ssl.keystore.type ssl.protocol ssl.provider ssl.secure.random.implementation
  ssl.trustmanager.algorithm ssl.truststore.certificates ssl.truststore.location ssl.truststore.password ssl.truststore.type`

function names(fields: Fields): Set<string> {
  return new Set(Object.entries(fields).map(([name, { meta }]) => meta.kafka ?? name))
}

describe('the table of properties', () => {
  test.each([
    ['consumers', CONSUMER, `${JAVA_CONSUMER} ${JAVA_SECURITY}`],
    ['producers', PRODUCER, `${JAVA_PRODUCER} ${JAVA_SECURITY}`],
  ])('knows every property of Java’s %s', (_, fields, java) => {
    const known = names(fields)
    expect(java.split(/\s+/).filter((name) => !known.has(name))).toEqual([])
  })

  test('documents every property', () => {
    for (const [name, { meta }] of Object.entries({ ...CONSUMER_FIELDS, ...PRODUCER_FIELDS }))
      expect(meta.doc, name).toMatch(/^[A-Z0-9`].*[.]$/s)
  })

  test('gives every property one name only', () => {
    for (const fields of [CONSUMER, PRODUCER]) {
      const all = Object.entries(fields).flatMap(([name, { meta }]) => [
        ...new Set([name, ...(meta.kafka === undefined ? [] : [meta.kafka]), ...(meta.aliases ?? [])]),
      ])
      expect(all.length).toBe(new Set(all).size)
    }
  })

  // I8
  test('keeps passwords and keys secret', () => {
    for (const [name, { meta }] of Object.entries({ ...CONSUMER_FIELDS, ...PRODUCER_FIELDS })) {
      if (/password|jaas|keystoreKey|secret|accessKey|token$/i.test(name)) expect(meta.secret, name).toBe(true)
    }
  })

  test('has the defaults of the Java clients', () => {
    expect(defaults(CONSUMER_FIELDS)).toMatchObject({
      'auto.commit.interval.ms': 5000,
      'auto.offset.reset': 'latest',
      'check.crcs': true,
      'default.api.timeout.ms': 60_000,
      'enable.auto.commit': true,
      'fetch.max.bytes': 52_428_800,
      'fetch.max.wait.ms': 500,
      'fetch.min.bytes': 1,
      'group.protocol': 'classic',
      'heartbeat.interval.ms': 3000,
      'isolation.level': 'read_uncommitted',
      'max.partition.fetch.bytes': 1_048_576,
      'max.poll.interval.ms': 300_000,
      'metadata.max.age.ms': 300_000,
      'partition.assignment.strategy': ['range', 'cooperative-sticky'],
      'request.timeout.ms': 30_000,
      'retry.backoff.max.ms': 1000,
      'retry.backoff.ms': 100,
      'security.protocol': 'PLAINTEXT',
      'session.timeout.ms': 45_000,
      'socket.connection.setup.timeout.ms': 10_000,
      'ssl.endpoint.identification.algorithm': 'https',
    })
    expect(defaults(PRODUCER_FIELDS)).toMatchObject({
      acks: 'all',
      'batch.size': 16_384,
      'buffer.memory': 33_554_432,
      'compression.type': 'none',
      'delivery.timeout.ms': 120_000,
      'linger.ms': 5,
      'max.block.ms': 60_000,
      'max.in.flight.requests.per.connection': 5,
      'max.request.size': 1_048_576,
      'request.timeout.ms': 30_000,
    })
  })
})

function defaults(fields: Fields): { [property: string]: unknown } {
  return Object.fromEntries(
    Object.values(fields).flatMap(({ meta, presence }) =>
      presence === 'defaulted' && meta.kafka !== undefined ? [[meta.kafka, meta.default]] : [],
    ),
  )
}

const PACKAGE = 'org.apache.kafka.common.serialization.'

describe('values of consumers', () => {
  test.each([
    {
      input: { 'partition.assignment.strategy': 'org.apache.kafka.clients.consumer.CooperativeStickyAssignor' },
      want: { assignors: ['cooperative-sticky'] },
    },
    {
      input: { 'partition.assignment.strategy': 'range,RoundRobinAssignor' },
      want: { assignors: ['range', 'roundrobin'] },
    },
    { input: { 'partition.assignment.strategy': 'StickyAssignor' }, problem: 'write "cooperative-sticky"' },
    { input: { 'auto.offset.reset': 'EARLIEST' }, want: { autoOffsetReset: 'earliest' } },
    {
      input: { 'auto.offset.reset': 'timestamp:2026-01-31T00:00:00Z' },
      want: { autoOffsetReset: { timestampMs: Date.UTC(2026, 0, 31) } },
    },
    {
      input: { 'auto.offset.reset': 'timestamp:1700000000000' },
      want: { autoOffsetReset: { timestampMs: 1_700_000_000_000 } },
    },
    { input: { 'auto.offset.reset': 'beginning' }, problem: 'write "earliest"' },
    { input: { 'auto.offset.reset': 'by_duration:1h' }, problem: 'must be "earliest"' },
    { input: { 'auto.offset.reset': 'timestamp:soon' }, problem: 'must be "earliest"' },
    {
      input: { 'key.deserializer': 'ByteArrayDeserializer' },
      want: { keyDeserializer: `${PACKAGE}ByteArrayDeserializer` },
    },
    {
      input: { 'value.deserializer': `class ${PACKAGE}LongDeserializer`.replace('class ', '') },
      want: { valueDeserializer: `${PACKAGE}LongDeserializer` },
    },
    { input: { 'value.deserializer': 'LongSerializer' }, problem: 'did you mean "LongDeserializer"' },
    {
      input: { 'value.deserializer': 'io.confluent.kafka.serializers.KafkaAvroDeserializer' },
      problem: 'schema registries are not supported yet',
    },
    {
      input: { 'value.deserializer': 'com.example.StringDeserializer' },
      problem: 'current value is "com.example.StringDeserializer"',
    },
    {
      input: { bootstrapServers: 'PLAINTEXT://k1:9092, [::1]:9093,k3' },
      want: { bootstrapServers: ['PLAINTEXT://k1:9092', '[::1]:9093', 'k3'] },
    },
    { input: { bootstrapServers: 'http://k1:9092' }, problem: 'leave out the scheme' },
    { input: { bootstrapServers: 'k1:90920' }, problem: 'current value is "k1:90920"' },
    { input: { 'isolation.level': 'READ_COMMITTED' }, want: { isolation: 'read_committed' } },
    { input: { 'ssl.endpoint.identification.algorithm': '' }, want: { endpointIdentification: 'none' } },
    { input: { 'fetch.max.byte': 1 }, problem: 'did you mean "fetch.max.bytes"' },
    { input: { 'linger.ms': 1 }, problem: 'Unknown option "linger.ms"' },
  ])('$input', ({ input, want, problem }) => {
    const { options, problems } = parseOptions({ options: CONSUMER }, { bootstrapServers: 'localhost:9092', ...input })
    const texts = problems.map(({ message, suggestion }) => `${message} (${suggestion ?? ''})`)
    expect(texts).toEqual(problem === undefined ? [] : [expect.stringContaining(problem)])
    if (want !== undefined) expect(options).toMatchObject(want)
  })

  test('reads a duration before now', () => {
    const { options } = parseOptions(
      { options: CONSUMER },
      { bootstrapServers: 'k', 'auto.offset.reset': 'by_duration:PT1H' },
    )
    const { timestampMs } = options.autoOffsetReset as { timestampMs: number }
    expect(Math.abs(Date.now() - 3_600_000 - timestampMs)).toBeLessThan(60_000)
  })
})

describe('values of producers', () => {
  test.each([
    { input: { acks: -1 }, want: { acks: 'all' } },
    { input: { acks: 1 }, want: { acks: '1' } },
    { input: { acks: 2 }, problem: 'one of "all", "1", "0"' },
    { input: { 'batch.size': '64KiB' }, want: { batchBytes: 65_536 } },
    { input: { batchSize: 3 }, problem: 'Unknown option "batchSize"' },
    {
      input: { 'partitioner.class': 'org.apache.kafka.clients.producer.RoundRobinPartitioner' },
      want: { partitioner: 'round_robin' },
    },
    { input: { partitioner: 'consistent_random' }, want: { partitioner: 'crc32' } },
    { input: { 'partitioner.class': 'com.example.Mine' }, problem: 'must be a partitioner' },
    { input: { 'compression.type': 'zstandard' }, problem: 'must be one of "none", "gzip", "snappy", "lz4", "zstd"' },
    { input: { 'compression.zstd.level': 23 }, problem: 'between -131072 and 22' },
  ])('$input', ({ input, want, problem }) => {
    const { options, problems } = parseOptions({ options: PRODUCER }, { bootstrapServers: 'localhost:9092', ...input })
    expect(problems.map(({ message }) => message)).toEqual(
      problem === undefined ? [] : [expect.stringContaining(problem)],
    )
    if (want !== undefined) expect(options).toMatchObject(want)
  })

  test('names the properties that have no effect, and why', () => {
    const { problems, warnings } = parseOptions(
      { options: PRODUCER },
      { bootstrapServers: 'k', retries: 3, 'metric.reporters': 'x', 'send.buffer.bytes': 1 },
    )
    expect(problems).toEqual([])
    expect(warnings.map(({ message }) => message)).toEqual([
      'Option "metric.reporters" has no effect: Millrace counts in its own way',
      'Option "send.buffer.bytes" has no effect: Node.js leaves socket buffers to the operating system',
      'Option "retries" has no effect: attempts go on until delivery.timeout.ms has passed',
    ])
  })
})
