import { Ajv } from 'ajv'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Shape } from '../../src/cli/infer-schema.ts'

function schemaOf(values: readonly unknown[]): unknown {
  const shape = new Shape()
  for (const value of values) shape.add(value)
  return shape.toSchema()
}

describe('a schema inferred from values', () => {
  test.each([
    { values: [1, 2], schema: { type: 'integer' } },
    { values: [1, 2.5], schema: { type: 'number' } },
    { values: ['a', null], schema: { type: ['null', 'string'] } },
    {
      values: ['2026-01-01T00:00:00Z', '2026-01-01T00:00:00.5+01:00'],
      schema: { type: 'string', format: 'date-time' },
    },
    { values: ['2026-01-01T00:00:00Z', 'later'], schema: { type: 'string' } },
    { values: [[]], schema: { type: 'array' } },
    { values: [[1, 'a'], []], schema: { type: 'array', items: { type: ['integer', 'string'] } } },
    {
      values: [{ a: 1, b: { c: true } }, { a: 2 }],
      schema: {
        type: 'object',
        properties: {
          a: { type: 'integer' },
          b: { type: 'object', properties: { c: { type: 'boolean' } }, required: ['c'] },
        },
        required: ['a'],
      },
    },
  ])('of $values', ({ values, schema }) => {
    expect(schemaOf(values)).toEqual(schema)
  })

  test('takes very many names for data', () => {
    const ids = Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`id-${i}`, { n: i }]))
    expect(schemaOf([ids])).toEqual({
      type: 'object',
      additionalProperties: { type: 'object', properties: { n: { type: 'integer' } }, required: ['n'] },
    })
  })

  test('accepts every value that it was made of', () => {
    const ajv = new Ajv({ strict: false, ownProperties: true, formats: { 'date-time': /^\d{4}-/ } })
    fc.assert(
      fc.property(fc.array(fc.jsonValue(), { minLength: 1, maxLength: 8 }), (values) => {
        const matches = ajv.compile(schemaOf(JSON.parse(JSON.stringify(values)) as unknown[]) as object)
        for (const value of JSON.parse(JSON.stringify(values)) as unknown[]) expect(matches(value)).toBe(true)
      }),
      { numRuns: 60 },
    )
  })
})
