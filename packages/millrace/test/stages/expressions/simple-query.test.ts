import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createQuery } from '../../../src/stages/expressions/mingo.ts'
import { compileSimpleQuery, NO, UNSURE, YES } from '../../../src/stages/expressions/simple-query.ts'
import type { Document } from '../../../src/stages/field-path.ts'

// Few names and few values, so that conditions meet documents; values of every type that JSON and arithmetic give.
const name = fc.constantFrom('a', 'b', 'c')
const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((names) => names.join('.'))
const scalar = fc.constantFrom<string | number | boolean | null>(
  0,
  -0,
  1,
  2.5,
  -1,
  '',
  '1',
  'a',
  'ab',
  '2025-01-01',
  true,
  false,
  null,
)
const { value } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    scalar,
    fc.constant(NaN),
    fc.constant(new Date(0)),
    tie('document'),
    fc.array(tie('value'), { maxLength: 3 }),
  ),
  document: fc.dictionary(name, tie('value'), { maxKeys: 3, noNullPrototype: true }),
}))
const document = fc.dictionary(name, value, { maxKeys: 3, noNullPrototype: true }) as fc.Arbitrary<Document>

const bound = scalar.filter((operand) => operand !== null)
const operators = fc.oneof(
  fc.dictionary(fc.constantFrom('$eq', '$ne'), scalar, { minKeys: 1, noNullPrototype: true }),
  fc.dictionary(fc.constantFrom('$gt', '$gte', '$lt', '$lte'), bound, {
    minKeys: 1,
    maxKeys: 3,
    noNullPrototype: true,
  }),
)
const lists = fc.dictionary(fc.constantFrom('$in', '$nin'), fc.array(scalar, { maxLength: 3 }), {
  minKeys: 1,
  noNullPrototype: true,
})
const exists = fc.record({ $exists: fc.boolean() })
const fields = fc.dictionary(path, fc.oneof(scalar, operators, lists, exists), {
  minKeys: 0,
  maxKeys: 3,
  noNullPrototype: true,
})
const condition = fc.oneof(
  fields,
  fc.record({ $and: fc.array(fields, { minLength: 1, maxLength: 3 }) }),
  fc.record({ $or: fc.array(fields, { minLength: 1, maxLength: 3 }), a: scalar }),
) as fc.Arbitrary<Document>

describe('simple query', () => {
  test('answers as the query engine does, or not at all', () => {
    let answered = 0
    let unsure = 0
    fc.assert(
      fc.property(condition, fc.array(document, { minLength: 1, maxLength: 5 }), (query, documents) => {
        const simple = compileSimpleQuery(query)
        expect(simple).toBeDefined()
        const engine = createQuery(query)
        for (const candidate of documents) {
          const answer = simple!(candidate)
          if (answer === UNSURE) unsure++
          else {
            answered++
            expect(answer === YES).toBe(engine(candidate))
          }
        }
      }),
      { numRuns: 3000 },
    )
    // Both must have happened for the property to say anything.
    expect(answered).toBeGreaterThan(1000)
    expect(unsure).toBeGreaterThan(10)
  })

  test.each([
    { condition: { a: { $gte: 5 } }, document: { a: 5 }, answer: YES },
    { condition: { a: { $gte: 5 } }, document: { a: 4 }, answer: NO },
    { condition: { a: { $gte: 5 } }, document: { a: [5] }, answer: UNSURE },
    { condition: { 'a.b': 1 }, document: { a: [{ b: 1 }] }, answer: UNSURE },
    { condition: { a: 1, b: 1 }, document: { a: [1], b: 2 }, answer: NO },
    { condition: { $or: [{ a: 1 }, { b: 1 }] }, document: { a: [1], b: 1 }, answer: YES },
  ])('$condition of $document', ({ condition, document, answer }) => {
    expect(compileSimpleQuery(condition)!(document)).toBe(answer)
  })

  test.each([
    [{ a: { $regex: 'x' } }],
    [{ a: { $not: { $gt: 1 } } }],
    [{ a: { $elemMatch: { b: 1 } } }],
    [{ a: [1] }],
    [{ a: { b: 1 } }],
    [{ a: { $eq: { b: 1 } } }],
    [{ a: { $in: [[1]] } }],
    [{ a: { $gt: null } }],
    [{ 'a.0': 1 }],
    [{ toString: 1 }],
    [{ 'a.__proto__': 1 }],
    [{ $nor: [{ a: 1 }] }],
    [{ $expr: { $gt: ['$a', 1] } }],
  ])('%j is left to the query engine', (condition) => {
    expect(compileSimpleQuery(condition as Document)).toBeUndefined()
  })
})
