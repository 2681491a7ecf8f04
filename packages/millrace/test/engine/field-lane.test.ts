import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { catalog } from '../../src/catalog.ts'
import { codecByName, createDocuments } from '../../src/codecs/index.ts'
import { explainPlan } from '../../src/engine/explain.ts'
import { Failures } from '../../src/engine/failures/failures.ts'
import { StageChain } from '../../src/engine/stage-chain.ts'
import { createSteps } from '../../src/engine/steps.ts'
import { createFunctionStage } from '../../src/functions/in-line.ts'
import { createStage } from '../../src/stages/index.ts'
import type { Batch } from '../../src/records/batch.ts'
import { batchOf } from '../support/batches.ts'

type Spec = { readonly [name: string]: unknown }

/** Values, offsets and failures that some stages leave of records, with the fields read from bytes or without. */
function outcome(stages: readonly Spec[], values: readonly (string | Buffer | null)[], lane: 'fields' | 'documents') {
  const list = stages.map((stage, i) => {
    const [name, spec] = Object.entries(stage)[0]!
    const path = `stages.${i}.${name}`
    return name.startsWith('$') ? createStage(name, spec, path) : createFunctionStage(name, spec, path)
  })
  const chain = new StageChain(list)
  const [front] = chain.parts()
  const documents = createDocuments({
    from: codecByName('json'),
    to: codecByName('json'),
    needsDocuments: true,
    fields: lane === 'fields' && front.looksAtValues ? front.fields : undefined,
    mentionsMeta: false,
    includeMeta: false,
  })!
  const isScanned = documents.decodeFields !== undefined
  const failures = new Failures()
  let batch: Batch | undefined
  try {
    batch = createSteps({ documents, stages: chain, sink: { needsDocuments: false } })(batchOf(values), failures.add)
  } catch (error) {
    // A column that no row has. Its hint lists the columns that there are, in any order.
    return { isScanned, error: (error as Error).message.split(': ')[0] }
  }
  return {
    isScanned,
    passed: Array.from({ length: batch?.length ?? 0 }, (_, row) => [
      batch!.offset(row),
      batch!.payloads?.[row]?.toString() ?? batch!.value(row)?.toString() ?? null,
    ]),
    failed: failures.list.map(({ batch: of, row, error }) => [of.offset(row), error.code, error.message]),
  }
}

const value = fc.oneof(
  fc.json({ maxDepth: 2 }),
  fc
    .record(
      {
        a: fc.oneof(fc.integer({ min: -2, max: 2 }), fc.constantFrom('1', 'x', null, true), fc.double({ noNaN: true })),
        b: fc.oneof(fc.array(fc.integer({ min: 0, max: 3 })), fc.record({ c: fc.constantFrom(1, '1', [1, 2], null) })),
        z: fc.string(),
      },
      { requiredKeys: [] },
    )
    .map((document) => JSON.stringify(document)),
  fc.constantFrom('{"a":1,"a":2}', '{"\\u0061":1}', '{"a":1', '{"a":01}', '', 'null', '[{"a":1}]', null),
  fc.constant(Buffer.from([0x7b, 0x22, 0x7a, 0x22, 0x3a, 0x22, 0xff, 0x22, 0x7d])),
)
const condition = fc.oneof(
  fc.constantFrom<Spec>(
    { a: 1 },
    { a: { $gte: 1 } },
    { a: { $in: [1, '1', null] } },
    { a: { $exists: false } },
    { 'b.c': 1 },
    { b: { $elemMatch: { $gte: 2 } } },
    { 'b.0': { $gt: 0 } },
    { $or: [{ a: 1 }, { 'b.c': { $type: 'string' } }] },
    { $nor: [{ a: { $lt: 0 } }] },
    { b: { $size: 2 }, a: { $not: { $eq: null } } },
  ),
)
const filter = fc.constantFrom<Spec>(
  { column: 'a', operator: '>=', value: '1' },
  { column: 'b.c', operator: '==', value: 1 },
  { column: 'a', operator: 'in', value: ['1', 'x'] },
)

describe('stages that look at some fields only', () => {
  test.each([
    { name: '$match', stages: condition.map((spec): Spec[] => [{ $match: spec }]) },
    { name: 'filter.apply', stages: filter.map((spec): Spec[] => [{ 'filter.apply': spec }]) },
    {
      name: '$match, $limit and filter.apply before $set',
      stages: fc
        .tuple(condition, filter)
        .map(([spec, of]): Spec[] => [{ $match: spec }, { $limit: 5 }, { 'filter.apply': of }, { $set: { s: '$a' } }]),
    },
  ])('keep, change and refuse what they would of whole documents: $name', ({ stages }) => {
    fc.assert(
      fc.property(stages, fc.array(value, { minLength: 1, maxLength: 12 }), (specs, values) => {
        const { isScanned, ...scanned } = outcome(specs, values, 'fields')
        expect(isScanned).toBe(true)
        expect(outcome(specs, values, 'documents')).toEqual({ isScanned: false, ...scanned })
      }),
      { numRuns: 300 },
    )
  })

  test.each([
    { sink: { needsDocuments: true, fields: ['a'] }, keyField: 'a.b', keys: ['k', '7', null] },
    { sink: { needsDocuments: true }, keyField: 'a.b', keys: ['k', '7', null] },
    { sink: { needsDocuments: false }, keyField: undefined, keys: undefined },
  ])('give the sink its key: $sink', ({ sink, keyField, keys }) => {
    const documents = createDocuments({
      from: codecByName('json'),
      to: codecByName('json'),
      needsDocuments: true,
      fields: ['c', 'a'],
      mentionsMeta: false,
      includeMeta: false,
      keyField,
    })
    const stages = new StageChain([createStage('$match', { c: { $gte: 1 } }, 'stages.0')])
    const batch = batchOf(['{"a":{"b":"k"},"c":1}', '{"c":0}', '{"a":{"b":7},"c":2,"d":3}', '{"c":1}'])
    const passed = createSteps({ documents, stages, sink })(batch)!
    expect(passed.keys).toEqual(keys)
    expect(passed.length).toBe(3)
    // Nobody else may take documents for whole that hold some fields only.
    expect(passed.documents?.[1]).toEqual(
      sink.fields === undefined && sink.needsDocuments ? { a: { b: 7 }, c: 2, d: 3 } : undefined,
    )
  })

  test.each([
    { stages: [{ $match: { a: { $gt: 1 } } }], lane: 'fields', why: '$match looks at a only' },
    { stages: [{ $match: { a: 1, 'b.c': 2 } }, { $limit: 3 }], lane: 'fields', why: '$match looks at a, b only' },
    { stages: [{ 'filter.apply': { column: 'a', value: 1 } }], lane: 'fields', why: 'filter.apply looks at a only' },
    { stages: [{ $match: { $expr: { $gt: ['$a', 1] } } }], lane: 'documents', why: '$match works on parsed values' },
    { stages: [{ $match: { '_meta.offset': 1 } }], lane: 'documents', why: '$match works on parsed values' },
    {
      stages: [{ $match: { a: 1 } }, { $set: { b: 1 } }],
      lane: 'documents',
      why: '$set works on parsed values, of the records that $match keeps',
    },
    { stages: [], sink: { keyField: 'a.b' }, lane: 'fields', why: 'the sink looks at a only' },
    {
      stages: [{ $match: { c: 1 } }],
      sink: { keyField: 'a' },
      lane: 'fields',
      why: '$match looks at c and the sink looks at a only',
    },
    {
      stages: [{ $set: { c: 1 } }],
      sink: { keyField: 'a' },
      lane: 'documents',
      why: '$set works on parsed values; values',
    },
  ])('are explained: $why', async ({ stages, sink = {}, lane, why }) => {
    const place = { endpoints: { servers: [], topics: ['t'], groups: [] } }
    const explained = await explainPlan(
      {
        name: 'p',
        file: undefined,
        directory: '/',
        source: { component: 'kafka', options: await optionsOf('source'), ...place },
        sink: { component: 'kafka', options: await optionsOf('sink', sink), ...place },
        stages: stages.map((stage, i) => {
          const [name, spec] = Object.entries(stage)[0]!
          return { name, spec, path: `stages.${i}` }
        }),
        delivery: 'at_least_once',
        errorPolicy: { retry: undefined, fate: 'fail', deadLetters: undefined },
        warnings: [],
      } as never,
      catalog,
    )
    expect(explained.lane).toBe(lane)
    expect(explained.why).toContain(why)
  })
})

async function optionsOf(kind: 'source' | 'sink', more: object = {}): Promise<object> {
  const { parseOptions } = await import('../../src/options/parse.ts')
  const definition = kind === 'source' ? await catalog.source('kafka') : await catalog.sink('kafka')
  const given = kind === 'source' ? { groupId: 'g', topic: 't' } : { topic: 'u' }
  return parseOptions(definition as never, { bootstrapServers: 'localhost:9092', ...given, ...more }).options
}
