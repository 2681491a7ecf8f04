/** Protobuf: messages as documents, message indexes, imports, and what is refused. */
import protobuf from 'protobufjs'
import { describe, expect, test } from 'vitest'
import { loadProtobuf } from '../../../src/codecs/schemas/protobuf/index.ts'
import type { ReadySchema } from '../../../src/codecs/schemas/ready-schema.ts'
import { stringifyExactly } from '../../../src/records/exact-numbers.ts'

const format = await loadProtobuf()

function schema(
  text: string,
  message?: string,
  references: readonly { name: string; text: string }[] = [],
): ReadySchema {
  return format.parse({ text, references, message })
}

/** A message with one field `f`. */
function ofField(declaration: string, more = ''): ReadySchema {
  return schema(
    `syntax = "proto3"; package shop;
    import "google/protobuf/timestamp.proto"; import "google/protobuf/duration.proto"; import "google/protobuf/wrappers.proto"; import "google/protobuf/struct.proto";
    ${more} message M { ${declaration} } message In { int32 x = 1; }`,
    'M',
  )
}

describe('values', () => {
  test.each<{ readonly field: string; readonly given: unknown; readonly read?: string }>([
    { field: 'int32 f = 1;', given: -5 },
    { field: 'uint32 f = 1;', given: 4294967295 },
    { field: 'int64 f = 1;', given: 5 },
    { field: 'int64 f = 1;', given: -9223372036854775808n, read: '-9223372036854775808' },
    { field: 'sint64 f = 1;', given: '9007199254740993', read: '9007199254740993' },
    { field: 'uint64 f = 1;', given: 18446744073709551615n, read: '18446744073709551615' },
    { field: 'fixed64 f = 1;', given: 2 ** 40 },
    { field: 'sfixed32 f = 1;', given: -1 },
    { field: 'float f = 1;', given: 1.5 },
    { field: 'double f = 1;', given: -0.1 },
    { field: 'bool f = 1;', given: true },
    { field: 'string f = 1;', given: 'ä€😀' },
    { field: 'bytes f = 1;', given: 'AAEC' },
    { field: 'enum E { A = 0; B = 7; } E f = 1;', given: 'B' },
    { field: 'enum E { A = 0; B = 7; } E f = 1;', given: 7, read: '"B"' },
    { field: 'enum E { A = 0; } E f = 1;', given: 9 },
    { field: 'In f = 1;', given: { x: 1 } },
    { field: 'M f = 1;', given: {} },
    { field: 'repeated int64 f = 1;', given: [1, 2, 3] },
    { field: 'repeated In f = 1;', given: [{ x: 1 }, { x: 2 }] },
    { field: 'map<string, int64> f = 1;', given: { a: 1, b: 2 } },
    { field: 'map<int64, In> f = 1;', given: { '-5': { x: 1 } } },
    { field: 'map<bool, string> f = 1;', given: { true: 'x' } },
    { field: 'google.protobuf.Timestamp f = 1;', given: '2026-11-29T10:00:00.123456789Z' },
    { field: 'google.protobuf.Duration f = 1;', given: '1.5s', read: '"1.500s"' },
    { field: 'google.protobuf.StringValue f = 1;', given: 'x' },
    { field: 'google.protobuf.Int64Value f = 1;', given: 5n, read: '"5"' },
    { field: 'google.protobuf.Struct f = 1;', given: { a: [1, null, { b: 'c' }] } },
    { field: 'google.protobuf.Value f = 1;', given: null },
    { field: 'google.protobuf.NullValue f = 1;', given: null },
    { field: 'optional int32 f = 1;', given: 0 },
    { field: 'oneof which { int32 f = 1; string g = 2; }', given: 0 },
  ])('of $field: $given', ({ field, given, read = JSON.stringify(given) }) => {
    const one = ofField(field)
    const text = stringifyExactly(one.read(one.write({ f: given }, 5, true), 5, true))
    expect(text.replaceAll('{"f":{}}', '{"f":{}}')).toBe(`{"f":${read}}`)
  })

  test('that are not set have their default, or are left out if the schema tracks presence', () => {
    const one = ofField(
      'int64 a = 1; string b = 2; repeated int32 c = 3; map<string, string> d = 4; bool e = 5; bytes g = 6; optional int32 x = 7; In y = 8; oneof o { int32 z = 9; }',
    )
    expect(one.read(Buffer.alloc(0), 0, false)).toEqual({ a: 0, b: '', c: [], d: {}, e: false, g: '' })
    expect(one.write(one.read(Buffer.alloc(0), 0, false), 0, false)).toHaveLength(0)
  })

  test('may have the names of Protobuf’s JSON form', () => {
    const one = ofField('int32 customer_id = 1;')
    expect(one.read(one.write({ customerId: 5 }, 0, false), 0, false)).toEqual({ customer_id: 5 })
    expect(one.read(one.write({ customer_id: 5 }, 0, false), 0, false)).toEqual({ customer_id: 5 })
  })

  test('are the same for other implementations', () => {
    const text = 'syntax = "proto3"; message M { int64 a = 1; repeated string b = 2; }'
    const theirs = protobuf.parse(text, new protobuf.Root()).root.lookupType('M')
    expect(schema(text).write({ a: 5, b: ['x', 'y'] }, 0, false)).toEqual(
      Buffer.from(theirs.encode({ a: 5, b: ['x', 'y'] }).finish()),
    )
  })
})

describe('message indexes', () => {
  const text = `syntax = "proto3"; package shop;
    enum Before { X = 0; }
    message First { message A { int32 v = 1; } enum E { Y = 0; } message B { message C { int32 v = 1; } int32 v = 1; } int32 v = 1; map<string, int32> m = 2; }
    message Second { int32 v = 1; }`

  test.each([
    { message: undefined, name: 'shop.First', indexes: '00' },
    { message: 'Second', name: 'shop.Second', indexes: '0202' },
    { message: 'shop.First.A', name: 'shop.First.A', indexes: '040000' },
    { message: 'shop.First.B', name: 'shop.First.B', indexes: '040002' },
    { message: 'shop.First.B.C', name: 'shop.First.B.C', indexes: '06000200' },
  ])('of $name are $indexes', ({ message, name, indexes }) => {
    const one = schema(text, message)
    expect(one.name).toBe(name)
    expect(one.write({ v: 1 }, 0, true).toString('hex')).toBe(`${indexes}0801`)
    // What a value says counts for reading, whatever the options name.
    expect(schema(text, 'Second').read(Buffer.from(`${indexes}0801`, 'hex'), 0, true)).toMatchObject({ v: 1 })
  })

  test('count the messages of the file, not those of the package', () => {
    const other = { name: 'other.proto', text: 'syntax = "proto3"; package shop; message Other { int32 v = 1; }' }
    const one = schema(
      `syntax = "proto3"; package shop; import "other.proto"; message Mine { Other v = 1; }`,
      undefined,
      [other],
    )
    expect(one.write({ v: { v: 1 } }, 0, true).toString('hex')).toBe('000a020801')
  })

  test.each([
    { hex: '', problem: 'no message indexes' },
    { hex: '02', problem: 'no message indexes' },
    { hex: '0208', problem: 'no message at 4' },
  ])('that lead nowhere are refused: "$hex"', ({ hex, problem }) => {
    expect(() => schema(text).read(Buffer.from(hex, 'hex'), 0, true)).toThrow(problem)
  })
})

describe('files that every implementation knows', () => {
  test.each([
    {
      file: 'confluent/type/decimal.proto',
      type: 'confluent.type.Decimal',
      given: { value: 'AQ==', precision: 3, scale: 1 },
    },
    { file: 'confluent/meta.proto', type: 'confluent.Meta', given: { doc: 'x', params: {}, tags: ['PII'] } },
    { file: 'google/type/date.proto', type: 'google.type.Date', given: { year: 2024, month: 2, day: 29 } },
    {
      file: 'google/type/timeofday.proto',
      type: 'google.type.TimeOfDay',
      given: { hours: 1, minutes: 2, seconds: 3, nanos: 4 },
    },
  ])('need no reference: $file', ({ file, type, given }) => {
    const one = schema(`syntax = "proto3"; import "${file}"; message M { ${type} f = 1; }`)
    expect(one.read(one.write({ f: given }, 0, false), 0, false)).toEqual({ f: given })
  })

  test('may be imported by a schema and by those that it refers to, and extended', () => {
    const imports = 'import "google/protobuf/timestamp.proto"; import "google/protobuf/descriptor.proto";'
    const one = schema(
      `syntax = "proto3"; ${imports} import "a.proto"; extend google.protobuf.FieldOptions { string tag = 50001; }
      message M { google.protobuf.Timestamp t = 1 [(tag) = "x"]; A a = 2; }`,
      undefined,
      [{ name: 'a.proto', text: `syntax = "proto3"; ${imports} message A { google.protobuf.Timestamp t = 1; }` }],
    )
    const document = { t: '2024-01-01T00:00:00Z', a: { t: '2024-01-01T00:00:00Z' } }
    expect(one.read(one.write(document, 0, false), 0, false)).toEqual(document)
  })
})

describe('refuses, with the path', () => {
  const one = ofField(
    'int64 id = 1; uint32 n = 2; repeated In lines = 3; enum E { A = 0; } E kind = 4; oneof o { string card = 5; In cash = 6; } google.protobuf.Timestamp at = 7; map<int32, string> by = 8; bytes raw = 9; bool ok = 10; float f = 11;',
  )
  test.each([
    { document: { id: 1.5 }, problem: 'field "id" must be a whole number of 64 bits: current value is 1.5' },
    { document: { id: 2 ** 60 }, problem: 'field "id" may have been rounded' },
    { document: { f: 1e300 }, problem: 'field "f" must be a number that a float holds: current value is 1e+300' },
    { document: { n: -1 }, problem: 'field "n" must be a whole number of 32 bits that is not negative' },
    { document: { lines: [{ x: 1 }, { x: 'a' }] }, problem: 'field "lines[1].x" must be a whole number of 32 bits' },
    { document: { lines: {} }, problem: 'field "lines" must be a list' },
    { document: { kind: 'B' }, problem: 'field "kind" must be one of A' },
    { document: { card: 'x', cash: {} }, problem: 'field "cash" excludes field "card"' },
    { document: { at: 'today' }, problem: 'field "at" is no google.protobuf.Timestamp' },
    { document: { by: { a: 'x' } }, problem: 'field "by.a" must be a name that is a int32' },
    { document: { raw: '!' }, problem: 'field "raw" must be base64 text' },
    { document: { ok: 'true' }, problem: 'field "ok" must be true or false' },
    { document: { more: 1 }, problem: 'field "more" is not in the schema of shop.M' },
    { document: [], problem: 'must be an object' },
  ])('$problem', ({ document, problem }) => {
    expect(() => one.write(document, 0, false)).toThrow(problem)
  })

  test('a required field of proto2 that is missing', () => {
    const old = schema('syntax = "proto2"; message M { required int32 a = 1; }')
    expect(() => old.write({}, 0, false)).toThrow('field "a" is missing and required')
  })

  test('bytes that are no message', () => {
    expect(() => one.read(Buffer.from('1affff', 'hex'), 0, false)).toThrow('it is no shop.M')
  })

  test.each([
    { text: 'message', problem: /illegal/ },
    { text: 'syntax = "proto3"; message M { Gone a = 1; }', problem: /no such/ },
    { text: 'syntax = "proto3"; import "gone.proto"; message M {}', problem: /imports "gone.proto"/ },
    { text: 'syntax = "proto3"; enum E { A = 0; }', problem: /it has no message/ },
  ])('the schema $text', ({ text, problem }) => {
    expect(() => schema(text)).toThrow(problem)
  })

  test('a message that is not in the schema', () => {
    expect(() => schema('syntax = "proto3"; message M {}', 'N')).toThrow('it has no message "N": there are M')
  })
})

test('a reader’s schema matches fields by number and messages by name', () => {
  const writer = schema(
    'syntax = "proto3"; message A { int32 v = 1; } message B { int64 old = 2; string gone = 3; }',
    'B',
  )
  const reader = schema(
    'syntax = "proto3"; message B { int64 renamed = 2; bool added = 4; } message A { int32 v = 1; }',
    'B',
  )
  const bytes = writer.write({ old: 5, gone: 'x' }, 0, true)
  expect(format.evolve(writer, reader).read(bytes, 0, true)).toEqual({ renamed: 5, added: false })
})
