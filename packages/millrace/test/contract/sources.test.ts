import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { KAFKA_SOURCE, SOURCES } from '../../src/catalog.ts'
import { describeDefinition } from './definition.ts'
import { describeSource, type SourceFixture } from './source.ts'

let directory: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'millrace-contract-'))
})
afterAll(() => rm(directory, { recursive: true }))

let count = 0
async function fileOf(lines: number): Promise<string> {
  const path = join(directory, `${count++}.jsonl`)
  await writeFile(path, Array.from({ length: lines }, (_, i) => `{"n":${i}}\n`).join(''))
  return path
}

/** Of the sources that need no broker. */
const FIXTURES: { readonly [name: string]: SourceFixture } = {
  file: {
    ending: async () => ({ path: await fileOf(1000) }),
    records: 1000,
    // Of several pieces, which is endless enough for what reads one and stops.
    endless: async () => ({ path: await fileOf(100_000) }),
    goesOn: false,
  },
  generate: {
    ending: async () => ({ records: 3000 }),
    records: 3000,
    endless: async () => ({}),
    goesOn: false,
  },
  datagen: {
    ending: async () => ({ max_events: 250, events_per_second: 0, pattern: 'orders' }),
    records: 250,
    endless: async () => ({}),
    goesOn: false,
  },
}

test('every source of the catalog is held to the contract', () => {
  const others = SOURCES.filter((entry) => entry !== KAFKA_SOURCE).map(({ name }) => name)
  expect(Object.keys(FIXTURES)).toEqual(others)
})

for (const entry of SOURCES) {
  describeDefinition(entry)
  const fixture = FIXTURES[entry.name]
  if (fixture !== undefined) describeSource(entry, fixture)
}
