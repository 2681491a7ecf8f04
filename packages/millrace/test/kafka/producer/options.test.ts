import { describe, expect, test } from 'vitest'
import { PRODUCER_LIMITS } from '../../../src/kafka/properties/producer-limits.ts'
import { KafkaSink } from '../../../src/library/kafka-sink.ts'
import { ConfigError } from '../../../src/errors/index.ts'
import { completeProducerOptions } from '../../../src/kafka/producer/options.ts'

describe('producer options', () => {
  test.each<{ name: string; options: object; problems?: readonly string[] }>([
    { name: 'nothing', options: {} },
    {
      name: 'the limits',
      options: { lingerMs: 0, batchBytes: 0, maxInFlight: 5, compression: 'zstd', compressionLevel: 3, acks: 'all' },
    },
    { name: 'no acknowledgements', options: { acks: 0 } },
    { name: 'many requests without idempotence', options: { acks: 1, maxInFlight: 50 } },
    { name: 'a partitioner function', options: { partitioner: () => 0 } },
    {
      name: 'idempotence with acks 1',
      options: { acks: 1, idempotence: true },
      problems: ['"acks" must be "all" with idempotence: current value is 1'],
    },
    {
      name: 'too many requests with idempotence',
      options: { maxInFlight: 6 },
      problems: ['"maxInFlight" must be at most 5 with idempotence'],
    },
    {
      name: 'several problems',
      options: { lingerMs: -1, batchBytes: 1.5, compression: 'brotli' },
      problems: ['"lingerMs"', '"batchBytes"', '"compression"'],
    },
    {
      name: 'a level out of range',
      options: { compression: 'gzip', compressionLevel: 100 },
      problems: ['"compressionLevel"'],
    },
    {
      name: 'acks as text',
      options: { acks: '1', idempotence: false },
      problems: ['"acks" must be 0, 1 or "all": current value is "1"'],
    },
    {
      name: 'an unknown partitioner',
      options: { partitioner: 'random' },
      problems: ['"partitioner" must be one of murmur2, crc32'],
    },
  ])('$name', ({ options, problems }) => {
    let error: unknown
    try {
      completeProducerOptions(options)
    } catch (caught) {
      error = caught
    }
    const found = error instanceof ConfigError ? error.problems.map(({ message }) => message) : undefined
    expect(found).toEqual(problems?.map((text) => expect.stringContaining(text)))
  })

  test('idempotence follows acks', () => {
    expect(
      [{}, { acks: 1 } as const, { acks: 0 } as const].map((options) => completeProducerOptions(options).idempotence),
    ).toEqual([true, false, false])
  })

  test('a batch is not larger than a request or the memory', () => {
    expect(completeProducerOptions({ batchBytes: 5000, maxRequestBytes: 2000 }).batchBytes).toBe(2000)
    expect(completeProducerOptions({ batchBytes: 5000, bufferBytes: 3000 }).batchBytes).toBe(3000)
  })

  const beyond = Object.entries(PRODUCER_LIMITS).flatMap(([option, { min, max }]) => [
    { option, value: min - 1 },
    { option, value: max + 1 },
  ])
  test.each(beyond)('$option: $value is refused when a sink is made, not when it writes', ({ option, value }) => {
    const options = { bootstrapServers: 'localhost:9092', topic: 't', [option]: value }
    expect(() => completeProducerOptions({ [option]: value })).toThrow(ConfigError)
    expect(() => new KafkaSink(options)).toThrow(ConfigError)
  })
})
