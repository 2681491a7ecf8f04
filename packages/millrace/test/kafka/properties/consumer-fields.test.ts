import { describe, expect, test } from 'vitest'
import { CONSUMER_FIELDS } from '../../../src/kafka/properties/consumer-fields.ts'
import { IGNORED_CONSUMER_FIELDS } from '../../../src/kafka/properties/ignored-fields.ts'
import { parseOptions } from '../../../src/options/parse.ts'
import { defaultsOf } from '../../support/defaults.ts'

const CONSUMER = { ...CONSUMER_FIELDS, ...IGNORED_CONSUMER_FIELDS }

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
      input: { 'auto.offset.reset': 'timestamp:2026-01-31T00:00:00' },
      want: { autoOffsetReset: { timestampMs: Date.UTC(2026, 0, 31) } },
    },
    { input: { 'auto.offset.reset': 'timestamp:2026-02-30T00:00:00Z' }, problem: 'must be "earliest"' },
    {
      input: { 'auto.offset.reset': 'timestamp:1769817600' },
      problem: 'that looks like seconds: write timestamp:1769817600000',
    },
    { input: { 'auto.offset.reset': 'timestamp:1769817600000.5' }, problem: 'must be "earliest"' },
    { input: { 'auto.offset.reset': 'timestamp:99999999999999999' }, problem: 'must be "earliest"' },
    { input: { autoOffsetReset: { timestampMs: -5 } }, problem: 'must be "earliest"' },
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
      want: { valueDeserializer: 'avro' },
    },
    { input: { 'value.deserializer': 'protobuf' }, want: { valueDeserializer: 'protobuf' } },
    { input: { 'value.deserializer': 'KafkaAvroSerializer' }, problem: 'current value is "KafkaAvroSerializer"' },
    {
      input: { 'value.deserializer': 'com.example.StringDeserializer' },
      problem: 'current value is "com.example.StringDeserializer"',
    },
    {
      input: { bootstrapServers: 'PLAINTEXT://k1:9092, [::1]:9093,k3' },
      want: { bootstrapServers: ['PLAINTEXT://k1:9092', '[::1]:9093', 'k3'] },
    },
    { input: { bootstrapServers: 'http://k1:9092' }, problem: 'remove the scheme' },
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

  test('default to those of the Java consumer', () => {
    expect(defaultsOf(CONSUMER_FIELDS)).toMatchObject({
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
  })
})
