import { describe, expect, test } from 'vitest'
import { compileExpressions } from '../../../src/stages/expressions/expressions.ts'
import { createStage } from '../../../src/stages/index.ts'
import { batchOfDocuments } from '../../support/batches.ts'

/** What an expression gives, as it would be written. */
function evaluate(expression: unknown, document: { readonly [name: string]: unknown } = {}): unknown {
  const [value] = compileExpressions([expression])(document)
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value))
}

describe('operators on numbers', () => {
  test.each([
    { expression: { $round: 2.51 }, want: 3 },
    { expression: { $round: [2.5] }, want: 2 },
    { expression: { $round: [3.5, 0] }, want: 4 },
    { expression: { $round: [-2.51, 0] }, want: -3 },
    { expression: { $round: [1.2351, 2] }, want: 1.24 },
    { expression: { $round: [-1.235, 2] }, want: -1.24 },
    { expression: { $round: [1.005, 2] }, want: 1 },
    { expression: { $round: [1.015, 2] }, want: 1.02 },
    { expression: { $round: [1260, -2] }, want: 1300 },
    { expression: { $round: [1e-7, 3] }, want: 0 },
    { expression: { $round: [1e21, 2] }, want: 1e21 },
    { expression: { $round: '$missing' }, want: null },
    { expression: { $trunc: 7.8 }, want: 7 },
    { expression: { $trunc: [0.999, 1] }, want: 0.9 },
    { expression: { $trunc: [-1.99, 1] }, want: -1.9 },
    { expression: { $trunc: [1299, -2] }, want: 1200 },
    { expression: { $mod: ['$missing', 3] }, want: null },
    { expression: { $mod: [-5, 3] }, want: -2 },
    { expression: { $abs: ['$n'] }, want: 7 },
    { expression: { $mod: ['$n', 0] }, want: null },
    { expression: { $ln: 0 }, want: null },
    { expression: { $ln: [1] }, want: 0 },
    { expression: { $log10: '$n' }, want: null },
    { expression: { $log10: 100 }, want: 2 },
  ])('$expression gives $want', ({ expression, want }) => {
    expect(evaluate(expression, { n: -7 })).toEqual(want)
  })

  test('$round says what it needs', () => {
    expect(() => evaluate({ $round: ['$n', 2] }, { n: '7' })).toThrow('$round needs a number: found "7"')
    expect(() => evaluate({ $round: [1.5, 0.5] })).toThrow('whole number of places from -20 to 100: found 0.5')
  })
})

describe('operators without a result give null', () => {
  const document = { o: { a: 1 }, list: [1] }
  // oxlint-disable-next-line unicorn/no-thenable -- a keyword of $switch
  const branches = [{ case: false, then: 1 }]
  test.each([
    { expression: { $mergeObjects: ['$o', '$list'] }, want: null },
    { expression: { $mergeObjects: ['$o', '$missing', { b: 2 }] }, want: { a: 1, b: 2 } },
    { expression: { $mergeObjects: '$o' }, want: { a: 1 } },
    { expression: { $switch: { branches } }, want: null },
    { expression: { $switch: { branches, default: '$o.a' } }, want: 1 },
  ])('$expression gives $want', ({ expression, want }) => {
    expect(evaluate(expression, document)).toEqual(want)
  })
})

describe('accumulators as expressions', () => {
  const document = { n: 5, items: [{ q: 1 }, { q: 2 }, {}], none: null, text: 'x' }
  test.each([
    { expression: { $sum: '$items.q' }, want: 3 },
    { expression: { $sum: ['$items.q'] }, want: 3 },
    { expression: { $sum: '$n' }, want: 5 },
    { expression: { $sum: ['$n', '$n'] }, want: 10 },
    { expression: { $sum: '$missing' }, want: 0 },
    { expression: { $sum: '$missing.q' }, want: 0 },
    { expression: { $sum: '$none' }, want: 0 },
    { expression: { $sum: '$text' }, want: 0 },
    { expression: { $avg: '$items.q' }, want: 1.5 },
    { expression: { $avg: '$n' }, want: 5 },
    { expression: { $avg: '$missing' }, want: null },
    { expression: { $max: '$items.q' }, want: 2 },
    { expression: { $max: ['$n', '$missing', 9] }, want: 9 },
    { expression: { $min: '$missing' }, want: null },
    { expression: { $stdDevPop: '$items.q' }, want: 0.5 },
  ])('$expression gives $want', ({ expression, want }) => {
    expect(evaluate(expression, document)).toEqual(want)
  })

  test('count for each document of a group what they give for one', () => {
    const batch = batchOfDocuments([{}, {}])
    batch.documents = [{ k: 1, items: [{ q: 1 }, { q: 2 }] }, { k: 1 }]
    const stage = createStage('$group', { _id: '$k', total: { $sum: { $sum: '$items.q' } } }, 'stages.0.$group')
    expect(stage.process(batch)?.documents).toEqual([{ _id: 1, total: 3 }])
  })
})

describe('operators on text and lists', () => {
  test.each([
    { expression: { $substr: ['abc', 0, 10] }, want: 'abc' },
    { expression: { $substr: ['abc', 1, -1] }, want: 'bc' },
    { expression: { $substrBytes: ['abc', 5, 1] }, want: '' },
    { expression: { $substr: ['$missing', 0, 1] }, want: '' },
    { expression: { $trim: { input: '$missing' } }, want: null },
    { expression: { $trim: { input: ' a ' } }, want: 'a' },
    { expression: { $slice: ['$missing', 1] }, want: null },
    { expression: { $slice: ['$list', -1] }, want: [2] },
    { expression: { $last: '$list' }, want: 2 },
    { expression: { $last: ['$list'] }, want: 2 },
    { expression: { $last: '$empty' }, want: undefined },
    { expression: { $size: ['$list'] }, want: 2 },
    { expression: { $reverseArray: [[1, 2]] }, want: [2, 1] },
    { expression: { $range: [0, 5, 2] }, want: [0, 2, 4] },
    {
      expression: { $regexFindAll: { input: 'a1b22', regex: '([0-9])([a-z])?' } },
      want: [
        { match: '1b', idx: 1, captures: ['1', 'b'] },
        { match: '2', idx: 3, captures: ['2', null] },
        { match: '2', idx: 4, captures: ['2', null] },
      ],
    },
    { expression: { $regexFindAll: { input: '$missing', regex: 'a' } }, want: [] },
  ])('$expression gives $want', ({ expression, want }) => {
    expect(evaluate(expression, { list: [1, 2], empty: [] })).toEqual(want)
  })

  test('$regexFindAll comes to an end where the expression matches nothing', () => {
    const found = evaluate({ $regexFindAll: { input: 'a1', regex: '[0-9]*' } }) as readonly { match: string }[]
    expect(found.map(({ match }) => match)).toEqual(['', '1', ''])
  })

  test.each([
    { expression: { $substr: ['é', 1, 1] }, problem: 'cannot cut "é" at byte 1' },
    { expression: { $trim: '$text' }, problem: '$trim needs {input: text}: found "x"' },
    { expression: { $trim: { input: 5 } }, problem: '$trim needs text as input: found 5' },
    { expression: { $last: '$text' }, problem: '$last needs a list: found "x"' },
    { expression: { $range: [0, 1e12] }, problem: 'more than 1000000 numbers' },
  ])('$expression says "$problem"', ({ expression, problem }) => {
    expect(() => evaluate(expression, { text: 'x' })).toThrow(problem)
  })
})
