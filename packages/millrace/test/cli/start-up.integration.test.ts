import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { MAIN } from '../support/pipelines.ts'

/** What a run needs and `lint` does not: loading it takes longer than all the rest of `lint`. */
const HEAVY = ['mingo', 'pino', 'ajv', 'csv-parse', 'pkijs', 'toml-eslint-parser', 'zod']

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-start-'))
})
afterAll(() => rm(folder, { recursive: true }))

const kafka = (topic: string): object => ({ type: 'kafka', topic, bootstrapServers: 'localhost:1', acks: 'all' })
const files = {
  linear: {
    source: { type: 'kafka', topic: 'a', bootstrapServers: 'localhost:1' },
    stages: [{ $match: { amount: { $gt: 5 } } }, { 'filter.apply': { column: 'a', value: 1 } }],
    sink: kafka('b'),
  },
  graph: {
    pipeline: { name: 'g' },
    stages: [
      { id: 'read', function: 'kafka', config: { brokers: 'localhost:1', topic: 'a', group_id: 'g' } },
      { id: 'write', function: 'kafka', inputs: ['read'], config: { brokers: 'localhost:1', topic: 'b' } },
    ],
  },
  connectors: {
    bridges: {
      b: {
        source: { connector: 'kafka-source', config: { brokers: 'localhost:1', topic: 'a' } },
        sink: { connector: 'kafka-sink', config: { brokers: 'localhost:1', topic: 'b' } },
      },
    },
  },
}

// A module that all sources shared brought in the whole protocol library, and lint took four times as long.
test.for(Object.entries(files))('lint of a %s file loads nothing heavy', async ([name, content]) => {
  const file = join(folder, `${name}.json`)
  await writeFile(file, JSON.stringify(content))
  const loaded = await loadedBy(name, [MAIN, 'lint', file])
  expect(loaded.some((url) => url.endsWith('/dist/cli/main.js'))).toBe(true)
  expect(loaded.filter((url) => HEAVY.some((library) => url.includes(`/node_modules/${library}/`)))).toEqual([])
  expect(ownFiles(loaded).length).toBeLessThan(40)
})

// In a hundred files, importing took 2.3 times as much CPU as kafkajs.
test.for(['index', 'broker/index', 'metrics/index'])('%s is imported as a few files, and no library', async (entry) => {
  const url = pathToFileURL(join(MAIN, '..', '..', 'dist', `${entry}.js`)).href
  const loaded = await loadedBy(entry.replace('/', '-'), ['--input-type=module', '-e', `import '${url}'`])
  expect(loaded).toContain(url)
  expect(loaded.filter((other) => other.includes('/node_modules/'))).toEqual([])
  expect(ownFiles(loaded).length).toBeLessThan(20)
})

/** Addresses of the files that a Node with these arguments has loaded. */
async function loadedBy(name: string, args: readonly string[]): Promise<string[]> {
  const coverage = join(folder, `coverage-${name}`)
  await promisify(execFile)(process.execPath, args, { env: { ...process.env, NODE_V8_COVERAGE: coverage } })
  const [report] = await readdir(coverage)
  const { result } = JSON.parse(await readFile(join(coverage, report!), 'utf8')) as { result: { url: string }[] }
  return result.map(({ url }) => url)
}

function ownFiles(urls: readonly string[]): readonly string[] {
  return urls.filter((url) => url.includes('/dist/'))
}
