import { describe, expect, test } from 'vitest'
import { loadJsonSchema } from '../../../src/codecs/schemas/json-schema.ts'
import { numberOf } from '../../../src/records/exact-numbers.ts'
import type { ReadySchema } from '../../../src/codecs/schemas/ready-schema.ts'

const format = await loadJsonSchema()

function schema(content: unknown, references: readonly { name: string; text: string }[] = []): ReadySchema {
  return format.parse({ text: JSON.stringify(content), references })
}

const ORDER = {
  $schema: 'http://json-schema.org/draft-07/schema#',
  title: 'Order',
  type: 'object',
  properties: {
    id: { type: 'integer' },
    mail: { type: 'string', format: 'email' },
    lines: { type: 'array', items: { type: 'object', required: ['qty'] } },
  },
  required: ['id'],
  additionalProperties: false,
}

describe('JSON Schema', () => {
  test('reads and writes JSON that matches', () => {
    const order = schema(ORDER)
    expect(order.name).toBe('Order')
    const bytes = order.write({ id: 5, mail: 'a@b.de' }, 5, false)
    expect(bytes.toString('utf8', 5)).toBe('{"id":5,"mail":"a@b.de"}')
    expect(order.read(bytes, 5, false)).toEqual({ id: 5, mail: 'a@b.de' })
  })

  test.each([
    { document: {}, problem: "must have required property 'id'" },
    { document: { id: 1.5 }, problem: 'field "id" must be integer: current value is 1.5' },
    { document: { id: 1, mail: 'x' }, problem: 'field "mail" must match format "email": current value is "x"' },
    { document: { id: 1, lines: [{ qty: 1 }, {}] }, problem: 'field "lines[1]" must have required property \'qty\'' },
    { document: { id: 1, more: 2 }, problem: 'must NOT have additional properties ("more")' },
  ])('refuses $document, both ways', ({ document, problem }) => {
    const order = schema(ORDER)
    expect(() => order.write(document, 0, false)).toThrow(problem)
    expect(() => order.read(Buffer.from(JSON.stringify(document)), 0, false)).toThrow(problem)
  })

  test('refuses what is no JSON', () => {
    expect(() => schema(ORDER).read(Buffer.from('{'), 0, false)).toThrow()
  })

  test('has values that are no object as the field "value"', () => {
    const one = schema({ type: 'number' })
    const bytes = one.write({ value: 5 }, 0, false)
    expect(bytes.toString()).toBe('5')
    expect(one.read(bytes, 0, false)).toEqual({ value: 5 })
    expect(() => one.write({ value: 'x' }, 0, false)).toThrow('must be number')
    expect(() => one.read(Buffer.from('"x"'), 0, false)).toThrow('must be number')
  })

  test('writes numbers with digits that a double does not hold', () => {
    const one = schema({ type: 'object', properties: { id: { type: 'integer' } } })
    expect(one.write({ id: numberOf('9007199254740993') }, 0, false).toString()).toBe('{"id":9007199254740993}')
  })

  test.each([
    'http://json-schema.org/draft-06/schema#',
    'http://json-schema.org/draft-07/schema#',
    'https://json-schema.org/draft/2019-09/schema',
    'https://json-schema.org/draft/2020-12/schema',
  ])('knows the draft %s', ($schema) => {
    const one = schema({ $schema, type: 'object', properties: { a: { const: 1 } } })
    expect(() => one.write({ a: 2 }, 0, false)).toThrow('field "a" must be equal to constant')
  })

  test('reads draft-04 as that draft, in which a limit is made exclusive by a boolean', () => {
    const $schema = 'http://json-schema.org/draft-04/schema#'
    const one = schema({ $schema, id: 'order.json', properties: { a: { minimum: 1, exclusiveMinimum: true } } })
    expect(one.write({ a: 2 }, 0, false).toString()).toBe('{"a":2}')
    expect(() => one.write({ a: 1 }, 0, false)).toThrow('field "a" must be > 1')
    const at = schema({ $schema, properties: { at: { type: 'string', format: 'date-time' } } })
    expect(() => at.write({ at: 'noon' }, 0, false)).toThrow('must match format "date-time"')
  })

  test.each([
    { name: 'itself', text: { properties: { of: { $ref: '#' }, n: { type: 'integer' } } } },
    {
      name: 'a definition that refers to itself',
      text: {
        $id: 'http://shop/tree.json',
        $ref: '#/definitions/tree',
        definitions: { tree: { properties: { of: { $ref: '#/definitions/tree' }, n: { type: 'integer' } } } },
      },
    },
  ])('may refer to $name', ({ text }) => {
    const one = schema(text)
    expect(one.write({ of: { of: { n: 1 } } }, 0, false).toString()).toBe('{"of":{"of":{"n":1}}}')
    expect(() => one.write({ of: { of: { n: 'x' } } }, 0, false)).toThrow('field "of.of.n" must be integer')
  })

  test('takes decimal fractions for multiples of one', () => {
    expect(
      schema({ properties: { a: { multipleOf: 0.01 } } })
        .write({ a: 19.99 }, 0, false)
        .toString(),
    ).toBe('{"a":19.99}')
    expect(() => schema({ properties: { a: { multipleOf: 0.01 } } }).write({ a: 19.995 }, 0, false)).toThrow('multiple')
  })

  test.each([
    { text: null, problem: 'it is no JSON Schema, which is an object or a boolean: null' },
    { text: [], problem: 'it is no JSON Schema' },
    { text: { $async: true }, problem: 'it is asynchronous' },
  ])('is refused as $text', ({ text, problem }) => {
    expect(() => schema(text)).toThrow(problem)
  })

  test('refuses a reference of another draft, which would mean something else', () => {
    const $schema = 'http://json-schema.org/draft-04/schema#'
    const references = [{ name: 'a.json', text: JSON.stringify({ $schema }) }]
    expect(() => schema({ properties: { a: { $ref: 'a.json' } } }, references)).toThrow(
      'its reference "a.json" cannot be used: it is of another draft',
    )
    expect(() => schema({ $schema, properties: { a: { $ref: 'a.json' } } }, references)).not.toThrow()
  })

  test('says which drafts it does not know', () => {
    expect(() => schema({ $schema: 'http://json-schema.org/draft-03/schema#' })).toThrow('draft-03')
  })

  test('resolves references by their names', () => {
    const one = schema({ type: 'object', properties: { price: { $ref: 'money.json' } } }, [
      { name: 'money.json', text: '{"type":"object","required":["cents"]}' },
    ])
    expect(() => one.write({ price: {} }, 0, false)).toThrow('field "price" must have required property \'cents\'')
    expect(() => schema({ $ref: 'gone.json' })).toThrow("can't resolve reference gone.json")
    expect(() => schema({ $ref: 'a.json' }, [{ name: 'a.json', text: '{"type":5}' }])).toThrow(
      'its reference "a.json" cannot be used: ',
    )
  })
})
