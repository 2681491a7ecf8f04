import * as accumulators from 'mingo/operators/accumulator'
import * as expressions from 'mingo/operators/expression'
import * as queries from 'mingo/operators/query'
import * as windows from 'mingo/operators/window'
import { describe, expect, test } from 'vitest'
import { lintStage } from '../../../src/stages/lint/index.ts'
import {
  ACCUMULATORS,
  EXPRESSION_OPERATORS,
  QUERY_OPERATORS,
  WINDOW_OPERATORS,
} from '../../../src/stages/expressions/operators.ts'

function namesOf(...modules: readonly object[]): string[] {
  return [...new Set(modules.flatMap((module) => Object.keys(module)))]
    .filter((name) => name.startsWith('$'))
    .toSorted()
}

test('lint knows exactly the operators that the engine has', () => {
  const own = [...EXPRESSION_OPERATORS].filter(([, { run }]) => run !== undefined).map(([name]) => name)
  expect([...EXPRESSION_OPERATORS.keys()].toSorted()).toEqual(
    [...new Set([...namesOf(expressions), ...own])].toSorted(),
  )
  expect(ACCUMULATORS.toSorted()).toEqual(namesOf(accumulators))
  expect(WINDOW_OPERATORS.toSorted()).toEqual(namesOf(windows))
  expect(QUERY_OPERATORS.toSorted()).toEqual(namesOf(queries))
})

function told(name: string, spec: unknown): string[] {
  return lintStage(name, spec, 's').map(
    ({ path, message, suggestion }) => `${path}: ${message}${suggestion === undefined ? '' : ` (${suggestion})`}`,
  )
}

describe('lint finds what would fail with every record', () => {
  test.each([
    ['$set', { a: '$$FOO.b' }, 's.a: There is no variable "FOO"'],
    ['$set', { a: '$$NWO' }, 's.a: There is no variable "NWO" (did you mean "NOW")'],
    [
      '$set',
      { a: { $map: { input: '$b', as: 'item', in: '$$itme.c' } } },
      's.a.$map.in: There is no variable "itme" (d',
    ],
    ['$set', { a: '$$value' }, 's.a: There is no variable "value"'],
    ['$group', { _id: null, n: { $sum: '$$x' } }, 's.n.$sum: There is no variable "x"'],
    [
      '$lookup',
      { from: [], as: 'c', let: { x: '$a' }, pipeline: [{ $set: { d: '$$y' } }] },
      '.d: There is no variable "y"',
    ],
    ['$set', { a: { $cond: [true, 1] } }, 's.a.$cond: $cond must have a list of 3 arguments: it has 2'],
    [
      '$set',
      { a: { $map: { input: '$b', inn: 1, in: 2 } } },
      's.a.$map.inn: Unknown argument "inn" of $map (did you mean',
    ],
    ['$set', { a: { $filter: { input: '$b' } } }, 's.a.$filter: Missing argument "cond" of $filter'],
    ['$set', { a: { $trim: '$b' } }, 's.a.$trim: $trim must be an object: found "$b" (there are input, chars)'],
    ['$set', { a: { $divide: '$b' } }, 's.a.$divide: $divide must have a list of 2 arguments: it has 1'],
    ['$set', { a: { $ifNull: ['$b'] } }, 's.a.$ifNull: $ifNull must have a list of at least 2 arguments: it has 1'],
    ['$set', { a: { $slice: ['$b'] } }, 's.a.$slice: $slice must have a list of 2 to 3 arguments: it has 1'],
    [
      '$set',
      { a: { $dateTrunc: { date: '$at', unit: 'dya' } } },
      's.a.$dateTrunc.unit: unit must be one of year, quar',
    ],
    ['$set', { a: { $regexMatch: { input: '$b', regex: '[' } } }, 's.a.$regexMatch.regex: Invalid regular expression'],
    ['$match', { a: { $regex: '[' } }, 's.a.$regex: Invalid regular expression'],
    ['$match', { a: { $regex: 'b', $options: 'q' } }, 's.a.$regex: Invalid flags'],
    ['$match', { $where: 'true' }, 's.$where: Operator "$where" is not available (use $expr'],
    ['$match', { $jsonSchema: {} }, 's.$jsonSchema: Operator "$jsonSchema" is not available (use the stage validate.'],
    ['$project', { a: 1, b: 0 }, 's.b: Cannot exclude "b" and include "a", as $project'],
    ['$project', { a: { b: 1 }, c: { d: false } }, 's.c.d: Cannot exclude "c.d" and include "a.b"'],
    ['$fill', { output: { a: { method: 'locf' } } }, 's.output.a: method locf needs sortBy'],
    [
      '$fill',
      { output: { a: { method: 'loc' } }, sortBy: { t: 1 } },
      's.output.a.method: method must be locf or linear',
    ],
    ['$fill', { output: { a: 0 } }, 's.output.a: A field must have either value or method'],
    [
      '$densify',
      { field: 'a', range: { step: 0, bounds: 'full' } },
      's.range.step: step must be a number above 0: found 0',
    ],
    [
      '$densify',
      { field: 'a', range: { step: 1, bounds: 'all' } },
      's.range.bounds: bounds must be full, partition or',
    ],
    ['$densify', { field: 'a', range: { step: 1, unit: 'days', bounds: 'full' } }, 's.range.unit: unit must be one of'],
    ['$agentCall', {}, 's: Stage "$agentCall" is not available, as stages do not call services'],
    ['$search', {}, 's: Stage "$search" is not available, as there is no index to search'],
  ])('%s %j', (name, spec, problem) => {
    expect(told(name, spec)).toEqual([expect.stringContaining(problem)])
  })

  test.each([
    ['$set', { a: { $map: { input: '$b', as: 'item', in: { $filter: { input: '$$item.c', cond: '$$this' } } } } }],
    ['$set', { a: { $reduce: { input: '$b', initialValue: 0, in: { $add: ['$$value', '$$this'] } } } }],
    ['$set', { a: { $let: { vars: { x: '$b' }, in: { $add: ['$$x', '$$ROOT.c'] } } }, d: '$$NOW', e: '$$REMOVE' }],
    ['$set', { a: { $year: '$at' }, b: { $hour: { date: '$at' } }, c: { $round: '$n' }, d: { $trunc: ['$n', 1] } }],
    [
      '$set',
      {
        a: { $dateAdd: { startDate: '$at', unit: '$unit', amount: 1 } },
        b: { $regexMatch: { input: 'x', regex: '$re' } },
      },
    ],
    ['$lookup', { from: [], as: 'c', let: { x: '$a' }, pipeline: [{ $match: { $expr: { $eq: ['$id', '$$x'] } } }] }],
    ['$project', { a: 0, b: { c: 0 }, d: { $slice: 2 } }],
    ['$project', { _id: 0, a: 1 }],
    ['$fill', { output: { a: { method: 'locf' }, b: { value: '$c' } }, sortBy: { t: 1 } }],
    ['$densify', { field: 'a', range: { step: 0.5, bounds: [0, 2] } }],
    ['$redact', { $cond: ['$a', '$$DESCEND', '$$PRUNE'] }],
  ])('and lets pass %s %j', (name, spec) => {
    expect(told(name, spec)).toEqual([])
  })
})

describe('lint finds operators that do not exist', () => {
  test.each([
    ['$match', { a: { $gtee: 1 } }, 's.a.$gtee: Unknown query operator "$gtee" (did you mean "$gte")'],
    ['$match', { $orr: [] }, 's.$orr: Unknown query operator "$orr" (did you mean "$or")'],
    ['$match', { $or: [{ a: 1 }, { b: { $inn: [1] } }] }, 's.$or.1.b.$inn: Unknown query operator "$inn"'],
    ['$match', { a: { $not: { $gtt: 1 } } }, 's.a.$not.$gtt: Unknown query operator "$gtt"'],
    ['$match', { a: { $elemMatch: { b: { $ltt: 1 } } } }, 's.a.$elemMatch.b.$ltt: Unknown query operator "$ltt"'],
    ['$match', { a: { $in: 1 } }, 's.a.$in: $in must be a list'],
    ['$match', { a: { $mod: [2] } }, 's.a.$mod: $mod must be a list of a divisor and a remainder (for example [2, 0])'],
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
    expect(told(name, spec)).toEqual([expect.stringContaining(problem)])
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
