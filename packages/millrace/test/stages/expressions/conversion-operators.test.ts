import { describe, expect, test } from 'vitest'
import { compileExpressions } from '../../../src/stages/expressions/expressions.ts'

const DOCUMENT = { secret: 'hidden', text: '$secret', empty: '', list: [7], big: '9007199254740993' }

function evaluate(expression: unknown): unknown {
  return JSON.parse(JSON.stringify(compileExpressions([expression])(DOCUMENT)[0]))
}

describe('operators that convert', () => {
  test.each([
    { expression: { $toInt: '42' }, want: 42 },
    { expression: { $toInt: 3.9 }, want: 3 },
    { expression: { $toInt: true }, want: 1 },
    { expression: { $toInt: '$missing' }, want: null },
    { expression: { $toLong: '4294967296' }, want: 4_294_967_296 },
    { expression: { $toDouble: '-3.5e2' }, want: -350 },
    { expression: { $toDouble: ['2.5'] }, want: 2.5 },
    { expression: { $toDate: '2025-01-01T12:00:00' }, want: '2025-01-01T12:00:00Z' },
    { expression: { $toDate: 1000 }, want: '1970-01-01T00:00:01Z' },
    { expression: { $convert: { input: '1', to: 'int' } }, want: 1 },
    { expression: { $convert: { input: '1.5', to: 1 } }, want: 1.5 },
    { expression: { $convert: { input: 5, to: 'string' } }, want: '5' },
    { expression: { $convert: { input: 0, to: 'bool' } }, want: false },
    { expression: { $convert: { input: 'x', to: 'int', onError: -1 } }, want: -1 },
    { expression: { $convert: { input: '$empty', to: 'int', onError: null } }, want: null },
    { expression: { $convert: { input: '$missing', to: 'int', onNull: 0 } }, want: 0 },
  ])('$expression gives $want', ({ expression, want }) => {
    expect(evaluate(expression)).toEqual(want)
  })

  test.each([
    { expression: { $toInt: '$empty' }, problem: '$toInt cannot read empty text as a number' },
    { expression: { $toInt: '3.9' }, problem: '$toInt cannot read "3.9" as a whole number' },
    { expression: { $toInt: '0x10' }, problem: 'cannot read "0x10"' },
    { expression: { $toInt: '$list' }, problem: 'cannot read a list' },
    { expression: { $toInt: 2 ** 31 }, problem: 'beyond 2147483647' },
    { expression: { $toLong: '$big' }, problem: 'beyond 9007199254740991' },
    { expression: { $toDouble: 'many' }, problem: '$toDouble cannot read "many" as a number' },
    { expression: { $toDate: '5' }, problem: '$toDate needs a date' },
    { expression: { $toDate: '2025-02-30' }, problem: '$toDate needs a date' },
    { expression: { $convert: { input: 'x', to: 'int' } }, problem: '$toInt cannot read "x"' },
    { expression: { $convert: { input: 1, to: 'integer' } }, problem: '$convert has no type "integer"' },
  ])('$expression says "$problem"', ({ expression, problem }) => {
    expect(() => evaluate(expression)).toThrow(problem)
  })

  /** The engine evaluated what it was to convert once more, so that the text of a record could read its other fields. */
  test('take the text of a record for text', () => {
    expect(evaluate({ $convert: { input: '$text', to: 'string' } })).toBe('$secret')
    expect(() => evaluate({ $convert: { input: '$text', to: 'date' } })).toThrow('found "$secret"')
  })
})

// 80,000 digits kept the process busy for 30 s, a value of 1 MB for hours: every member of a group in turn.
test.each(['1'.repeat(1_000_000), `1.${'1'.repeat(1_000_000)}`, `1e${'1'.repeat(1_000_000)}`])(
  'refuse text of 1 MB that begins like a number at once',
  (digits) => {
    const began = performance.now()
    expect(() => compileExpressions([{ $toDouble: '$text' }])({ text: `${digits}x` })).toThrow(/cannot read/)
    expect(performance.now() - began).toBeLessThan(1000)
  },
)
