import fc from 'fast-check'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { definitionOf, optionsOf, transform } from '../support/functions.ts'

interface Row {
  readonly name: string
  readonly options: { readonly [name: string]: unknown }
  readonly have: readonly unknown[]
  readonly want: readonly unknown[]
}

const TABLES: { readonly [name: string]: readonly Row[] } = {
  'filter.apply': [
    {
      name: 'takes a number in text for a number',
      options: { column: 'a', operator: '>', value: '9' },
      have: [{ a: 10 }, { a: '10' }, { a: 8 }, { a: '#' }],
      want: [{ a: 10 }, { a: '10' }],
    },
    // No row passed, as a value that looks like a number compared with numbers only.
    {
      name: 'compares other text with it as text',
      options: { column: 'd', operator: '>=', value: '2024' },
      have: [{ d: '2023-12-31' }, { d: '2024-01-31' }, { d: '2025' }, { d: 2025 }],
      want: [{ d: '2024-01-31' }, { d: '2025' }, { d: 2025 }],
    },
    {
      name: 'compares a number with numbers only',
      options: { column: 'd', operator: '>=', value: 2024 },
      have: [{ d: '2024-01-31' }, { d: 2025 }, { d: '2026' }],
      want: [{ d: 2025 }, { d: '2026' }],
    },
    {
      name: 'orders text as text when the value is none',
      options: { column: 'a', operator: '<', value: 'm' },
      have: [{ a: 'b' }, { a: 'z' }, { a: 1 }],
      want: [{ a: 'b' }],
    },
    {
      name: 'compares by the type of the cell',
      options: { column: 'a', value: '7' },
      have: [{ a: 7 }, { a: '7' }, { a: '07' }, { a: 7.5 }],
      want: [{ a: 7 }, { a: '7' }],
    },
    {
      name: 'never lets null and missing cells pass',
      options: { column: 'a', operator: '!=', value: 'x' },
      have: [{ a: 'y' }, { a: null }, {}, { a: 'x' }],
      want: [{ a: 'y' }],
    },
    {
      name: 'knows booleans as text',
      options: { column: 'a', operator: '=', value: 'true' },
      have: [{ a: true }, { a: false }, { a: 'true' }],
      want: [{ a: true }, { a: 'true' }],
    },
    {
      name: 'finds text in text and elements in lists',
      options: { column: 'a', operator: 'contains', value: 'b' },
      have: [{ a: 'abc' }, { a: ['b'] }, { a: ['abc'] }, { a: 1 }],
      want: [{ a: 'abc' }, { a: ['b'] }],
    },
    {
      name: 'takes a list as text with commas',
      options: { column: 'a', operator: 'in', value: '1, x' },
      have: [{ a: 1 }, { a: 'x' }, { a: 2 }],
      want: [{ a: 1 }, { a: 'x' }],
    },
    {
      name: 'descends into objects, unless a column has the dots in its name',
      options: { column: 'a.b', value: 1 },
      have: [{ a: { b: 1 } }, { 'a.b': 1 }, { a: { b: 2 } }, { a: 1 }],
      want: [{ a: { b: 1 } }, { 'a.b': 1 }],
    },
    {
      name: 'is not misled by what every object has',
      options: { column: 'constructor', operator: '!=', value: 'x' },
      have: [{}, { constructor: 'y' }],
      want: [{ constructor: 'y' }],
    },
  ],
  'map.apply': [
    {
      name: 'takes an operator between blanks first',
      options: { expression: 'unit-price * 2', output_column: 'b' },
      have: [{ 'unit-price': 3 }],
      want: [{ 'unit-price': 3, b: 6 }],
    },
    {
      name: 'takes a hyphen without blanks for a minus where there is no other operator',
      options: { expression: 'a-b', output_column: 'c' },
      have: [{ a: 3, b: 1 }],
      want: [{ a: 3, b: 1, c: 2 }],
    },
    {
      name: 'divides columns',
      options: { expression: 'a/b', output_column: 'q' },
      have: [{ a: 6, b: 3 }, { a: 1, b: 0 }, { a: 1 }],
      want: [
        { a: 6, b: 3, q: 2 },
        { a: 1, b: 0, q: null },
        { a: 1, q: null },
      ],
    },
    {
      name: 'reads negative numbers',
      options: { expression: 'a + -5', output_column: 'a' },
      have: [{ a: 7, z: 1 }],
      want: [{ a: 2, z: 1 }],
    },
    {
      name: 'copies a column, nested values too',
      options: { expression: 'a.b', output_column: 'c' },
      have: [{ a: { b: [1, { d: null }] } }],
      want: [{ a: { b: [1, { d: null }] }, c: [1, { d: null }] }],
    },
  ],
  'sort.apply': [
    {
      name: 'sorts a column of text as text, digits included',
      options: { by: 'a' },
      have: [{ a: '9' }, { a: null }, { a: '10' }, { a: 'b' }],
      want: [{ a: null }, { a: '10' }, { a: '9' }, { a: 'b' }],
    },
    {
      name: 'sorts numbers and digits in text together',
      options: { by: 'a' },
      have: [{ a: '9' }, { a: 9.5 }, { a: '10' }],
      want: [{ a: '9' }, { a: 9.5 }, { a: '10' }],
    },
    {
      name: 'sorts by several columns, each in its direction',
      options: { by: 'a,b', descending: [true, false] },
      have: [
        { a: 1, b: 2 },
        { a: 2, b: 9 },
        { a: 2, b: 1 },
      ],
      want: [
        { a: 2, b: 1 },
        { a: 2, b: 9 },
        { a: 1, b: 2 },
      ],
    },
    {
      name: 'puts nulls first',
      options: { by: 'a', descending: true },
      have: [{ a: 1 }, {}, { a: 2 }],
      want: [{}, { a: 2 }, { a: 1 }],
    },
    {
      name: 'puts nulls last on request',
      options: { by: 'a', nulls_last: 'true' },
      have: [{ a: null, n: 1 }, { a: 2 }, { a: 1 }],
      want: [{ a: 1 }, { a: 2 }, { a: null, n: 1 }],
    },
  ],
  'distinct.apply': [
    {
      name: 'drops all that are not alone',
      options: { columns: 'a', keep: 'none' },
      have: [{ a: 1, b: 1 }, { a: 1, b: 2 }, { a: 2 }],
      want: [{ a: 2 }],
    },
    {
      name: 'does not take where a record came from for a difference',
      options: {},
      have: [
        { a: 1, _kafka_offset: 1, _kafka_partition: 0 },
        { a: 1, _kafka_offset: 2, _kafka_partition: 1 },
      ],
      want: [{ a: 1, _kafka_offset: 1, _kafka_partition: 0 }],
    },
    {
      name: 'distinguishes text from numbers',
      options: { columns: 'a' },
      have: [{ a: 1 }, { a: '1' }],
      want: [{ a: 1 }, { a: '1' }],
    },
  ],
  'groupby.apply': [
    {
      name: 'computes everything there is',
      options: {
        by: ['g'],
        aggregations: ['sum', 'avg', 'mean', 'count', 'min', 'max', 'median', 'std', 'var', 'first', 'last'].map(
          (operation) => ({ column: 'x', operation, output_column: operation }),
        ),
      },
      have: [{ g: 'a', x: 2 }, { g: 'a', x: 4 }, { g: 'a', x: '9' }, { g: 'a', x: null }, { g: 'b' }],
      want: [
        {
          g: 'a',
          sum: 15,
          avg: 5,
          mean: 5,
          count: 3,
          min: 2,
          max: 9,
          median: 4,
          std: Math.sqrt(13),
          var: 13,
          first: 2,
          last: null,
        },
        {
          g: 'b',
          sum: 0,
          avg: null,
          mean: null,
          count: 0,
          min: null,
          max: null,
          median: null,
          std: null,
          var: null,
          first: null,
          last: null,
        },
      ],
    },
    {
      name: 'groups by several columns, null among them',
      options: { by: 'a,b', aggregations: [{ column: 'x', operation: 'sum' }] },
      have: [
        { a: 1, b: null, x: 1 },
        { a: 1, x: 2 },
        { a: '1', x: 4 },
      ],
      want: [
        { a: 1, b: null, x: 3 },
        { a: '1', b: null, x: 4 },
      ],
    },
  ],
  'reduce.apply': [
    {
      name: 'takes the first cell even where it is null',
      options: { column: 'a', operation: 'first' },
      have: [{ a: null }, { a: 1 }],
      want: [{ result: null }],
    },
    {
      name: 'compares text as text',
      options: { column: 'a', operation: 'min' },
      have: [{ a: '9' }, { a: '10' }],
      want: [{ result: '10' }],
    },
    {
      name: 'compares text that looks like a number with numbers as one',
      options: { column: 'a', operation: 'min' },
      have: [{ a: '9' }, { a: 10 }],
      want: [{ result: 9 }],
    },
    {
      name: 'adds booleans as 0 and 1',
      options: { column: 'a', operation: 'sum' },
      have: [{ a: true }, { a: false }, { a: true }, { a: 'true' }],
      want: [{ result: 2 }],
    },
    {
      name: 'names its column',
      options: { column: 'a', operation: 'max', output_column: 'top' },
      have: [{ a: 'x' }, { a: 'y' }],
      want: [{ top: 'y' }],
    },
  ],
  'json.extract': [
    {
      name: 'gives scalars as text and the rest as JSON',
      options: { column: 'j', path: 'a.0', output_column: 'o' },
      have: [{ j: '{"a":[5]}' }, { j: { a: [{ b: true }] } }, { j: 'no json' }],
      want: [
        { j: '{"a":[5]}', o: '5' },
        { j: { a: [{ b: true }] }, o: '{"b":true}' },
        { j: 'no json', o: null },
      ],
    },
    {
      name: 'gives numbers with the digits that they have in the text',
      options: { column: 'j', path: 'a', output_column: 'o' },
      have: [{ j: '{"a":9007199254740993}' }, { j: '{"a":{"b":1.50}}' }],
      want: [
        { j: '{"a":9007199254740993}', o: '9007199254740993' },
        { j: '{"a":{"b":1.50}}', o: '{"b":1.50}' },
      ],
    },
  ],
  'select.apply': [
    {
      name: 'takes nested values along',
      options: { columns: 'a.b, c' },
      have: [{ a: { b: { x: [1] } }, c: null }],
      want: [{ 'a.b': { x: [1] }, c: null }],
    },
  ],
  'aggregate.stream': [
    {
      name: 'computes over all rows without a window',
      options: { operation: 'avg', column: 'x' },
      have: [{ x: 1 }, { x: '2' }, { x: null }],
      want: [{ avg: 1.5 }],
    },
  ],
}

describe.each(Object.entries(TABLES))('%s', (name, rows) => {
  test.each(rows)('$name', async ({ options, have, want }) => {
    expect((await transform(name, options, [have])).rows).toEqual(want)
  })
})

describe('refuses', () => {
  test.each([
    { name: 'filter.apply', options: { column: 'a', operator: '~', value: 1 }, problem: /must be one of/ },
    { name: 'filter.apply', options: { column: 'a', value: { b: 1 } }, problem: /text, a number, a boolean or a list/ },
    {
      name: 'filter.apply',
      options: { column: 'a', operator: '>', value: [1] },
      problem: /use in|Cannot use operator ">" with a list/,
    },
    {
      name: 'map.apply',
      options: { expression: 'a * b + c', output_column: 'x' },
      problem: /Cannot read the expression/,
    },
    // They gave null in every row.
    ...['True', 'amount % 2', 'round(amount)', 'amount > 2', 'a ? b : c', '"a'].map((expression) => ({
      name: 'map.apply',
      options: { expression, output_column: 'x' },
      problem: /Cannot read the expression/,
    })),
    { name: 'sort.apply', options: { by: 'a,b,c', descending: [true, false] }, problem: /it has 2 for 3 columns/ },
    { name: 'chunk.apply', options: { batch_size: 10_001 }, problem: /between 1 and 10000/ },
    { name: 'window.apply', options: { type: 'sliding', size: 3 }, problem: /Missing option "slide"/ },
    { name: 'aggregate.stream', options: { operation: 'sum' }, problem: /Missing option "value_column"/ },
    {
      name: 'encrypt.apply',
      options: { column: 'a', key: 'secret-that-is-short' },
      problem: /exactly 32 bytes.*it has 20/,
    },
    {
      name: 'groupby.apply',
      options: { by: 'a', aggregations: [{ column: 'b', operation: 'summ' }] },
      problem: /must be one of/,
    },
    { name: 'stage.pipeline', options: {}, problem: /Set either file or inline/ },
  ])('$name with $options', ({ name, options, problem }) => {
    const { problems } = optionsOf(name, options)
    expect(problems.join()).toMatch(problem)
    expect(problems.join()).not.toContain('secret-that-is-short')
  })

  // A filter by a misspelled column dropped everything, and the run succeeded and committed.
  test.each([
    { name: 'select.apply', options: { columns: 'amuont' } },
    { name: 'filter.apply', options: { column: 'amuont', value: 1 } },
    { name: 'map.apply', options: { expression: 'amuont * 2', output_column: 'x' } },
    { name: 'map.apply', options: { expression: 'amuont', output_column: 'x' } },
    { name: 'sort.apply', options: { by: 'user,amuont' } },
    { name: 'distinct.apply', options: { columns: 'amuont' } },
    { name: 'distinct.apply', options: { columns: 'amuont', keep: 'last' } },
    { name: 'json.extract', options: { column: 'amuont', path: 'a', output_column: 'x' } },
    { name: 'reduce.apply', options: { column: 'amuont', operation: 'sum' } },
    { name: 'aggregate.stream', options: { operation: 'count', group_by: 'amuont' } },
    {
      name: 'groupby.apply',
      options: { by: 'user', aggregations: [{ column: 'amuont', operation: 'sum', output_column: 'x' }] },
    },
  ])('a column that no row of the first batch has, with the one that was meant: $name', async ({ name, options }) => {
    const rows = [{ amount: 1, user: 1 }, { user: 2 }]
    await expect(transform(name, options, [[], rows])).rejects.toThrow(
      'Cannot use column "amuont" in stage "tested" as none of the first 2 rows has it: did you mean "amount"',
    )
    // One that some row has may be missing in others, and in whole batches later on.
    const there = [[{ user: 1 }, { user: 1, amuont: null }], [{ user: 2 }]]
    await expect(transform(name, options, there)).resolves.toBeDefined()
  })

  // With as few as 16 rows in the first batch, a run on a mixed topic stopped at every start.
  test.each([
    { name: 'filter.apply', options: { column: 'error.code', value: 1 }, want: [{ id: 3, error: { code: 1 } }] },
    {
      name: 'select.apply',
      options: { columns: 'error' },
      want: [{ error: null }, { error: null }, { error: { code: 1 } }],
    },
    {
      name: 'groupby.apply',
      options: { by: 'error', aggregations: [{ column: 'id', operation: 'count' }] },
      want: expect.arrayContaining([expect.objectContaining({ id: 1 })]),
    },
  ])('not a column that rows may have later: $name warns once and continues', async ({ name, options, want }) => {
    const warnings: string[] = []
    const warn = (message: string): void => void warnings.push(message)
    const { rows } = await transform(name, options, [[{ id: 1 }], [{ id: 2 }], [{ id: 3, error: { code: 1 } }]], {
      warn,
    })
    expect(rows).toEqual(want)
    expect(warnings).toEqual([
      expect.stringMatching(/^The first row has no column "error(\.code)?" of stage "tested".*: there is id$/),
    ])
  })

  test('more rows than a stage may collect', async () => {
    await expect(transform('sort.apply', { by: 'a', max_rows: 2 }, [[{ a: 1 }, { a: 2 }], [{ a: 3 }]])).rejects.toThrow(
      /Cannot collect 3 rows in stage "tested" as max_rows is 2/,
    )
    await expect(
      transform('groupby.apply', { by: 'a', max_rows: 1, aggregations: [{ column: 'a', operation: 'sum' }] }, [
        [{ a: 1 }, { a: 2 }],
      ]),
    ).rejects.toThrow(/max_rows is 1/)
    await expect(
      transform('window.apply', { type: 'session', gap: 60, max_rows: 2 }, [[{ a: 1 }, { a: 2 }], [{ a: 3 }]]),
    ).rejects.toThrow(/Cannot collect 3 rows in stage "tested" as max_rows is 2/)
  })
})

describe('acknowledgements (I1)', () => {
  const batches = [[{ a: 3 }, { a: 1 }], [{ a: 2 }], [{ a: 5 }, { a: 4 }]]

  test.each([
    { name: 'sort.apply', options: { by: 'a' } },
    { name: 'distinct.apply', options: { keep: 'last' } },
    { name: 'groupby.apply', options: { by: 'a', aggregations: [{ column: 'a', operation: 'sum' }] } },
    { name: 'reduce.apply', options: { column: 'a', operation: 'sum' } },
    { name: 'chunk.apply', options: { batch_size: 4 } },
    { name: 'window.apply', options: { size: 4 } },
    { name: 'window.apply', options: { type: 'sliding', size: 3, slide: 1 } },
    { name: 'window.apply', options: { type: 'session', gap: 60 } },
    { name: 'aggregate.stream', options: { operation: 'count' } },
  ])('$name holds them until what was made of the rows is acknowledged', async ({ name, options }) => {
    const { acknowledged } = await transform(name, options, batches)
    expect(acknowledged).toEqual(batches.map(() => ({ before: false, after: true })))
  })

  test.each([
    { name: 'filter.apply', options: { column: 'a', operator: '>', value: 2 }, have: batches },
    {
      name: 'distinct.apply',
      options: { columns: 'a' },
      have: [[{ a: 3 }, { a: 1 }], [{ a: 3 }], [{ a: 1 }, { a: 4 }]],
    },
  ])('$name acknowledges what it drops at once', async ({ name, options, have }) => {
    expect((await transform(name, options, have)).acknowledged).toEqual([
      { before: false, after: true },
      { before: true, after: false },
      { before: false, after: true },
    ])
  })

  test('distinct.apply lets the first row of each batch through before the next comes', async () => {
    const have = [[{ a: 1 }, { a: 1, b: 1 }], [{ a: 1 }], [{ a: 2 }, { a: 1 }]]
    expect((await transform('distinct.apply', { columns: 'a', keep: 'any' }, have)).batches).toEqual([
      [{ a: 1 }],
      [{ a: 2 }],
    ])
  })

  test('a batch in several windows is acknowledged exactly with the last of them, whatever the sizes', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 8 }),
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 1, max: 7 }),
        async (lengths, size, slide) => {
          let next = 0
          const have = lengths.map((length) => Array.from({ length }, () => ({ n: next++ })))
          const { acknowledged, batches: windows } = await transform(
            'window.apply',
            { type: 'sliding', size, slide },
            have,
          )
          expect(acknowledged.every(({ before, after }) => before || after)).toBe(true)
          for (const [i, window] of windows.entries()) expect((window[0] as { n: number }).n).toBe(i * slide)
          const seen = new Set(windows.flat().map((row) => (row as { n: number }).n))
          for (let n = 0; n < next; n++) expect(seen.has(n)).toBe(n % slide < size)
        },
      ),
      { numRuns: 200 },
    )
  })
})

describe('windows', () => {
  const rows = [1, 2, 3, 4, 5].map((a) => ({ a }))

  test.each([
    { name: 'tumbling ones follow one another', options: { size: 2 }, want: [[1, 2], [3, 4], [5]] },
    {
      name: 'sliding ones overlap',
      options: { type: 'sliding', size: 3, slide: 2 },
      want: [
        [1, 2, 3],
        [3, 4, 5],
      ],
    },
    { name: 'sliding ones may leave rows out', options: { type: 'sliding', size: 1, slide: 2 }, want: [[1], [3], [5]] },
  ])('$name', async ({ options, want }) => {
    const { batches } = await transform('window.apply', options, [rows.slice(0, 1), rows.slice(1)])
    expect(batches.map((batch) => batch.map((row) => (row as { a: number }).a))).toEqual(want)
  })

  test('aggregate.stream computes over each window', async () => {
    const { rows: sums } = await transform(
      'aggregate.stream',
      { operation: 'sum', value_column: 'a' },
      [rows.slice(0, 2), rows.slice(2)],
      { isWindowed: true },
    )
    expect(sums).toEqual([{ sum: 3 }, { sum: 12 }])
  })
})

describe('validate.schema', () => {
  const options = {
    required_fields: ['id'],
    field_types: { n: 'int', t: 'datetime', d: 'date' },
    non_nullable: 'n',
    date_fields: 'd',
    unique: 'id',
  }
  const good = { id: 1, n: 1, t: '2026-01-31T10:00:00Z', d: '2026-02-28' }

  test.each([
    { name: 'a missing field', row: { n: 1 }, problem: 'is missing the required field "id"' },
    { name: 'a null', row: { ...good, n: null }, problem: 'has null in field "n"' },
    { name: 'a wrong type', row: { ...good, n: 1.5 }, problem: 'must have type integer in field "n"' },
    {
      name: 'a day that does not exist',
      row: { ...good, d: '2026-02-31' },
      problem: 'must have type date in field "d"',
    },
    { name: 'a second one', row: good, problem: 'has a value in field "id" that another row had before' },
  ])('refuses $name, and lets the others through where failures are collected', async ({ row, problem }) => {
    await expect(transform('validate.schema', options, [[good], [row]])).rejects.toThrow(problem)
    const { rows, failures } = await transform('validate.schema', options, [[good, row, { ...good, id: 2 }]], {}, true)
    expect(rows).toEqual([good, { ...good, id: 2 }])
    expect(failures).toEqual([expect.stringContaining(problem)])
  })

  test('says how many rows have the same fault', async () => {
    await expect(transform('validate.schema', { required_fields: 'id' }, [[{ id: 1 }, {}, {}]])).rejects.toThrow(
      /offset 101 .* and 1 of the 3 rows/,
    )
  })
})

describe('encrypt.apply and decrypt.apply', () => {
  test.each([
    { algorithm: 'aes-128-gcm', key: '0123456789abcdef' },
    { algorithm: 'aes-256-gcm', key: '0123456789abcdef0123456789abcdef' },
    { algorithm: 'chacha20-poly1305', key: '0123456789abcdef0123456789abcdef' },
  ])('return with $algorithm what was put in, and nothing with another key', async ({ algorithm, key }) => {
    const have = [{ c: 'täst' }, { c: 12.5 }, { c: { a: [1] } }, { c: null }, {}]
    const { rows } = await transform('encrypt.apply', { column: 'c', key, algorithm, output_column: 'x' }, [have])
    const texts = (rows as { x: string | null }[]).map(({ x }) => x)
    expect(Buffer.from(texts[0]!, 'base64').length).toBe(12 + Buffer.byteLength('täst') + 16)
    expect(texts.slice(3)).toEqual([null, null])
    const back = await transform('decrypt.apply', { column: 'x', key, algorithm }, [rows])
    expect((back.rows as { x_decrypted: unknown }[]).map(({ x_decrypted }) => x_decrypted)).toEqual([
      'täst',
      '12.5',
      '{"a":[1]}',
      null,
      null,
    ])
    const wrong = key.replace('0', '1')
    expect((await transform('decrypt.apply', { column: 'x', key: wrong, algorithm }, [rows])).rows).toMatchObject(
      texts.map(() => ({ x_decrypted: null })),
    )
    await expect(
      transform('decrypt.apply', { column: 'x', key: wrong, algorithm, fail_on_error: true }, [rows]),
    ).rejects.toThrow(/"tested" to the record at offset 100/)
  })
})

describe('http.fetch', () => {
  let server: Server
  let address: string
  const bodies: string[] = []
  beforeAll(async () => {
    server = createServer((request, response) => {
      let body = ''
      request.on('data', (chunk: Buffer) => (body += chunk.toString()))
      request.on('end', () => {
        bodies.push(body)
        if (request.url === '/fail') response.writeHead(500).end()
        else if (request.url === '/text') response.end('no json')
        else response.end(JSON.stringify({ url: request.url, key: request.headers['x-key'] ?? null }))
      })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  })
  afterAll(() => new Promise((resolve) => server.close(resolve)))

  test('asks for each row, in the order of the rows', async () => {
    const have = Array.from({ length: 30 }, (_, id) => ({ id, name: 'a/b c' }))
    const { rows } = await transform(
      'http.fetch',
      { url: `${address}/users/{{ id }}?n={{name}}`, result_field: 'user', headers: { 'x-key': 'k' } },
      [have],
    )
    expect(rows).toEqual(have.map((row) => ({ ...row, user: { url: `/users/${row.id}?n=a%2Fb%20c`, key: 'k' } })))
  })

  test('puts null where a request failed, and text where the answer is no JSON', async () => {
    const { rows } = await transform('http.fetch', { url: `${address}/{{ path }}` }, [
      [{ path: 'fail' }, { path: 'text' }],
    ])
    expect(rows).toEqual([
      { path: 'fail', http_result: null },
      { path: 'text', http_result: 'no json' },
    ])
  })

  test('asks once for all rows in mode batch', async () => {
    bodies.length = 0
    const body = '{"all": {{ records }}, "names": [{{#each records}}"{{this.name}}"{{/each}}]}'
    const { rows } = await transform(
      'http.fetch',
      { url: address, method: 'POST', mode: 'batch', body, result_field: 'r' },
      [[{ name: 'a"b' }]],
    )
    expect(bodies.map((text) => JSON.parse(text) as unknown)).toEqual([{ all: [{ name: 'a"b' }], names: ['a"b'] }])
    expect(rows).toEqual([{ name: 'a"b', r: { url: '/', key: null } }])
    await expect(transform('http.fetch', { url: `${address}/fail`, mode: 'batch' }, [[{ a: 1 }]])).rejects.toThrow(
      /stage "tested" failed: .*status 500/,
    )
  })

  test('takes its templates for columns', () => {
    expect(definitionOf('http.fetch').templates).toEqual(['url', 'body'])
  })
})
