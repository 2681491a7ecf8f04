import * as accumulators from 'mingo/operators/accumulator'
import * as expressions from 'mingo/operators/expression'
import * as queries from 'mingo/operators/query'
import * as windows from 'mingo/operators/window'
import { describe, expect, test } from 'vitest'
import { lintStage } from '../../src/stages/lint.ts'
import {
  ACCUMULATORS,
  EXPRESSION_OPERATORS,
  QUERY_OPERATORS,
  WINDOW_OPERATORS,
} from '../../src/stages/operator-names.ts'
import { OWN_OPERATORS } from '../../src/stages/operators.ts'

function namesOf(...modules: readonly object[]): string[] {
  return [...new Set(modules.flatMap((module) => Object.keys(module)))]
    .filter((name) => name.startsWith('$'))
    .toSorted()
}

test('lint knows exactly the operators that the engine has', () => {
  const alsoAccumulator = (name: string): boolean => !(name in expressions) && name in accumulators
  const names = namesOf(expressions, OWN_OPERATORS).filter((name) => !alsoAccumulator(name))
  expect(EXPRESSION_OPERATORS.toSorted()).toEqual(names)
  expect(ACCUMULATORS.toSorted()).toEqual(namesOf(accumulators))
  expect(WINDOW_OPERATORS.toSorted()).toEqual(namesOf(windows))
  expect(QUERY_OPERATORS.toSorted()).toEqual(namesOf(queries))
})

describe('lint finds operators that do not exist', () => {
  test.each([
    ['$match', { a: { $gtee: 1 } }, 's.a.$gtee: Unknown query operator "$gtee" (did you mean "$gte")'],
    ['$match', { $orr: [] }, 's.$orr: Unknown query operator "$orr" (did you mean "$or")'],
    ['$match', { $or: [{ a: 1 }, { b: { $inn: [1] } }] }, 's.$or.1.b.$inn: Unknown query operator "$inn"'],
    ['$match', { a: { $not: { $gtt: 1 } } }, 's.a.$not.$gtt: Unknown query operator "$gtt"'],
    ['$match', { a: { $elemMatch: { b: { $ltt: 1 } } } }, 's.a.$elemMatch.b.$ltt: Unknown query operator "$ltt"'],
    ['$match', { a: { $in: 1 } }, 's.a.$in: $in must be a list'],
    ['$match', { $expr: { $gtr: ['$a', '$b'] } }, 's.$expr.$gtr: Unknown expression operator "$gtr"'],
    ['$set', { a: { $cond: [{ $eqq: [1, 2] }, 1, 2] } }, 's.a.$cond.0.$eqq: Unknown expression operator "$eqq"'],
    ['$set', { a: { $add: [1], $abs: 2 } }, 's.a: An expression must have one operator, not "$add" and "$abs"'],
    ['$project', { a: { $toUper: '$b' } }, 's.a.$toUper: Unknown expression operator "$toUper"'],
    ['$replaceWith', { a: { $addd: [1] } }, 's.a.$addd: Unknown expression operator "$addd"'],
    ['$group', { _id: '$a', n: { $summ: 1 } }, 's.n.$summ: Unknown accumulator "$summ" (did you mean "$sum")'],
    ['$group', { _id: { $yaer: '$at' } }, 's._id.$yaer: Unknown expression operator "$yaer"'],
    ['$group', { _id: null, n: 1 }, 's.n: A field must have one accumulator'],
    ['$bucket', { groupBy: '$a', boundaries: [0, 1], output: { n: { $summ: 1 } } }, 's.output.n.$summ: Unknown acc'],
    ['$setWindowFields', { output: { n: { $rnk: {}, window: {} } } }, 's.output.n.$rnk: Unknown accumulator "$rnk"'],
    ['$facet', { x: [{ $match: { a: { $gtee: 1 } } }] }, 's.x.0.$match.a.$gtee: Unknown query operator "$gtee"'],
  ])('%s %j', (name, spec, problem) => {
    const found = lintStage(name, spec, 's').map(
      ({ path, message, suggestion }) => `${path}: ${message}${suggestion === undefined ? '' : ` (${suggestion})`}`,
    )
    expect(found).toEqual([expect.stringContaining(problem)])
  })

  test.each([
    [
      '$match',
      { 'a.b': { $regex: '^x', $options: 'i' }, $nor: [{ c: { $exists: false } }], d: { e: { $strange: 1 } } },
    ],
    ['$match', { a: { $eq: { $data: 1 } }, b: { $all: [{ $elemMatch: { c: 1 } }] }, d: { $size: 2 } }],
    ['$set', { a: { $literal: { $strange: 1 } }, b: { $cond: [true, { $abs: -1 }, '$c'] } }],
    ['$project', { a: 1, b: { $slice: 2 }, c: { $elemMatch: { d: 1 } }, e: { f: 1 } }],
    ['$group', { _id: null, scope: 'batch', n: { $sum: '$a' }, most: { $maxN: { input: '$a', n: 2 } } }],
  ])('and lets pass %s %j', (name, spec) => {
    expect(lintStage(name, spec, 's')).toEqual([])
  })
})
