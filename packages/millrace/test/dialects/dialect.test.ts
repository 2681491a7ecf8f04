import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Dialect, dialectOf, DIALECTS } from '../../src/dialects/dialect.ts'
import { readPipelineFile } from '../../src/dialects/index.ts'

const CONTENTS: readonly { readonly what: string; readonly content: unknown; readonly dialect: Dialect }[] = [
  { what: 'source and sink', content: { source: {}, sink: {} }, dialect: 'linear' },
  { what: 'stages only', content: { stages: [{ $match: {} }] }, dialect: 'linear' },
  { what: 'nothing at all', content: null, dialect: 'linear' },
  { what: 'sources by name', content: { sources: { a: {} } }, dialect: 'connectors' },
  { what: 'a slip for sink', content: { source: {}, sinks: { type: 'stdout' } }, dialect: 'linear' },
  { what: 'a slip for source', content: { sources: { type: 'generate' }, sink: {} }, dialect: 'linear' },
  { what: 'a slip for sources', content: { source: {}, sinks: { a: {} } }, dialect: 'connectors' },
  { what: 'a bridge', content: { bridges: { a: {} } }, dialect: 'connectors' },
  { what: 'a single connector', content: { type: 'kafka-source', topic: 't', config: {} }, dialect: 'connectors' },
  { what: 'a stage with a function', content: { stages: [{ function: 'kafka' }] }, dialect: 'stage-graph' },
  { what: 'a stage with id and inputs', content: { stages: [{ id: 'a', inputs: [] }] }, dialect: 'stage-graph' },
  { what: 'a table of the pipeline', content: { pipeline: { name: 'p' } }, dialect: 'stage-graph' },
]

describe('the shape of a file', () => {
  test.each(CONTENTS)('$what: $dialect', ({ content, dialect }) => {
    expect(dialectOf(content)).toBe(dialect)
  })
})

describe('a shape that was requested', () => {
  let directory: string
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'millrace-dialect-'))
  })
  afterAll(() => rm(directory, { recursive: true }))

  /** Paths of the problems of a file with these keys at the top, read as each shape. */
  async function problemsBy(content: object): Promise<Record<string, readonly string[]>> {
    const file = join(directory, 'p.json')
    await writeFile(file, JSON.stringify(content))
    const found: Record<string, readonly string[]> = {}
    for (const dialect of [undefined, ...DIALECTS]) {
      const { problems } = await readPipelineFile(file, {}, { dialect })
      found[dialect ?? 'recognised'] = problems.map(({ path }) => path).toSorted()
    }
    return found
  }

  test('decides how the file is read, and so what is wrong with it', async () => {
    const slip = await problemsBy({ source: { type: 'generate' }, sinks: { out: { type: 'stdout' } } })
    expect(slip['recognised']).toEqual(slip['connectors'])
    expect(slip['linear']).toContain('sinks')
    expect(slip['connectors']).not.toEqual(slip['linear'])
    expect(slip['stage-graph']).not.toEqual(slip['linear'])
    const line = await problemsBy({ source: { type: 'generate' }, sink: { type: 'stdout' } })
    expect(line).toMatchObject({ recognised: [], linear: [] })
    expect(line['stage-graph']).not.toEqual([])
  })
})
