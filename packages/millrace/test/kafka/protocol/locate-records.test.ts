import { createRecordsBatch } from '@platformatic/kafka'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { CODEC_BITS, CODECS, type Codec } from '../../../src/kafka/protocol/compression/codecs.ts'
import {
  Batch,
  BODY,
  END,
  FIELDS,
  KEY,
  KEY_LENGTH,
  VALUE,
  VALUE_LENGTH,
  type LocatedRecords,
} from '../../../src/records/batch.ts'
import { CorruptRecordError } from '../../../src/errors/index.ts'
import { compress } from '../../../src/kafka/protocol/compression/compression.ts'
import { FetchedRecords } from '../../../src/kafka/protocol/locate-records.ts'
import { RecordBatchReader } from '../../../src/kafka/protocol/record-batch.ts'
import {
  encodeRecord,
  encodeRecordBatch,
  type RecordBatchInput,
  type RecordInput,
  sealRecordBatch,
  varint,
} from '../../support/encode-record-batch.ts'

/** Reads batches as a fetcher does: walk over them, then hand on their ranges. */
function fetched(bytes: Buffer, fromOffset = 0): FetchedRecords {
  const reader = new RecordBatchReader()
  reader.reset(bytes, 'orders', 3)
  const ranges: number[] = []
  while (reader.next()) ranges.push(reader.start, reader.end)
  return new FetchedRecords({ topic: 'orders', partition: 3, bytes, ranges: Int32Array.from(ranges), fromOffset })
}

interface Seen {
  readonly offset: number
  readonly timestamp: number
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: readonly (readonly [string, Buffer | null])[]
}

/** All records through the eyes of `Batch`, so that its reading of headers is held against the encoder too. */
function recordsOf(storage: FetchedRecords): Seen[] {
  const batch = new Batch(
    { component: 'test', topic: 'orders', partition: 3, partitionCount: 4, timestampType: 'CreateTime' },
    storage,
    { ack() {} },
  )
  return Array.from({ length: batch.length }, (_, row) => ({
    offset: Number(batch.offset(row)),
    timestamp: batch.timestampMs(row),
    key: batch.key(row),
    value: batch.value(row),
    headers: batch.headers(row),
  }))
}

function failureOf(read: () => unknown): CorruptRecordError {
  try {
    read()
  } catch (error) {
    if (error instanceof CorruptRecordError) return error
    throw error
  }
  throw new Error('Nothing was found wrong')
}

function expectInside({ bytes, count, fields }: LocatedRecords): void {
  for (let field = 0; field < count * FIELDS; field += FIELDS) {
    const [body, key, keyLength, value, valueLength, end] = [BODY, KEY, KEY_LENGTH, VALUE, VALUE_LENGTH, END].map(
      (part) => fields[field + part]!,
    ) as [number, number, number, number, number, number]
    expect(
      0 <= body &&
        body < key &&
        keyLength >= -1 &&
        key + Math.max(0, keyLength) < value &&
        valueLength >= -1 &&
        value + Math.max(0, valueLength) < end &&
        end <= bytes.length,
    ).toBe(true)
  }
}

const compressed = (codec: Codec, input: RecordBatchInput): Buffer =>
  encodeRecordBatch({
    ...input,
    attributes: (input.attributes ?? 0) | CODEC_BITS[codec],
    compress: (plain) => compress(codec, plain),
  })

const bytesOf = (maxLength: number) =>
  fc.oneof(
    { weight: 8, arbitrary: fc.uint8Array({ maxLength }).map((bytes) => Buffer.from(bytes)) },
    { weight: 1, arbitrary: fc.integer({ min: 60, max: 9000 }).map((length) => Buffer.alloc(length, 'v')) },
    { weight: 1, arbitrary: fc.constant(null) },
  )
const anyRecord = fc.record({
  timestampDelta: fc.oneof(
    fc.integer({ min: -100, max: 10_000 }),
    fc.integer(),
    fc.integer({ min: -(2 ** 50), max: 2 ** 50 }),
  ),
  key: bytesOf(80),
  value: bytesOf(200),
  headers: fc.array(fc.tuple(fc.string({ maxLength: 70 }), bytesOf(100)), { maxLength: 3 }),
})
/** Offsets ascend with gaps, as after compaction. */
const anyBatch = fc
  .tuple(
    fc.array(fc.tuple(anyRecord, fc.oneof(fc.constant(1), fc.nat({ max: 10_000 }))), { maxLength: 150 }),
    fc.constantFrom(...CODECS),
    fc.nat({ max: 2 ** 42 }),
    fc.boolean(),
  )
  .map(([records, codec, baseTimestamp, logAppendTime]) => {
    let next = -1
    return {
      codec,
      baseTimestamp,
      logAppendTime,
      records: records.map(([record, gap]) => ({ ...record, offsetDelta: (next += Math.max(1, gap)) })),
    }
  })

describe('fetched records', () => {
  test('are read as they were written: every codec, null and empty keys and values, duplicate headers, gaps', () => {
    fc.assert(
      fc.property(fc.array(anyBatch, { maxLength: 4 }), fc.nat({ max: 2 ** 45 }), (batches, start) => {
        let baseOffset = start
        const expected: Seen[] = []
        const bytes = batches.map(({ codec, baseTimestamp, logAppendTime, records }) => {
          const maxTimestamp = baseTimestamp + 99
          const encoded = compressed(codec, {
            records,
            baseOffset,
            baseTimestamp,
            maxTimestamp,
            attributes: logAppendTime ? 8 : 0,
          })
          for (const { offsetDelta, timestampDelta, key, value, headers } of records) {
            expected.push({
              offset: baseOffset + offsetDelta,
              timestamp: logAppendTime ? maxTimestamp : baseTimestamp + timestampDelta,
              key,
              value,
              headers,
            })
          }
          baseOffset += (records.at(-1)?.offsetDelta ?? 0) + 1
          return encoded
        })
        const storage = fetched(Buffer.concat(bytes))
        expect(storage.count).toBe(expected.length)
        expectInside(storage.locate())
        expect(recordsOf(storage)).toEqual(expected)
      }),
      { numRuns: 150 },
    )
  })

  test.each(CODECS)('are read as the protocol library writes them with %s', (compression) => {
    const records = Array.from({ length: 200 }, (_, i) => ({
      topic: 'orders',
      key: i % 3 === 0 ? null : Buffer.from(`key-${i}`),
      value: i % 7 === 0 ? null : Buffer.alloc(i, 'v'),
      timestamp: BigInt(1_700_000_000_000 + i * 1000),
      headers: new Map([[Buffer.from('h'), Buffer.from(String(i))]]),
    }))
    const { buffer } = createRecordsBatch(records as never, { compression })
    expect(recordsOf(fetched(buffer))).toEqual(
      records.map(({ key, value, timestamp }, i) => ({
        offset: i,
        timestamp: Number(timestamp),
        key,
        value,
        headers: [['h', Buffer.from(String(i))]],
      })),
    )
  })

  test('keep everything that a record can hold apart', () => {
    const records: RecordInput[] = [
      { key: null, value: null },
      { key: Buffer.alloc(0), value: Buffer.alloc(0) },
      {
        key: Buffer.from('k'),
        value: null,
        headers: [
          ['a', null],
          ['a', Buffer.alloc(0)],
          ['', Buffer.from('x')],
        ],
      },
      {
        key: Buffer.alloc(64, 'k'),
        value: Buffer.alloc(8192, 'v'),
        headers: Array.from({ length: 70 }, (_, i) => [`header-${i}`, Buffer.alloc(i)] as const),
      },
      { key: null, value: Buffer.alloc(1_100_000, 'v') },
    ]
    expect(recordsOf(fetched(encodeRecordBatch({ records })))).toEqual(
      records.map(({ key, value, headers }, offset) => ({ offset, timestamp: 0, key, value, headers: headers ?? [] })),
    )
  })

  test('point into the fetched bytes when nothing is compressed', () => {
    const bytes = Buffer.concat(
      [0, 1].map((baseOffset) => encodeRecordBatch({ records: [{ value: Buffer.from('v') }], baseOffset })),
    )
    expect(fetched(bytes).locate().bytes).toBe(bytes)
  })

  test('of compressed and uncompressed batches stand side by side', () => {
    const bytes = Buffer.concat(
      CODECS.map((codec, i) => compressed(codec, { records: [{ value: Buffer.from(codec) }], baseOffset: i })),
    )
    expect(recordsOf(fetched(bytes)).map(({ offset, value }) => `${offset} ${value?.toString()}`)).toEqual([
      '0 none',
      '1 gzip',
      '2 snappy',
      '3 lz4',
      '4 zstd',
    ])
  })

  test('have the time of the broker when the topic says so', () => {
    const records = [1, 2, 3].map((timestampDelta) => ({ timestampDelta, value: Buffer.from('v') }))
    const bytes = Buffer.concat([
      encodeRecordBatch({ records, baseTimestamp: 100, maxTimestamp: 555, attributes: 8 }),
      encodeRecordBatch({ records, baseOffset: 3, baseTimestamp: 100, maxTimestamp: 103 }),
    ])
    expect(recordsOf(fetched(bytes)).map(({ timestamp }) => timestamp)).toEqual([555, 555, 555, 101, 102, 103])
  })

  test.each([0, 63, 64, 8191, 8192, -1, -64, -65, 2 ** 31, -(2 ** 31) - 1, 2 ** 40, -(2 ** 40), 2 ** 52])(
    'have exact timestamps %d ms away from the first',
    (timestampDelta) => {
      const storage = fetched(
        encodeRecordBatch({ records: [{ timestampDelta, value: null }], baseTimestamp: 1_700_000_000_000 }),
      )
      expect(recordsOf(storage)[0]!.timestamp).toBe(1_700_000_000_000 + timestampDelta)
    },
  )

  test('without a timestamp say -1', () => {
    expect(recordsOf(fetched(encodeRecordBatch({ records: [{ value: null }], baseTimestamp: -1 })))[0]!.timestamp).toBe(
      -1,
    )
  })

  test('are counted by the headers alone', () => {
    const broken = encodeRecordBatch({ records: [{ value: Buffer.from('v') }], baseOffset: 5, lastOffsetDelta: 7 })
    broken.fill(0xff, 61)
    const storage = fetched(sealRecordBatch(broken, { baseOffset: 5 }))
    expect([storage.count, storage.firstOffset, storage.lastOffset, storage.byteLength]).toEqual([
      1,
      5,
      12,
      broken.length,
    ])
    expect(() => storage.locate()).toThrow(CorruptRecordError)
  })

  test('may be none', () => {
    const storage = new FetchedRecords({
      topic: 'orders',
      partition: 3,
      bytes: Buffer.alloc(0),
      ranges: new Int32Array(0),
      fromOffset: 42,
    })
    expect([
      storage.count,
      storage.firstOffset,
      storage.lastOffset,
      storage.byteLength,
      storage.locate().count,
    ]).toEqual([0, 42, 41, 0, 0])
    expect(
      fetched(encodeRecordBatch({ records: [], baseOffset: 3, lastOffsetDelta: 5, attributes: 2 })).locate().count,
    ).toBe(0)
  })

  test.each(CODECS)('start at the requested position, within a batch of %s', (codec) => {
    const records = Array.from({ length: 10 }, (_, i) => ({ offsetDelta: i * 2, value: Buffer.from(`v${i * 2}`) }))
    const bytes = Buffer.concat([
      compressed(codec, { records, baseOffset: 100 }),
      compressed(codec, { records, baseOffset: 200 }),
    ])
    for (let fromOffset = 95; fromOffset <= 119; fromOffset++) {
      const storage = fetched(bytes, fromOffset)
      const left = recordsOf(storage)
      const expected = [100, 200]
        .flatMap((base) => records.map(({ offsetDelta }) => base + offsetDelta))
        .filter((offset) => offset >= fromOffset)
      expect(left.map(({ offset }) => offset)).toEqual(expected)
      expect(left.map(({ value }) => value?.toString())).toEqual(expected.map((offset) => `v${offset % 100}`))
      expect([storage.count, storage.firstOffset, storage.lastOffset]).toEqual([
        expected.length,
        Math.max(100, fromOffset),
        218,
      ])
      if (fromOffset <= 100)
        expect(storage.raw).toEqual({
          bytes,
          ranges: Int32Array.of(0, bytes.length / 2, bytes.length / 2, bytes.length),
        })
      else expect(storage.raw).toBeUndefined()
    }
  })

  test('may all lie before the position asked for', () => {
    const storage = fetched(encodeRecordBatch({ records: [{ value: null }], lastOffsetDelta: 9 }), 5)
    expect([storage.count, storage.firstOffset, storage.lastOffset, storage.locate().count]).toEqual([0, 5, 9, 0])
  })
})

describe('malformed records', () => {
  const good = { value: Buffer.from('value'), key: Buffer.from('key'), headers: [['h', Buffer.from('x')]] as const }

  /** A batch at offset 17 whose second of three records has the bytes given, length included. */
  function batchWith(record: Buffer): Buffer {
    return encodeRecordBatch({
      baseOffset: 17,
      records: [{}, {}, {}],
      lastOffsetDelta: 2,
      compress: () => Buffer.concat([encodeRecord(good, 0), record, encodeRecord(good, 2)]),
    })
  }
  const body = (...parts: readonly Buffer[]): Buffer => {
    const bytes = Buffer.concat([Buffer.from([0]), ...parts])
    return Buffer.concat([varint(bytes.length), bytes])
  }
  const v = varint
  const text = Buffer.from('text')
  const endless = Buffer.alloc(11, 0x80)

  test('are compared with sound ones', () => {
    expect(
      recordsOf(fetched(batchWith(body(v(0), v(1), v(-1), v(4), text, v(0))))).map(({ value }) => value?.toString()),
    ).toEqual(['value', 'text', 'value'])
  })

  test.each([
    { name: 'a negative length', record: Buffer.concat([v(-1), text]) },
    { name: 'a length of 0', record: v(0) },
    { name: 'a length below the least', record: Buffer.concat([v(5), Buffer.alloc(5)]) },
    { name: 'a length beyond the batch', record: Buffer.concat([v(1000), text]) },
    { name: 'a huge length', record: Buffer.concat([v(2 ** 31 - 1), text]) },
    { name: 'a length that does not end', record: endless },
    { name: 'a timestamp that does not end', record: body(endless, v(1), v(-1), v(-1), v(0)) },
    { name: 'an offset that does not end', record: body(v(0), endless, v(-1), v(-1), v(0)) },
    { name: 'an offset of more than 5 bytes', record: body(v(0), v(2 ** 40), v(-1), v(-1), v(0)) },
    { name: 'a negative offset', record: body(v(0), v(-1), v(-1), v(-1), v(0)) },
    { name: 'the offset of the record before', record: body(v(0), v(0), v(-1), v(-1), v(0)) },
    { name: 'an offset beyond the last of the batch', record: body(v(0), v(3), v(-1), v(-1), v(0)) },
    { name: 'a key length below -1', record: body(v(0), v(1), v(-2), v(-1), v(0)) },
    { name: 'a key beyond the record', record: body(v(0), v(1), v(100), v(-1), v(0)) },
    { name: 'a key up to the end of the record', record: body(v(0), v(1), v(4), text) },
    { name: 'a huge key', record: body(v(0), v(1), v(2 ** 31 - 1), v(-1), v(0)) },
    { name: 'a key length that does not end', record: body(v(0), v(1), endless) },
    { name: 'a value length below -1', record: body(v(0), v(1), v(-1), v(-(2 ** 31)), v(0)) },
    { name: 'a value beyond the record', record: body(v(0), v(1), v(-1), v(6), text, v(0)) },
    { name: 'a value up to the end of the record', record: body(v(0), v(1), v(-1), v(4), text) },
    { name: 'a value length that does not end', record: body(v(0), v(1), v(-1), endless) },
    { name: 'a negative number of headers', record: body(v(0), v(1), v(-1), v(-1), v(-1)) },
    { name: 'a number of headers that does not end', record: body(v(0), v(1), v(-1), v(-1), endless) },
    { name: 'more headers than there are', record: body(v(0), v(1), v(-1), v(-1), v(2), v(4), text, v(-1)) },
    { name: 'a huge number of headers', record: body(v(0), v(1), v(-1), v(-1), v(2 ** 31 - 1), v(4), text, v(-1)) },
    { name: 'fewer headers than there are', record: body(v(0), v(1), v(-1), v(-1), v(0), v(4), text, v(-1)) },
    { name: 'a header without a name', record: body(v(0), v(1), v(-1), v(-1), v(1), v(-1), v(-1)) },
    { name: 'a header name beyond the record', record: body(v(0), v(1), v(-1), v(-1), v(1), v(50), text, v(-1)) },
    {
      name: 'a header value beyond the record',
      record: body(v(0), v(1), v(-1), v(-1), v(1), v(4), text, v(3), Buffer.from('ab')),
    },
    { name: 'a header value below -1', record: body(v(0), v(1), v(-1), v(-1), v(1), v(4), text, v(-2)) },
    { name: 'bytes after its end', record: body(v(0), v(1), v(-1), v(-1), v(0), text) },
  ])('are refused with $name', ({ record }) => {
    for (const bytes of [
      batchWith(record),
      Buffer.concat([encodeRecordBatch({ records: Array(17).fill(good) }), batchWith(record)]),
    ]) {
      const error = failureOf(() => fetched(bytes).locate())
      expect(error.message).toBe(
        'Cannot read the record at offset 18 of topic "orders" partition 3 as record 2 of 3 in its batch is malformed',
      )
      expect({
        code: error.code,
        topic: error.topic,
        partition: error.partition,
        offset: error.offset,
        component: error.component,
      }).toEqual({ code: 'RECORD_CORRUPT', topic: 'orders', partition: 3, offset: 18n, component: 'kafka' })
    }
  })

  test('are refused where the last one reaches into what follows its batch', () => {
    const last = body(v(0), v(1), v(-1), v(4), text, v(0))
    const batch = encodeRecordBatch({
      baseOffset: 17,
      records: [{}, {}],
      compress: () => Buffer.concat([encodeRecord(good, 0), last.subarray(0, -5)]),
    })
    for (const bytes of [batch, Buffer.concat([batch, last.subarray(-5)])]) {
      const storage = new FetchedRecords({
        topic: 'orders',
        partition: 3,
        bytes,
        ranges: Int32Array.of(0, batch.length),
        fromOffset: 0,
      })
      expect(failureOf(() => storage.locate()).message).toBe(
        'Cannot read the record at offset 18 of topic "orders" partition 3 as record 2 of 2 in its batch is malformed',
      )
    }
  })

  test.each([
    {
      name: 'fewer than',
      count: 1,
      problem:
        'Cannot read the record at offset 18 of topic "orders" partition 3 as more bytes follow than its record count says',
    },
    {
      name: 'more than',
      count: 3,
      problem:
        'Cannot read the record at offset 19 of topic "orders" partition 3 as record 3 of 3 in its batch is malformed',
    },
  ])('are refused when the header counts $name there are', ({ count, problem }) => {
    for (const codec of CODECS) {
      const bytes = compressed(codec, {
        records: [good, { ...good, value: Buffer.alloc(100) }],
        count,
        baseOffset: 17,
        lastOffsetDelta: 5,
      })
      expect(failureOf(() => fetched(bytes).locate()).message).toBe(problem)
    }
  })

  test('are refused before memory is given to a count that cannot be', () => {
    const bytes = compressed('zstd', {
      records: [good],
      count: 2 ** 31 - 1,
      lastOffsetDelta: 2 ** 31 - 2,
      baseOffset: 17,
    })
    expect(failureOf(() => fetched(bytes).locate()).message).toMatch(
      /^Cannot read the record batch at offsets 17 to 2147483663 of topic "orders" partition 3 as its record count must fit into \d+ bytes: current value is 2147483647$/,
    )
  })

  test.each(CODECS.slice(1))('are refused where %s cannot be decompressed, with the place and the cause', (codec) => {
    const bytes = encodeRecordBatch({
      records: [good],
      baseOffset: 17,
      attributes: CODEC_BITS[codec],
      compress: () => Buffer.from('not compressed at all'),
    })
    const error = failureOf(() => fetched(bytes).locate())
    expect(error.message).toMatch(
      new RegExp(
        `^Cannot read the record batch at offset 17 of topic "orders" partition 3 as one cannot decompress 21 bytes of ${codec} records as `,
      ),
    )
    expect(error.offset).toBe(17n)
    expect(error.cause).toBeInstanceOf(CorruptRecordError)
  })

  test('are found when the position lies within their batch, too', () => {
    expect(failureOf(() => fetched(batchWith(v(-1)), 18)).offset).toBe(18n)
  })

  // The CRC is set right after each change, so that what is tested is the reading of records.
  test.each(CODECS)('never lead outside of the bytes, whichever byte changes (%s)', (codec) => {
    const records = [
      good,
      { key: null, value: Buffer.alloc(70, 'v'), timestampDelta: 2 ** 33 },
      {
        ...good,
        headers: [
          ['name', null],
          ['other', Buffer.alloc(80)],
        ] as const,
      },
    ]
    const sound = compressed(codec, { records, baseOffset: 17, lastOffsetDelta: 300 })
    for (let at = 21; at < sound.length; at++) {
      for (const change of [0x01, 0x80, 0xff, 0x7f, 0x02, 0x40]) {
        const bytes = Buffer.from(sound)
        bytes[at]! ^= change
        try {
          const storage = fetched(sealRecordBatch(bytes, { baseOffset: 17 }))
          expectInside(storage.locate())
          recordsOf(storage)
        } catch (error) {
          if (!(error instanceof CorruptRecordError)) throw error
        }
      }
    }
  })

  test('never lead outside of the batch, whatever its bytes are', () => {
    const noise = fc.tuple(
      fc.array(
        fc.oneof({ weight: 4, arbitrary: fc.nat({ max: 12 }) }, { weight: 1, arbitrary: fc.nat({ max: 255 }) }),
        { minLength: 7, maxLength: 80 },
      ),
      fc.integer({ min: 1, max: 4 }),
    )
    fc.assert(
      fc.property(noise, fc.uint8Array({ minLength: 0, maxLength: 40 }), ([plain, count], after) => {
        if (count * 7 > plain.length) return
        const batch = encodeRecordBatch({ records: [], count, lastOffsetDelta: 50, compress: () => Buffer.from(plain) })
        const outcome = (bytes: Buffer): unknown => {
          try {
            const located = new FetchedRecords({
              topic: 'orders',
              partition: 3,
              bytes,
              ranges: Int32Array.of(0, batch.length),
              fromOffset: 0,
            }).locate()
            for (let i = 0; i < count; i++) expect(located.fields[i * FIELDS + END]!).toBeLessThanOrEqual(batch.length)
            return [...located.fields]
          } catch (error) {
            if (!(error instanceof CorruptRecordError)) throw error
            return error.message
          }
        }
        // What comes after the batch must make no difference.
        expect(outcome(Buffer.concat([batch, after]))).toEqual(outcome(batch))
      }),
      // A negative length that ended where malformed headers said they did.
      { numRuns: 20_000, examples: [[[[125, 0, 0, 0, 8, 0, 0, 0], 1], Uint8Array.from([0, 31])]] },
    )
  })
})
