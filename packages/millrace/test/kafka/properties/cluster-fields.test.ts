import { describe, expect, test } from 'vitest'
import { ADMIN_FIELDS } from '../../../src/kafka/properties/admin-fields.ts'
import { CONSUMER_FIELDS } from '../../../src/kafka/properties/consumer-fields.ts'
import {
  IGNORED_ADMIN_FIELDS,
  IGNORED_CONSUMER_FIELDS,
  IGNORED_PRODUCER_FIELDS,
} from '../../../src/kafka/properties/ignored-fields.ts'
import { PRODUCER_FIELDS } from '../../../src/kafka/properties/producer-fields.ts'
import type { Fields } from '../../../src/options/declaration.ts'

const CONSUMER = { ...CONSUMER_FIELDS, ...IGNORED_CONSUMER_FIELDS }
const ADMIN = { ...ADMIN_FIELDS, ...IGNORED_ADMIN_FIELDS }
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

/** What `AdminClientConfig.configNames()` of Apache Kafka 4.3.1 lists. */
const JAVA_ADMIN = `bootstrap.controllers bootstrap.servers client.dns.lookup client.id config.providers connections.max.idle.ms default.api.timeout.ms
  enable.metrics.push metadata.max.age.ms metadata.recovery.rebootstrap.trigger.ms metadata.recovery.strategy metric.reporters metrics.num.samples
  metrics.recording.level metrics.sample.window.ms receive.buffer.bytes reconnect.backoff.max.ms reconnect.backoff.ms request.timeout.ms retries
  retry.backoff.max.ms retry.backoff.ms send.buffer.bytes socket.connection.setup.timeout.max.ms socket.connection.setup.timeout.ms`

/** What all list. */
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

describe('the tables of properties', () => {
  test.each([
    ['consumers', CONSUMER, `${JAVA_CONSUMER} ${JAVA_SECURITY}`],
    ['administrators', ADMIN, `${JAVA_ADMIN} ${JAVA_SECURITY}`],
    ['producers', PRODUCER, `${JAVA_PRODUCER} ${JAVA_SECURITY}`],
  ])('knows every property of Java’s %s', (_, fields, java) => {
    const known = names(fields)
    expect(java.split(/\s+/).filter((name) => !known.has(name))).toEqual([])
  })

  test('documents every property', () => {
    for (const [name, { meta }] of Object.entries({ ...CONSUMER_FIELDS, ...PRODUCER_FIELDS }))
      if (meta.ignored === undefined) expect(meta.doc, name).toMatch(/^[A-Z0-9`].*[.]$/s)
  })

  test('gives every property one name only', () => {
    for (const fields of [CONSUMER, PRODUCER, ADMIN]) {
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
})
