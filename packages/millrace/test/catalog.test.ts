import { readFile } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import { catalog, SINKS, SOURCES } from '../src/catalog.ts'
import { describe as describeFields } from '../src/options/describe.ts'
import { parseOptions } from '../src/options/parse.ts'

const ENTRIES = [
  ...SOURCES.map((entry) => ({ kind: 'source', ...entry })),
  ...SINKS.map((entry) => ({ kind: 'sink', ...entry })),
]

describe.each(ENTRIES)('$kind $name', (entry) => {
  test('says the same before and after it is loaded', async () => {
    const { name, summary, options, rules } = await entry.load()
    expect({ name, summary }).toEqual({ name: entry.name, summary: entry.summary })
    expect(options).toBe(entry.options)
    expect(rules).toBe(entry.rules)
  })

  test('documents every option in whole sentences', () => {
    for (const row of describeFields(entry.options)) expect(row.doc, row.name).toMatch(/^[A-Z0-9`].*\.$/s)
  })

  test('refuses to be without each required option', () => {
    for (const { name } of describeFields(entry.options).filter(({ required }) => required)) {
      const { problems } = parseOptions(entry, {})
      expect(problems.map(({ message }) => message)).toContainEqual(expect.stringContaining(`"${name}"`))
    }
  })

  test('accepts its own examples', async () => {
    const { examples = [] } = await entry.load()
    expect(examples.length).toBeGreaterThan(0)
    for (const { options } of examples) expect(parseOptions(entry, options).problems).toEqual([])
  })
})

test('has no component of another name', async () => {
  await expect(catalog.source('kafak')).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: 'Unknown source "kafak": did you mean "kafka"',
  })
  await expect(catalog.sink('ftp')).rejects.toMatchObject({
    message: 'Unknown sink "ftp": there are kafka, file, stdout',
  })
})

test('checks a file without loading a client or the engine of the stages', async () => {
  const loaded = await import('node:child_process').then(({ execFileSync }) =>
    execFileSync(
      process.execPath,
      [
        '--input-type=module',
        '-e',
        `const { registerHooks } = await import('node:module')
         registerHooks({ load(url, context, next) { console.log(url); return next(url, context) } })
         const { readPipelineFile } = await import(${JSON.stringify(new URL('../src/dialects/index.ts', import.meta.url).href)})
         await readPipelineFile(process.argv[1])`,
        new URL('../../../examples/orders-etl.yaml', import.meta.url).pathname,
      ],
      { encoding: 'utf8' },
    ).split('\n'),
  )
  expect(loaded.length).toBeGreaterThan(20)
  expect(loaded.filter((url) => /@platformatic|mingo|pino|commander|smol-toml|engine\/run/.test(url))).toEqual([])
  // A guard of the guard: what is named above does exist.
  expect(await readFile(new URL('../package.json', import.meta.url), 'utf8')).toMatch(
    /@platformatic[\s\S]*commander[\s\S]*mingo[\s\S]*pino[\s\S]*smol-toml/,
  )
})
