import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Batch } from '../../src/records/batch.ts'
import { StageError } from '../../src/errors/index.ts'
import { decodeDocuments, encodeDocuments } from '../../src/codecs/documents.ts'
import { jsonCodec } from '../../src/codecs/json.ts'
import { createFunctionStage } from '../../src/functions/in-line.ts'
import { createStage } from '../../src/stages/index.ts'
import { splittableRandom } from '../../src/stages/sample-rate.ts'
import { batchOf, batchOfDocuments } from '../support/batches.ts'

function decoded(documents: readonly unknown[]): Batch {
  const batch = batchOfDocuments(documents)
  batch.documents = documents.map((document) => structuredClone(document))
  return batch
}

function process(name: string, spec: unknown, documents: readonly unknown[]): Batch | undefined {
  return createStage(name, spec, `stages.0.${name}`).process(decoded(documents))
}

interface Row {
  readonly name: string
  readonly spec: unknown
  readonly have: readonly unknown[]
  readonly want: readonly unknown[]
}

/** What `new java.util.SplittableRandom(42)` draws. */
const JAVA_42 = [0.7415648787718233, 0.1599103928769201, 0.27860113025513866, 0.34419071652363753]

const ORDERS = [
  { id: 1, by: 'ann', amount: 10, at: '2025-01-01T00:00:00Z' },
  { id: 2, by: 'bob', amount: 30, at: '2025-01-01T02:00:00Z' },
  { id: 3, by: 'ann', amount: 20, at: '2025-01-01T03:00:00Z' },
]

const TABLES: { readonly [stage: string]: readonly Row[] } = {
  $sort: [
    { name: 'orders the documents', spec: { amount: -1 }, have: ORDERS, want: [ORDERS[1], ORDERS[2], ORDERS[0]] },
    { name: 'by several fields', spec: { by: -1, amount: 1 }, have: ORDERS, want: [ORDERS[1], ORDERS[0], ORDERS[2]] },
  ],
  $group: [
    {
      name: 'sums up',
      spec: {
        _id: '$by',
        total: { $sum: '$amount' },
        n: { $count: {} },
        ids: { $push: '$id' },
        best: { $max: '$amount' },
        mean: { $avg: '$amount' },
        first: { $first: '$id' },
        last: { $last: '$id' },
      },
      have: ORDERS,
      want: [
        { _id: 'ann', total: 30, n: 2, ids: [1, 3], best: 20, mean: 15, first: 1, last: 3 },
        { _id: 'bob', total: 30, n: 1, ids: [2], best: 30, mean: 30, first: 2, last: 2 },
      ],
    },
    {
      name: 'makes one of all',
      spec: { _id: null, set: { $addToSet: '$by' } },
      have: ORDERS,
      want: [{ _id: null, set: ['ann', 'bob'] }],
    },
  ],
  $sortByCount: [
    {
      name: 'counts',
      spec: '$by',
      have: ORDERS,
      want: [
        { _id: 'ann', count: 2 },
        { _id: 'bob', count: 1 },
      ],
    },
  ],
  $count: [{ name: 'counts all', spec: 'n', have: ORDERS, want: [{ n: 3 }] }],
  $bucket: [
    {
      name: 'sorts into ranges',
      spec: { groupBy: '$amount', boundaries: [0, 15, 25], default: 'more', output: { ids: { $push: '$id' } } },
      have: ORDERS,
      want: [
        { _id: 0, ids: [1] },
        { _id: 15, ids: [3] },
        { _id: 'more', ids: [2] },
      ],
    },
    {
      name: 'takes a boundary for the beginning of a bucket, and gives none that is empty',
      spec: { groupBy: '$n', boundaries: [0, 20, 40, 60, 1000], default: -1 },
      have: [{ n: 20 }, { n: 0 }, { n: 40 }, { n: 39 }, { n: 1000 }, {}, { n: 'x' }],
      want: [
        { _id: -1, count: 3 },
        { _id: 0, count: 1 },
        { _id: 20, count: 2 },
        { _id: 40, count: 1 },
      ],
    },
  ],
  $bucketAuto: [
    {
      name: 'finds the ranges',
      spec: { groupBy: '$amount', buckets: 2 },
      have: [{ amount: 1 }, { amount: 2 }, { amount: 3 }, { amount: 4 }],
      want: [
        { _id: { min: 1, max: 3 }, count: 2 },
        { _id: { min: 3, max: 4 }, count: 2 },
      ],
    },
  ],
  $fill: [
    {
      name: 'carries the last value on',
      spec: { sortBy: { id: 1 }, output: { amount: { method: 'locf' }, by: { value: 'unknown' } } },
      have: [{ id: 1, amount: 5, by: 'ann' }, { id: 2, amount: null }, { id: 3 }],
      want: [
        { id: 1, amount: 5, by: 'ann' },
        { id: 2, amount: 5, by: 'unknown' },
        { id: 3, amount: 5, by: 'unknown' },
      ],
    },
    {
      name: 'fills evenly',
      spec: { sortBy: { id: 1 }, output: { amount: { method: 'linear' } } },
      have: [{ id: 1, amount: 0 }, { id: 2 }, { id: 3, amount: 10 }],
      want: [
        { id: 1, amount: 0 },
        { id: 2, amount: 5 },
        { id: 3, amount: 10 },
      ],
    },
  ],
  $densify: [
    {
      name: 'adds what is missing',
      spec: { field: 'id', range: { step: 1, bounds: 'full' } },
      have: [{ id: 1 }, { id: 3 }],
      want: [{ id: 1 }, { id: 2 }, { id: 3 }],
    },
    {
      name: 'keeps the wrappers of dates',
      spec: { field: 'at', range: { step: 1, unit: 'hour', bounds: 'full' } },
      have: [{ at: { $date: '2025-01-01T00:00:00.000Z' }, n: 1 }, { at: { $date: '2025-01-01T02:00:00Z' } }],
      want: [
        { at: { $date: '2025-01-01T00:00:00.000Z' }, n: 1 },
        { at: { $date: '2025-01-01T01:00:00Z' } },
        { at: { $date: '2025-01-01T02:00:00Z' } },
      ],
    },
    {
      name: 'writes dates as they come, milliseconds too, between bounds',
      spec: { field: 'at', range: { step: 12, unit: 'hour', bounds: [{ $date: 0 }, { $date: 86_400_000 }] } },
      have: [{ at: { $date: 43_200_000 }, n: 1 }, { n: 2 }],
      want: [{ n: 2 }, { at: { $date: 0 } }, { at: { $date: 43_200_000 }, n: 1 }],
    },
    {
      name: 'writes days as days',
      spec: { field: 'day', range: { step: 1, unit: 'day', bounds: 'full' } },
      have: [{ day: '2025-02-27' }, { day: '2025-03-01' }],
      want: [{ day: '2025-02-27' }, { day: '2025-02-28' }, { day: '2025-03-01' }],
    },
    {
      name: 'leaves text without a zone without one',
      spec: { field: 'at', range: { step: 30, unit: 'minute', bounds: 'full' } },
      have: [{ at: '2025-02-01T12:00:00' }, { at: '2025-02-01T13:00:00' }],
      want: [{ at: '2025-02-01T12:00:00' }, { at: '2025-02-01T12:30:00' }, { at: '2025-02-01T13:00:00' }],
    },
  ],
  $setWindowFields: [
    {
      name: 'sees everything up to the document by default',
      spec: { partitionBy: '$by', sortBy: { id: 1 }, output: { total: { $sum: '$amount' } } },
      have: ORDERS,
      want: [
        { ...ORDERS[0], total: 10 },
        { ...ORDERS[2], total: 30 },
        { ...ORDERS[1], total: 30 },
      ],
    },
    {
      name: 'sees its window',
      spec: { sortBy: { id: 1 }, output: { sum: { $sum: '$id', window: { documents: [-1, 0] } } } },
      have: [{ id: 1 }, { id: 2 }, { id: 3 }],
      want: [
        { id: 1, sum: 1 },
        { id: 2, sum: 3 },
        { id: 3, sum: 5 },
      ],
    },
    {
      name: 'shifts backwards, as the host does',
      spec: {
        sortBy: { id: 1 },
        output: { before: { $shift: { output: '$id', by: 1, default: 0 } }, rank: { $rank: {} } },
      },
      have: [{ id: 1 }, { id: 2 }],
      want: [
        { id: 1, before: 0, rank: 1 },
        { id: 2, before: 1, rank: 2 },
      ],
    },
    {
      name: 'takes no unit where numbers give the order, as the host does',
      spec: { sortBy: { t: 1 }, output: { speed: { $derivative: { input: '$x', unit: 'hour' } } } },
      have: [
        { t: 0, x: 0 },
        { t: 2, x: 10 },
      ],
      want: [
        { t: 0, x: 0, speed: null },
        { t: 2, x: 10, speed: 5 },
      ],
    },
  ],
  $lookup: [
    {
      name: 'joins a list',
      spec: { from: [{ name: 'ann', city: 'Oslo' }], localField: 'by', foreignField: 'name', as: 'who' },
      have: ORDERS.slice(0, 2),
      want: [
        { ...ORDERS[0], who: [{ name: 'ann', city: 'Oslo' }] },
        { ...ORDERS[1], who: [] },
      ],
    },
  ],
  $redact: [
    {
      name: 'keeps and prunes',
      spec: { $cond: [{ $eq: ['$by', 'bob'] }, '$$PRUNE', '$$KEEP'] },
      have: ORDERS,
      want: [ORDERS[0], ORDERS[2]],
    },
  ],
  $facet: [
    {
      name: 'answers several questions',
      spec: {
        big: [{ $match: { amount: { $gt: 15 } } }, { $set: { big: true } }, { $project: { id: 1, big: 1 } }],
        n: [{ $count: 'n' }],
        none: [{ $match: { id: 9 } }],
      },
      have: ORDERS,
      want: [
        {
          big: [
            { id: 2, big: true },
            { id: 3, big: true },
          ],
          n: [{ n: 3 }],
          none: [],
        },
      ],
    },
  ],
  $subPipeline: [
    {
      name: 'runs in order',
      spec: [{ pipeline: [{ $match: { by: 'ann' } }] }, { pipeline: [{ $project: { id: 1 } }] }],
      have: ORDERS,
      want: [{ id: 1 }, { id: 3 }],
    },
    {
      name: 'joins branches one after the other',
      spec: [
        { parallel: [{ pipeline: [{ $match: { id: 1 } }, { $project: { id: 1 } }] }, { pipeline: [{ $count: 'n' }] }] },
      ],
      have: ORDERS,
      want: [{ id: 1 }, { n: 3 }],
    },
    {
      name: 'joins branches document by document',
      spec: [
        { parallel: [{ pipeline: [{ $project: { id: 1 } }] }, { pipeline: [{ $project: { by: 1 } }] }], merge: 'zip' },
      ],
      have: ORDERS,
      want: ORDERS.map(({ id, by }) => ({ id, by })),
    },
    {
      name: 'joins branches as lists by the names that Fluxion gives them',
      spec: [
        {
          parallel: [{ pipeline: [{ $match: { id: 1 } }, { $project: { id: 1 } }] }, { pipeline: [{ $count: 'n' }] }],
          merge: 'facet',
        },
      ],
      have: ORDERS,
      want: [{ branch0: [{ id: 1 }], branch1: [{ n: 3 }] }],
    },
    {
      name: 'continues with what there was',
      spec: [{ pipeline: [{ $replaceWith: '$by' }], onError: 'skip' }],
      have: ORDERS,
      want: ORDERS,
    },
  ],
}

for (const [stage, rows] of Object.entries(TABLES)) {
  describe(stage, () => {
    test.each(rows)('$name', ({ spec, have, want }) => {
      const before = structuredClone(have)
      expect(process(stage, spec, have)?.documents ?? []).toEqual(want)
      expect(have).toEqual(before)
    })
  })
}

describe('the rows of a batch', () => {
  test('keep their records, bytes and meta where their documents are only put in order', () => {
    const batch = batchOf([
      { key: 'a', value: '{ "n": 2 }' },
      { key: 'b', value: '{ "n": 1 }' },
    ])
    batch.documents = [{ n: 2 }, { n: 1 }]
    const sorted = createStage('$sort', { n: 1 }, 's').process(batch)!
    expect([0, 1].map((row) => [sorted.key(row)?.toString(), sorted.offset(row), sorted.replaced?.[row]])).toEqual([
      ['b', 101n, 0],
      ['a', 100n, 0],
    ])
  })

  test('have no key and the last offset where a document was made of several', () => {
    const grouped = process('$group', { _id: null }, ORDERS)!
    expect({ keys: grouped.keys, offset: grouped.offset(0), replaced: grouped.replaced?.[0] }).toEqual({
      keys: [null],
      offset: 102n,
      replaced: 1,
    })
  })

  test.each([
    { name: '$set', spec: { n: { $add: ['$n', 1] } } },
    { name: '$sort', spec: { _id: -1 } },
    { name: '$unwind', spec: { path: '$by', preserveNullAndEmptyArrays: true } },
  ])('a document of several has no key, also behind $name', ({ name, spec }) => {
    const grouped = process('$group', { _id: '$by', n: { $sum: 1 } }, ORDERS)!
    expect(createStage(name, spec, 'stages.1').process(grouped)!.keys).toEqual([null, null])
  })

  test('all fail together, as none can be blamed', () => {
    const failed: number[] = []
    const stage = createStage(
      '$setWindowFields',
      { sortBy: { id: 1 }, output: { x: { $derivative: { input: '$by' } } } },
      's',
    )
    expect(stage.process(decoded(ORDERS), (row) => failed.push(row))).toBeUndefined()
    expect(failed).toEqual([0, 1, 2])
    expect(() => stage.process(decoded(ORDERS))).toThrow(StageError)
  })
})

describe('$sampleRate', () => {
  test('draws as java.util.SplittableRandom', () => {
    const draw = splittableRandom(42n)
    expect([draw(), draw(), draw(), draw()]).toEqual(JAVA_42)
  })

  test('keeps the same share in each run', () => {
    const documents = Array.from({ length: 1000 }, (_, n) => ({ n }))
    const [one, other] = [0, 1].map(() => process('$sampleRate', { rate: 0.3, seed: 7 }, documents)!.documents)
    expect(one).toEqual(other)
    expect(one!.length).toBeGreaterThan(250)
    expect(one!.length).toBeLessThan(350)
    expect(process('$sampleRate', 0, documents)).toBeUndefined()
    expect(process('$sampleRate', 1, documents)!.length).toBe(1000)
  })
})

describe('expressions of the host', () => {
  test.each([
    { expression: { $nin: ['$a', [1, 2]] }, want: true },
    { expression: { $nin: ['$a', [3]] }, want: false },
    { expression: { $coalesce: ['$none', null, '$a'] }, want: 3 },
    { expression: { $indexOfCP: ['a😀b', 'b'] }, want: 2 },
    { expression: { $indexOfCP: ['abc', 'a', 1] }, want: -1 },
    {
      expression: { $dateAdd: { startDate: '2025-02-01T12:00:00', unit: 'minute', amount: 30 } },
      want: '2025-02-01T12:30:00',
    },
    { expression: { $dateAdd: { startDate: '$at', unit: 'day', amount: 1 } }, want: '2025-01-02T03:04:05Z' },
    { expression: { $dateAdd: { startDate: '2025-01-31', unit: 'month', amount: 1 } }, want: '2025-02-28' },
    { expression: { $toDate: '$at' }, want: '2025-01-01T03:04:05Z' },
  ])('$expression', ({ expression, want }) => {
    const out = process('$set', { out: expression }, [{ a: 3, at: '2025-01-01T03:04:05Z' }])!
    expect(JSON.parse(JSON.stringify(out.documents![0]))).toMatchObject({ out: want })
  })
})

describe('values outside of the boundaries of $bucket', () => {
  const outside = [{ amount: 5 }, { amount: 50 }, { amount: 'much' }, {}]

  test('fail without a default', () => {
    const stage = createStage('$bucket', { groupBy: '$amount', boundaries: [0, 10] }, 's')
    expect(() => stage.process(decoded(outside))).toThrow('a value is outside the boundaries, and there is no default')
  })

  test.each(['other', null])('go to the default %s', (other) => {
    const spec = { groupBy: '$amount', boundaries: [0, 10], default: other }
    const found = process('$bucket', spec, outside)!.documents
    expect(found).toContainEqual({ _id: other, count: 3 })
    expect(found).toContainEqual({ _id: 0, count: 1 })
  })
})

test('$lookup reads a collection from a file', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'millrace-lookup-'))
  const file = join(directory, 'people.jsonl')
  await writeFile(file, '{"name":"ann"}\n\n{"name":"bob"}\n')
  const spec = { from: { file }, localField: 'by', foreignField: 'name', as: 'who' }
  expect(process('$lookup', spec, [{ by: 'bob' }])!.documents).toEqual([{ by: 'bob', who: [{ name: 'bob' }] }])
  await rm(directory, { recursive: true })
  expect(() => createStage('$lookup', spec, 's')).toThrow(/Cannot read the collection/)
})

// A byte order mark was no JSON, what is no object never matched, and no error said where it was. Ids of 64 bits were rounded.
test.each([
  { text: '\uFEFF{"name":"ann"}\n', want: undefined },
  { text: '\uFEFF[{"name":"ann"}]', want: undefined },
  { text: '{"name":"ann"}\n\nann\n', want: /: line 3 is not JSON: Unexpected token/ },
  { text: '{"name":"ann"}\n"bob"\n', want: /: line 2 is no object/ },
  { text: '[{"name":"ann"}, 5]', want: /: item 2 is no object/ },
  { text: '{"name":"ann","id":9007199254740991}\n', want: undefined, id: 9007199254740991 },
  { text: '{"name":"ann"}\n{"id":[9007199254740993]}', want: /: line 2: integer 9007199254740993 is beyond 2\^53 and/ },
  { text: '[{"id":-9007199254740993}]', want: /: integer -9007199254740993 is beyond 2\^53 and/ },
  { text: '{"id":1e400}', want: /: line 1: number 1e400 is not one that/ },
])('$lookup of a file with $text', async ({ text, want, ...rest }) => {
  const directory = await mkdtemp(join(tmpdir(), 'millrace-lookup-'))
  const file = join(directory, 'people.jsonl')
  await writeFile(file, text)
  const spec = { from: { file }, localField: 'by', foreignField: 'name', as: 'who' }
  if (want === undefined)
    expect(process('$lookup', spec, [{ by: 'ann' }])!.documents).toEqual([
      { by: 'ann', who: [{ name: 'ann', ...rest }] },
    ])
  else expect(() => createStage('$lookup', spec, 's')).toThrow(want)
  await rm(directory, { recursive: true })
})

test.each([
  { stage: '$group', spec: { total: { $sum: 1 } }, want: 'Missing option "_id"' },
  { stage: '$group', spec: { _id: null, total: { $summ: 1 } }, want: 'Unknown accumulator "$summ"' },
  { stage: '$group', spec: { _id: null, total: '$a' }, want: 'A field must have one accumulator' },
  { stage: '$sort', spec: { a: 2 }, want: 'The order must be 1 (ascending) or -1 (descending): found 2' },
  { stage: '$bucket', spec: { groupBy: '$a' }, want: 'Missing option "boundaries"' },
  {
    stage: '$bucket',
    spec: { groupBy: '$a', boundaries: [5, 1] },
    want: 'boundaries must be a list of at least two, in ascending order: found a list',
  },
  { stage: '$bucketAuto', spec: { groupBy: '$a', buckets: 2, bukets: 1 }, want: 'Unknown option "bukets"' },
  { stage: '$facet', spec: { a: [{ $mtch: {} }] }, want: 'Unknown stage "$mtch"' },
  {
    stage: '$subPipeline',
    spec: ['clean@1'],
    want: 'Cannot find the pipeline "clean@1", as only linear files have named pipelines',
  },
  { stage: '$subPipeline', spec: [{ pipeline: [], merge: 'zip' }], want: 'Unknown option "merge"' },
  {
    stage: '$lookup',
    spec: { from: 'people', localField: 'a', foreignField: 'b', as: 'c' },
    want: 'There is no collection "people"',
  },
  { stage: '$sampleRate', spec: 2, want: '$sampleRate must be a number from 0 to 1, or {rate, seed}: found 2' },
  { stage: '$setWindowFields', spec: { output: { a: { $nope: 1 } } }, want: 'Unknown accumulator "$nope"' },
])('refuses $stage $spec', ({ stage, spec, want }) => {
  expect(() => createStage(stage, spec, 'stages.0')).toThrow(
    expect.objectContaining({ problems: [expect.objectContaining({ message: want })] }) as Error,
  )
})

describe('tombstones', () => {
  const through = (name: string, spec: unknown): Batch => {
    const batch = batchOf([
      { key: 'a', value: '{"n":1}' },
      { key: 'b', value: null },
      { key: 'c', value: '{"n":3}' },
    ])
    decodeDocuments(batch, jsonCodec)
    const passed = createStage(name, spec, `stages.0.${name}`).process(batch)!
    encodeDocuments(passed, jsonCodec)
    return passed
  }
  const records = (batch: Batch): string[] =>
    Array.from({ length: batch.length }, (_, row) => {
      const [key, value] = [batch.keys?.[row], batch.payloads?.[row]]
      return `${String(key === undefined ? batch.key(row) : key)} ${String(value === undefined ? batch.value(row) : value)}`
    })

  // A delete became an upsert.
  test.each([
    { name: '$lookup', spec: { from: [{ n: 1 }], localField: 'n', foreignField: 'n', as: 'found' } },
    { name: '$fill', spec: { output: { m: { value: 0 } } } },
    { name: '$setWindowFields', spec: { sortBy: { n: 1 }, output: { number: { $documentNumber: {} } } } },
    { name: '$redact', spec: '$$DESCEND' },
    { name: '$sort', spec: { n: 1 } },
    { name: '$densify', spec: { field: 'n', range: { step: 1, bounds: 'full' } } },
    { name: '$subPipeline', spec: [{ parallel: [{ pipeline: [{ $set: { x: 1 } }] }, { pipeline: [{ $limit: 1 }] }] }] },
  ])('pass through $name as they are, with their key', ({ name, spec }) => {
    expect(records(through(name, spec))).toContain('b null')
  })

  test('and documents that $densify did not add have their keys', () => {
    expect(records(through('$densify', { field: 'n', range: { step: 1, bounds: 'full' } })).toSorted()).toEqual([
      'a {"n":1}',
      'b null',
      'c {"n":3}',
      'null {"n":2}',
    ])
  })

  test('and the documents of branches that $subPipeline puts one after the other have their keys', () => {
    const branches = [{ pipeline: [{ $match: { n: 3 } }] }, { pipeline: [{ $match: { n: 1 } }, { $set: { m: 2 } }] }]
    expect(records(through('$subPipeline', [{ parallel: branches, merge: 'concat' }]))).toEqual([
      'c {"n":3}',
      'a {"n":1,"m":2}',
    ])
  })

  test('that a stage asks for are documents to it', () => {
    const spec = {
      from: [{ n: 1 }],
      pipeline: [{ $match: { $expr: { $ne: ['$_meta.tombstone', false] } } }],
      as: 'all',
    }
    expect(records(through('$lookup', spec))).toContain('b {"value":null,"all":[{"n":1}]}')
  })
})

describe('documents made of several records', () => {
  const LARGE = ['9007199254740993', '18014398509481985', '1.234567890123456789', '2.50']
  const made = (name: string, spec: unknown, values: readonly string[]): string[] => {
    const batch = batchOf(values.map((value, i) => ({ key: `k${i}`, value })))
    decodeDocuments(batch, jsonCodec)
    const stage = name.startsWith('$')
      ? createStage(name, spec, 'stages.0')
      : createFunctionStage(name, spec, 'stages.0')
    const passed = stage.process(batch)!
    encodeDocuments(passed, jsonCodec, { keyField: '_id' })
    return Array.from(
      { length: passed.length },
      (_, row) => `${String(passed.keys![row])} ${String(passed.payloads![row])}`,
    )
  }
  const values = LARGE.map((id, i) => `{"id":${id},"g":${i % 2}}`)

  // Only those of the last record had theirs, and keys were rounded, too.
  test.each([
    {
      name: '$group',
      spec: { _id: null, all: { $push: '$id' } },
      want: [`null {"_id":null,"all":[${LARGE.slice(0, 3).join()},2.5]}`],
    },
    { name: '$group', spec: { _id: '$id' }, want: LARGE.map((id) => `${id} {"_id":${id}}`.replaceAll('2.50', '2.5')) },
    {
      name: '$group',
      spec: { _id: '$g', max: { $max: '$id' } },
      want: [`0 {"_id":0,"max":${LARGE[0]}}`, `1 {"_id":1,"max":${LARGE[1]}}`],
    },
    {
      name: '$group',
      spec: { scope: 'stream', _id: '$g', first: { $first: '$id' } },
      want: [`0 {"_id":0,"first":${LARGE[0]}}`, `1 {"_id":1,"first":${LARGE[1]}}`],
    },
    {
      name: '$facet',
      spec: { all: [{ $set: { x: 1 } }] },
      want: [
        `null {"all":[${values
          .map((value) => value.replace('}', ',"x":1}'))
          .join()
          .replace('2.50', '2.5')}]}`,
      ],
    },
    {
      name: 'chunk.apply',
      spec: { batch_size: 9 },
      want: [`null {"records":[${values.join().replace('2.50', '2.5')}]}`],
    },
  ])('have the digits that came in: $name $spec', ({ name, spec, want }) => {
    expect(made(name, spec, values)).toEqual(want)
  })

  test('are refused where an id may be one of two', () => {
    const ids = ['9007199254740992', '9007199254740993'].map((id) => `{"id":${id}}`)
    expect(() => made('$group', { _id: null, all: { $push: '$id' } }, ids)).toThrow(
      /may be one of several numbers of the records that it was made of: 9007199254740992, 9007199254740993/,
    )
  })
})
