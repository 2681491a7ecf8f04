import { crc32 as zlibCrc32 } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { crc32, createPartitioner, murmur2, STICKY } from '../../../src/kafka/producer/partitioners.ts'
import type { PartitionerName } from '../../../src/kafka/properties/value-types.ts'

const bytesOf = (text: string): Buffer => Buffer.from(text)

describe('murmur2', () => {
  // The vectors of Kafka's own UtilsTest.
  test.each([
    ['21', -973932308],
    ['foobar', -790332482],
    ['a-little-bit-long-string', -985981536],
    ['a-little-bit-longer-string', -1486304829],
    ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
    ['abc', 479470107],
  ])('hashes "%s" as the Java client does', (text, hash) => {
    expect(murmur2(bytesOf(text), 0, text.length)).toBe(hash)
  })

  test('looks at nothing outside the key', () => {
    fc.assert(
      fc.property(
        fc.uint8Array(),
        fc.uint8Array({ maxLength: 9 }),
        fc.uint8Array({ maxLength: 9 }),
        (key, before, after) => {
          const around = Buffer.concat([before, key, after])
          expect(murmur2(around, before.length, key.length)).toBe(murmur2(key, 0, key.length))
        },
      ),
    )
  })
})

test('crc32 is the common CRC-32', () => {
  fc.assert(
    fc.property(fc.uint8Array(), fc.uint8Array({ maxLength: 5 }), (key, before) => {
      expect(crc32(Buffer.concat([before, key]), before.length, key.length)).toBe(zlibCrc32(key))
    }),
  )
})

describe('partitioner', () => {
  const choose = (kind: PartitionerName, key: string | null, count = 7): number =>
    createPartitioner(kind)(bytesOf(key ?? ''), 0, key === null ? -1 : key.length, count, undefined)

  test.each<{ kind: PartitionerName; key: string | null; partition: number }>([
    { kind: 'murmur2', key: 'foobar', partition: (-790332482 & 0x7fffffff) % 7 },
    { kind: 'murmur2', key: '', partition: (275646681 & 0x7fffffff) % 7 },
    { kind: 'murmur2', key: null, partition: STICKY },
    { kind: 'crc32', key: 'foobar', partition: zlibCrc32('foobar') % 7 },
    { kind: 'crc32', key: '', partition: STICKY },
    { kind: 'crc32', key: null, partition: STICKY },
    { kind: 'sticky', key: 'foobar', partition: STICKY },
  ])('$kind puts the key $key where it belongs', ({ kind, key, partition }) => {
    expect(choose(kind, key)).toBe(partition)
  })

  test('round_robin takes one partition after the other', () => {
    const next = createPartitioner('round_robin')
    expect([0, 1, 2, 3, 4].map(() => next(bytesOf('k'), 0, 1, 3, undefined))).toEqual([0, 1, 2, 0, 1])
  })

  test('a function sees the key, the number of partitions and the record', () => {
    const seen: unknown[] = []
    const record = { value: 'v' }
    const partitioner = createPartitioner((key, count, given) => {
      seen.push(key?.toString() ?? null, count, given)
      return 1
    })
    expect(partitioner(bytesOf('..key..'), 2, 3, 4, record)).toBe(1)
    partitioner(bytesOf(''), 0, -1, 4, record)
    expect(seen).toEqual(['key', 4, record, null, 4, record])
  })
})
