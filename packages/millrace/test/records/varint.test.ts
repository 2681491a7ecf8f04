import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  endOfVarint,
  VARINT_BYTES,
  varintAt,
  VarintReader,
  VARLONG_BYTES,
  varlongAt,
} from '../../src/records/varint.ts'
import { varint } from '../support/encode-record-batch.ts'

const int32 = fc.oneof(
  fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
  fc.integer({ min: -300, max: 300 }),
  fc.constantFrom(0, -1, 63, -64, 64, -65, 8191, 8192, -8193, 2 ** 31 - 1, -(2 ** 31)),
)
const safe = fc.oneof(
  fc.maxSafeInteger(),
  fc.integer(),
  fc.constantFrom(0, -1, 2 ** 31, -(2 ** 31) - 1, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER),
)

describe('varint', () => {
  test('reads every 32-bit number', () => {
    fc.assert(
      fc.property(int32, (value) => {
        expect(varintAt(Buffer.concat([Buffer.alloc(3), varint(value)]), 3)).toBe(value)
      }),
    )
  })

  test('reads numbers one after the other', () => {
    fc.assert(
      fc.property(fc.array(int32), (values) => {
        const bytes = Buffer.concat([Buffer.alloc(3), ...values.map(varint)])
        const reader = new VarintReader(bytes, 3)
        expect(values.map(() => reader.next())).toEqual(values)
        expect(reader.position).toBe(bytes.length)
      }),
    )
  })

  test('reads every 64-bit number exactly up to 2^53', () => {
    fc.assert(
      fc.property(safe, (value) => {
        expect(varlongAt(Buffer.concat([Buffer.alloc(3), varint(value)]), 3)).toBe(value)
      }),
    )
  })

  test.each([2n ** 63n - 1n, -(2n ** 63n), 2n ** 60n, -(2n ** 55n)])(
    'reads %s, beyond 2^53, as the nearest double',
    (value) => {
      expect(varlongAt(varint(value), 0)).toBe(Number(value))
    },
  )

  test('finds the end of a number', () => {
    fc.assert(
      fc.property(safe, (value) => {
        const bytes = varint(value)
        expect(endOfVarint(bytes, 0, bytes.length, VARLONG_BYTES)).toBe(bytes.length)
        expect(endOfVarint(bytes, 0, bytes.length - 1, VARLONG_BYTES)).toBe(-1)
      }),
    )
  })

  test('refuses a number that is longer than its type', () => {
    const endless = Buffer.alloc(20, 0x80)
    expect(endOfVarint(endless, 0, endless.length, VARINT_BYTES)).toBe(-1)
    expect(endOfVarint(endless, 0, endless.length, VARLONG_BYTES)).toBe(-1)
    expect(endOfVarint(Buffer.from([0x80, 0x80, 0x80, 0x80, 0x80, 0]), 0, 6, VARINT_BYTES)).toBe(-1)
    expect(endOfVarint(Buffer.from([0x80, 0x80, 0x80, 0x80, 0]), 0, 5, VARINT_BYTES)).toBe(5)
  })
})
