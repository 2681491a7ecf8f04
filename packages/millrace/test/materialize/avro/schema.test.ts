import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { canonicalForm } from '../../../src/materialize/avro/canonical.ts'
import { bindingSchemas } from '../../../src/materialize/avro/schema.ts'
import type { CollectionSpec, Projection } from '../../../src/materialize/messages.ts'
import { recordFields } from '../../../src/materialize/records/fields.ts'

const FIXTURES = join(import.meta.dirname, '../../fixtures/flow')

/** Types of the fields of a value whose schema has these properties; `_flow_extra` apart. */
function typesOf(properties: object, required: readonly string[] = [], more: object = {}): Record<string, unknown> {
  const names = Object.keys(properties)
  const schema = { type: 'object', properties, required, ...more }
  const fields = recordFields({ keys: [names[0]!], values: names.slice(1) }, 'binding 0')
  const { value } = bindingSchemas({ writeSchema: schema }, fields, 'binding 0')
  const record = JSON.parse(canonicalForm(value)) as { fields: { name: string; type: unknown }[] }
  return Object.fromEntries(
    record.fields.filter(({ name }) => name !== '_flow_extra').map(({ name, type }) => [name, type]),
  )
}

function typeOf(schema: unknown, isRequired = true, more: object = {}): unknown {
  return typesOf({ x: schema }, isRequired ? ['x'] : [], more)['x']
}

const raw = (location: string): object => ({
  name: `${location}.RawJSON`,
  type: 'record',
  fields: [{ name: 'json', type: 'string' }],
})
const extra = (location: string): object => ({
  name: '_flow_extra',
  type: { type: 'map', values: [raw(`${location}._flow_extra`), 'null'] },
})

/** As text, because an object with `then` looks like a promise. */
function condition(rest: string): unknown {
  return JSON.parse(`{"if":{},${rest}}`)
}

describe('the Avro type of a schema', () => {
  test.each([
    ['boolean', { type: 'boolean' }, 'boolean'],
    ['integer', { type: 'integer' }, 'long'],
    ['number', { type: 'number' }, 'double'],
    ['string', { type: 'string' }, 'string'],
    ['a date', { type: 'string', format: 'date' }, { type: 'int' }],
    ['a time', { type: 'string', format: 'date-time' }, { type: 'long' }],
    ['a uuid', { type: 'string', format: 'uuid' }, { type: 'string' }],
    ['a duration', { type: 'string', format: 'duration' }, { type: { name: 'duration', type: 'fixed', size: 12 } }],
    ['a format that Avro does not know', { type: 'string', format: 'ipv4' }, 'string'],
    ['a nullable string', { type: ['string', 'null'] }, ['string', 'null']],
    ['a number or its text', { type: ['string', 'number'], format: 'number' }, 'double'],
    ['an integer or its text', { type: ['string', 'integer'], format: 'integer' }, 'string'],
    ['a number or any text', { type: ['string', 'number'] }, raw('root.x')],
    ['nothing but null', { type: 'null' }, [raw('root.x'), 'null']],
    ['anything', true, [raw('root.x'), 'null']],
    ['nothing at all', false, raw('root.x')],
    ['several types', { type: ['array', 'boolean'] }, raw('root.x')],
    ['a constant', { const: 1.0 }, 'long'],
    ['an enumeration', { enum: ['a', null] }, ['string', 'null']],
    ['an array of strings', { type: 'array', items: { type: 'string' } }, { type: 'array', items: 'string' }],
    ['an array of anything', { type: 'array' }, { type: 'array', items: [raw('root.x._items'), 'null'] }],
    [
      'a tuple',
      { type: 'array', items: [{ type: 'integer' }, { type: 'integer' }], maxItems: 2 },
      { type: 'array', items: 'long' },
    ],
    [
      'a tuple with more behind it',
      { type: 'array', items: [{ type: 'integer' }], additionalItems: { type: 'number' } },
      { type: 'array', items: 'double' },
    ],
    ['an object without properties', { type: 'object' }, { type: 'map', values: [raw('root.x'), 'null'] }],
    ['a map', { type: 'object', additionalProperties: { type: 'integer' } }, { type: 'map', values: 'long' }],
    [
      'a closed object without properties',
      { type: 'object', additionalProperties: false },
      { name: 'root.x', type: 'record', fields: [] },
    ],
    [
      'an object',
      {
        type: 'object',
        properties: { b: { type: 'string' }, a: { type: 'integer' }, 'odd-name': { type: 'string' } },
        required: ['a'],
      },
      {
        name: 'root.x',
        type: 'record',
        fields: [{ name: 'a', type: 'long' }, { name: 'b', type: ['string', 'null'] }, extra('root.x')],
      },
    ],
    [
      'a closed object with a pattern',
      {
        type: 'object',
        properties: { a: { type: 'integer' } },
        patternProperties: { '^p_': { type: 'string' } },
        additionalProperties: false,
      },
      {
        name: 'root.x',
        type: 'record',
        fields: [
          { name: 'a', type: ['long', 'null'] },
          { name: '_flow_extra', type: { type: 'map', values: 'string' } },
        ],
      },
    ],
    ['alternatives', { oneOf: [{ type: 'integer' }, { type: 'number' }] }, 'double'],
    [
      'alternatives of objects',
      {
        anyOf: [
          { type: 'object', required: ['a'], properties: { a: { type: 'integer' } }, additionalProperties: false },
          {
            type: 'object',
            properties: { a: { type: 'integer' }, b: { type: 'string' } },
            additionalProperties: false,
          },
        ],
      },
      {
        name: 'root.x',
        type: 'record',
        fields: [
          { name: 'a', type: ['long', 'null'] },
          { name: 'b', type: ['string', 'null'] },
        ],
      },
    ],
    ['all of several', { allOf: [{ type: ['integer', 'null'] }, { type: ['integer', 'string'] }] }, 'long'],
    ['a condition with both branches', condition('"then":{"type":"integer"},"else":{"type":"number"}'), 'double'],
    ['a condition with one branch', condition('"type":"string","then":{"type":"integer"}'), 'string'],
    ['what it is not', { type: 'string', not: { type: 'string' } }, 'string'],
    [
      'formats that agree',
      {
        anyOf: [
          { type: 'string', format: 'date' },
          { type: 'string', format: 'date' },
        ],
      },
      { type: 'int' },
    ],
    [
      'formats that differ',
      {
        anyOf: [
          { type: 'string', format: 'date' },
          { type: 'string', format: 'uuid' },
        ],
      },
      'string',
    ],
  ])('%s', (_, schema, type) => {
    expect(typeOf(schema)).toEqual(type)
  })

  test('is nullable where a document may lack the field, unless it has a default', () => {
    expect(typeOf({ type: 'integer' }, false)).toEqual(['long', 'null'])
    expect(typeOf({ type: 'integer', default: 0 }, false)).toBe('long')
    expect(typeOf({ type: ['integer', 'null'], default: 0 }, false)).toEqual(['long', 'null'])
  })

  test('follows references: pointers, ids, and back to where it is', () => {
    const more = {
      $id: 'file:///flow.json?ptr=/collections/a~1b',
      $defs: {
        count: { type: 'integer' },
        'flow://write-schema': {
          $id: 'flow://write-schema',
          $defs: { text: { type: 'string' } },
          $ref: '#/$defs/text',
        },
        list: { type: 'object', properties: { next: { $ref: '#/$defs/list' } }, additionalProperties: false },
      },
    }
    expect(typeOf({ $ref: '#/$defs/count' }, true, more)).toBe('long')
    expect(typeOf({ $ref: 'flow://write-schema' }, true, more)).toBe('string')
    expect(typeOf({ $ref: 'flow://write-schema#/$defs/text' }, true, more)).toBe('string')
    expect(typeOf({ $ref: '#/$defs/list' }, true, more)).toEqual({
      name: 'root.x',
      type: 'record',
      fields: [{ name: 'next', type: [raw('root.x.next'), 'null'] }],
    })
    expect(() => typeOf({ $ref: '#/$defs/none' }, true, more)).toThrow(
      'reference "#/$defs/none" leads to no part of it',
    )
  })

  test('defines a duration once', () => {
    const duration = { type: 'string', format: 'duration' }
    expect(typesOf({ a: duration, b: duration }, ['a', 'b'])).toEqual({
      a: { type: { name: 'duration', type: 'fixed', size: 12 } },
      b: 'duration',
    })
  })
})

describe('the schemas of a binding', () => {
  interface Opened {
    readonly open: {
      readonly materialization: {
        readonly bindings: readonly { readonly collection: CollectionSpec; readonly fieldSelection: object }[]
      }
    }
  }

  test('of a recorded session have its fields, keys by number, and odd names in _flow_extra', () => {
    const lines = readFileSync(join(FIXTURES, '06-open-json/current-runtime-json.stdin.jsonl'), 'utf8').split('\n')
    const [{ collection, fieldSelection }] = (JSON.parse(lines[1]!) as Opened).open.materialization.bindings as [
      { collection: CollectionSpec; fieldSelection: object },
    ]
    const { key, value } = bindingSchemas(collection, recordFields(fieldSelection, 'binding 0'), 'binding 0')
    expect(canonicalForm(key)).toBe(
      '{"name":"root.Key","type":"record","fields":[{"name":"_flow_key","type":{"name":"root.Key.Parts","type":"record","fields":[{"name":"p1","type":"long"},{"name":"p2","type":"string"},{"name":"p3","type":"string"}]}}]}',
    )
    expect(canonicalForm(value)).toBe(
      '{"name":"root","type":"record","fields":[{"name":"canary","type":"string"},{"name":"flow_document","type":"string"},{"name":"flow_published_at","type":"string"},{"name":"id","type":"long"},{"name":"_flow_extra","type":{"type":"map","values":[{"name":"root._flow_extra.RawJSON","type":"record","fields":[{"name":"json","type":"string"}]},"null"]}}]}',
    )
  })

  const collection = (projections: readonly Projection[]): CollectionSpec => ({
    writeSchema: { type: 'object' },
    projections,
  })
  const valueOf = (projection: Projection): string => {
    const fields = recordFields({ keys: ['f'] }, 'binding 3')
    return canonicalForm(bindingSchemas(collection([projection]), fields, 'binding 3').value)
  }

  test.each([
    { projection: { field: 'f' }, type: '"string"' },
    {
      projection: { field: 'f', ptr: '/a', inference: { types: ['integer'], exists: 'MUST' as const } },
      type: '"long"',
    },
    {
      projection: { field: 'f', ptr: '/a', inference: { types: ['fractional'], exists: 'MAY' as const } },
      type: '["double","null"]',
    },
    {
      projection: { field: 'f', ptr: '/a', inference: { types: ['boolean'], exists: 'MAY' as const, default: true } },
      type: '"boolean"',
    },
    {
      projection: { field: 'f', ptr: '/a', inference: { types: ['null', 'string'], exists: 'MUST' as const } },
      type: '["string","null"]',
    },
  ])('use the projection of a field that is no location: $projection', ({ projection, type }) => {
    expect(valueOf(projection)).toContain(`{"name":"f","type":${type}}`)
  })

  test('need a projection of a single type', () => {
    expect(() => valueOf({ field: 'f', ptr: '/a', inference: { types: ['integer', 'string'] } })).toThrow(
      'Cannot use field "f" of binding 3 in Avro as its type must be a single one of boolean, integer, fractional, number, string: it is integer, string',
    )
    expect(() => valueOf({ field: 'g' })).toThrow('Cannot find field "f" of binding 3 among the projections')
  })
})
