import { describe, expect, test } from 'vitest'
import { StageError } from '../../src/errors/index.ts'
import { createStage } from '../../src/stages/index.ts'
import type { Batch } from '../../src/records/batch.ts'
import { batchOfDocuments } from '../support/batches.ts'

/** A batch as the engine hands it to a stage. */
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

const TABLES: { readonly [stage: string]: readonly Row[] } = {
  $match: [
    {
      name: 'keeps what compares',
      spec: { amount: { $gte: 100 } },
      have: [{ amount: 99 }, { amount: 100 }, { amount: 101 }],
      want: [{ amount: 100 }, { amount: 101 }],
    },
    {
      name: 'never compares values of different types',
      spec: { amount: { $gte: 100 } },
      have: [{ amount: '100' }, { amount: null }, {}, { amount: true }, { amount: { a: 1 } }, { amount: 100 }],
      want: [{ amount: 100 }],
    },
    {
      name: 'compares dates as text',
      spec: { at: { $lt: '2025-02-01' } },
      have: [{ at: '2025-01-31T23:59:59Z' }, { at: '2025-02-01T00:00:00Z' }],
      want: [{ at: '2025-01-31T23:59:59Z' }],
    },
    {
      name: 'takes null for a missing field',
      spec: { a: null },
      have: [{ a: null }, {}, { a: 0 }, { a: '' }],
      want: [{ a: null }, {}],
    },
    {
      name: 'finds a value in an array',
      spec: { tags: 'x' },
      have: [{ tags: ['x', 'y'] }, { tags: ['y'] }, { tags: 'x' }],
      want: [{ tags: ['x', 'y'] }, { tags: 'x' }],
    },
    {
      name: 'satisfies a range with any element of an array',
      spec: { n: { $gt: 5 } },
      have: [{ n: [1, 6] }, { n: [1, 2] }],
      want: [{ n: [1, 6] }],
    },
    {
      name: 'follows a path through an array of objects',
      spec: { 'items.sku': 'b' },
      have: [{ items: [{ sku: 'a' }, { sku: 'b' }] }, { items: [] }, { items: { sku: 'b' } }],
      want: [{ items: [{ sku: 'a' }, { sku: 'b' }] }, { items: { sku: 'b' } }],
    },
    {
      name: 'combines several operators on a field',
      spec: { a: { $gt: 1, $lt: 4, $ne: 2 } },
      have: [{ a: 1 }, { a: 2 }, { a: 3 }, { a: 4 }],
      want: [{ a: 3 }],
    },
    {
      name: 'knows $in and $nin',
      spec: { a: { $in: [1, null] }, b: { $nin: ['x'] } },
      have: [{ a: 1, b: 'x' }, { a: 1, b: 'y' }, { b: 'y' }, { a: 2 }],
      want: [{ a: 1, b: 'y' }, { b: 'y' }],
    },
    {
      name: 'knows $exists',
      spec: { 'a.b': { $exists: true }, c: { $exists: false } },
      have: [{ a: { b: null } }, { a: {} }, { a: { b: 1 }, c: 1 }],
      want: [{ a: { b: null } }],
    },
    {
      name: 'knows $and, $or and $nor',
      spec: { $and: [{ a: 1 }], $or: [{ b: 1 }, { b: 2 }], $nor: [{ c: 3 }] },
      have: [
        { a: 1, b: 2 },
        { a: 1, b: 3 },
        { a: 1, b: 1, c: 3 },
      ],
      want: [{ a: 1, b: 2 }],
    },
    {
      name: 'knows $regex with options',
      spec: { a: { $regex: '^ab', $options: 'i' } },
      have: [{ a: 'ABc' }, { a: 'cab' }, { a: 1 }],
      want: [{ a: 'ABc' }],
    },
    {
      name: 'knows $elemMatch',
      spec: { items: { $elemMatch: { qty: { $gt: 1 }, sku: 'a' } } },
      have: [
        {
          items: [
            { sku: 'a', qty: 1 },
            { sku: 'b', qty: 2 },
          ],
        },
        { items: [{ sku: 'a', qty: 2 }] },
      ],
      want: [{ items: [{ sku: 'a', qty: 2 }] }],
    },
    {
      name: 'knows $expr',
      spec: { $expr: { $gt: ['$spent', '$budget'] } },
      have: [
        { spent: 2, budget: 1 },
        { spent: 1, budget: 2 },
      ],
      want: [{ spent: 2, budget: 1 }],
    },
    {
      name: 'compares whole objects',
      spec: { a: { b: 1 } },
      have: [{ a: { b: 1 } }, { a: { b: 1, c: 2 } }],
      want: [{ a: { b: 1 } }],
    },
    {
      name: 'does not take inherited names for fields',
      spec: { constructor: { $exists: true } },
      have: [{}, { constructor: 1 }],
      want: [{ constructor: 1 }],
    },
  ],
  $set: [
    {
      name: 'sets constants of every kind',
      spec: { a: 1, b: 'x', c: null, d: true, e: { f: [1] } },
      have: [{ a: 0 }],
      want: [{ a: 1, b: 'x', c: null, d: true, e: { f: [1] } }],
    },
    {
      name: 'copies fields',
      spec: { b: '$a', c: '$o.p' },
      have: [{ a: 1, o: { p: 2 } }],
      want: [{ a: 1, o: { p: 2 }, b: 1, c: 2 }],
    },
    {
      name: 'makes objects on the way to a dotted name',
      spec: { 'a.b.c': 1 },
      have: [{}, { a: { x: 1 } }, { a: 5 }, { a: null }],
      want: [{ a: { b: { c: 1 } } }, { a: { x: 1, b: { c: 1 } } }, { a: { b: { c: 1 } } }, { a: { b: { c: 1 } } }],
    },
    {
      name: 'reaches into every element of an array',
      spec: { 'a.b': 1 },
      have: [{ a: [{ b: 0 }, { c: 2 }, 3] }],
      want: [{ a: [{ b: 1 }, { c: 2, b: 1 }, { b: 1 }] }],
    },
    {
      name: 'shows all expressions the document as it came in',
      spec: { a: '$b', b: '$a' },
      have: [{ a: 1, b: 2 }],
      want: [{ a: 2, b: 1 }],
    },
    {
      name: 'takes away what computes to nothing',
      spec: { a: '$missing', b: '$$REMOVE' },
      have: [{ a: 1, b: 2, c: 3 }],
      want: [{ c: 3 }],
    },
    {
      name: 'computes',
      spec: { total: { $multiply: ['$price', '$qty'] }, label: { $concat: ['#', '$id'] } },
      have: [{ price: 2, qty: 3, id: 'x' }],
      want: [{ price: 2, qty: 3, id: 'x', total: 6, label: '#x' }],
    },
    {
      name: 'mixes constants, paths and expressions',
      spec: { a: 1, b: { $add: ['$n', 1] }, c: '$n' },
      have: [{ n: 1 }],
      want: [{ n: 1, a: 1, b: 2, c: 1 }],
    },
    {
      name: 'collects a field of every element',
      spec: { skus: '$items.sku', n: { $size: '$items' } },
      have: [{ items: [{ sku: 'a' }, { sku: 'b' }] }],
      want: [{ items: [{ sku: 'a' }, { sku: 'b' }], skus: ['a', 'b'], n: 2 }],
    },
    {
      name: 'chooses',
      spec: {
        size: { $cond: [{ $gte: ['$n', 10] }, 'big', 'small'] },
        kind: { $ifNull: ['$kind', 'many'] },
      },
      have: [{ n: 1 }, { n: 10 }],
      want: [
        { n: 1, size: 'small', kind: 'many' },
        { n: 10, size: 'big', kind: 'many' },
      ],
    },
    {
      name: 'leaves literals alone',
      spec: { a: { $literal: { $nope: '$x' } } },
      have: [{}],
      want: [{ a: { $nope: '$x' } }],
    },
  ],
  $addFields: [{ name: 'is $set by another name', spec: { a: 1 }, have: [{}], want: [{ a: 1 }] }],
  $unset: [
    { name: 'takes one field away', spec: 'a', have: [{ a: 1, b: 2 }, { b: 3 }], want: [{ b: 2 }, { b: 3 }] },
    {
      name: 'takes several, dotted ones too',
      spec: ['a', 'b.c'],
      have: [{ a: 1, b: { c: 2, d: 3 } }],
      want: [{ b: { d: 3 } }],
    },
    {
      name: 'reaches into every element of an array',
      spec: 'a.b',
      have: [{ a: [{ b: 1, c: 2 }, 3, { c: 4 }] }],
      want: [{ a: [{ c: 2 }, 3, { c: 4 }] }],
    },
    { name: 'cuts an element out', spec: 'a.1', have: [{ a: [1, 2, 3] }], want: [{ a: [1, 3] }] },
  ],
  $project: [
    {
      name: 'keeps fields and _id',
      spec: { a: 1, b: true },
      have: [{ _id: 9, a: 1, b: 2, c: 3 }, { c: 3 }],
      want: [{ _id: 9, a: 1, b: 2 }, {}],
    },
    { name: 'leaves _id out on request', spec: { _id: 0, a: 1 }, have: [{ _id: 9, a: 1 }], want: [{ a: 1 }] },
    {
      name: 'leaves fields out',
      spec: { a: 0, 'b.c': false },
      have: [{ a: 1, b: { c: 2, d: 3 }, e: 4 }],
      want: [{ b: { d: 3 }, e: 4 }],
    },
    { name: 'leaves nested fields out', spec: { b: { c: 0 } }, have: [{ b: { c: 2, d: 3 } }], want: [{ b: { d: 3 } }] },
    {
      name: 'keeps nested fields',
      spec: { 'a.b': 1, 'l.x': 1 },
      have: [{ a: { b: 1, c: 2 }, l: [{ x: 1, y: 2 }, { y: 3 }] }],
      want: [{ a: { b: 1 }, l: [{ x: 1 }, {}] }],
    },
    {
      name: 'adds computed fields',
      spec: { id: '$orderId', twice: { $multiply: ['$n', 2] }, o: { x: '$n' }, list: ['$n', '$missing'] },
      have: [{ orderId: 'o', n: 2 }],
      want: [{ id: 'o', twice: 4, o: { x: 2 }, list: [2, null] }],
    },
    { name: 'takes $$REMOVE for a value', spec: { a: 1, b: '$$REMOVE' }, have: [{ a: 1, b: 2 }], want: [{ a: 1 }] },
    { name: 'cuts arrays with $slice', spec: { a: { $slice: 2 } }, have: [{ a: [1, 2, 3] }], want: [{ a: [1, 2] }] },
  ],
  $replaceRoot: [
    { name: 'lifts an object', spec: { newRoot: '$o' }, have: [{ o: { a: 1 } }], want: [{ a: 1 }] },
    {
      name: 'merges objects',
      spec: { newRoot: { $mergeObjects: [{ b: 0 }, '$o'] } },
      have: [{ o: { a: 1 } }],
      want: [{ b: 0, a: 1 }],
    },
  ],
  $replaceWith: [
    {
      name: 'builds an object',
      spec: { id: '$a', o: { n: { $add: ['$b', 1] } } },
      have: [{ a: 1, b: 2 }],
      want: [{ id: 1, o: { n: 3 } }],
    },
    { name: 'may give the document itself', spec: '$$ROOT', have: [{ a: 1 }], want: [{ a: 1 }] },
  ],
  $unwind: [
    {
      name: 'gives a document for each element',
      spec: '$a',
      have: [
        { id: 1, a: [1, 2] },
        { id: 2, a: [3] },
      ],
      want: [
        { id: 1, a: 1 },
        { id: 1, a: 2 },
        { id: 2, a: 3 },
      ],
    },
    {
      name: 'takes a scalar for a list of one',
      spec: '$a',
      have: [{ a: 5 }, { a: '' }, { a: 0 }, { a: { b: 1 } }],
      want: [{ a: 5 }, { a: '' }, { a: 0 }, { a: { b: 1 } }],
    },
    {
      name: 'drops what has no element',
      spec: { path: '$a' },
      have: [{ a: [] }, { a: null }, {}, { a: [1] }],
      want: [{ a: 1 }],
    },
    {
      name: 'keeps what has no element on request',
      spec: { path: '$a', preserveNullAndEmptyArrays: true, includeArrayIndex: 'i' },
      have: [{ id: 1, a: [] }, { id: 2, a: null }, { id: 3 }, { id: 4, a: ['x'] }],
      want: [
        { id: 1, i: null },
        { id: 2, a: null, i: null },
        { id: 3, i: null },
        { id: 4, a: 'x', i: 0 },
      ],
    },
    {
      name: 'reaches a nested array',
      spec: { path: '$o.items', includeArrayIndex: 'o.at' },
      have: [{ o: { items: ['a', 'b'], n: 1 } }],
      want: [{ o: { items: 'a', n: 1, at: 0 } }, { o: { items: 'b', n: 1, at: 1 } }],
    },
  ],
  $limit: [
    { name: 'lets the first through', spec: 2, have: [{ a: 1 }, { a: 2 }, { a: 3 }], want: [{ a: 1 }, { a: 2 }] },
  ],
  $skip: [{ name: 'leaves the first out', spec: 1, have: [{ a: 1 }, { a: 2 }, { a: 3 }], want: [{ a: 2 }, { a: 3 }] }],
}

for (const [stage, rows] of Object.entries(TABLES)) {
  describe(stage, () => {
    test.each(rows)('$name', ({ spec, have, want }) => {
      const batch = decoded(have)
      const result = createStage(stage, spec, 'stages.0').process(batch)
      // As it is written: a field that is undefined is not there.
      expect(JSON.parse(JSON.stringify(result?.documents ?? []))).toEqual(want)
      expect(result?.length ?? 0).toBe(want.length)
    })

    test.each(rows)('$name, and changes no document in place', ({ spec, have }) => {
      const batch = decoded(have)
      createStage(stage, spec, 'stages.0').process(batch)
      expect(batch.documents).toEqual(have)
    })
  })
}

describe('rows and their records', () => {
  test('a batch of which all rows are kept is the same batch, and one without rows is undefined', () => {
    const batch = decoded([{ a: 1 }, { a: 2 }])
    expect(createStage('$match', { a: { $gt: 0 } }, 's').process(batch)).toBe(batch)
    expect(createStage('$match', { a: 3 }, 's').process(batch)).toBeUndefined()
  })

  test('kept rows still point to their records, through several stages', () => {
    const once = createStage('$match', { a: { $ne: 1 } }, 's').process(
      decoded([{ a: 0 }, { a: 1 }, { a: 2 }, { a: 3 }]),
    )!
    const twice = createStage('$match', { a: { $gt: 0 } }, 's').process(once)!
    expect([0, 1].map((row) => twice.offset(row))).toEqual([102n, 103n])
    expect(twice.value(1)!.toString()).toBe('{"a":3}')
  })

  test('only documents that changed count as replaced', () => {
    const set = process('$set', { a: 1 }, [{ a: 1 }, { a: 2 }])!
    expect([...set.replaced!]).toEqual([0, 1])
    const unset = process('$unset', 'b', [{ a: 1 }, { a: 2, b: 1 }])!
    expect([...unset.replaced!]).toEqual([0, 1])
  })

  test('a batch that no stage changed can still go out as it came in', () => {
    const batch = decoded([{ a: 1 }])
    expect(createStage('$set', { a: 1 }, 's').process(batch)).toBe(batch)
    expect(batch.raw).toBeDefined()
  })

  test('a change stays noted when rows before it are dropped', () => {
    const changed = process('$set', { a: 5 }, [{ a: 5 }, { a: 1, keep: true }, { a: 5, keep: true }])!
    const kept = createStage('$match', { keep: true }, 's').process(changed)!
    expect([...kept.replaced!]).toEqual([1, 0])
  })

  test('unwound documents belong to the record they came from', () => {
    const unwound = process('$unwind', '$a', [{ a: [] }, { a: [1, 2] }, { a: 3 }])!
    expect([...unwound.rows!]).toEqual([1, 1, 2])
    expect([...unwound.replaced!]).toEqual([1, 1, 0])
  })

  test('a limit counts over all batches and then is exhausted', () => {
    const limit = createStage('$limit', 3, 's')
    expect(limit.process(decoded([{ a: 1 }, { a: 2 }]))!.length).toBe(2)
    expect(limit.exhausted).toBe(false)
    expect(limit.process(decoded([{ a: 3 }, { a: 4 }]))!.length).toBe(1)
    expect(limit.exhausted).toBe(true)
    expect(limit.process(decoded([{ a: 5 }]))).toBeUndefined()
  })

  test('a skip counts over all batches', () => {
    const skip = createStage('$skip', 3, 's')
    expect(skip.process(decoded([{ a: 1 }, { a: 2 }]))).toBeUndefined()
    expect(skip.process(decoded([{ a: 3 }, { a: 4 }]))!.documents).toEqual([{ a: 4 }])
    const last = decoded([{ a: 5 }])
    expect(skip.process(last)).toBe(last)
  })
})

describe('hostile documents', () => {
  const hostile = '{"__proto__":{"polluted":1},"constructor":{"name":5},"toString":1,"a":{"__proto__":2,"b":1}}'
  test.each([
    [
      '$set',
      { x: 1 },
      '{"__proto__":{"polluted":1},"constructor":{"name":5},"toString":1,"a":{"__proto__":2,"b":1},"x":1}',
    ],
    [
      '$set',
      { 'a.c': 1 },
      '{"__proto__":{"polluted":1},"constructor":{"name":5},"toString":1,"a":{"__proto__":2,"b":1,"c":1}}',
    ],
    ['$unset', 'toString', '{"__proto__":{"polluted":1},"constructor":{"name":5},"a":{"__proto__":2,"b":1}}'],
    ['$unset', 'a.b', '{"__proto__":{"polluted":1},"constructor":{"name":5},"toString":1,"a":{"__proto__":2}}'],
    ['$project', { a: 1 }, '{"a":{"__proto__":2,"b":1}}'],
    ['$project', { a: 0 }, '{"__proto__":{"polluted":1},"constructor":{"name":5},"toString":1}'],
    ['$replaceRoot', { newRoot: '$a' }, '{"__proto__":2,"b":1}'],
    ['$unwind', '$a', hostile],
    ['$match', { 'a.b': 1 }, hostile],
  ])('%s keeps a field named __proto__ an ordinary field', (stage, spec, want) => {
    const batch = batchOfDocuments([{}])
    batch.documents = [JSON.parse(hostile)]
    const result = createStage(stage, spec, 's').process(batch)!
    expect(JSON.stringify(result.documents![0])).toBe(want)
    expect(({} as { polluted?: number }).polluted).toBeUndefined()
  })

  test('deep nesting passes through stages that do not look at it', () => {
    const depth = 5000
    const deep: unknown = JSON.parse(`${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`)
    const batch = batchOfDocuments([{}])
    batch.documents = [{ deep, n: 1 }]
    const result = createStage('$set', { m: { $add: ['$n', 1] } }, 's').process(batch)!
    expect(result.documents![0]).toMatchObject({ n: 1, m: 2 })
  })
})

describe('failures', () => {
  test.each([
    { name: 'an operator on a wrong type', stage: '$set', spec: { x: { $divide: ['$a', 'two'] } }, reason: /divide/i },
    {
      name: 'a new root that is no object',
      stage: '$replaceRoot',
      spec: { newRoot: '$a' },
      reason: /must be an object/,
    },
    { name: 'a missing new root', stage: '$replaceWith', spec: '$nothing', reason: /field is missing/ },
    {
      name: 'an expression in a query',
      stage: '$match',
      spec: { $expr: { $divide: ['$a', 'two'] } },
      reason: /divide/i,
    },
    {
      name: 'an expression in a projection',
      stage: '$project',
      spec: { 'x.y': { $divide: ['$a', 'two'] } },
      reason: /divide/i,
    },
  ])('$name names the record that failed', ({ stage, spec, reason }) => {
    const batch = decoded([{ a: 2 }, { a: 'text' }])
    // Rows and records differ, so that the offset is known to be that of the record.
    const narrowed = createStage('$match', { a: 'text' }, 's').process(batch)!
    const failure = (): unknown => createStage(stage, spec, 's').process(narrowed)
    expect(failure).toThrow(StageError)
    expect(failure).toThrow(reason)
    expect(failure).toThrow(`Cannot apply "${stage}" to the record at offset 101 of "orders" partition 3`)
    try {
      failure()
    } catch (error) {
      expect(error).toMatchObject({
        code: 'STAGE_FAILED',
        topic: 'orders',
        partition: 3,
        offset: 101n,
        component: stage,
      })
      expect((error as Error).cause).toBeInstanceOf(Error)
    }
  })
})

describe('dates', () => {
  test('are written without a fraction when there are no milliseconds, as java.time.Instant writes them', () => {
    const result = process('$set', { at: { $toDate: '$text' } }, [
      { text: '2025-02-01T12:30:00Z' },
      { text: '2025-02-01T12:30:00.250Z' },
    ])!
    expect(result.documents!.map((document) => JSON.parse(JSON.stringify(document)).at)).toEqual([
      '2025-02-01T12:30:00Z',
      '2025-02-01T12:30:00.250Z',
    ])
  })

  test('stay dates for the next stage', () => {
    const dated = process('$set', { at: { $toDate: '$text' } }, [{ text: '2025-02-01T12:30:00Z' }])!
    const result = createStage(
      '$set',
      { year: { $year: '$at' }, same: { $eq: ['$at', { $toDate: '$text' }] } },
      's',
    ).process(dated)!
    expect(result.documents![0]).toMatchObject({ year: 2025, same: true })
  })

  test('$$NOW moves on with the run', async () => {
    const stage = createStage('$set', { at: '$$NOW' }, 's')
    const at = (): number => +(stage.process(decoded([{}]))!.documents![0] as { at: Date }).at
    const first = at()
    const started = Date.now()
    expect(first).toBeLessThanOrEqual(started)
    await expect.poll(() => Date.now()).toBeGreaterThan(started)
    expect(at()).toBeGreaterThan(started)
  })
})

// `__proto__` is a name like any other in JSON. Copies by assignment made a prototype of it, and the field was gone.
describe('a field named __proto__ is kept', () => {
  const OBJECT = '{"a":{"__proto__":1,"b":2},"l":[{"k":"__proto__","v":5},{"k":"x","v":6}]}'
  test.each([
    { name: '$set', spec: { m: { $mergeObjects: ['$a', { c: 1 }] } }, want: '"m":{"__proto__":1,"b":2,"c":1}' },
    { name: '$set', spec: { m: { $arrayToObject: '$l' } }, want: '"m":{"__proto__":5,"x":6}' },
    { name: '$set', spec: { m: { $arrayToObject: [[['__proto__', 1]]] } }, want: '"m":{"__proto__":1}' },
    { name: '$group', spec: { _id: null, m: { $mergeObjects: '$a' } }, want: '"m":{"__proto__":1,"b":2}' },
    {
      name: '$subPipeline',
      spec: [{ parallel: [{ pipeline: [{ $replaceWith: '$a' }] }, { pipeline: [{ $match: {} }] }], merge: 'zip' }],
      want: '"__proto__":1',
    },
  ])('by $name $spec', ({ name, spec, want }) => {
    const batch = decoded([{}])
    batch.documents = [JSON.parse(OBJECT)]
    const made = createStage(name, spec, 'stages.0').process(batch)!
    expect(JSON.stringify(made.documents![0])).toContain(want)
  })
})
