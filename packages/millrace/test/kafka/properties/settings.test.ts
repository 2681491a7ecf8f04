import { describe, expect, test } from 'vitest'
import { PRODUCER_FIELDS } from '../../../src/kafka/properties/producer-fields.ts'
import { PRODUCER_RULES } from '../../../src/kafka/properties/rules.ts'
import { producerSettings } from '../../../src/kafka/properties/settings.ts'
import { parseOptions } from '../../../src/options/parse.ts'

const BROKERS = { bootstrapServers: 'localhost:9092' }

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

describe('settings of producers', () => {
  test.each([
    [{}, true],
    [{ acks: 1 }, false],
    [{ acks: 0 }, false],
    [{ acks: 'all', 'enable.idempotence': false }, false],
  ])('%j makes idempotence %s', (options, idempotence) => {
    expect(producer(options).settings?.producer.idempotence).toBe(idempotence)
  })

  test('takes the level of the codec in use', () => {
    const levels = { 'compression.gzip.level': 9, 'compression.lz4.level': 1, 'compression.zstd.level': 7 }
    const level = (type: string): number | undefined =>
      producer({ ...levels, 'compression.type': type }).settings?.producer.compressionLevel
    expect(['none', 'gzip', 'snappy', 'lz4', 'zstd'].map(level)).toEqual([undefined, 9, undefined, undefined, 7])
    expect(producer({ 'compression.type': 'gzip', 'compression.gzip.level': -1 }).settings?.producer).toMatchObject({
      compressionLevel: undefined,
    })
  })

  test('a batch is not larger than a request or the memory', () => {
    const batchBytes = (options: object): number | undefined => producer(options).settings?.producer.batchBytes
    expect(batchBytes({ batchBytes: 5000, maxRequestBytes: 2000 })).toBe(2000)
    expect(batchBytes({ batchBytes: 5000, bufferBytes: 3000 })).toBe(3000)
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
        transactionTimeoutMs: undefined,
        keySerializer: 'org.apache.kafka.common.serialization.StringSerializer',
        valueSerializer: 'org.apache.kafka.common.serialization.StringSerializer',
      },
    })
  })
})
