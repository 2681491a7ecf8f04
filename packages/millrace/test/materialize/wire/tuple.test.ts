import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { packTuple } from '../../../../../demo/flow/tuples.ts'
import { tupleDouble, tupleElementEnd, tupleInteger } from '../../../src/materialize/wire/tuple.ts'
import { parseExactly } from '../../../src/records/exact-numbers.ts'

describe('packed tuples', () => {
  test('have elements of which each says where it ends', () => {
    const values = [null, '', 'a\0b', { a: [1] }, true, false, 0, 1, -1, 255, 256, 2 ** 40, 1.5, -2.25]
    const packed = packTuple(values)
    const ends: number[] = []
    for (let at = 0; at < packed.length; at = ends.at(-1)!) ends.push(tupleElementEnd(packed, at, packed.length))
    expect(ends.map((end, i) => packed.subarray(ends[i - 1] ?? 0, end))).toEqual(
      values.map((value) => packTuple([value])),
    )
  })

  test('sort as their values do', () => {
    const numbers = [-(2 ** 40), -256, -255, -1, 0, 1, 255, 256, 2 ** 40]
    const packed = numbers.map((number) => packTuple([number]))
    expect(packed.toSorted((a, b) => Buffer.compare(a, b))).toEqual(packed)
  })

  test('hold integers of 64 bits, signed and unsigned', () => {
    const examples: [bigint][] = [
      [0n],
      [-1n],
      [2n ** 48n],
      [2n ** 53n + 1n],
      [-(2n ** 63n)],
      [2n ** 64n - 1n],
      [10n ** 18n],
    ]
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }), (value) => {
        const packed = packTuple([parseExactly(String(value))])
        expect(tupleElementEnd(packed, 0, packed.length)).toBe(packed.length)
        expect(tupleInteger(packed, 0)).toBe(String(value))
      }),
      { examples },
    )
  })

  test('hold doubles', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        // An exponent makes a double of a whole number.
        const packed = packTuple([parseExactly(Object.is(value, -0) ? '-0.0' : value.toExponential())])
        expect(tupleDouble(packed, 1)).toBe(value)
      }),
      { examples: [[1.5], [-1.5], [-0], [5e-324]] },
    )
  })

  test.each([
    { hex: '0261', problem: 'truncated' },
    { hex: '1601', problem: 'truncated' },
    { hex: '21000000', problem: 'truncated' },
    { hex: '05', problem: 'unknown type 0x05' },
    { hex: '1d', problem: 'unknown type 0x1d' },
  ])('are refused: $hex is $problem', ({ hex, problem }) => {
    const bytes = Buffer.from(hex, 'hex')
    expect(() => tupleElementEnd(bytes, 0, bytes.length)).toThrow(problem)
  })
})
