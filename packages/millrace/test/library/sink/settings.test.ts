import { describe, expect, test } from 'vitest'
import { ConfigError } from '../../../src/errors/index.ts'
import { CONFIG_NAMES, KAFKA_SINK_FIELDS } from '../../../src/library/sink/fields.ts'
import { SINK_PRESETS } from '../../../src/library/sink/presets.ts'
import { sinkSettings } from '../../../src/library/sink/settings.ts'
import { snakeCase, spellings } from '../../../src/options/spellings.ts'

const PLACE = { brokers: 'localhost:9092', topic: 't' }

function problemsOf(options: object): readonly string[] {
  try {
    return sinkSettings({ ...PLACE, ...options }).warnings
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map(({ message }) => `problem: ${message}`)
    throw error
  }
}

describe('the fields of KafkaSinkConfig', () => {
  test('have the defaults of the stream processor', () => {
    const { producer, transaction, breaker, warnings } = sinkSettings(PLACE)
    expect(producer).toMatchObject({
      batchRecords: 100,
      deliveryTimeoutMs: 30_000,
      idempotence: true,
      compression: 'snappy',
      acks: 'all',
      maxRetries: 5,
      retryBackoff: { initialMs: 200, maxMs: 60_000 },
      maxInFlight: 5,
      lingerMs: 0,
      bufferBytes: 33_554_432,
      partitioner: 'murmur2',
    })
    expect(transaction).toBeUndefined()
    expect(breaker).toEqual({ failureThreshold: 5, openMs: 60_000 })
    expect(warnings).toEqual([])
  })

  test('are known in camelCase and in snake_case', () => {
    for (const [name, option] of Object.entries(CONFIG_NAMES)) {
      const known = spellings(option, KAFKA_SINK_FIELDS[option])
      expect(known).toContain(name)
      expect(known).toContain(snakeCase(name))
    }
  })

  const WRITTEN = {
    client_id: 'c',
    batch_size: 7,
    send_timeout_ms: 9000,
    enable_idempotence: false,
    compression_type: 'zstd',
    acks: '1',
    max_retries: 2,
    base_backoff_ms: 50,
    max_in_flight_requests: 9,
    linger_ms: 3,
    buffer_memory: 1_000_000,
    circuit_breaker_threshold: 4,
    circuit_breaker_timeout_secs: 10,
  }
  const camelCased = Object.fromEntries(
    Object.entries(WRITTEN).map(([name, value]) => [
      name.replaceAll(/_(.)/g, (_, c: string) => c.toUpperCase()),
      value,
    ]),
  )
  test.each([
    { spelling: 'snake_case', options: WRITTEN },
    { spelling: 'camelCase', options: camelCased },
  ])('take effect in $spelling', ({ options }) => {
    const { cluster, producer, breaker } = sinkSettings({ ...PLACE, ...options })
    expect(cluster).toMatchObject({ clientId: 'c', bootstrapServers: ['localhost:9092'], apiTimeoutMs: 9000 })
    expect(producer).toMatchObject({
      batchRecords: 7,
      deliveryTimeoutMs: 9000,
      requestTimeoutMs: 8997,
      idempotence: false,
      compression: 'zstd',
      acks: 1,
      maxRetries: 2,
      retryBackoff: { initialMs: 100 },
      maxInFlight: 9,
      lingerMs: 3,
      bufferBytes: 1_000_000,
    })
    expect(breaker).toEqual({ failureThreshold: 4, openMs: 10_000 })
  })

  test('transactions need a transactional id, and it alone turns them on', () => {
    expect(problemsOf({ enable_transactions: true })).toEqual(['problem: Transactions require a transactionalId'])
    expect(sinkSettings({ ...PLACE, transactionalId: 'x' }).transaction).toMatchObject({ transactionalId: 'x' })
    const off = sinkSettings({ ...PLACE, transactionalId: 'x', enableTransactions: false })
    expect(off.transaction).toBeUndefined()
    expect(off.warnings).toEqual([expect.stringContaining('has no effect')])
  })
})

describe('the size of batches', () => {
  test.each([
    { name: 'by default', options: {}, records: 100, bytes: 16_384 },
    { name: 'of so many records', options: { batchSize: 1000 }, records: 1000, bytes: 128_000 },
    { name: 'of one record', options: { batchSize: 1 }, records: 1, bytes: 16_384 },
    {
      name: 'of very many records, within a request',
      options: { batchSize: 100_000 },
      records: 100_000,
      bytes: 1_048_576,
    },
    { name: 'of so many bytes', options: { 'batch.size': 65_536 }, records: undefined, bytes: 65_536 },
    { name: 'of both', options: { batchSize: 10, batchBytes: 500 }, records: 10, bytes: 500 },
  ])('$name', ({ options, records, bytes }) => {
    expect(sinkSettings({ ...PLACE, ...options }).producer).toMatchObject({ batchRecords: records, batchBytes: bytes })
  })
})

describe('what Kafka would refuse', () => {
  test('is lowered with a warning: more than five requests in flight of an idempotent producer', () => {
    for (const more of [{}, { enableIdempotence: true }]) {
      const { producer, warnings } = sinkSettings({ ...PLACE, ...SINK_PRESETS.highThroughput, ...more })
      expect(producer).toMatchObject({ maxInFlight: 5, compression: 'lz4', lingerMs: 100, bufferBytes: 67_108_864 })
      expect(warnings).toEqual([expect.stringContaining('so 5 is used')])
    }
    expect(sinkSettings({ ...PLACE, maxInFlight: 10, idempotence: false, acks: 1 }).producer.maxInFlight).toBe(10)
  })

  test('the other presets are taken as they are', () => {
    expect(problemsOf(SINK_PRESETS.lowLatency)).toEqual([])
    expect(problemsOf({ ...SINK_PRESETS.reliability, transactionalId: 'x' })).toEqual([])
    expect(problemsOf(SINK_PRESETS.reliability)).toEqual(['problem: Transactions require a transactionalId'])
  })
})

describe('delivery guarantees', () => {
  test.each<{ name: string; options: object; problems: readonly string[] }>([
    { name: 'at least once', options: { deliveryGuarantee: 'at_least_once' }, problems: [] },
    {
      name: 'exactly once with transactions',
      options: { deliveryGuarantee: 'ExactlyOnce', transactionalId: 'x' },
      problems: [],
    },
    {
      name: 'exactly once without',
      options: { deliveryGuarantee: 'exactly_once' },
      problems: ['problem: The delivery guarantee exactly_once requires transactions'],
    },
    {
      name: 'at most once with transactions',
      options: { deliveryGuarantee: 'at_most_once', transactionalId: 'x' },
      problems: ['problem: Transactions do not go with the delivery guarantee at_most_once'],
    },
    {
      name: 'at most once with acks',
      options: { deliveryGuarantee: 'at_most_once', acks: 'all' },
      problems: ['problem: The delivery guarantee at_most_once means acks 0 and no retries, but acks is set'],
    },
  ])('$name', ({ options, problems }) => {
    expect(problemsOf(options)).toEqual(problems)
  })

  test('at most once sends without acknowledgement, idempotence and retries', () => {
    expect(sinkSettings({ ...PLACE, deliveryGuarantee: 'at_most_once' }).producer).toMatchObject({
      acks: 0,
      idempotence: false,
      maxRetries: 0,
    })
  })
})

test('a partitioner and a strategy that ignores it are a problem, as are two timeouts of the breaker', () => {
  expect(problemsOf({ partitionStrategy: 'round_robin', partitioner: 'crc32' })).toEqual([
    'problem: partitioner has no effect with the partition strategy round_robin',
  ])
  expect(problemsOf({ circuitBreakerTimeout: 1000, circuitBreakerTimeoutSecs: 1 })).toEqual([
    expect.stringContaining('Cannot use both circuitBreakerTimeout and circuitBreakerTimeoutSecs'),
  ])
})
