import { describe, expect, test } from 'vitest'
import { stageWarnings } from '../../src/dialects/stage-warnings.ts'

const KEY = { $set: { '_meta.key': '$id' } }

function warningsOf(stages: readonly { readonly [name: string]: unknown }[]): string[] {
  const planned = stages.map((stage, i) => {
    const [name, spec] = Object.entries(stage)[0]!
    return { name, spec, path: `stages.${i}.${name}` }
  })
  return stageWarnings(planned, []).map(({ path, message }) => `${path}: ${message}`)
}

// The record went out with the key that it came with, or with a field "_meta" in its value, and nothing said so.
describe('a key that a stage sets', () => {
  test.each([
    { next: { $project: { a: 1 } } },
    { next: { $project: { a: 1, _meta: 1 } } },
    { next: { $replaceRoot: { newRoot: '$inner' } } },
    { next: { $replaceWith: '$inner' } },
    { next: { $unset: ['a', '_meta'] } },
  ])('is lost in $next', ({ next }) => {
    const [name] = Object.keys(next)
    expect(warningsOf([KEY, { $match: {} }, next])).toEqual([
      `stages.0.$set._meta.key: The key that $set sets is lost, as ${name} at stages.2.${name} makes documents without _meta`,
    ])
  })

  test('is none behind a stage that leaves _meta out', () => {
    expect(warningsOf([{ $project: { id: 1 } }, KEY])).toEqual([
      'stages.1.$set._meta.key: $set of "_meta.key" sets a field of the value and no key, as $project at stages.0.$project makes documents without _meta',
    ])
  })

  test.each([
    { next: { $project: { a: 0, b: { c: false } } } },
    { next: { $replaceWith: { $mergeObjects: ['$$ROOT', { a: 1 }] } } },
    { next: { $unset: 'a' } },
    { next: { $sort: { a: 1 } } },
  ])('stays in $next', ({ next }) => {
    expect(warningsOf([KEY, next])).toEqual([])
  })
})

// TOML has dates, so such a condition dropped every record.
test.each([
  { d: new Date(0) },
  { d: { $gt: new Date(0) } },
  { d: { $in: ['a', new Date(0)] } },
  { $or: [{ a: 1 }, { d: { $not: { $lte: new Date(0) } } }] },
])('a date in the condition %j matches no text', (condition) => {
  expect(warningsOf([{ $match: condition }])).toEqual([
    expect.stringContaining('The date 1970-01-01T00:00:00.000Z matches no text, and JSON holds dates as text'),
  ])
})

test('a date in an expression may be compared with one', () => {
  expect(warningsOf([{ $match: { $expr: { $gt: [{ $toDate: '$d' }, new Date(0)] } } }])).toEqual([])
})

// They matched nothing, and nothing said so.
test.each([
  { condition: { a: { b: 1 } }, path: 'a', field: 'a.b' },
  { condition: { a: { b: { $gt: 1 } } }, path: 'a', field: 'a.b' },
  { condition: { $or: [{ c: 1 }, { a: { b: { c: 1 } } }] }, path: '$or.1.a', field: 'a.b' },
  { condition: { a: { $elemMatch: { b: { c: 1 } } } }, path: 'a.$elemMatch.b', field: 'b.c' },
  { condition: { a: { $not: { $elemMatch: { b: { c: 1 } } } } }, path: 'a.$not.$elemMatch.b', field: 'b.c' },
])('an object without operators in the condition $condition matches whole objects', ({ condition, path, field }) => {
  const planned = [{ name: '$match', spec: condition, path: 'stages.0.$match' }]
  expect(stageWarnings(planned, [])).toEqual([
    {
      path: `stages.0.$match.${path}`,
      message: expect.stringContaining('is compared with a whole object') as unknown,
      suggestion: expect.stringContaining(`write "${field}" with quotes`) as unknown,
    },
  ])
})

test.each([
  { a: { $eq: { b: { c: 1 } } } },
  { a: { $in: [{ b: { c: 1 } }] } },
  { a: { $not: { $eq: { b: { c: 1 } } } } },
  { a: {} },
  { 'a.b': 1 },
  { $expr: { $eq: ['$a', { b: { c: 1 } }] } },
])('an object may be compared with by name: %j', (condition) => {
  expect(warningsOf([{ $match: condition }])).toEqual([])
})

test('the key of a record is not set by an object in "_meta"', () => {
  expect(warningsOf([{ $set: { _meta: { key: '$id' } } }])).toEqual([
    'stages.0.$set._meta: $set of the whole "_meta" sets a field of the value and no key',
  ])
})
