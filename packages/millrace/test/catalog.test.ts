import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { catalog } from '../src/catalog.ts'

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
  expect(
    loaded.filter((url) =>
      /kafka\/cluster\/connection|mingo|pino|commander|toml-eslint-parser|engine\/run|records\/batch|(?:sinks|sources)\/\w+\/index/.test(
        url,
      ),
    ),
  ).toEqual([])
  // A guard of the guard: what is named above does exist.
  expect(await readFile(new URL('../package.json', import.meta.url), 'utf8')).toMatch(
    /commander[\s\S]*mingo[\s\S]*pino[\s\S]*toml-eslint-parser/,
  )
})
