import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { catalog } from '../../src/catalog.ts'
import type { FunctionDefinition } from '../../src/contracts/functions.ts'
import { readAnyPlan } from '../../src/dialects/index.ts'
import { runPlan } from '../../src/engine/run-plan.ts'
import { csvRead, csvWrite } from '../../src/functions/csv-file.ts'
import { readRows, type ReadOptions } from '../../src/functions/rows/read-rows.ts'
import { stdinRead, stdoutWrite } from '../../src/functions/stdio.ts'
import { parseOptions } from '../../src/options/parse.ts'

let directory: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'millrace-rows-'))
})
afterAll(() => rm(directory, { recursive: true }))

async function read(text: string, options: ReadOptions, piece = 7): Promise<unknown[]> {
  const pieces = Array.from({ length: Math.ceil(text.length / piece) }, (_, i) =>
    text.slice(i * piece, (i + 1) * piece),
  )
  const rows: unknown[] = []
  for await (const some of readRows(Readable.from(pieces, { objectMode: false }), 'test', options))
    rows.push(...some.rows)
  return rows
}

describe('reading rows', () => {
  test.each<{ name: string; text: string; options: ReadOptions; want: unknown[] }>([
    {
      name: 'a list',
      text: '[{"a": 1}, {"a": [1, {"b": null}]}, 5]',
      options: { format: 'records' },
      want: [{ a: 1 }, { a: [1, { b: null }] }, { value: 5 }],
    },
    { name: 'one object', text: '{"a": 1}', options: { format: 'records' }, want: [{ a: 1 }] },
    { name: 'nothing', text: ' \n', options: { format: 'records' }, want: [] },
    { name: 'lines', text: '{"a":1}\r\n\n{"a":"ü"}', options: { format: 'jsonl' }, want: [{ a: 1 }, { a: 'ü' }] },
    {
      name: 'lines behind a byte order mark, none of them an object',
      text: '\uFEFF1\n"x"',
      options: { format: 'jsonl' },
      want: [{ value: 1 }, { value: 'x' }],
    },
    {
      name: 'columns',
      text: '{"a": [1, 2], "b": ["x", null]}',
      options: { format: 'dataframe' },
      want: [
        { a: 1, b: 'x' },
        { a: 2, b: null },
      ],
    },
    {
      name: 'CSV with types',
      text: 'id,zip,ok,n\n1,01234,true,1.5\n2,50667,false,\n',
      options: { format: 'csv' },
      want: [
        { id: 1, zip: '01234', ok: true, n: 1.5 },
        { id: 2, zip: '50667', ok: false, n: null },
      ],
    },
    {
      name: 'CSV with quotes and line feeds in cells',
      text: 'a;b\n"x;y";"1\n2"\n',
      options: { format: 'csv', delimiter: ';' },
      want: [{ a: 'x;y', b: '1\n2' }],
    },
    {
      name: 'CSV without headers',
      text: '1,a\n2,b\n',
      options: { format: 'csv', headers: false },
      want: [
        { column_1: 1, column_2: 'a' },
        { column_1: 2, column_2: 'b' },
      ],
    },
    {
      name: 'CSV whose later cells are of another type',
      text: 'a\n1\n2\nx\n',
      options: { format: 'csv', inferRows: 2 },
      want: [{ a: 1 }, { a: 2 }, { a: 'x' }],
    },
    {
      name: 'CSV with tabs, and columns of the same name',
      text: 'a\tb\ta\ta\n1\tx y\t2\t3\n',
      options: { format: 'csv', delimiter: '\t' },
      want: [{ a: 1, b: 'x y', a_duplicated_0: 2, a_duplicated_1: 3 }],
    },
    { name: 'only headers', text: 'a,b\n', options: { format: 'csv' }, want: [] },
    {
      name: 'CSV with booleans in capitals',
      text: 'a,b\nTrue,FALSE\nFalse,TRUE\n',
      options: { format: 'csv' },
      want: [
        { a: true, b: false },
        { a: false, b: true },
      ],
    },
    {
      name: 'CSV whose rows lack their last cells',
      text: 'a,b,c\n1,2,3\n4\n',
      options: { format: 'csv' },
      want: [
        { a: 1, b: 2, c: 3 },
        { a: 4, b: null, c: null },
      ],
    },
    {
      name: 'a list as columns',
      text: '[{"a":1},{"a":2}]',
      options: { format: 'dataframe' },
      want: [{ a: 1 }, { a: 2 }],
    },
    { name: 'text as it is', text: 'any\ntext', options: { format: 'raw' }, want: [{ data: 'any\ntext' }] },
  ])('$name', async ({ text, options, want }) => {
    expect(await read(text, options)).toEqual(want)
    expect(await read(text, options, 1)).toEqual(want)
  })

  test.each<{ name: string; text: string; options: ReadOptions; problem: RegExp }>([
    {
      name: 'a line that is no JSON',
      text: '{"a":1}\n\n{oops}\n',
      options: { format: 'jsonl' },
      problem: /Cannot read "test": line 3 is not JSON/,
    },
    {
      name: 'lines as a list',
      text: '{"a":1}\n{"a":2}',
      options: { format: 'records' },
      problem: /it looks like one row per line, which is format "jsonl"/,
    },
    // It became one row with the list in it.
    {
      name: 'a list as lines',
      text: '[{"a":1},{"a":2}]',
      options: { format: 'jsonl' },
      problem: /line 1 is a list of rows, which is format "records"/,
    },
    {
      name: 'a list over several lines as lines',
      text: '[\n{"a":1}\n]',
      options: { format: 'jsonl' },
      problem: /line 1 is not JSON.*it looks like a list, which is format "records"/,
    },
    {
      name: 'uneven columns',
      text: '{"a": [1], "b": []}',
      options: { format: 'dataframe' },
      problem: /"a" has 1 row, "b" has 0/,
    },
    {
      name: 'uneven CSV',
      text: 'a,b\n1,2,3\n',
      options: { format: 'csv' },
      problem: /Cannot read "test": Invalid Record Length/,
    },
  ])('refuses $name', async ({ text, options, problem }) => {
    await expect(read(text, options)).rejects.toThrow(problem)
  })
})

// One integer beyond 2^53 made text of its whole column.
test('CSV keeps every digit of large integers', async () => {
  const text = 'id,a\n9007199254740993,x\n2,y\n'
  const [batch] = await Array.fromAsync(readRows(Readable.from([text]), 'test', { format: 'csv' }))
  expect(batch!.rows.map((row) => typeof row['id'])).toEqual(['number', 'number'])
  expect(batch!.texts).toEqual(['{"id":9007199254740993,"a":"x"}', '{"id":2,"a":"y"}'])
})

// Blank lines were counted again from each of them.
test('a broken file with 1 MB of blank lines is refused at once', async () => {
  const began = performance.now()
  const file = Readable.from([Buffer.from(`{}${'\n'.repeat(1_000_000)}x`)])
  await expect(Array.fromAsync(readRows(file, 'test', { format: 'records' }))).rejects.toThrow(/it is not JSON/)
  expect(performance.now() - began).toBeLessThan(1000)
})

// A guess of 100 bytes per row let a run collect as many rows as there were, whatever their size.
test.each<{ name: string; text: string; options: ReadOptions }>([
  { name: 'lines', text: `{"a":"${'x'.repeat(100_000)}"}\n`.repeat(3), options: { format: 'jsonl' } },
  { name: 'a list', text: JSON.stringify(Array(3).fill({ a: 'x'.repeat(100_000) })), options: { format: 'records' } },
  { name: 'CSV', text: `a\n${`${'x'.repeat(100_000)}\n`.repeat(3)}`, options: { format: 'csv' } },
  { name: 'text', text: 'x'.repeat(300_000), options: { format: 'raw' } },
])('rows of $name weigh what they are long', async ({ text, options }) => {
  let weight = 0
  for await (const { byteLength } of readRows(Readable.from([Buffer.from(text)]), 'test', options)) weight += byteLength
  expect(weight).toBeGreaterThanOrEqual(300_000)
  expect(weight).toBeLessThan(301_000)
})

test.each<{ name: string; format: ReadOptions['format']; problem: RegExp }>([
  { name: 'a list', format: 'records', problem: /write one row per line, which is format "jsonl"/ },
  { name: 'a line', format: 'jsonl', problem: /line 1 is too long: a row can have \d+ MiB/ },
])('refuses $name longer than any text may be', async ({ format, problem }) => {
  const part = ' '.repeat(2 ** 24)
  const endless = {
    setEncoding() {},
    async *[Symbol.asyncIterator]() {
      for (;;) yield part
    },
  }
  await expect(readRows(endless as never, 'test', { format }).next()).rejects.toThrow(problem)
})

let rowsSeen = 0

/** Runs a graph from a file of rows into whatever the stages say; paths are below the test's folder. */
async function run(stages: readonly object[], signal = new AbortController().signal, untilEnd = true): Promise<void> {
  rowsSeen = 0
  const file = join(directory, 'graph.json')
  await writeFile(file, JSON.stringify({ pipeline: { name: 'rows' }, stages }))
  const plan = await readAnyPlan(file)
  if (!('nodes' in plan)) throw new Error('not a graph')
  await runPlan(
    { ...plan, directory },
    {
      components: catalog,
      signal,
      abort: new AbortController().signal,
      untilEnd,
      onProgress: ({ read: { records } }) => (rowsSeen = records),
      warn: () => {},
    },
  )
}

describe('writing rows', () => {
  const ROWS = [{ a: 1, b: { c: [1, null] } }, { a: 'x, "y"', d: 9.5 }, { b: null }]

  test.each([
    { name: 'a list', config: {}, want: '[{"a":1,"b":{"c":[1,null]}},{"a":"x, \\"y\\"","d":9.5},{"b":null}]' },
    {
      name: 'lines',
      config: { format: 'jsonl' },
      want: '{"a":1,"b":{"c":[1,null]}}\n{"a":"x, \\"y\\"","d":9.5}\n{"b":null}',
    },
    {
      name: 'columns',
      config: { format: 'dataframe' },
      want: '{"a":[1,"x, \\"y\\"",null],"b":[{"c":[1,null]},null,null],"d":[null,9.5,null]}',
    },
  ])('as $name of JSON', async ({ config, want }) => {
    await writeFile(join(directory, 'in.json'), JSON.stringify(ROWS))
    await run([
      { id: 'in', function: 'json.read', config: { path: 'in.json' } },
      { id: 'out', function: 'json.write', inputs: ['in'], config: { path: 'deep/er/out.json', ...config } },
    ])
    expect(await readFile(join(directory, 'deep/er/out.json'), 'utf8')).toBe(want)
  })

  test.each([
    { name: 'lines', format: 'jsonl', text: '{"id":12345678901234567891,"n":1}\n{"id":12345678901234567892,"n":2}' },
    {
      name: 'a list',
      format: 'records',
      text: '[{"id":12345678901234567891,"n":1},{"id":12345678901234567892,"n":2}]',
    },
    { name: 'columns', format: 'dataframe', text: '{"id":[12345678901234567891,12345678901234567892],"n":[1,2]}' },
  ])('with the digits of integers beyond 2^53, from $name', async ({ format, text }) => {
    await writeFile(join(directory, 'ids'), text)
    await run([
      { id: 'in', function: 'json.read', config: { path: 'ids', format } },
      { id: 'same', function: 'json.write', inputs: ['in'], config: { path: 'same', format } },
      { id: 'm', function: 'map.apply', inputs: ['in'], config: { expression: 'n * 2', output_column: 'm' } },
      { id: 'chunk', function: 'chunk.apply', inputs: ['m'], config: { batch_size: 2 } },
      { id: 'out', function: 'json.write', inputs: ['chunk'], config: { path: 'chunks', format: 'jsonl' } },
    ])
    expect(await readFile(join(directory, 'same'), 'utf8')).toBe(text)
    expect(await readFile(join(directory, 'chunks'), 'utf8')).toBe(
      '{"records":[{"id":12345678901234567891,"n":1,"m":2},{"id":12345678901234567892,"n":2,"m":4}]}',
    )
  })

  // The rows of a file wait in another one as lines, and U+2028 was taken for the end of a line.
  test('with characters that some programs treat as line breaks', async () => {
    const rows = ['\u2028', '\u2029', '\u0085', '\r', '\n'].map((text) => ({ a: `x${text}y` }))
    await writeFile(join(directory, 'in.json'), JSON.stringify(rows))
    await run([
      { id: 'in', function: 'json.read', config: { path: 'in.json' } },
      { id: 'out', function: 'json.write', inputs: ['in'], config: { path: 'out.json' } },
    ])
    expect(JSON.parse(await readFile(join(directory, 'out.json'), 'utf8'))).toEqual(rows)
  })

  test('as a pretty list, which reads as the same', async () => {
    await writeFile(join(directory, 'in.json'), JSON.stringify(ROWS))
    await run([
      { id: 'in', function: 'json.read', config: { path: 'in.json' } },
      { id: 'out', function: 'json.write', inputs: ['in'], config: { path: 'pretty.json', pretty: true } },
      {
        id: 'd',
        function: 'json.write',
        inputs: ['in'],
        config: { path: 'columns.json', pretty: true, format: 'dataframe' },
      },
    ])
    const text = await readFile(join(directory, 'pretty.json'), 'utf8')
    expect(JSON.parse(text)).toEqual(ROWS)
    expect(text.split('\n').length).toBeGreaterThan(10)
    expect(JSON.parse(await readFile(join(directory, 'columns.json'), 'utf8'))).toMatchObject({ d: [null, 9.5, null] })
  })

  test('as CSV with all columns, and back', async () => {
    await writeFile(join(directory, 'in.json'), JSON.stringify(ROWS))
    await run([
      { id: 'in', function: 'json.read', config: { path: 'in.json' } },
      { id: 'out', function: 'csv.write', inputs: ['in'], config: { path: 'out.csv' } },
    ])
    expect(await readFile(join(directory, 'out.csv'), 'utf8')).toBe(
      'a,b,d\n1,"{""c"":[1,null]}",\n"x, ""y""",,9.5\n,,\n',
    )
  })

  test('writes an empty list, and nothing of CSV, where there are no rows', async () => {
    await writeFile(join(directory, 'empty.json'), '[]')
    await run([
      { id: 'in', function: 'json.read', config: { path: 'empty.json' } },
      { id: 'a', function: 'json.write', inputs: ['in'], config: { path: 'e.json' } },
      { id: 'b', function: 'csv.write', inputs: ['in'], config: { path: 'e.csv' } },
    ])
    expect([
      await readFile(join(directory, 'e.json'), 'utf8'),
      await readFile(join(directory, 'e.csv'), 'utf8'),
    ]).toEqual(['[]', ''])
  })

  test('leaves a file as it was when the run fails', async () => {
    await writeFile(join(directory, 'bad.jsonl'), '{"a":1}\nno json\n')
    await writeFile(join(directory, 'kept.json'), 'before')
    await expect(
      run([
        { id: 'in', function: 'json.read', config: { path: 'bad.jsonl', format: 'jsonl' } },
        { id: 'out', function: 'json.write', inputs: ['in'], config: { path: 'kept.json' } },
      ]),
    ).rejects.toThrow(/line 2 is not JSON/)
    expect(await readFile(join(directory, 'kept.json'), 'utf8')).toBe('before')
  })

  test('says which file is not there, or cannot be written', async () => {
    await expect(
      run([
        { id: 'in', function: 'csv.read', config: { path: 'nowhere.csv' } },
        { id: 'o', function: 'csv.write', inputs: ['in'], config: { path: 'o.csv' } },
      ]),
    ).rejects.toMatchObject({
      code: 'FILE_UNREADABLE',
      message: expect.stringMatching(/nowhere\.csv" for csv\.read: the file does not exist/) as unknown,
    })
    await expect(
      run([
        { id: 'in', function: 'json.read', config: { path: 'in.json' } },
        { id: 'o', function: 'csv.write', inputs: ['in'], config: { path: 'in.json/o.csv' } },
      ]),
    ).rejects.toMatchObject({ code: 'FILE_UNWRITABLE' })
  })
})

test.each([
  { delimiter: '\t', means: '\t' },
  { delimiter: '\\t', means: '\t' },
  { delimiter: ' ', means: ' ' },
  { delimiter: '||', means: '||' },
  { delimiter: '', problem: 'must be one character or more' },
  { delimiter: '"', problem: 'must be one character or more' },
  { delimiter: 5, problem: 'must be one character or more' },
])('the delimiter $delimiter of CSV', ({ delimiter, means, problem }) => {
  for (const definition of [csvRead, csvWrite, stdinRead, stdoutWrite]) {
    const { options, problems } = parseOptions(definition as FunctionDefinition, { path: 'a.csv', delimiter })
    const told = problems.filter(({ path }) => path[0] === 'delimiter').map(({ message }) => message)
    if (problem !== undefined) expect(told).toEqual([expect.stringContaining(problem)])
    else expect([told, options['delimiter']]).toEqual([[], means])
  }
})

describe('file.watch', () => {
  test('reads what is appended, until it is asked to stop', { timeout: 30_000 }, async () => {
    const stop = new AbortController()
    await writeFile(join(directory, 'log.jsonl'), '{"n":1}\n')
    const running = run(
      [
        { id: 'in', function: 'file.watch', config: { path: 'log.jsonl', poll_interval_ms: 10 } },
        { id: 'out', function: 'json.write', inputs: ['in'], config: { path: 'seen.json' } },
      ],
      stop.signal,
      false,
    )
    await delay(50)
    await writeFile(join(directory, 'log.jsonl'), '{"n":2}\n', { flag: 'a' })
    await expect.poll(() => rowsSeen, { timeout: 10_000 }).toBe(2)
    stop.abort()
    await running
    expect(JSON.parse(await readFile(join(directory, 'seen.json'), 'utf8'))).toEqual([{ n: 1 }, { n: 2 }])
  })

  // The header of the new text was a row of the old one, and the first line of it was the end of the last line before.
  test.each([
    {
      format: 'csv',
      before: 'id,name\n1,anna\n2,be',
      rows: 1,
      after: 'key\n3\n',
      want: [{ id: 1, name: 'anna' }, { key: 3 }],
    },
    {
      format: 'jsonl',
      before: '{"id":1,"name":"anna"}\n{"id":',
      rows: 1,
      after: '{"id":3}\n',
      want: [{ id: 1, name: 'anna' }, { id: 3 }],
    },
  ])(
    'reads what takes the place of a text as another one: $format',
    { timeout: 30_000 },
    async ({ format, before, rows, after, want }) => {
      const stop = new AbortController()
      const path = `replaced.${format}`
      await writeFile(join(directory, path), before)
      rowsSeen = 0
      const running = run(
        [
          { id: 'in', function: 'file.watch', config: { path, format, poll_interval_ms: 10 } },
          { id: 'out', function: 'json.write', inputs: ['in'], config: { path: 'read.json' } },
        ],
        stop.signal,
        false,
      )
      await expect.poll(() => rowsSeen, { timeout: 10_000 }).toBe(rows)
      await writeFile(join(directory, path), after)
      await expect.poll(() => rowsSeen, { timeout: 10_000 }).toBe(rows + 1)
      stop.abort()
      await running
      expect(JSON.parse(await readFile(join(directory, 'read.json'), 'utf8'))).toEqual(want)
    },
  )

  // It went on in the middle of the new file, as that was longer.
  test(
    'reads the rest of a file that is moved away, and then the longer one in its place',
    { timeout: 30_000 },
    async () => {
      rowsSeen = 0
      const stop = new AbortController()
      const path = join(directory, 'rotated.jsonl')
      await writeFile(path, '{"n":1}\n')
      const running = run(
        [
          { id: 'in', function: 'file.watch', config: { path: 'rotated.jsonl', poll_interval_ms: 200 } },
          { id: 'out', function: 'json.write', inputs: ['in'], config: { path: 'both.json' } },
        ],
        stop.signal,
        false,
      )
      await expect.poll(() => rowsSeen, { timeout: 10_000 }).toBe(1)
      await writeFile(path, '{"n":2}\n{"n":', { flag: 'a' })
      await rename(path, `${path}.1`)
      await writeFile(path, '{"n":10}\n{"n":11}\n{"n":12}\n')
      await expect.poll(() => rowsSeen, { timeout: 10_000 }).toBe(5)
      stop.abort()
      await running
      expect(JSON.parse(await readFile(join(directory, 'both.json'), 'utf8'))).toEqual(
        [1, 2, 10, 11, 12].map((n) => ({ n })),
      )
    },
  )
})

// It counted until the run was stopped, and printed nothing before.
test('aggregate.stream counts what comes together behind a source that never ends', { timeout: 30_000 }, async () => {
  const stop = new AbortController()
  await writeFile(join(directory, 'endless.jsonl'), '{"n":1}\n{"n":2}\n')
  rowsSeen = 0
  const running = run(
    [
      { id: 'in', function: 'file.watch', config: { path: 'endless.jsonl', poll_interval_ms: 10 } },
      { id: 'count', function: 'aggregate.stream', inputs: ['in'], config: { operation: 'count' } },
      { id: 'out', function: 'json.write', inputs: ['count'], config: { path: 'counts.json' } },
    ],
    stop.signal,
    false,
  )
  await expect.poll(() => rowsSeen, { timeout: 10_000 }).toBe(2)
  await writeFile(join(directory, 'endless.jsonl'), '{"n":3}\n', { flag: 'a' })
  await expect.poll(() => rowsSeen, { timeout: 10_000 }).toBe(3)
  stop.abort()
  await running
  expect(JSON.parse(await readFile(join(directory, 'counts.json'), 'utf8'))).toEqual([{ count: 2 }, { count: 1 }])
})
