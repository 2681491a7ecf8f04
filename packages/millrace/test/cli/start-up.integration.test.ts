import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
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
  const coverage = join(folder, `coverage-${name}`)
  await promisify(execFile)(process.execPath, [MAIN, 'lint', file], {
    env: { ...process.env, NODE_V8_COVERAGE: coverage },
  })
  const [report] = await readdir(coverage)
  const { result } = JSON.parse(await readFile(join(coverage, report!), 'utf8')) as { result: { url: string }[] }
  const loaded = result.map(({ url }) => url)
  expect(loaded.some((url) => url.endsWith('/dist/cli/main.js'))).toBe(true)
  expect(loaded.filter((url) => HEAVY.some((library) => url.includes(`/node_modules/${library}/`)))).toEqual([])
})
