/** What stages and blocks of a linear file may refer to: globals, collections, connections. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { stringify } from 'yaml'
import { readPipelineFile, type PipelineFile } from '../../src/dialects/index.ts'

let directory: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'millrace-references-'))
})
afterAll(() => rm(directory, { recursive: true }))

async function read(content: object): Promise<PipelineFile> {
  const file = join(directory, 'file.yaml')
  await writeFile(
    file,
    stringify({ source: { type: 'file', path: 'a' }, sink: { type: 'file', path: 'b' }, ...content }),
  )
  return readPipelineFile(file, {})
}

describe('globals', () => {
  const globals = { rate: 1.2, label: 'gold', limits: { low: 10 }, field: '$amount', list: [1, 2] }
  test.each([
    { expression: '$$GLOBALS.rate', want: 1.2 },
    { expression: { $multiply: ['$amount', '$$GLOBALS.limits.low'] }, want: { $multiply: ['$amount', 10] } },
    { expression: '$$GLOBALS.label', want: 'gold' },
    // Text that looks like an expression and lists stay what they are.
    { expression: '$$GLOBALS.field', want: { $literal: '$amount' } },
    { expression: { $in: ['$n', '$$GLOBALS.list'] }, want: { $in: ['$n', { $literal: [1, 2] }] } },
    { expression: '$$GLOBALS', want: { $literal: globals } },
    { expression: '$$ROOT', want: '$$ROOT' },
  ])('$expression', async ({ expression, want }) => {
    const { plan } = await read({ globals, stages: [{ $set: { out: expression } }] })
    expect(plan?.stages[0]?.spec).toEqual({ out: want })
  })

  test('that are missing are said, with what was probably meant', async () => {
    const { problems } = await read({
      globals,
      stages: [{ $set: { out: '$$GLOBALS.rte' } }, { $set: { out: '$$GLOBALS.limits.low.er' } }],
    })
    expect(problems).toMatchObject([
      {
        path: 'stages.0.$set.out',
        line: 18,
        message: 'Unknown name "rte" in globals, which $$GLOBALS.rte needs',
        suggestion: 'did you mean "rate"',
      },
      { path: 'stages.1.$set.out', message: 'Unknown name "er" in globals, which $$GLOBALS.limits.low.er needs' },
    ])
  })
})

describe('globals where no expression stands', () => {
  const globals = { list: [1, 2], text: '$x', none: null, limits: { low: 10 }, order: { a: -1 }, n: 5 }

  // A list in $in was refused, and a condition with an object let nothing through.
  test.each([
    { stage: { $match: { a: { $in: '$$GLOBALS.list' } } }, want: { a: { $in: [1, 2] } } },
    {
      stage: { $match: { $or: [{ a: '$$GLOBALS.text' }, { a: '$$GLOBALS.none' }] } },
      want: { $or: [{ a: '$x' }, { a: null }] },
    },
    { stage: { $match: { a: { $eq: '$$GLOBALS.limits' } } }, want: { a: { $eq: { low: 10 } } } },
    {
      stage: { $match: { $expr: { $in: ['$a', '$$GLOBALS.list'] } } },
      want: { $expr: { $in: ['$a', { $literal: [1, 2] }] } },
    },
    { stage: { $sort: '$$GLOBALS.order' }, want: { a: -1 } },
    {
      stage: { $bucket: { groupBy: '$a', boundaries: '$$GLOBALS.list' } },
      want: { groupBy: '$a', boundaries: [1, 2] },
    },
  ])('are values: $stage', async ({ stage, want }) => {
    const { plan, problems } = await read({ globals, stages: [stage] })
    expect(problems).toEqual([])
    expect(plan?.stages[0]?.spec).toEqual(want)
  })

  test('of an entry of $subPipeline must be no expression', async () => {
    const entry = { pipeline: [{ $match: { a: '$$GLOBALS.m' } }], globals: { m: { $multiply: ['$$GLOBALS.n', 2] } } }
    expect((await read({ globals, stages: [{ $subPipeline: [entry] }] })).problems).toMatchObject([
      { message: 'Cannot use $$GLOBALS.m here, as its value is an expression and this takes constants' },
    ])
  })

  // The place of a value that is missing was checked, too, and found to be null.
  test.each([
    { globals: { m: 1 }, stages: [{ $limit: '$$GLOBALS.n' }], path: 'stages.0.$limit' },
    {
      globals: { m: 1 },
      stages: [{ $bucket: { groupBy: '$a', boundaries: ['$$GLOBALS.n', 5] } }],
      path: 'stages.0.$bucket.boundaries.0',
    },
    { globals: [1], stages: [{ $limit: '$$GLOBALS.n' }], path: 'globals' },
    {
      globals: {},
      stages: [{ $subPipeline: [{ pipeline: [{ $limit: '$$GLOBALS.n' }], globals: [1] }] }],
      path: 'stages.0.$subPipeline.0.globals',
    },
    {
      globals: {},
      stages: [{ $subPipeline: [{ pipeline: [{ $limit: '$$GLOBALS.n' }], globals: { n: { $add: ['$a', 1] } } }] }],
      path: 'stages.0.$subPipeline.0.globals.n',
    },
  ])('with a problem make one problem: $path', async ({ path, ...content }) => {
    expect((await read(content)).problems.map((problem) => problem.path)).toEqual([path])
  })

  // It was refused where it stands, as "$$GLOBALS.n" is no number.
  test('may come from where a named pipeline is used', async () => {
    const pipelines = { first: { stages: [{ $limit: '$$GLOBALS.n' }] } }
    const stages = [{ $subPipeline: [{ pipeline: 'first', globals: { n: 3 } }] }]
    const { problems, plan } = await read({ pipelines, stages })
    expect(problems).toEqual([])
    expect(plan?.stages[0]?.spec).toMatchObject([{ pipeline: [{ $limit: 3 }] }])
  })
})

describe('collections', () => {
  const lookup = { $lookup: { from: 'people', localField: 'by', foreignField: 'name', as: 'who' } }

  test('are lists, or files beside the pipeline', async () => {
    const people = [{ name: 'ann' }]
    expect((await read({ collections: { people }, stages: [lookup] })).plan?.stages[0]?.spec).toMatchObject({
      from: people,
    })
    expect(
      (await read({ collections: { people: 'people.jsonl' }, stages: [lookup] })).plan?.stages[0]?.spec,
    ).toMatchObject({ from: { file: join(directory, 'people.jsonl') } })
  })

  test('that are missing or of another kind are said', async () => {
    expect((await read({ stages: [lookup] })).problems).toMatchObject([
      { path: 'stages.0.$lookup.from', message: 'There is no collection "people"' },
    ])
    expect((await read({ collections: { people: 5 } })).problems).toMatchObject([{ path: 'collections.people' }])
  })
})

describe('connections', () => {
  const connections = [
    {
      connectionRef: 'main',
      connectorId: 'kafka',
      config: { type: 'kafka', bootstrapServers: 'k1', securityProtocol: 'SSL' },
    },
    {
      connectionRef: 'main',
      scope: { tenantId: 'acme', pipelineId: 'p' },
      config: { type: 'kafka', bootstrapServers: 'k2' },
    },
  ]
  test.each([
    {
      name: 'flat',
      source: { connectionRef: 'main', topic: 't' },
      want: { bootstrapServers: ['k1'], topic: ['t'], securityProtocol: 'SSL' },
    },
    {
      name: 'nested',
      source: { type: 'kafka', connectionRef: 'main', options: { topic: 't' } },
      want: { bootstrapServers: ['k1'] },
    },
    {
      name: 'own options win',
      source: { connectionRef: 'main', topic: 't', bootstrapServers: 'mine' },
      want: { bootstrapServers: ['mine'] },
    },
    {
      name: 'of a scope',
      source: { connectionRef: 'main', connectionScope: 'acme::p', topic: 't' },
      want: { bootstrapServers: ['k2'], securityProtocol: 'PLAINTEXT' },
    },
  ])('$name', async ({ source, want }) => {
    const { plan, problems } = await read({ connections, source })
    expect(problems).toEqual([])
    expect(plan?.source).toMatchObject({ component: 'kafka', options: want })
  })

  test('that are missing are said', async () => {
    const { problems } = await read({ connections, source: { connectionRef: 'mian', topic: 't' } })
    expect(problems).toMatchObject([
      {
        path: 'source.connectionRef',
        message: 'Unknown connection "mian" in scope "default::default"',
        suggestion: 'did you mean "main"',
      },
    ])
  })
})

test('batches are cut where a stage sees several records at once, and nowhere else', async () => {
  const runtime = { microBatchSize: 2 }
  expect((await read({ runtime, stages: [{ $group: { _id: null } }] })).plan?.maxBatchRecords).toBe(2)
  expect((await read({ runtime, stages: [{ $match: {} }] })).plan?.maxBatchRecords).toBeUndefined()
})
