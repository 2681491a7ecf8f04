import { describe, expect, test } from 'vitest'
import { canonicalForm } from '../../../src/materialize/avro/canonical.ts'
import { AvroEncoder } from '../../../src/materialize/avro/encode.ts'
import { bindingSchemas, type AvroSchema } from '../../../src/materialize/avro/schema.ts'
import { recordFields } from '../../../src/materialize/records/fields.ts'
import { RecordText } from '../../../src/materialize/records/record-text.ts'
import { parseExactly } from '../../../src/records/exact-numbers.ts'
import { decodeAvro } from '../../support/decode-avro.ts'

/** The schema of a field `x`, and what else is in the document. */
function schemaOf(x: unknown, isRequired = true): AvroSchema {
  const writeSchema = { type: 'object', properties: { x }, required: isRequired ? ['x'] : [] }
  return bindingSchemas({ writeSchema }, recordFields({ keys: ['x'] }, 'binding 0'), 'binding 0').value
}

function encoded(schema: AvroSchema, json: string): Buffer {
  const text = new RecordText(Buffer.alloc(2))
  new AvroEncoder().encode(schema, parseExactly(json), text)
  return Buffer.from(text.bytes.subarray(0, text.position))
}

function roundTrip(x: unknown, json: string, isRequired = true): unknown {
  const schema = schemaOf(x, isRequired)
  const { x: value } = decodeAvro(JSON.parse(canonicalForm(schema)), encoded(schema, `{"x":${json}}`)) as { x: unknown }
  return value
}

describe('the Avro encoding', () => {
  const anything = true
  test.each([
    ['true', { type: 'boolean' }, 'true', true],
    ['an integer', { type: 'integer' }, '-3', -3],
    ['a float without a fraction as an integer', { type: 'integer' }, '3.0', 3],
    ['an integer of 64 bits', { type: 'integer' }, '9223372036854775807', 9223372036854775807n],
    ['the smallest integer', { type: 'integer' }, '-9223372036854775808', -9223372036854775808n],
    ['an integer beyond what a double holds', { type: 'integer' }, '9007199254740993', 9007199254740993n],
    ['a double', { type: 'number' }, '1.5', 1.5],
    ['an integer as a double', { type: 'number' }, '2', 2],
    ['text as a double', { type: ['number', 'string'], format: 'number' }, '"-1.5e3"', -1500],
    ['infinity as a double', { type: ['number', 'string'], format: 'number' }, '"-inf"', -Infinity],
    ['a string', { type: 'string' }, '"é\\u0000"', 'é\0'],
    [
      'an integer as a string',
      { type: ['integer', 'string'], format: 'integer' },
      '18446744073709551615',
      '18446744073709551615',
    ],
    ['a float without a fraction as a string', { type: ['integer', 'string'], format: 'integer' }, '5.0', '5'],
    ['a date', { type: 'string', format: 'date' }, '"1969-12-31"', -1],
    ['a time', { type: 'string', format: 'date-time' }, '"1970-01-01T01:00:00.000001999+01:00"', 1],
    ['a time before 1970', { type: 'string', format: 'date-time' }, '"1969-12-31t23:59:59.9999995z"', 0],
    ['a uuid, unchecked', { type: 'string', format: 'uuid' }, '"no uuid"', 'no uuid'],
    ['a duration', { type: 'string', format: 'duration' }, '"P1Y2M3DT4H5M6.789S"', '0e000000030000006568e000'],
    [
      'a duration that ends where weeks begin',
      { type: 'string', format: 'duration' },
      '"P1Y2M3W"',
      '0e0000000000000000000000',
    ],
    ['null', { type: ['string', 'null'] }, 'null', null],
    ['what is not null', { type: ['string', 'null'] }, '"a"', 'a'],
    ['an array', { type: 'array', items: { type: 'integer' } }, '[1,2,300]', [1, 2, 300]],
    ['an empty array', { type: 'array', items: { type: 'integer' } }, '[]', []],
    ['a map', { type: 'object', additionalProperties: { type: 'integer' } }, '{"b":1,"a":2}', { a: 2, b: 1 }],
    [
      'JSON text, with sorted names',
      anything,
      '{"b":[1.0,18446744073709551615],"10":0,"9":0}',
      { json: '{"10":0,"9":0,"b":[1.0,18446744073709551615]}' },
    ],
    ['null as JSON text', anything, 'null', { json: 'null' }],
    [
      'an object with members of no field',
      { type: 'object', properties: { a: { type: 'integer' } } },
      '{"z":null,"a":1,"odd-name":"x"}',
      { a: 1, _flow_extra: { 'odd-name': { json: '"x"' }, z: { json: 'null' } } },
    ],
    [
      'an object that lacks a field',
      {
        type: 'object',
        properties: { a: { type: 'integer' }, b: { type: 'integer', default: 7 } },
        additionalProperties: false,
      },
      '{}',
      { a: null, b: 7 },
    ],
  ])('holds %s', (_, schema, json, value) => {
    expect(roundTrip(schema, json)).toEqual(value)
  })

  test('has the bytes that the specification prescribes', () => {
    const schema = schemaOf({ type: ['string', 'null'] }, false)
    const empty = '00'
    expect(encoded(schema, '{"x":"foo"}').toString('hex')).toBe(`0006666f6f${empty}`)
    expect(encoded(schema, '{"x":null}').toString('hex')).toBe(`02${empty}`)
    expect(encoded(schemaOf({ type: 'integer' }), '{"x":-64}').toString('hex')).toBe(`7f${empty}`)
    expect(encoded(schemaOf({ type: 'integer' }), '{"x":64}').toString('hex')).toBe(`8001${empty}`)
  })

  test.each([
    { schema: { type: 'integer' }, json: '1.5', problem: 'at "/x", value 1.5 does not conform to AVRO schema "long"' },
    { schema: { type: 'integer' }, json: '9223372036854775808', problem: 'value 9223372036854775808 does not conform' },
    {
      schema: { type: 'string' },
      json: 'null',
      problem: 'at "/x", value null does not conform to AVRO schema "string"',
    },
    {
      schema: { type: 'string', format: 'date' },
      json: '"2023-02-30"',
      problem: 'value "2023-02-30" does not conform',
    },
    {
      schema: { type: 'string', format: 'date-time' },
      json: '"2023-02-03"',
      problem: 'does not conform to AVRO schema {"type":"long"}',
    },
    {
      schema: { type: ['string', 'number'], format: 'number' },
      json: '"abc"',
      problem: 'failed to parse string "abc" into double',
    },
    {
      schema: { type: 'array', items: { type: 'object', properties: { 'a/b': true, c: { type: 'integer' } } } },
      json: '[{"c":1},{"c":"x"}]',
      problem: 'at "/x/1/c", value "x" does not conform',
    },
    {
      schema: { type: 'array', items: { type: 'integer' } },
      json: '{}',
      problem: 'at "/x", value {} does not conform to AVRO schema {"type":"array","items":"long"}',
    },
  ])('refuses $json: $problem', ({ schema, json, problem }) => {
    expect(() => roundTrip(schema, json)).toThrow(problem)
  })
})
