import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { readToml, TomlError } from '../../src/dialects/toml.ts'
import { positionIn } from '../../src/dialects/position.ts'
import { ROOT } from '../support/documentation.ts'

/** Every path of a value. */
function pathsOf(value: unknown, above: readonly string[] = []): string[] {
  const here = above.length === 0 ? [] : [above.join('.')]
  if (typeof value !== 'object' || value === null || value instanceof Date) return here
  return [...here, ...Object.entries(value).flatMap(([key, item]) => pathsOf(item, [...above, key]))]
}

const TEXT = `# a comment with [brackets] = and "quotes"
title = "a # b" # = c
"quoted.key" = 1
a.b.c = [1, [2, 3], { x = "]", y.z = '}' }]

[ table . "with space" ]
long = """
[not.a.table]
key = "escaped \\"""
""" # """
raw = '''
it's '''
date = 2026-01-31T00:00:00Z
[[stages]]
id = "one"
[stages.config]
linger.ms = 5
list = [ # first
  "a", # comment, with comma
  "b",
]
[[stages]]
  id = "two"
  config = { topic = "t", nested = { deep = [ { n = 1 } ] } }
[[stages.inner]]
x = 1
[[stages.inner]]
x = 2
[stages.inner.more]
y = 3
`

describe('places in TOML', () => {
  test.each([
    { path: 'title', at: 'title =' },
    { path: 'quoted.key', at: '"quoted.key"' },
    { path: 'a.b', at: 'a.b.c' },
    { path: 'a.b.c.1.0', at: '2, 3' },
    { path: 'a.b.c.2.y.z', at: 'y.z' },
    { path: 'table.with space', at: '[ table' },
    { path: 'table.with space.raw', at: "raw = '''" },
    { path: 'table.with space.date', at: 'date' },
    { path: 'stages.0', at: '[[stages]]\nid = "one"' },
    { path: 'stages.0.config', at: '[stages.config]' },
    { path: 'stages.0.config.linger.ms', at: 'linger.ms' },
    { path: 'stages.0.config.list.1', at: '"b"' },
    { path: 'stages.1.config.nested.deep.0.n', at: 'n = 1' },
    { path: 'stages.1.inner.1.x', at: 'x = 2' },
    { path: 'stages.1.inner.1.more.y', at: 'y = 3' },
  ])('$path is at "$at"', async ({ path, at }) => {
    const { positionOf } = await readToml(TEXT)
    expect(positionOf(path)).toEqual(positionIn(TEXT, TEXT.indexOf(at)))
  })

  test('of what is not in the file are those of the closest value above it', async () => {
    const { positionOf } = await readToml(TEXT)
    expect(positionOf('stages.1.config.nested.nothing.here')).toEqual(positionOf('stages.1.config.nested'))
    expect(positionOf('nothing.here')).toEqual({ line: 1, column: 1 })
    expect(positionOf('')).toEqual({ line: 1, column: 1 })
  })

  test('count characters as editors do, behind emoji and with Windows line ends', async () => {
    const { positionOf } = await readToml('a = "x"\r\nb = [ "🙂é", 1 ] # c\r\n')
    expect(positionOf('b.1')).toEqual({ line: 2, column: 14 })
  })

  test('are known for everything in the examples', async () => {
    const names = (await readdir(join(ROOT, 'examples'))).filter((name) => name.endsWith('.toml'))
    expect(names.length).toBeGreaterThan(3)
    for (const name of names) {
      const text = await readFile(join(ROOT, 'examples', name), 'utf8')
      const lines = text.split('\n')
      const { value, positionOf } = await readToml(text)
      for (const path of pathsOf(value)) {
        const { line, column } = positionOf(path)
        // A key is where its table or its line says its last name.
        if (!/\.?\d+$/.test(path))
          expect(lines[line - 1]!.slice(column - 1), `${name}: ${path}`).toContain(path.split('.').at(-1)!)
      }
    }
  })
})

/** The value as JSON, with what JSON lacks spelled out. */
function show(value: unknown): string {
  return JSON.stringify(value, (_, item: unknown) =>
    typeof item === 'number' && (!Number.isFinite(item) || Object.is(item, -0))
      ? Object.is(item, -0)
        ? '-0'
        : String(item)
      : item,
  )
}

describe('values of TOML', () => {
  test.each([
    { name: 'nothing', text: '', want: '{}' },
    { name: 'a comment alone', text: '# a = 1', want: '{}' },
    { name: 'a byte order mark', text: '\uFEFFa = 1', want: '{"a":1}' },
    { name: 'Windows line ends', text: 'a = 1\r\n[b]\r\nc = 2\r\n', want: '{"a":1,"b":{"c":2}}' },
    {
      name: 'integers of all kinds',
      text: 'a = [+1, -17, 1_000, 0x1F, 0o17, 0b11]',
      want: '{"a":[1,-17,1000,31,15,3]}',
    },
    { name: 'minus nought as an integer', text: 'a = -0', want: '{"a":0}' },
    {
      name: 'the largest integers',
      text: 'a = [9007199254740991, -9007199254740991]',
      want: '{"a":[9007199254740991,-9007199254740991]}',
    },
    { name: 'floats', text: 'a = [1.5, -0.0, 6.02e23, 1e-3, 1_0.0_1]', want: '{"a":[1.5,"-0",6.02e+23,0.001,10.01]}' },
    { name: 'truth', text: 'a = [true, false]', want: '{"a":[true,false]}' },
    {
      name: 'escapes',
      text: String.raw`a = "\t\"\\\u00e9\U0001F642\e\x41"`,
      want: JSON.stringify({ a: '\t"\\é🙂\u001bA' }),
    },
    { name: 'literal text', text: String.raw`a = 'C:\new'`, want: String.raw`{"a":"C:\\new"}` },
    {
      name: 'text of several lines',
      text: 'a = """\none\ntwo \\\n   three"""\nb = \'\'\'\nx\\\ny\'\'\'',
      want: '{"a":"one\\ntwo three","b":"x\\\\\\ny"}',
    },
    { name: 'quotes within triple quotes', text: 'a = """""x"""""', want: '{"a":"\\"\\"x\\"\\""}' },
    { name: 'an offset date-time', text: 'a = 1979-05-27T07:32:00Z', want: '{"a":"1979-05-27T07:32:00.000Z"}' },
    {
      name: 'an offset date-time with blank and zone',
      text: 'a = 1979-05-27 00:32:00.5-07:30',
      want: '{"a":"1979-05-27T00:32:00.500-07:30"}',
    },
    { name: 'small letters in a date', text: 'a = 1979-05-27t07:32:00z', want: '{"a":"1979-05-27T07:32:00.000Z"}' },
    { name: 'a local date-time', text: 'a = 1979-05-27T07:32', want: '{"a":"1979-05-27T07:32:00.000"}' },
    { name: 'a local date', text: 'a = 1979-05-27', want: '{"a":"1979-05-27"}' },
    { name: 'a local time', text: 'a = 07:32:00.25', want: '{"a":"07:32:00.250"}' },
    { name: 'dotted keys', text: 'a.b.c = 1\na.b.d = 2\na . "e.f" = 3', want: '{"a":{"b":{"c":1,"d":2},"e.f":3}}' },
    { name: 'keys that look like numbers', text: '1.2 = 3', want: '{"1":{"2":3}}' },
    { name: 'an empty key', text: '"" = 1', want: '{"":1}' },
    {
      name: 'keys with names of the language',
      text: '__proto__.x = 1\nconstructor = 2\n[toString]\nvalueOf = 3',
      want: '{"__proto__":{"x":1},"constructor":2,"toString":{"valueOf":3}}',
    },
    { name: 'a table above its own sub-table', text: '[a.b]\nx = 1\n[a]\ny = 2', want: '{"a":{"b":{"x":1},"y":2}}' },
    {
      name: 'a sub-table of a dotted key',
      text: '[a]\nb.x = 1\n[a.b.c]\ny = 2',
      want: '{"a":{"b":{"x":1,"c":{"y":2}}}}',
    },
    {
      name: 'arrays of tables',
      text: '[[a]]\nx = 1\n[[a.b]]\ny = 2\n[[a.b]]\n[a.b.c]\nz = 3\n[[a]]',
      want: '{"a":[{"x":1,"b":[{"y":2},{"c":{"z":3}}]},{}]}',
    },
    {
      name: 'arrays over lines, with a comma at the end',
      text: 'a = [ # one\n  1, # two\n  [ "x" ],\n]',
      want: '{"a":[1,["x"]]}',
    },
    {
      name: 'inline tables',
      text: 'a = { b.c = 1, d = { }, e = [ { f = 2 } ] }',
      want: '{"a":{"b":{"c":1},"d":{},"e":[{"f":2}]}}',
    },
    { name: 'an inline table over lines', text: 'a = {\n  b = 1,\n  c = 2,\n}', want: '{"a":{"b":1,"c":2}}' },
  ])('$name', async ({ text, want }) => {
    expect(show((await readToml(text)).value)).toBe(want)
  })

  test('are dates in UTC where they name no zone, whatever zone the machine is in', async () => {
    const zone = process.env['TZ']
    process.env['TZ'] = 'America/New_York'
    try {
      const { value } = await readToml('a = [1979-05-27, 1979-05-27T07:32:00, 07:32:00, 1979-05-27T00:32:00-07:00]')
      const dates = value['a'] as Date[]
      expect(dates.every((date) => date instanceof Date)).toBe(true)
      expect(dates.map((date) => date.getTime())).toEqual([
        Date.UTC(1979, 4, 27),
        Date.UTC(1979, 4, 27, 7, 32),
        Date.parse('0000-01-01T07:32:00Z'),
        Date.UTC(1979, 4, 27, 7, 32),
      ])
    } finally {
      if (zone === undefined) delete process.env['TZ']
      else process.env['TZ'] = zone
    }
  })

  test('leave Object.prototype alone', async () => {
    await readToml('[__proto__]\npolluted = 1')
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
  })
})

describe('TOML that is refused', () => {
  test.each([
    { name: 'text without quotes', text: 'a = b', want: '1:5 invalid value (text must be in quotes)' },
    {
      name: 'text without quotes in an array',
      text: 'a = [\n  x]',
      want: '2:3 invalid value (text must be in quotes)',
    },
    { name: 'an address without quotes', text: 'a = k1:9092', want: '1:5 invalid value (text must be in quotes)' },
    { name: 'a duration without quotes', text: 'a = 5s', want: '1:6 invalid value (text must be in quotes)' },
    { name: 'letters beyond ASCII in the name of a table', text: '[é]', want: '1:2 unexpected character' },
    { name: 'True', text: 'a = True', want: '1:5 invalid value (text must be in quotes)' },
    { name: 'no value', text: 'a = 1\nb = ', want: '2:5 a value is missing' },
    { name: 'no key', text: '= 1', want: '1:1 unexpected token' },
    { name: 'no equals sign', text: 'a', want: '1:2 "=" is missing after the key' },
    { name: 'a colon as in YAML', text: 'a: 1', want: '1:2 unexpected character' },
    { name: 'two values in one line', text: 'a = 1 b = 2', want: '1:7 a line break is missing here' },
    { name: 'a comma at the end of a line', text: 'a = 1,', want: '1:6 a line break is missing here' },
    { name: 'no comma', text: 'a = [1 2]', want: '1:8 a comma is missing' },
    { name: 'an array without end', text: 'a = [1', want: '1:7 "]" is missing' },
    { name: 'text without end', text: 'a = "x\nb = 1', want: '1:7 the closing quote is missing' },
    { name: 'a leading nought', text: 'a = 01', want: '1:5 leading zeros are not allowed' },
    { name: 'a key twice', text: 'a = 1\na = 2', want: '2:1 key "a" is defined twice' },
    { name: 'a quoted key twice', text: '"a b" = 1\n\'a b\' = 2', want: "2:1 key 'a b' is defined twice" },
    { name: 'a value that becomes a table', text: 'a.b = 1\na.b.c = 2', want: '2:3 key "b" is defined twice' },
    { name: 'a table twice', text: '[a]\n[a]', want: '2:2 key "a" is defined twice' },
    { name: 'a table that is an array of tables', text: '[[a]]\n[a]', want: '2:2 key "a" is defined twice' },
    { name: 'an array that becomes one of tables', text: 'a = []\n[[a]]', want: '2:3 key "a" is defined twice' },
    { name: 'an inline table that grows', text: 'a = { b = 1 }\n[a.c]', want: '2:2 key "a" is defined twice' },
    {
      name: 'a dotted key that enters a table with its own header',
      text: '[a.b]\nx = 1\n[a]\nb.y = 2',
      want: '4:1 key "b" is defined twice',
    },
    { name: 'a month that does not exist', text: 'a = 1979-13-01', want: '1:5 invalid date' },
    { name: 'a day that does not exist', text: 'a = 2023-02-30', want: '1:5 invalid date' },
    { name: 'a leap second', text: 'a = 1990-12-31T23:59:60Z', want: '1:5 invalid date' },
    { name: 'a control character', text: 'a = "\u0001"', want: /^1:6 / },
    { name: 'half of a pair', text: String.raw`a = "\ud800"`, want: /^1:\d+ invalid code point/ },
    {
      name: 'an integer of 2^53',
      text: 'a = 9007199254740992',
      want: '1:5 integer 9007199254740992 is beyond 2^53 and would be rounded',
    },
    {
      name: 'a negative integer beyond 2^53',
      text: 'x = 1\n[b]\nc = [1, -9007199254740993]',
      want: '3:9 integer -9007199254740993 is beyond 2^53 and would be rounded',
    },
    {
      name: 'a hexadecimal integer beyond 2^53',
      text: 'a = 0xFFFFFFFFFFFFFFFF',
      want: /^1:5 integer .* is beyond 2\^53/,
    },
    // A stage wrote null in the place of either.
    { name: 'infinity', text: 'a = [1, -inf]', want: '1:9 number -inf is not one that JSON can hold' },
    { name: 'what is no number', text: 'a = nan', want: '1:5 number nan is not one that JSON can hold' },
    {
      name: 'nesting without end',
      text: `a = ${'['.repeat(100_000)}${']'.repeat(100_000)}`,
      want: 'arrays or tables are nested too deeply',
    },
  ])('$name', async ({ text, want }) => {
    const error = await readToml(text).catch((error: unknown) => error)
    expect(error).toBeInstanceOf(TomlError)
    const { message, position, suggestion } = error as TomlError
    const place = position === undefined ? '' : `${position.line}:${position.column} `
    expect(`${place}${message}${suggestion === undefined ? '' : ` (${suggestion})`}`).toEqual(
      typeof want === 'string' ? want : expect.stringMatching(want),
    )
  })
})
