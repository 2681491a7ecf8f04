import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { floatText, numberText } from '../../../src/materialize/records/numbers.ts'

describe('numbers of records', () => {
  test.each([
    ['0', '0'],
    ['-1', '-1'],
    ['-0', '-0.0'],
    ['0.0', '0.0'],
    ['1.0', '1.0'],
    ['1.10', '1.1'],
    ['1e2', '100.0'],
    ['1E+2', '100.0'],
    ['123456789012345678', '123456789012345678'],
    ['9007199254740993', '9007199254740993'],
    ['9223372036854775807', '9223372036854775807'],
    ['-9223372036854775808', '-9223372036854775808'],
    ['18446744073709551615', '18446744073709551615'],
    ['18446744073709551616', '1.8446744073709552e19'],
    ['-9223372036854775809', '-9.223372036854776e18'],
    ['1000000000000000.0', '1000000000000000.0'],
    ['1e15', '1000000000000000.0'],
    ['1e16', '1e16'],
    ['1.5e16', '1.5e16'],
    ['0.00001', '0.00001'],
    ['0.000001', '1e-6'],
    ['0.0000012', '1.2e-6'],
    ['1e-400', '0.0'],
    ['5e-324', '5e-324'],
  ])('%s is written as %s', (source, text) => {
    expect(numberText(source)).toBe(text)
  })

  test('that are floats read back as the same double, and are not taken for integers', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        const text = floatText(value)
        expect(Number(text)).toBe(value)
        expect(text).toMatch(/^-?\d+(?:\.\d+)?(?:e-?\d+)?$/)
        expect(text).toMatch(/[.e]/)
        expect(numberText(text)).toBe(text)
      }),
    )
  })

  test('that JSON cannot say are refused', () => {
    expect(() => numberText('1e400')).toThrow('Cannot write the number 1e400 as it is out of range')
    expect(() => floatText(Number.NaN)).toThrow('JSON has no text for it')
  })
})
