import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { FieldScanner } from '../../src/codecs/field-scanner.ts'
import { parseDocument } from '../../src/codecs/json.ts'

const NAMES = ['a', 'amount', 'ключ', 'nested']

/** What the parser gives of the fields; undefined when it refuses the text, or when the value is no object. */
function parsed(bytes: Buffer, start: number, end: number): object | undefined {
  try {
    const text = bytes.toString('utf8', start, end)
    const document = parseDocument(bytes, start, end) as { readonly [name: string]: unknown }
    if (!/^\s*\{/.test(text)) return undefined
    return Object.fromEntries(NAMES.flatMap((name) => (Object.hasOwn(document, name) ? [[name, document[name]]] : [])))
  } catch {
    return undefined
  }
}

const scanner = new FieldScanner(NAMES)

/** Compares both ways on a text that lies between other bytes, as values in a batch do. */
function compare(value: Buffer): 'alike' | 'left to the parser' {
  const bytes = Buffer.concat([Buffer.from('1"}'), value, Buffer.from('}"]0')])
  const end = bytes.length - 4
  const fields = scanner.read(bytes, 3, end)
  if (fields === undefined) return 'left to the parser'
  const expected = parsed(bytes, 3, end)
  if (expected === undefined) throw new Error(`the scanner accepts what the parser refuses: ${value.toString()}`)
  expect({ ...fields }).toStrictEqual(expected)
  for (const [name, field] of Object.entries(fields))
    expect(Object.is(field, (expected as never)[name])).toBe(isScalar(field))
  return 'alike'
}

const isScalar = (value: unknown): boolean => typeof value !== 'object' || value === null

/** Numbers as people and programs write them. */
const numberText = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => JSON.stringify(value)),
  fc.tuple(fc.integer(), fc.nat(), fc.integer({ min: -400, max: 400 })).map(([a, b, e]) => `${a}.${b}e${e}`),
  fc.tuple(fc.integer(), fc.nat(1e6)).map(([a, b]) => `${a}.${b}`),
  fc.bigInt().map(String),
  fc.constantFrom('-0', '0', '-0.0', '0.1', '1E+2', '123456789012345', '1234567890123456', '0.000000000000001'),
)
const blank = fc.constantFrom('', '', '', ' ', '\n', '\t\r ')
const stringText = fc.oneof(
  fc.string({ unit: 'binary' }).map((text) => JSON.stringify(text)),
  fc.string().map((text) => JSON.stringify(text)),
  fc.constantFrom('"\\u00e9"', '"\\ud800"', '"\\/"', '"\u007f"', '"é"', '"😀"'),
)
const { json } = fc.letrec<{ json: string }>((tie) => ({
  json: fc.oneof(
    { maxDepth: 4 },
    numberText,
    stringText,
    fc.constantFrom('true', 'false', 'null'),
    fc
      .array(
        fc.tuple(blank, tie('json'), blank).map((parts) => parts.join('')),
        { maxLength: 4 },
      )
      .map((all) => `[${all.join(',')}]`),
    fc
      .array(fc.tuple(blank, stringText, blank, tie('json')), { maxLength: 4 })
      .map((all) => `{${all.map(([b, k, c, v]) => `${b}${k}${c}:${v}`).join(',')}}`),
  ),
}))
const key = fc.oneof(
  fc.constantFrom(...NAMES).map((name) => JSON.stringify(name)),
  stringText,
)
const object = fc
  .array(fc.tuple(blank, key, blank, blank, json, blank), { maxLength: 6 })
  .map((all) => `{${all.map(([a, k, b, c, v, d]) => `${a}${k}${b}:${c}${v}${d}`).join(',')}}`)

describe('fields read from bytes', () => {
  test('are those that the parser gives, in generated JSON', () => {
    const seen = { alike: 0, 'left to the parser': 0 }
    fc.assert(
      fc.property(object, (text) => {
        seen[compare(Buffer.from(text))]++
      }),
      { numRuns: 3000 },
    )
    expect(seen.alike).toBeGreaterThan(1000)
  })

  test('are refused where the parser refuses, after any truncation', () => {
    fc.assert(
      fc.property(object, (text) => {
        const bytes = Buffer.from(text)
        for (let length = 0; length <= bytes.length; length++) compare(bytes.subarray(0, length))
      }),
      { numRuns: 100 },
    )
  })

  test('are refused where the parser refuses, after any change of a byte', () => {
    fc.assert(
      fc.property(
        object,
        fc.array(fc.tuple(fc.nat(), fc.constantFrom(...Buffer.from('{}[]",:\\0123eE.+-tfnu \u0001\n\u00ff\u00c3'))), {
          minLength: 1,
          maxLength: 3,
        }),
        (text, changes) => {
          const bytes = Buffer.from(text)
          for (const [position, byte] of changes) bytes[position % bytes.length] = byte
          compare(bytes)
        },
      ),
      { numRuns: 5000 },
    )
  })

  test.each([
    ['{"amount":1,"b":{"amount":2}}', { amount: 1 }],
    ['{"b":{"amount":2}}', {}],
    ['{}', {}],
    [' {"a" : [1,{"a":2}] , "amount":-0.5 } ', { a: [1, { a: 2 }], amount: -0.5 }],
    ['{"nested":{"x":{"y":[]}},"a":"tab\\t"}', { nested: { x: { y: [] } }, a: 'tab\t' }],
    ['{"ключ":"значение","a":""}', { ключ: 'значение', a: '' }],
    ['{"a":0.1,"amount":1e400}', { a: 0.1, amount: Infinity }],
    ['{"a":true,"amount":null,"nested":false}', { a: true, amount: null, nested: false }],
  ])('of %s', (text, expected) => {
    const bytes = Buffer.from(text)
    expect({ ...scanner.read(bytes, 0, bytes.length) }).toStrictEqual(expected)
    expect(compare(bytes)).toBe('alike')
  })

  test.each([
    ['a field that is there twice', '{"a":1,"a":2}'],
    ['a key with an escape', '{"\\u0061":1}'],
    ['a value that is no object', '[{"a":1}]'],
    ['nesting beyond 30 levels', `{"a":${'['.repeat(30)}${']'.repeat(30)}}`],
    ['bytes that are no UTF-8', Buffer.from([0x7b, 0x22, 0x61, 0x22, 0x3a, 0x22, 0xff, 0x22, 0x7d])],
    ['nothing', ''],
    ['a byte order mark', '\ufeff{"a":1}'],
    ['what follows the object', '{"a":1}}'],
    ['a comma at the end', '{"a":1,}'],
    ['a comma at the beginning', '{,"a":1}'],
    ['a list with a comma at the end', '{"a":[1,]}'],
    ['a number with a leading zero', '{"a":01}'],
  ])('leave %s to the parser', (_, value) => {
    const bytes = Buffer.from(value as string)
    expect(scanner.read(bytes, 0, bytes.length)).toBeUndefined()
  })
})
