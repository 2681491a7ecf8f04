/** Avro: what values look like in documents, what is written in their place, and how schemas evolve. */
import avsc from 'avsc'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { loadAvro } from '../../../src/codecs/schemas/avro/index.ts'
import type { ReadySchema } from '../../../src/codecs/schemas/ready-schema.ts'
import { stringifyExactly } from '../../../src/records/exact-numbers.ts'

const avro = await loadAvro()

function schema(content: unknown, references: readonly { name: string; text: string }[] = []): ReadySchema {
  return avro.parse({ text: JSON.stringify(content), references })
}

/** A record with one field `f`. */
function ofField(type: unknown, more: object = {}): ReadySchema {
  return schema({ type: 'record', name: 'R', namespace: 'n', fields: [{ name: 'f', type, ...more }] })
}

const MONEY = { type: 'record', name: 'Money', fields: [{ name: 'cents', type: 'long' }] }
const POINTS = { type: 'record', name: 'Points', fields: [{ name: 'points', type: 'int' }] }
const decimal = (precision: number, scale: number): object => ({
  type: 'bytes',
  logicalType: 'decimal',
  precision,
  scale,
})
const time = (type: string, logicalType: string): object => ({ type, logicalType })

describe('values', () => {
  test.each<{ readonly name: string; readonly type: unknown; readonly given: unknown; readonly read?: string }>([
    { name: 'null', type: 'null', given: null },
    { name: 'a boolean', type: 'boolean', given: true },
    { name: 'an int', type: 'int', given: -2147483648 },
    { name: 'a long that a double holds', type: 'long', given: 9007199254740991 },
    { name: 'a long that no double holds', type: 'long', given: 9223372036854775807n, read: '9223372036854775807' },
    { name: 'the least long', type: 'long', given: '-9223372036854775808', read: '-9223372036854775808' },
    { name: 'a float', type: 'float', given: 1.5 },
    { name: 'a double', type: 'double', given: -0.1 },
    { name: 'text', type: 'string', given: 'ä€😀' },
    { name: 'bytes', type: 'bytes', given: 'AAEC' },
    { name: 'bytes from a buffer', type: 'bytes', given: Buffer.from([0, 1, 2]), read: '"AAEC"' },
    { name: 'fixed', type: { type: 'fixed', name: 'F', size: 2 }, given: 'AAE=' },
    { name: 'an enum', type: { type: 'enum', name: 'E', symbols: ['A', 'B'] }, given: 'B' },
    { name: 'an array', type: { type: 'array', items: 'long' }, given: [1, 2, 3] },
    { name: 'an empty array', type: { type: 'array', items: 'long' }, given: [] },
    { name: 'a map', type: { type: 'map', values: 'int' }, given: { a: 1, b: 2 } },
    { name: 'a record', type: MONEY, given: { cents: 5 } },
    { name: 'a decimal', type: decimal(9, 2), given: 12.5 },
    { name: 'a decimal below 0', type: decimal(9, 2), given: -0.01 },
    {
      name: 'a decimal of many digits',
      type: decimal(30, 10),
      given: '12345678901234567890.0123456789',
      read: '12345678901234567890.0123456789',
    },
    {
      name: 'a decimal in fixed bytes',
      type: { type: 'fixed', name: 'D', size: 8, logicalType: 'decimal', precision: 18, scale: 4 },
      given: -1.2345,
    },
    { name: 'a timestamp as a number', type: time('long', 'timestamp-millis'), given: 1764400000123 },
    {
      name: 'a timestamp as text',
      type: time('long', 'timestamp-micros'),
      given: '2026-11-29T10:00:00.123456Z',
      read: '1795946400123456',
    },
    { name: 'a timestamp as a date', type: time('long', 'timestamp-millis'), given: new Date(5), read: '5' },
    {
      name: 'nanoseconds',
      type: time('long', 'timestamp-nanos'),
      given: '2026-11-29T10:00:00.000000001Z',
      read: '1795946400000000001',
    },
    { name: 'a day as text', type: time('int', 'date'), given: '1970-01-11', read: '10' },
    { name: 'a day before 1970', type: time('int', 'date'), given: '1969-12-31', read: '-1' },
    { name: 'a uuid', type: time('string', 'uuid'), given: '123e4567-e89b-12d3-a456-426614174000' },
    { name: 'a logical type without a meaning', type: time('int', 'centigrade'), given: 20 },
    { name: 'a decimal that is none', type: { type: 'bytes', logicalType: 'decimal', precision: 0 }, given: 'AAEC' },
  ])('of $name', ({ type, given, read = JSON.stringify(given) }) => {
    const one = ofField(type)
    expect(stringifyExactly(one.read(one.write({ f: given }, 5, false), 5, false))).toBe(`{"f":${read}}`)
  })

  test.each([
    { name: 'null of one type', type: ['null', 'string'], given: null },
    { name: 'one type', type: ['null', 'string'], given: 'x' },
    { name: 'one number of several', type: ['int', 'long', 'double'], given: 1.5 },
    { name: 'text beside bytes', type: ['bytes', 'string'], given: 'no base64!' },
    { name: 'the first record', type: ['null', MONEY, POINTS], given: { cents: 5 } },
    { name: 'the second record', type: ['null', MONEY, POINTS], given: { points: 5 } },
    { name: 'a decimal or null', type: ['null', decimal(9, 2)], given: 1.25 },
    { name: 'a map beside a record', type: [MONEY, { type: 'map', values: 'string' }], given: { a: 'b' } },
  ])('of a union are plain: $name', ({ type, given }) => {
    const one = ofField(type)
    expect(one.read(one.write({ f: given }, 0, false), 0, false)).toEqual({ f: given })
  })

  test.each([
    { name: 'bytes', given: 'abcd' },
    { name: 'a date', given: '2024-02-29' },
    { name: 'a number', given: '12' },
  ])('of a union are text where they look like $name, and there is a branch of text', ({ given }) => {
    const types = ['null', 'long', 'bytes', { type: 'int', logicalType: 'date' }, 'string']
    const one = ofField(types)
    const bytes = one.write({ f: given }, 0, false)
    expect(bytes[0]).toBe(8)
    expect(one.read(bytes, 0, false)).toEqual({ f: given })
  })

  const ENUM = { type: 'enum', name: 'E', symbols: ['SYMBOL'] }
  const BYTES = ['string', 'bytes', { type: 'fixed', name: 'F', size: 2 }]
  test.each([
    { types: BYTES, given: { bytes: 'YWI=' }, index: 1 },
    { types: BYTES, given: { 'n.F': 'YWI=' }, index: 2 },
    { types: BYTES, given: 'YWI=', index: 0 },
    { types: [ENUM, 'string', 'bytes'], given: 'SYMBOL', index: 0 },
  ])('of bytes beside text keep the name of their branch: $given', ({ types, given, index }) => {
    const one = ofField(types)
    const bytes = one.write({ f: given }, 0, false)
    expect(bytes[0]).toBe(index * 2)
    expect(one.read(bytes, 0, false)).toEqual({ f: given })
  })

  test('may have the names of what every object inherits', () => {
    const fields = ['constructor', 'toString', 'hasOwnProperty'].map((name) => ({ name, type: 'int', default: 7 }))
    const one = schema({ type: 'record', name: 'R', fields })
    expect(one.read(one.write({ toString: 1 }, 0, false), 0, false)).toEqual({
      constructor: 7,
      toString: 1,
      hasOwnProperty: 7,
    })
    const map = schema({ type: 'map', values: 'int' })
    const document: unknown = JSON.parse('{"__proto__":1,"a":2}')
    expect(map.read(map.write(document, 0, false), 0, false)).toEqual(document)
    expect(() => schema({ type: 'record', name: 'R', fields: [{ name: '__proto__', type: 'int' }] })).toThrow(
      'a field "__proto__"',
    )
  })

  test('that are times without a zone are in UTC, whatever the zone of this machine', () => {
    const one = ofField(time('long', 'timestamp-millis'))
    const zone = process.env['TZ']
    process.env['TZ'] = 'Asia/Tokyo'
    try {
      expect(one.read(one.write({ f: '2024-01-01T02:00:00' }, 0, false), 0, false)).toEqual({
        f: Date.UTC(2024, 0, 1, 2),
      })
    } finally {
      if (zone === undefined) delete process.env['TZ']
      else process.env['TZ'] = zone
    }
    expect(() => one.write({ f: '2024-02-30' }, 0, false)).toThrow('field "f" must be a date')
  })

  test.each(['int', 'null', 'string'])('that say to have more elements than there are end at once: %s', (items) => {
    const fields = [
      { name: 'a', type: { type: 'array', items } },
      { name: 'm', type: { type: 'map', values: items } },
    ]
    const written = schema({ type: 'record', name: 'R', fields })
    const reader = schema({ type: 'record', name: 'R', fields: [] })
    for (const hex of ['feffffffffffff0f', 'fdffffffffffff0f02', '00feffffffffffff0f'])
      for (const one of [written, avro.evolve(written, reader)])
        expect(() => one.read(Buffer.from(hex, 'hex'), 0, false)).toThrow('is cut off')
  })

  test('of a union may name their branch, as Avro’s own JSON does', () => {
    const one = ofField(['null', 'long', MONEY])
    expect(one.read(one.write({ f: { long: 5 } }, 0, false), 0, false)).toEqual({ f: 5 })
    expect(one.read(one.write({ f: { 'n.Money': { cents: 5 } } }, 0, false), 0, false)).toEqual({ f: { cents: 5 } })
  })

  test('are the same for Avro’s other implementations', () => {
    const content = {
      type: 'record',
      name: 'R',
      fields: [
        { name: 'a', type: 'long' },
        { name: 'b', type: ['null', 'string'] },
        { name: 'c', type: { type: 'array', items: 'double' } },
      ],
    }
    const theirs = avsc.Type.forSchema(content as never)
    const value = { a: -123456789012, b: 'text', c: [1.5, -2] }
    const bytes = schema(content).write(value, 0, false)
    expect(bytes).toEqual(theirs.toBuffer(value))
  })

  test('are plain objects that stages can work on', () => {
    const one = ofField(MONEY)
    const document = one.read(one.write({ f: { cents: 1 } }, 0, false), 0, false) as { readonly f: object }
    expect([Object.getPrototypeOf(document), Object.getPrototypeOf(document.f)]).toEqual([
      Object.prototype,
      Object.prototype,
    ])
  })

  test('that are no record are the field "value"', () => {
    const one = schema('long')
    expect(one.read(one.write({ value: 5 }, 0, false), 0, false)).toEqual({ value: 5 })
  })

  // Stored as about twice the number, which is no double any more: the last bit got lost, and with it the sign.
  test.each([2n ** 52n + 1n, -(2n ** 52n) - 1n, 2n ** 53n - 1n, -(2n ** 53n) + 1n])('of the long %s are exact', (f) => {
    const one = ofField('long')
    expect(stringifyExactly(one.read(one.write({ f }, 0, false), 0, false))).toBe(`{"f":${f}}`)
  })

  test('of any long are exact', () => {
    const one = ofField('long')
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (f) => {
        expect(stringifyExactly(one.read(one.write({ f }, 0, false), 0, false))).toBe(`{"f":${f}}`)
      }),
    )
  })

  test('of any decimal are exact', () => {
    const one = ofField(decimal(40, 7))
    fc.assert(
      fc.property(fc.bigInt({ min: -(10n ** 40n) + 1n, max: 10n ** 40n - 1n }), (unscaled) => {
        const digits = String(unscaled < 0n ? -unscaled : unscaled).padStart(8, '0')
        const text = `${unscaled < 0n ? '-' : ''}${digits.slice(0, -7)}.${digits.slice(-7)}`
        const document = one.read(one.write({ f: text }, 0, false), 0, false)
        // What is read is written as the same bytes again.
        expect(one.write(document, 0, false)).toEqual(one.write({ f: text }, 0, false))
      }),
    )
  })
})

describe('what is not in the document', () => {
  test.each([
    { name: 'a number', type: 'int', value: 7 },
    { name: 'text', type: 'string', value: 'x' },
    { name: 'the first branch of a union', type: ['int', 'string', 'null'], value: 7 },
    { name: 'null', type: ['null', 'string'], value: null },
    { name: 'a record', type: MONEY, value: { cents: 5 } },
    { name: 'a list', type: { type: 'array', items: 'int' }, value: [1] },
  ])('gets the default of its field: $name', ({ type, value }) => {
    const one = ofField(type, { default: value })
    expect(one.read(one.write({}, 0, false), 0, false)).toEqual({ f: value })
  })

  test('gets defaults of bytes and decimals as they are in documents', () => {
    expect(ofField('bytes', { default: '\u0000\u00ff' }).write({}, 0, false).toString('hex')).toBe('0400ff')
    const one = ofField(decimal(5, 2), { default: '\u0001\u0000' })
    expect(one.read(one.write({}, 0, false), 0, false)).toEqual({ f: 2.56 })
  })

  test('is null where that is allowed', () => {
    const one = ofField(['string', 'int', 'null'])
    expect(one.read(one.write({ f: undefined }, 0, false), 0, false)).toEqual({ f: null })
  })
})

test('a float takes no number that is too large for it', () => {
  expect(() => ofField('float').write({ f: 1e300 }, 0, false)).toThrow('must be a number that a float holds')
  expect(ofField('float').read(ofField('float').write({ f: Infinity }, 0, false), 0, false)).toEqual({ f: Infinity })
})

describe('refuses, with the path', () => {
  const order = schema({
    type: 'record',
    name: 'Order',
    fields: [
      { name: 'id', type: 'long', default: 0 },
      {
        name: 'lines',
        type: { type: 'array', items: { type: 'record', name: 'Line', fields: [{ name: 'qty', type: 'int' }] } },
        default: [],
      },
      { name: 'price', type: decimal(4, 2), default: '\u0000' },
      { name: 'by', type: { type: 'map', values: ['null', 'string'] }, default: {} },
      { name: 'kind', type: { type: 'enum', name: 'Kind', symbols: ['A', 'B'] }, default: 'A' },
      { name: 'hash', type: { type: 'fixed', name: 'Hash', size: 2 }, default: 'xy' },
    ],
  })
  test.each([
    { document: { id: 1.5 }, problem: 'field "id" must be a whole number of 64 bits: current value is 1.5' },
    { document: { id: 2 ** 60 }, problem: 'field "id" may have been rounded as it is a double beyond 2^53' },
    { document: { id: 2n ** 63n }, problem: 'field "id" must be a whole number of 64 bits' },
    {
      document: { lines: [{ qty: 1 }, { qty: 'x' }] },
      problem: 'field "lines[1].qty" must be a whole number of 32 bits: current value is "x"',
    },
    { document: { lines: [{}] }, problem: 'field "lines[0].qty" is missing and has no default' },
    {
      document: { price: 1.234 },
      problem: 'field "price" must have at most 2 digits behind the point: current value is 1.234',
    },
    { document: { price: 123.4 }, problem: 'field "price" must have at most 4 digits: current value is 123.4' },
    { document: { by: { ann: 5 } }, problem: 'field "by.ann" must be text: current value is 5' },
    { document: { kind: 'C' }, problem: 'field "kind" must be one of A, B: current value is "C"' },
    { document: { hash: 'AAEC' }, problem: 'field "hash" must have 2 bytes: it has 3' },
    { document: { idd: 1 }, problem: 'field "idd" is not in the schema of Order' },
    { document: null, problem: 'must be an object for the record Order: current value is null' },
  ])('$problem', ({ document, problem }) => {
    expect(() => order.write(document, 0, false)).toThrow(problem)
  })

  test('values that are cut off, or longer than their schema says', () => {
    const one = schema({
      type: 'record',
      name: 'R',
      fields: [
        { name: 'a', type: 'int' },
        { name: 'in', type: { type: 'record', name: 'S', fields: [{ name: 'b', type: 'string' }] } },
      ],
    })
    const bytes = one.write({ a: 1, in: { b: 'text' } }, 0, false)
    expect(() => one.read(bytes.subarray(0, 3), 0, false)).toThrow('field "in.b" is cut off')
    expect(() => one.read(Buffer.concat([bytes, Buffer.of(1, 2)]), 0, false)).toThrow(
      'it has 2 bytes more than its schema says',
    )
  })

  test.each([
    { text: '{', problem: 'it is not JSON' },
    {
      text: '{"type":"record","name":"R","fields":[{"name":"a","type":"Gone"}]}',
      problem: 'undefined type name: Gone',
    },
    { text: '"complex"', problem: 'undefined type name: complex' },
  ])('the schema $text', ({ text, problem }) => {
    expect(() => avro.parse({ text, references: [] })).toThrow(problem)
  })
})

describe('a reader’s schema', () => {
  const writer = schema({
    type: 'record',
    name: 'R',
    fields: [
      { name: 'a', type: 'int' },
      { name: 'b', type: 'string' },
      { name: 'u', type: ['null', 'int'] },
      { name: 'd', type: decimal(9, 2) },
    ],
  })
  const bytes = writer.write({ a: 1, b: 'x', u: 3, d: 1.5 }, 0, false)
  const evolve = (fields: readonly unknown[]): unknown =>
    avro.evolve(writer, schema({ type: 'record', name: 'R', fields })).read(bytes, 0, false)

  test('leaves out what it does not have', () => {
    expect(evolve([{ name: 'b', type: 'string' }])).toEqual({ b: 'x' })
  })
  test('gives what is new its default', () => {
    expect(
      evolve([
        { name: 'n', type: ['string', 'null'], default: 'new' },
        { name: 'x', type: 'bytes', default: '\u00ff' },
      ]),
    ).toEqual({ n: 'new', x: '/w==' })
  })
  test('promotes numbers', () => {
    expect(evolve([{ name: 'a', type: 'long' }])).toEqual({ a: 1 })
    expect(evolve([{ name: 'a', type: 'double' }])).toEqual({ a: 1 })
  })
  test('reads a type as one of several', () => {
    expect(evolve([{ name: 'a', type: ['null', 'long', 'string', 'int'] }])).toEqual({ a: 1 })
    expect(evolve([{ name: 'u', type: ['string', 'int', 'null'] }])).toEqual({ u: 3 })
  })
  test('finds fields by their aliases', () => {
    expect(evolve([{ name: 'renamed', aliases: ['b'], type: 'string' }])).toEqual({ renamed: 'x' })
  })
  test('matches records by their names without namespace', () => {
    const moved = schema({ type: 'record', name: 'other.R', fields: [{ name: 'b', type: 'string' }] })
    expect(avro.evolve(writer, moved).read(bytes, 0, false)).toEqual({ b: 'x' })
  })
  test('reads decimals of the same scale only', () => {
    expect(evolve([{ name: 'd', type: decimal(12, 2) }])).toEqual({ d: 1.5 })
    expect(() => evolve([{ name: 'd', type: decimal(9, 3) }])).toThrow('scale 2 as one of scale 3')
  })
  test('is refused where it does not fit', () => {
    expect(() => evolve([{ name: 'b', type: 'int' }])).toThrow(/cannot read/)
    expect(() => evolve([{ name: 'new', type: 'int' }])).toThrow(/no matching field for default-less/)
  })
})

test('references are types that a schema may name, and what they refer to comes before them', () => {
  const order = schema(
    {
      type: 'record',
      name: 'Order',
      fields: [
        { name: 'price', type: 'Money' },
        { name: 'other', type: ['null', 'Money'] },
      ],
    },
    [{ name: 'Money', text: JSON.stringify(MONEY) }],
  )
  const document = { price: { cents: 1 }, other: { cents: 2 } }
  expect(order.read(order.write(document, 0, false), 0, false)).toEqual(document)
  expect(() =>
    schema({ type: 'record', name: 'Order', fields: [] }, [{ name: 'Money', text: '{"type":"Gone"}' }]),
  ).toThrow('its reference "Money" cannot be used')
})

test('a type may contain itself', () => {
  const tree = schema({
    type: 'record',
    name: 'Tree',
    fields: [
      { name: 'v', type: 'int' },
      { name: 'of', type: { type: 'array', items: 'Tree' }, default: [] },
    ],
  })
  const document = {
    v: 1,
    of: [
      { v: 2, of: [] },
      { v: 3, of: [{ v: 4, of: [] }] },
    ],
  }
  expect(tree.read(tree.write(document, 0, false), 0, false)).toEqual(document)
})
