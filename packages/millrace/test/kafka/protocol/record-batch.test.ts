import { createRecordsBatch } from '@platformatic/kafka'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { CorruptRecordError } from '../../../src/errors/index.ts'
import { readInt64, RecordBatchReader } from '../../../src/kafka/protocol/record-batch.ts'
import { encodeRecordBatch, type RecordBatchInput, sealRecordBatch } from '../../support/encode-record-batch.ts'

const two = [{ value: Buffer.from('one') }, { value: Buffer.from('two') }]

function readerOf(bytes: Buffer, checkCrcs = true): RecordBatchReader {
  const reader = new RecordBatchReader()
  reader.reset(bytes, 'orders', 3, { checkCrcs })
  return reader
}

function failureOf(bytes: Buffer, checkCrcs = true): CorruptRecordError {
  const reader = readerOf(bytes, checkCrcs)
  try {
    while (reader.next());
  } catch (error) {
    if (error instanceof CorruptRecordError) return error
    throw error
  }
  throw new Error('Nothing was found wrong')
}

/** A sound batch with one field of the header overwritten and the CRC set right again. */
function patched(
  position: number,
  bytes: number,
  value: number,
  input: RecordBatchInput = { records: two, baseOffset: 17 },
): Buffer {
  const batch = encodeRecordBatch(input)
  batch.writeIntBE(value, position, bytes)
  return sealRecordBatch(batch, { baseOffset: 17 })
}

describe('record batch reader', () => {
  test('gives every field of the header', () => {
    const reader = readerOf(
      encodeRecordBatch({
        records: two,
        baseOffset: 2 ** 40 + 5,
        leaderEpoch: 7,
        attributes: 0x18,
        lastOffsetDelta: 4,
        baseTimestamp: 1_700_000_000_123,
        maxTimestamp: 1_700_000_000_456,
        producerId: 2 ** 33 + 1,
        producerEpoch: 12,
        baseSequence: 2 ** 31 - 1,
      }),
    )
    expect(reader.next()).toBe(true)
    const {
      start,
      end,
      baseOffset,
      lastOffset,
      lastOffsetDelta,
      leaderEpoch,
      magic,
      codec,
      isControl,
      isTransactional,
      timestampType,
      baseTimestampMs,
      maxTimestampMs,
      producerId,
      producerEpoch,
      baseSequence,
      count,
    } = reader
    expect({
      start,
      end,
      baseOffset,
      lastOffset,
      lastOffsetDelta,
      leaderEpoch,
      magic,
      codec,
      isControl,
      isTransactional,
      timestampType,
      baseTimestampMs,
      maxTimestampMs,
      producerId,
      producerEpoch,
      baseSequence,
      count,
    }).toEqual({
      start: 0,
      end: reader.bytes.length,
      baseOffset: 2 ** 40 + 5,
      lastOffset: 2 ** 40 + 9,
      lastOffsetDelta: 4,
      leaderEpoch: 7,
      magic: 2,
      codec: 'none',
      isControl: false,
      isTransactional: true,
      timestampType: 'LogAppendTime',
      baseTimestampMs: 1_700_000_000_123,
      maxTimestampMs: 1_700_000_000_456,
      producerId: 2 ** 33 + 1,
      producerEpoch: 12,
      baseSequence: 2 ** 31 - 1,
      count: 2,
    })
    expect(reader.next()).toBe(false)
    expect(reader.incomplete).toBe(false)
  })

  test('gives -1 where a producer is not idempotent and there is no timestamp', () => {
    const reader = readerOf(encodeRecordBatch({ records: two, baseTimestamp: -1 }))
    reader.next()
    expect([
      reader.producerId,
      reader.producerEpoch,
      reader.baseSequence,
      reader.baseTimestampMs,
      reader.maxTimestampMs,
    ]).toEqual([-1, -1, -1, -1, -1])
    expect(reader.timestampType).toBe('CreateTime')
  })

  test.each([
    { name: 'gzip', bits: 1 },
    { name: 'snappy', bits: 2 },
    { name: 'lz4', bits: 3 },
    { name: 'zstd', bits: 4 },
  ])('knows $name by its bits', ({ name, bits }) => {
    const reader = readerOf(encodeRecordBatch({ records: two, attributes: bits | 0x20 }))
    reader.next()
    expect(reader.codec).toBe(name)
    expect(reader.isControl).toBe(true)
  })

  test('takes an empty batch, which compaction leaves behind, for sound', () => {
    const reader = readerOf(encodeRecordBatch({ records: [], lastOffsetDelta: 9, baseOffset: 5, attributes: 3 }))
    expect(reader.next()).toBe(true)
    expect([reader.count, reader.lastOffset]).toEqual([0, 14])
  })

  test('walks over many batches and starts over after reset', () => {
    const bytes = Buffer.concat([0, 2, 4].map((baseOffset) => encodeRecordBatch({ records: two, baseOffset })))
    const reader = new RecordBatchReader()
    for (let round = 0; round < 2; round++) {
      reader.reset(bytes, 'orders', 0)
      const offsets: number[] = []
      while (reader.next()) offsets.push(reader.baseOffset)
      expect(offsets).toEqual([0, 2, 4])
    }
  })

  test('reads what the protocol library writes', () => {
    const records = ['a', 'b', 'c'].map((value) => ({
      key: Buffer.from('k'),
      value: Buffer.from(value),
      topic: 'orders',
      timestamp: 1000n,
    }))
    const bytes = createRecordsBatch(records, {
      producerId: 5n,
      producerEpoch: 1,
      firstSequence: 9,
      compression: 'gzip',
    })
    const reader = readerOf(bytes.buffer)
    expect(reader.next()).toBe(true)
    expect([reader.count, reader.codec, reader.producerId, reader.producerEpoch]).toEqual([3, 'gzip', 5, 1])
  })

  test('stops at a batch that the broker cut off, wherever it was cut', () => {
    const first = encodeRecordBatch({ records: two })
    const bytes = Buffer.concat([first, encodeRecordBatch({ records: two, baseOffset: 2 })])
    for (let length = 0; length < bytes.length; length++) {
      const reader = readerOf(bytes.subarray(0, length))
      expect(reader.next()).toBe(length >= first.length)
      if (length >= first.length) expect(reader.next()).toBe(false)
      expect(reader.incomplete).toBe(length !== 0 && length !== first.length)
    }
  })

  test.each([
    {
      name: 'a wrong CRC',
      bytes: (() => {
        const batch = patched(17, 4, 0)
        batch.writeUInt32BE(0xdeadbeef, 17)
        return batch
      })(),
      problem: 'its CRC must be 0x',
    },
    {
      name: 'magic 0',
      bytes: (() => {
        const batch = patched(16, 1, 0)
        batch[16] = 0
        return batch
      })(),
      problem: 'its magic number is 0, a format that Kafka 4 no longer supports: convert the log',
    },
    {
      name: 'magic 1',
      bytes: (() => {
        const batch = patched(16, 1, 0)
        batch[16] = 1
        return batch
      })(),
      problem: 'its magic number is 1, a format that Kafka 4 no longer supports: convert the log',
    },
    {
      name: 'magic 3',
      bytes: (() => {
        const batch = patched(16, 1, 0)
        batch[16] = 3
        return batch
      })(),
      problem: 'its magic number must be 2: current value is 3',
    },
    {
      name: 'a negative magic',
      bytes: (() => {
        const batch = patched(16, 1, 0)
        batch[16] = 0xff
        return batch
      })(),
      problem: 'its magic number must be 2: current value is -1',
    },
    {
      name: 'a negative length',
      bytes: (() => {
        const batch = patched(16, 1, 2)
        batch.writeInt32BE(-1, 8)
        return batch
      })(),
      problem: 'its length must be at least 49: current value is -1',
    },
    {
      name: 'a length below the header',
      bytes: (() => {
        const batch = patched(16, 1, 2)
        batch.writeInt32BE(48, 8)
        return batch
      })(),
      problem: 'its length must be at least 49: current value is 48',
    },
    {
      name: 'codec 5',
      bytes: patched(21, 2, 5),
      problem: 'its compression codec must be between 0 and 4: current value is 5',
    },
    {
      name: 'codec 7',
      bytes: patched(21, 2, 7),
      problem: 'its compression codec must be between 0 and 4: current value is 7',
    },
    {
      name: 'a negative count',
      bytes: patched(57, 4, -1),
      problem: 'its record count must fit into 20 bytes: current value is -1',
    },
    {
      name: 'more records than fit',
      bytes: patched(57, 4, 3),
      problem: 'its record count must fit into 20 bytes: current value is 3',
    },
    {
      name: 'records without bytes',
      bytes: encodeRecordBatch({ records: [], count: 1, attributes: 1, baseOffset: 17 }),
      problem: 'its record count must fit into 0 bytes: current value is 1',
    },
    {
      name: 'a negative last offset delta',
      bytes: patched(23, 4, -1),
      problem: 'its last offset delta must be at least 1 for 2 records: current value is -1',
    },
    {
      name: 'a negative last offset delta without records',
      bytes: encodeRecordBatch({ records: [], lastOffsetDelta: -1, baseOffset: 17 }),
      problem: 'its last offset delta must be at least 0 for 0 records: current value is -1',
    },
    {
      name: 'a last offset delta below the count',
      bytes: patched(23, 4, 0),
      problem: 'its last offset delta must be at least 1 for 2 records: current value is 0',
    },
  ])('refuses $name', ({ bytes, problem }) => {
    const error = failureOf(bytes)
    // All of its offsets, where its header says them.
    expect(error.message).toMatch(
      /^Cannot read the record batch at offset(?: 17|s 17 to \d+) of topic "orders" partition 3 as /,
    )
    expect(error.message).toContain(`partition 3 as ${problem}`)
    expect(error.message).not.toMatch(/\.$/)
    expect({ code: error.code, topic: error.topic, partition: error.partition, offset: error.offset }).toEqual({
      code: 'RECORD_CORRUPT',
      topic: 'orders',
      partition: 3,
      offset: 17n,
    })
  })

  test.each([-1n, -(2n ** 63n), 2n ** 53n, 2n ** 63n - 1n])('refuses the base offset %s', (baseOffset) => {
    expect(failureOf(encodeRecordBatch({ records: two, baseOffset })).message).toContain(
      'its base offset must be between 0 and 2^53',
    )
  })

  test('does not check the CRC on request', () => {
    const batch = encodeRecordBatch({ records: two })
    batch.writeUInt32BE(1, 17)
    expect(readerOf(batch, false).next()).toBe(true)
    expect(() => readerOf(batch).next()).toThrow(CorruptRecordError)
  })

  test('finds every flipped bit that the CRC covers', () => {
    const batch = encodeRecordBatch({ records: two, baseOffset: 17 })
    for (let bit = 17 * 8; bit < batch.length * 8; bit++) {
      const flipped = Buffer.from(batch)
      flipped[bit >> 3]! ^= 1 << (bit & 7)
      expect(failureOf(flipped).message).toContain('its CRC must be')
    }
  })

  test('ends on any bytes, with a batch, with nothing or with a CorruptRecordError', () => {
    const header = fc
      .tuple(fc.integer({ min: -70, max: 70 }), fc.uint8Array({ minLength: 200, maxLength: 200 }))
      .map(([length, noise]) => {
        const bytes = Buffer.from(noise)
        bytes.writeInt32BE(length, 8)
        bytes[16] = 2
        return bytes
      })
    fc.assert(
      fc.property(
        fc.oneof(
          header,
          fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
        ),
        (bytes) => {
          const reader = readerOf(bytes, false)
          try {
            for (let steps = 0; reader.next(); steps++) {
              expect(steps).toBeLessThan(10)
              expect(reader.start >= 0 && reader.end >= reader.start + 61 && reader.end <= bytes.length).toBe(true)
            }
          } catch (error) {
            if (!(error instanceof CorruptRecordError)) throw error
          }
        },
      ),
      { numRuns: 2000 },
    )
  })
})

test('readInt64 is exact up to 2^53', () => {
  const bytes = Buffer.alloc(8)
  fc.assert(
    fc.property(fc.maxSafeInteger(), (value) => {
      bytes.writeBigInt64BE(BigInt(value))
      expect(readInt64(bytes, 0)).toBe(value)
    }),
  )
})
