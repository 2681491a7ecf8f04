import { jsCRC32C, Reader, readRecordsBatches } from '@platformatic/kafka'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { BODY, END, FIELDS } from '../../../src/records/batch.ts'
import {
  byteSource,
  identifyBatch,
  NO_HEADERS,
  RecordBatchBuilder,
  writeBatchHeader,
} from '../../../src/kafka/protocol/record-batch-builder.ts'
import { HeaderWriter } from '../../../src/records/header-writer.ts'
import { batchOf } from '../../support/batches.ts'

interface Given {
  timestampMs: number
  key: string | Uint8Array | null
  value: string | Uint8Array | null
  headers: [string, string | Uint8Array | null][]
}

const text = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary' }),
  fc.integer({ min: 0, max: 9000 }).map((n) => 'é'.repeat(n % 97) + 'x'.repeat(n)),
)
const content = fc.oneof(fc.constant(null), text, fc.uint8Array({ maxLength: 300 }))
const record: fc.Arbitrary<Given> = fc.record({
  timestampMs: fc.oneof(fc.integer({ min: 0, max: 4e12 }), fc.constantFrom(0, 8.64e15, 1_700_000_000_000)),
  key: content,
  value: content,
  headers: fc.array(fc.tuple(fc.string(), content), { maxLength: 3 }),
})

function build(records: readonly Given[], capacity = 1 << 20): RecordBatchBuilder {
  const builder = new RecordBatchBuilder(capacity)
  const headerWriter = new HeaderWriter()
  for (const { timestampMs, key, value, headers } of records) {
    const keyBytes = Buffer.from(key ?? '')
    const headersLength = headers.length === 0 ? 1 : headerWriter.write(headers)
    expect(
      builder.append(
        timestampMs,
        keyBytes,
        0,
        key === null ? -1 : keyBytes.length,
        value,
        headers.length === 0 ? NO_HEADERS : headerWriter.bytes,
        headersLength,
      ),
    ).toBe(true)
  }
  return builder
}

function finish(
  builder: RecordBatchBuilder,
  identity = { producerId: -1, producerEpoch: -1, baseSequence: -1, transactional: false },
): Buffer {
  const { bytes, length, count, baseTimestampMs, maxTimestampMs } = builder
  writeBatchHeader(bytes, length, { count, baseTimestampMs, maxTimestampMs, codec: 0 })
  identifyBatch(bytes, length, identity)
  return bytes.subarray(0, length)
}

const bytesOrNull = (value: string | Uint8Array | null): string | null =>
  value === null ? null : Buffer.from(value).toString('hex')

/** Reads a batch digit by digit from the format's description, sharing no code with `src`. */
function readPlainly(bytes: Buffer): Given[] {
  let at = 61
  const varint = (): number => {
    let bits = 0n
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++]!
      bits |= BigInt(byte & 127) << shift
      if (byte < 128) break
    }
    return Number((bits >> 1n) ^ -(bits & 1n))
  }
  const sized = (): Buffer | null => {
    const length = varint()
    if (length < 0) return null
    at += length
    return bytes.subarray(at - length, at)
  }
  const base = Number(bytes.readBigInt64BE(27))
  return Array.from({ length: bytes.readInt32BE(57) }, (_, index) => {
    const size = varint()
    const end = at + size
    expect(bytes[at++]).toBe(0)
    const timestampMs = base + varint()
    expect(varint()).toBe(index)
    const key = sized()
    const value = sized()
    const headers = Array.from({ length: varint() }, (): [string, Buffer | null] => [sized()!.toString(), sized()])
    expect(at).toBe(end)
    return { timestampMs, key, value, headers }
  })
}

const plain = ({ timestampMs, key, value, headers }: Given): unknown => ({
  timestampMs,
  key: bytesOrNull(key),
  value: bytesOrNull(value),
  headers: headers.map(([name, content]) => [Buffer.from(name).toString(), bytesOrNull(content)]),
})

describe('record batch builder', () => {
  test('what it writes reads back, whatever the records', () => {
    fc.assert(
      fc.property(fc.array(record, { minLength: 1, maxLength: 30 }), (records) => {
        const bytes = finish(build(records))
        expect(readPlainly(bytes).map(plain)).toEqual(records.map(plain))
        expect(Number(bytes.readBigInt64BE(35))).toBe(Math.max(...records.map(({ timestampMs }) => timestampMs)))
        expect(bytes.readUInt32BE(17)).toBe(jsCRC32C(bytes.subarray(21)) >>> 0)
      }),
      { numRuns: 300 },
    )
  })

  test('the protocol library reads it too', () => {
    const records: Given[] = [
      {
        timestampMs: 1000,
        key: 'k',
        value: 'v',
        headers: [
          ['h', '1'],
          ['h', null],
        ],
      },
      { timestampMs: 900, key: null, value: null, headers: [] },
      { timestampMs: 5000, key: '', value: Buffer.alloc(10_000, 'x'), headers: [] },
    ]
    const [batch] = readRecordsBatches(
      Reader.from(
        finish(build(records), { producerId: 77, producerEpoch: 3, baseSequence: 2 ** 31 - 1, transactional: true }),
      ),
    )
    expect(batch).toMatchObject({
      firstOffset: 0n,
      magic: 2,
      lastOffsetDelta: 2,
      firstTimestamp: 1000n,
      maxTimestamp: 5000n,
      producerId: 77n,
      producerEpoch: 3,
      firstSequence: 2 ** 31 - 1,
    })
    expect(batch!.attributes & 0x10).toBe(0x10)
    expect(batch!.records.map(({ key, value }) => [bytesOrNull(key), bytesOrNull(value)])).toEqual(
      records.map(({ key, value }) => [bytesOrNull(key), bytesOrNull(value)]),
    )
  })

  test('takes over records of another batch unchanged', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.record({
            key: fc.oneof(fc.constant(null), fc.string()),
            value: fc.oneof(fc.constant(null), fc.string({ maxLength: 400 })),
            headers: fc.array(fc.tuple(fc.string(), fc.oneof(fc.constant(null), fc.string())), { maxLength: 2 }),
          }),
          { minLength: 1, maxLength: 40 },
        ),
        (records) => {
          const { bytes, fields, count } = batchOf(records).records
          const builder = new RecordBatchBuilder(1 << 17)
          const source = byteSource(bytes)
          for (let i = 0; i < count; i++)
            expect(
              builder.appendWire(1000 + i * 1e9, source, fields[i * FIELDS + BODY]!, fields[i * FIELDS + END]!),
            ).toBe(true)
          expect(readPlainly(finish(builder)).map(plain)).toEqual(
            records.map(({ key, value, headers }, i) => plain({ timestampMs: 1000 + i * 1e9, key, value, headers })),
          )
        },
      ),
    )
  })

  test('refuses a record that does not fit and stays as it was', () => {
    fc.assert(
      fc.property(record, record, fc.nat(400), (first, second, spare) => {
        const builder = new RecordBatchBuilder(build([first]).length + 40 + spare)
        expect(builder.append(1, Buffer.alloc(0), 0, -1, null, NO_HEADERS, 1)).toBe(true)
        const before = finish(builder).toString('hex')
        const value = second.value
        const fits = builder.append(2, Buffer.alloc(0), 0, -1, value, NO_HEADERS, 1)
        if (!fits) expect(finish(builder).toString('hex')).toBe(before)
        else
          expect(plain(readPlainly(finish(builder))[1]!)).toEqual(
            plain({ timestampMs: 2, key: null, value, headers: [] }),
          )
      }),
    )
  })

  test('starts over in the same buffer', () => {
    const builder = build([{ timestampMs: 7, key: null, value: 'first', headers: [] }])
    builder.reset()
    builder.append(9, Buffer.alloc(0), 0, -1, 'second', NO_HEADERS, 1)
    expect(readPlainly(finish(builder)).map(plain)).toEqual([
      plain({ timestampMs: 9, key: null, value: 'second', headers: [] }),
    ])
  })
})

describe('a batch of somebody else', () => {
  const identity = { producerId: 5, producerEpoch: 6, baseSequence: 7, transactional: false }

  function foreign(value: string): Buffer {
    const bytes = finish(build([{ timestampMs: 1, key: 'k', value, headers: [] }]))
    bytes.writeBigInt64BE(4711n, 0)
    bytes.writeInt32BE(12, 12)
    bytes.writeInt16BE(0x0053, 21)
    bytes.writeUInt32BE(jsCRC32C(bytes.subarray(21)) >>> 0, 17)
    return bytes
  }

  test.each([
    ['small', 'v', false],
    ['small, with its checksum', 'v', true],
    ['large', 'v'.repeat(70_000), false],
    ['large, with its checksum', 'v'.repeat(70_000), true],
  ])('is made our own: offset, leader epoch, producer and flags are rewritten: %s', (_, value, hasCrc) => {
    const bytes = foreign(value)
    // A second attempt has another sequence.
    for (const baseSequence of [3, 7]) {
      identifyBatch(bytes, bytes.length, { ...identity, baseSequence }, hasCrc)
      expect([
        bytes.readBigInt64BE(0),
        bytes.readInt32BE(12),
        bytes.readInt16BE(21),
        bytes.readBigInt64BE(43),
        bytes.readInt16BE(51),
        bytes.readInt32BE(53),
      ]).toEqual([0n, -1, 3, 5n, 6, baseSequence])
      expect(bytes.readUInt32BE(17)).toBe(jsCRC32C(bytes.subarray(21)) >>> 0)
    }
  })

  // The checksum was made anew from whatever was in memory.
  test('whose records have changed since they were verified does not get a checksum that hides it', () => {
    const bytes = foreign('v'.repeat(70_000))
    bytes[40_000]! ^= 1
    identifyBatch(bytes, bytes.length, identity, true)
    expect(bytes.readUInt32BE(17)).not.toBe(jsCRC32C(bytes.subarray(21)) >>> 0)
  })
})
