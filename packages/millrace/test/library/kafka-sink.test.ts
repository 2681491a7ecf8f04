import { describe, expect, test } from 'vitest'
import { ConfigError } from '../../src/errors/index.ts'
import { PRODUCER_LIMITS } from '../../src/kafka/properties/producer-limits.ts'
import { KafkaSink } from '../../src/library/kafka-sink.ts'

/** Messages of all problems; undefined when there are none. */
function problemsOf(options: object): string[] | undefined {
  try {
    void new KafkaSink({ bootstrapServers: 'localhost:9092', topic: 't', ...options })
    return undefined
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map(({ message }) => message)
    throw error
  }
}

describe('options of a KafkaSink', () => {
  test.each<{ name: string; options: object; problems?: readonly string[] }>([
    { name: 'nothing', options: {} },
    {
      name: 'the limits',
      options: { lingerMs: 0, batchBytes: 0, maxInFlight: 5, compression: 'zstd', zstdLevel: 3, acks: 'all' },
    },
    { name: 'no acknowledgements', options: { acks: 0 } },
    { name: 'acks as text', options: { acks: '1' } },
    { name: 'many requests without idempotence', options: { acks: 1, maxInFlight: 50 } },
    { name: 'a partitioner function', options: { partitioner: () => 0 } },
    { name: 'a partitioner by name', options: { partitioner: 'crc32' } },
    {
      name: 'idempotence with acks 1',
      options: { acks: 1, idempotence: true },
      problems: ['enable.idempotence requires acks "all"'],
    },
    {
      name: 'several problems',
      options: { lingerMs: -1, batchBytes: 1.5, compression: 'brotli' },
      problems: ['"lingerMs"', '"batchBytes"', '"compression"'],
    },
    { name: 'a level out of range', options: { compression: 'gzip', gzipLevel: 100 }, problems: ['"gzipLevel"'] },
    {
      name: 'an unknown partitioner',
      options: { partitioner: 'random' },
      problems: ['must be a partitioner: "murmur2", "crc32", "round_robin", "sticky"'],
    },
  ])('$name', ({ options, problems }) => {
    expect(problemsOf(options)).toEqual(problems?.map((text) => expect.stringContaining(text)))
  })

  const beyond = Object.entries(PRODUCER_LIMITS).flatMap(([option, { min, max }]) => [
    { option, value: min - 1 },
    { option, value: max + 1 },
  ])
  test.each(beyond)('$option: $value is refused when a sink is created, not when it writes', ({ option, value }) => {
    expect(problemsOf({ [option]: value })).toEqual(
      expect.arrayContaining([expect.stringMatching(new RegExp(`"?${option}"?`))]),
    )
  })
})
