import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { FILE_SINK, KAFKA_SINK, SINKS } from '../../src/catalog.ts'
import { describeDefinition } from './definition.ts'
import { describeSink } from './sink.ts'

test('every sink of the catalog is held to the contract', () => {
  const others = SINKS.filter((entry) => entry !== KAFKA_SINK).map(({ name }) => name)
  expect(others).toEqual(['file', 'stdout'])
})

for (const entry of SINKS) describeDefinition(entry)

describe('files', () => {
  let directory: string
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'millrace-contract-'))
  })
  afterAll(() => rm(directory, { recursive: true }))
  let count = 0

  describeSink(FILE_SINK, async () => {
    const path = join(directory, `${count++}.jsonl`)
    const values = async (): Promise<string[]> =>
      (await readFile(path, 'utf8').catch(() => '')).split('\n').slice(0, -1)
    return { options: { path }, values }
  })
})

describe('standard output', () => {
  let printed = ''
  beforeEach(() => {
    const write = (text: string, done: () => void): boolean => {
      printed += text
      done()
      return true
    }
    vi.spyOn(process.stdout, 'write').mockImplementation(write as typeof process.stdout.write)
  })
  afterEach(() => {
    vi.restoreAllMocks()
  })
  const stdout = SINKS.find(({ name }) => name === 'stdout')!

  describeSink(stdout, async () => {
    printed = ''
    return { options: {}, values: async () => printed.split('\n').slice(0, -1) }
  })
})
