import { randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { CompletedFetch } from '../../../../src/kafka/consumer/fetching/completed-fetch.ts'
import { type Codec, CODEC_BITS } from '../../../../src/kafka/protocol/compression/codecs.ts'
import { compress } from '../../../../src/kafka/protocol/compression/compression.ts'
import { encodeRecord, encodeRecordBatch } from '../../../support/encode-record-batch.ts'

const KIB = 1024
const BOUNDS = { maxBytes: 1024 * KIB, maxPlainBytes: 64 * KIB, maxRecords: 1000 }

/** Batches of one record of so many bytes each. */
function fetchOf(sizes: readonly number[], codec: Codec): CompletedFetch {
  const bytes = Buffer.concat(
    sizes.map((size, baseOffset) =>
      encodeRecordBatch({
        records: [{ value: Buffer.alloc(size, 'x') }],
        baseOffset,
        attributes: CODEC_BITS[codec],
        compress: (plain) => compress(codec, plain),
      }),
    ),
  )
  return new CompletedFetch(bytes, 't', 3, 0, [], { checkCrcs: true, maxDecompressedBytes: 200 * KIB })
}

function slicesOf(fetch: CompletedFetch): number[] {
  const counts: number[] = []
  while (!fetch.isDone) counts.push(fetch.next(BOUNDS).records!.count)
  return counts
}

describe('slices of a fetch', () => {
  // Cut by compressed bytes, 1 MiB of a topic that compresses 273:1 became 273 MiB at once.
  test.each(['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const)(
    'are bounded by what they decompress to, with %s',
    (codec) => {
      expect(
        slicesOf(
          fetchOf(
            [30, 30, 30].map((size) => size * KIB),
            codec,
          ),
        ),
      ).toEqual(
        // The most that the blocks of a codec can hold is what counts where it does not say it.
        codec === 'lz4' ? [1, 1, 1] : [2, 1],
      )
      expect(slicesOf(fetchOf([10, 100 * KIB, 10, 10], codec))).toEqual(codec === 'lz4' ? expect.any(Array) : [1, 1, 2])
    },
  )

  // To join what two large batches decompress to took as long as a part of the decompression.
  test.each(['gzip', 'snappy', 'lz4', 'zstd'] as const)('hold a large compressed batch alone, with %s', (codec) => {
    const large = Buffer.from(randomBytes(100_000).toString('hex'))
    const small = Buffer.from('x'.repeat(500))
    const bytes = Buffer.concat(
      [small, small, large, large, small, small].map((value, baseOffset) =>
        encodeRecordBatch({
          records: [{ value }],
          baseOffset,
          attributes: CODEC_BITS[codec],
          compress: (plain) => compress(codec, plain),
        }),
      ),
    )
    const fetch = new CompletedFetch(bytes, 't', 3, 0, [], { checkCrcs: true, maxDecompressedBytes: 8 * KIB * KIB })
    const counts: number[] = []
    while (!fetch.isDone) counts.push(fetch.next({ ...BOUNDS, maxPlainBytes: 8 * KIB * KIB }).records!.count)
    expect(counts).toEqual([2, 1, 1, 2])
  })

  test.each(['gzip', 'snappy', 'lz4', 'zstd'] as const)(
    'hold a batch that may be too large alone, which fails with its offsets, with %s',
    (codec) => {
      const fetch = fetchOf([10, 300 * KIB], codec)
      expect(fetch.next(BOUNDS).records!.locate().count).toBe(1)
      const { records } = fetch.next(BOUNDS)
      expect(() => records!.locate()).toThrow(
        expect.objectContaining({
          code: 'RECORD_BATCH_TOO_LARGE',
          message: expect.stringMatching(
            /^Cannot read the record batch at offset 1 of topic "t" partition 3 as its \d+ bytes decompress to more than 204800/,
          ),
          topic: 't',
          partition: 3,
          offset: 1n,
        }),
      )
    },
  )

  test('count the bytes that were made to locate them', () => {
    const { records } = fetchOf([50 * KIB], 'gzip').next(BOUNDS)
    expect(records!.byteLength).toBeLessThan(KIB)
    records!.locate()
    expect(records!.byteLength).toBeGreaterThan(50 * KIB)
    expect(records!.fetchedBytes).toBeLessThan(KIB)
  })
})

// A position within a record batch has its records looked at here, and one that could not be read hid those before it.
test('records between a position within a batch and one that cannot be read are given first', () => {
  const records = ['a', 'b', 'c', 'd'].map((value) => ({ value: Buffer.from(value) }))
  const malformed = encodeRecordBatch({
    records,
    compress: (bytes) => {
      const start = records.slice(0, 3).reduce((sum, record, i) => sum + encodeRecord(record, i).length, 0)
      bytes[start + 5] = 60 // The length of its value says more than there is.
      return bytes
    },
  })
  const fetch = new CompletedFetch(malformed, 't', 3, 1, [], { checkCrcs: true, maxDecompressedBytes: KIB })
  const slice = fetch.next(BOUNDS)
  expect([slice.records!.firstOffset, slice.records!.lastOffset, slice.records!.count]).toEqual([1, 2, 2])
  expect(slice.nextOffset).toBe(3)
  expect(fetch.isDone).toBe(false)
  expect(() => fetch.next(BOUNDS)).toThrow(expect.objectContaining({ code: 'RECORD_CORRUPT', offset: 3n }))
})
