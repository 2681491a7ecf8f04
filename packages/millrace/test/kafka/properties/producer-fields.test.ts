import { describe, expect, test } from 'vitest'
import { IGNORED_PRODUCER_FIELDS } from '../../../src/kafka/properties/ignored-fields.ts'
import { PRODUCER_FIELDS } from '../../../src/kafka/properties/producer-fields.ts'
import { parseOptions } from '../../../src/options/parse.ts'
import { defaultsOf } from '../../support/defaults.ts'

const PRODUCER = { ...PRODUCER_FIELDS, ...IGNORED_PRODUCER_FIELDS }

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

  test('default to those of the Java producer', () => {
    expect(defaultsOf(PRODUCER_FIELDS)).toMatchObject({
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
