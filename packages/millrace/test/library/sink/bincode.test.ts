import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { BincodeDeserializer, BincodeSerializer, type BincodeType } from '../../../src/library/sink/bincode.ts'

/** Bytes as pairs of hexadecimal digits. */
const hex = (type: BincodeType, value: unknown): string =>
  Buffer.from(new BincodeSerializer(type).serialize(value)).toString('hex')
const back = (type: BincodeType, digits: string): unknown =>
  new BincodeDeserializer(type).deserialize(Buffer.from(digits, 'hex'))

const METRIC: BincodeType = { struct: { service: 'string', avg_latency: 'f64', count: 'u64' } }
const SHAPE: BincodeType = { enum: { Empty: 'unit', Circle: 'f32', Named: { struct: { name: 'string' } } } }

describe('the bytes of bincode 1.3', () => {
  test.each<{ name: string; type: BincodeType; value: unknown; bytes: string; read?: unknown }>([
    { name: 'a boolean', type: 'bool', value: true, bytes: '01' },
    { name: 'a byte', type: 'u8', value: 255, bytes: 'ff' },
    { name: 'a negative byte', type: 'i8', value: -2, bytes: 'fe' },
    { name: 'two bytes', type: 'u16', value: 0x1234, bytes: '3412' },
    { name: 'four bytes', type: 'i32', value: -1, bytes: 'ffffffff' },
    { name: 'eight bytes', type: 'u64', value: 1000, bytes: 'e803000000000000' },
    { name: 'the largest u64', type: 'u64', value: 2n ** 64n - 1n, bytes: 'ffffffffffffffff' },
    { name: 'sixteen bytes', type: 'i128', value: -1n, bytes: 'ff'.repeat(16), read: -1 },
    { name: 'a float', type: 'f32', value: 1.5, bytes: '0000c03f' },
    { name: 'a double', type: 'f64', value: 123.5, bytes: '0000000000e05e40' },
    { name: 'a character of one byte', type: 'char', value: 'a', bytes: '61' },
    { name: 'a character of four bytes', type: 'char', value: '😀', bytes: 'f09f9880' },
    { name: 'text', type: 'string', value: 'hé', bytes: '030000000000000068c3a9' },
    { name: 'bytes', type: 'bytes', value: Buffer.from([1, 2]), bytes: '02000000000000000102' },
    { name: 'nothing', type: 'unit', value: null, bytes: '' },
    { name: 'an option without a value', type: { option: 'u16' }, value: null, bytes: '00' },
    { name: 'an option with one', type: { option: 'u16' }, value: 7, bytes: '010700' },
    { name: 'a list', type: { list: 'u16' }, value: [1, 2], bytes: '020000000000000001000200' },
    { name: 'an array', type: { array: ['u16', 2] }, value: [1, 2], bytes: '01000200' },
    { name: 'a tuple', type: { tuple: ['u8', 'string'] }, value: [9, ''], bytes: '090000000000000000' },
    {
      name: 'a map',
      type: { map: ['string', 'u8'] },
      value: { a: 1 },
      bytes: '010000000000000001000000000000006101',
      read: new Map([['a', 1]]),
    },
    { name: 'a variant without content', type: SHAPE, value: 'Empty', bytes: '00000000' },
    { name: 'a variant with a value', type: SHAPE, value: { Circle: 1.5 }, bytes: '010000000000c03f' },
    {
      name: 'a variant with fields',
      type: SHAPE,
      value: { Named: { name: 'x' } },
      bytes: '02000000010000000000000078',
    },
    {
      name: 'a struct, whose fields come in the order of the type',
      type: METRIC,
      value: { count: 1000, service: 'api', avg_latency: 123.5 },
      bytes: '03000000000000006170690000000000e05e40e803000000000000',
    },
  ])('$name', ({ type, value, bytes, read = value }) => {
    expect(hex(type, value)).toBe(bytes)
    expect(back(type, bytes)).toEqual(read)
  })

  test('are read as they were written, whatever the value', () => {
    const type: BincodeType = {
      struct: { name: 'string', tags: { list: { option: 'i32' } }, ratio: 'f64', raw: 'bytes', big: 'i64' },
    }
    const values = fc.record({
      name: fc.string({ unit: 'grapheme' }),
      tags: fc.array(fc.option(fc.integer())),
      ratio: fc.double({ noNaN: true }),
      raw: fc.uint8Array().map((bytes) => Buffer.from(bytes)),
      big: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    })
    fc.assert(
      fc.property(values, (value) => {
        const { big, ...rest } = back(type, hex(type, value)) as { big: bigint | number }
        const { big: written, ...others } = value
        expect(rest).toEqual(others)
        expect(BigInt(big)).toBe(written)
      }),
    )
  })
})

describe('what is not of its type', () => {
  test.each<{ name: string; type: BincodeType; value: unknown; message: string }>([
    { name: 'a number that is too large', type: 'u8', value: 256, message: 'value must fit into u8: it is 256' },
    { name: 'a negative number', type: 'u32', value: -1, message: 'value must fit into u32: it is -1' },
    {
      name: 'a fraction',
      type: 'u32',
      value: 1.5,
      message: 'value must be a whole number (u32): it is of type number',
    },
    { name: 'a field that is missing', type: METRIC, value: { service: 'a' }, message: 'value.avg_latency must be' },
    { name: 'text that is a number', type: 'string', value: 1, message: 'value must be text' },
    { name: 'an unknown variant', type: SHAPE, value: 'Square', message: 'value must be one of Empty, Circle, Named' },
    { name: 'a list that is too short', type: { array: ['u8', 2] }, value: [1], message: 'value must have 2 elements' },
    { name: 'an element', type: { list: 'bool' }, value: [true, 1], message: 'value[1] must be a boolean' },
  ])('$name is refused with its place', ({ type, value, message }) => {
    expect(() => hex(type, value)).toThrow(message)
  })

  test.each<{ name: string; type: BincodeType; bytes: string; message: string }>([
    {
      name: 'bytes that end too early',
      type: 'u32',
      bytes: '0000',
      message: 'the bytes end after 2, and 4 are needed',
    },
    { name: 'bytes that are left', type: 'u8', bytes: '0000', message: '1 bytes are left behind the value' },
    { name: 'a length beyond the end', type: 'string', bytes: 'ffffffffffffffff', message: 'a length must be at most' },
    { name: 'a flag that is none', type: 'bool', bytes: '02', message: 'a byte must be 0 or 1: it is 2' },
    { name: 'a variant that is none', type: SHAPE, bytes: '09000000', message: 'an enum has 3 variants' },
  ])('$name are refused', ({ type, bytes, message }) => {
    expect(() => back(type, bytes)).toThrow(message)
  })
})
