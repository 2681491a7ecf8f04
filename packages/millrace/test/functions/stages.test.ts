import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { catalog } from '../../src/catalog.ts'
import { readAnyPlan } from '../../src/dialects/index.ts'
import type { GraphPlan } from '../../src/engine/graph/plan.ts'
import type { RunResult } from '../../src/engine/plan.ts'
import { runPlan } from '../../src/engine/run-plan.ts'
import { findFunctions } from '../../src/functions/index.ts'
import type { StageName } from '../../src/stages/definitions/index.ts'
import { STAGE_NAMES } from '../../src/stages/definitions/index.ts'
import { STAGES } from '../../src/stages/definitions/index.ts'
import { transform } from '../support/functions.ts'

describe('stages as functions of a graph', () => {
  test('are all stages', () => {
    for (const name of STAGE_NAMES) expect(findFunctions(name)).toMatchObject([{ name, kind: 'transform' }])
  })

  const examples = Object.entries(STAGES).flatMap(([name, reference]) =>
    reference.examples.map((example) => ({ name, ...example })),
  )
  // Events and samples differ from run to run.
  test.each(examples.filter(({ name }) => !['$toEvent', '$fromEvent', '$sampleRate'].includes(name)))(
    '$name: "$title" gives the same as in a line',
    async ({ name, spec, have, want }) => {
      const { rows } = await transform(name, { spec, path: 'stages.0.config' }, [have])
      expect(rows).toEqual(want)
    },
  )

  test('work on one batch at a time, and are done with it at once', async () => {
    const { batches, acknowledged } = await transform(
      '$group',
      { spec: { _id: null, n: { $sum: 1 } }, path: 'stages.0.config' },
      [[{ a: 1 }, { a: 2 }], [{ a: 3 }]],
    )
    expect(batches).toEqual([[{ _id: null, n: 2 }], [{ _id: null, n: 1 }]])
    expect(acknowledged.map(({ after }) => after)).toEqual([true, true])
  })

  test('acknowledge a batch of which nothing is left', async () => {
    const { rows, acknowledged } = await transform('$match', { spec: { a: 9 }, path: 'stages.0.config' }, [[{ a: 1 }]])
    expect([rows, acknowledged]).toEqual([[], [{ before: true, after: false }]])
  })

  test('report which rows fail, and pass on the others', async () => {
    const { rows, failures } = await transform(
      '$set',
      { spec: { b: { $add: ['$a', 1] } }, path: 'stages.0.config' },
      [[{ a: 1 }, { a: 'x' }]],
      {},
      true,
    )
    expect(rows).toEqual([{ a: 1, b: 2 }])
    expect(failures).toEqual([expect.stringMatching(/^Cannot apply "tested" to the record at offset 101/)])
  })

  test.each<{ name: StageName; spec: unknown; made: readonly string[]; all: boolean }>([
    { name: '$set', spec: { _kafka_key: 'x' }, made: ['_kafka_key'], all: false },
    { name: '$project', spec: { a: 1, _kafka_offset: 1 }, made: ['a', '_kafka_offset'], all: false },
    { name: '$replaceRoot', spec: { newRoot: { at: '$_kafka_offset' } }, made: ['at'], all: false },
    { name: '$match', spec: { _kafka_offset: { $gt: 1 } }, made: [], all: false },
    { name: '$group', spec: { _id: null, rows: { $push: '$$ROOT' } }, made: ['_id', 'rows'], all: true },
    { name: '$limit', spec: 1, made: [], all: false },
  ])('$name with $spec makes $made', ({ name, spec, made, all }) => {
    const definition = findFunctions(name)[0]!
    expect(definition.made?.({ spec, path: 'stages.0.config' })).toEqual(made)
    expect(definition.seesAllColumns?.({ spec, path: 'stages.0.config' })).toBe(all)
  })
})

describe('a graph with $limit', () => {
  let directory: string
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'millrace-stages-'))
    await writeFile(join(directory, 'in.jsonl'), '{"n":1}\n{"n":2}\n{"n":3}\n')
  })
  afterAll(() => rm(directory, { recursive: true }))

  async function run(stages: readonly object[]): Promise<RunResult> {
    const file = join(directory, 'graph.json')
    await writeFile(file, JSON.stringify({ pipeline: { name: 'limited' }, stages }))
    const never = new AbortController().signal
    const plan = { ...((await readAnyPlan(file)) as GraphPlan), directory }
    return runPlan(plan, { components: catalog, signal: never, abort: never, untilEnd: false, warn: () => {} })
  }

  const watch = { id: 'in', function: 'file.watch' }
  const limit = { id: 'first', function: '$limit', inputs: ['in'], config: 2 }
  const save = (id: string, input: string): object => ({
    id,
    function: 'json.write',
    inputs: [input],
    config: { path: join(directory, `${id}.jsonl`), format: 'jsonl' },
  })
  const saved = (id: string): Promise<string> => readFile(join(directory, `${id}.jsonl`), 'utf8')

  test('ends as soon as no branch takes more, though its source would continue', async () => {
    const source = { ...watch, config: { path: join(directory, 'in.jsonl'), format: 'jsonl' } }
    expect(await run([source, limit, save('limited', 'first')])).toMatchObject({ ended: 'stage' })
    expect(await saved('limited')).toBe('{"n":1}\n{"n":2}')
  })

  test('continues while another branch takes rows', async () => {
    const source = { id: 'in', function: 'json.read', config: { path: join(directory, 'in.jsonl'), format: 'jsonl' } }
    const result = await run([source, limit, save('some', 'first'), save('all', 'in')])
    expect(result.ended).toBe('source')
    expect(await saved('some')).toBe('{"n":1}\n{"n":2}')
    expect(await saved('all')).toBe('{"n":1}\n{"n":2}\n{"n":3}')
  })
})
