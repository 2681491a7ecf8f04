import { describe, expect, test } from 'vitest'
import { encodeDocuments } from '../../src/codecs/index.ts'
import { jsonCodec } from '../../src/codecs/json.ts'
import type { Stage } from '../../src/contracts/stage.ts'
import type { RecordError } from '../../src/errors/index.ts'
import { createStage } from '../../src/stages/index.ts'
import { lintStage } from '../../src/stages/lint/index.ts'
import { batchOf, batchOfDocuments } from '../support/batches.ts'

/** What a stage gives for each batch. */
function run(stage: Stage, ...batches: (readonly unknown[])[]): unknown[][] {
  return batches.map((documents) => {
    const batch = batchOfDocuments(documents)
    batch.documents = [...documents]
    return [...(stage.process(batch)?.documents ?? [])]
  })
}

const group = (spec: object): Stage => createStage('$group', spec, 'stages.0.$group')
const running = (spec: object): Stage => group({ ...spec, scope: 'stream' })

describe('$group over a stream', () => {
  test('gives after each batch the groups that it has changed, as they are by then', () => {
    const stage = running({ _id: '$shop', total: { $sum: '$amount' }, sales: { $count: {} } })
    expect(
      run(
        stage,
        [
          { shop: 'a', amount: 1 },
          { shop: 'b', amount: 2 },
          { shop: 'a', amount: 3 },
        ],
        [{ shop: 'c', amount: 5 }],
        [
          { shop: 'b', amount: 10 },
          { shop: 'a', amount: 20 },
        ],
      ),
    ).toEqual([
      [
        { _id: 'a', total: 4, sales: 2 },
        { _id: 'b', total: 2, sales: 1 },
      ],
      [{ _id: 'c', total: 5, sales: 1 }],
      [
        { _id: 'b', total: 12, sales: 2 },
        { _id: 'a', total: 24, sales: 3 },
      ],
    ])
  })

  const VALUES = [5, -3, 2.5, '12', null, undefined, true, [1, 2], { a: 1 }, 7, 5, 'abc']
  test.each([
    { name: '$sum', argument: '$v' },
    { name: '$sum', argument: 1 },
    { name: '$sum', argument: { $multiply: [2, '$n'] } },
    { name: '$avg', argument: '$v' },
    { name: '$min', argument: '$v' },
    { name: '$max', argument: '$v' },
    { name: '$min', argument: '$n' },
    { name: '$first', argument: '$v' },
    { name: '$last', argument: '$v' },
    { name: '$count', argument: {} },
    { name: '$stdDevPop', argument: '$n' },
    { name: '$stdDevSamp', argument: '$n' },
  ])('$name of $argument is in the end what a batch of all documents gives', ({ name, argument }) => {
    const documents = VALUES.map((v, n) => ({ k: n % 3, n: n * 1.5, ...(v === undefined ? {} : { v }) }))
    const spec = { _id: '$k', x: { [name]: argument } }
    const byId = (list: unknown[]): unknown[] =>
      list.toSorted((a, b) => (a as { _id: number })._id - (b as { _id: number })._id)
    const all = byId(run(group(spec), documents)[0]!) as { x: unknown }[]
    const stage = running(spec)
    run(stage, documents.slice(0, 5), documents.slice(5, 9))
    const last = byId(run(stage, documents.slice(9))[0]!) as { x: unknown }[]
    all.forEach(({ x }, i) =>
      typeof x === 'number' ? expect(last[i]!.x).toBeCloseTo(x, 10) : expect(last[i]!.x).toEqual(x),
    )
  })

  test('an average or deviation of nothing is null', () => {
    const spec = { _id: null, a: { $avg: '$v' }, d: { $stdDevSamp: '$v' }, m: { $max: '$v' }, f: { $first: '$v' } }
    expect(run(running(spec), [{}])).toEqual([[{ _id: null, a: null, d: null, m: null, f: null }]])
  })

  test('$mergeObjects merges the values of its expression', () => {
    const spec = { _id: null, all: { $mergeObjects: '$part' } }
    const documents = [{ part: { a: 1 } }, {}, { part: { b: 2 } }, { part: { a: 3 } }]
    expect(run(running(spec), documents)).toEqual([[{ _id: null, all: { a: 3, b: 2 } }]])
    expect(run(group(spec), documents)).toEqual([[{ _id: null, all: { a: 3, b: 2 } }]])
  })

  test.each([
    { id: '$v', documents: [{ v: 1 }, { v: '1' }, { v: true }, { v: null }, {}], ids: [1, '1', true, null] },
    {
      id: { a: '$v', b: 1 },
      documents: [{ v: 1 }, { v: 1 }, { v: 2 }],
      ids: [
        { a: 1, b: 1 },
        { a: 2, b: 1 },
      ],
    },
    { id: null, documents: [{}, {}], ids: [null] },
  ])('groups by $id', ({ id, documents, ids }) => {
    const found = run(running({ _id: id, n: { $count: {} } }), documents)[0] as { _id: unknown }[]
    expect(found.map(({ _id }) => _id)).toEqual(ids)
  })

  test('a field of the result may be called scope or maxGroups', () => {
    const spec = { _id: null, scope: { $first: '$s' }, maxGroups: { $count: {} } }
    expect(run(group(spec), [{ s: 1 }])).toEqual([[{ _id: null, scope: 1, maxGroups: 1 }]])
  })

  test('only a record that would start one group too many fails', () => {
    const stage = running({ _id: '$k', n: { $count: {} }, maxGroups: 2 })
    const failed: RecordError[] = []
    const batch = batchOfDocuments([1, 2, 3, 1])
    batch.documents = [{ k: 1 }, { k: 2 }, { k: 3 }, { k: 1 }]
    expect(stage.process(batch, (_, error) => failed.push(error))!.documents).toEqual([
      { _id: 1, n: 2 },
      { _id: 2, n: 1 },
    ])
    expect(failed).toMatchObject([{ code: 'STAGE_FAILED', offset: 102n }])
    expect(failed[0]!.message).toContain('beyond the 2 that maxGroups allows')
  })

  test('a record on which it fails changes nothing', () => {
    const stage = running({ _id: null, n: { $sum: 1 }, all: { $mergeObjects: '$v' } })
    const batch = batchOfDocuments([1, 2])
    batch.documents = [{ v: { a: 1 } }, { v: 5 }]
    expect(stage.process(batch, () => {})!.documents).toEqual([{ _id: null, n: 1, all: { a: 1 } }])
  })
})

describe('a mark', () => {
  const spec = { _id: '$k', n: { $count: {} } }
  const a = [{ k: 'a' }]
  const b = [{ k: 'b' }]

  test('brings the groups back, as often as it is asked to', () => {
    const stage = running(spec)
    run(stage, a)
    const restore = stage.mark!()
    for (let i = 0; i < 3; i++) {
      expect(run(stage, a, b, a)).toEqual([[{ _id: 'a', n: 2 }], [{ _id: 'b', n: 1 }], [{ _id: 'a', n: 3 }]])
      restore()
    }
  })

  test('goes back behind marks that were made after it', () => {
    const stage = running(spec)
    const first = stage.mark!()
    run(stage, a)
    const second = stage.mark!()
    run(stage, a, b)
    second()
    expect(run(stage, a)).toEqual([[{ _id: 'a', n: 2 }]])
    const third = stage.mark!()
    run(stage, a, b)
    first()
    expect(run(stage, a)).toEqual([[{ _id: 'a', n: 1 }]])
    expect(third).toBeTypeOf('function')
  })

  test.each([
    {
      name: '$facet',
      spec: { counts: [{ $group: { ...spec, scope: 'stream' } }] },
      want: { counts: [{ _id: 'a', n: 1 }] },
    },
    {
      name: '$subPipeline',
      spec: [{ pipeline: [{ $group: { ...spec, scope: 'stream' } }] }],
      want: { _id: 'a', n: 1 },
    },
  ])('brings back what is inside $name', ({ name, spec: outer, want }) => {
    const stage = createStage(name, outer, 'stages.0')
    const restore = stage.mark!()
    expect(run(stage, a)).toEqual([[want]])
    restore()
    expect(run(stage, a)).toEqual([[want]])
  })
})

// A result was written with the digits of the batch that it came with, so values of earlier ones were rounded, or became others.
describe('numbers that no double holds', () => {
  const LARGE = '9007199254740993'
  const NEXT = '9007199254740992'
  const spec = {
    _id: '$g',
    first: { $first: '$n' },
    max: { $max: '$n' },
    last: { $last: '$n' },
    all: { $mergeObjects: '$o' },
  }

  function written(stage: Stage, ...values: string[]): string[] {
    return values.map((value) => {
      const batch = batchOf([value])
      batch.documents = [JSON.parse(value)]
      const made = stage.process(batch)!
      encodeDocuments(made, jsonCodec)
      return String(made.payloads![0])
    })
  }

  test('keep their digits in the results of later batches', () => {
    const values = [`{"g":1,"n":${LARGE},"o":{"a":${LARGE}}}`, '{"g":1,"n":2,"o":{"b":1.50}}']
    expect(written(running(spec), ...values)).toEqual([
      `{"_id":1,"first":${LARGE},"max":${LARGE},"last":${LARGE},"all":{"a":${LARGE}}}`,
      `{"_id":1,"first":${LARGE},"max":${LARGE},"last":2,"all":{"a":${LARGE},"b":1.50}}`,
    ])
  })

  test('keep their digits where another value is the same as a double', () => {
    const stage = running({ _id: '$g', first: { $first: '$n' } })
    const want = `{"_id":1,"first":${LARGE}}`
    expect(written(stage, `{"g":1,"n":${LARGE}}`, `{"g":1,"n":${NEXT}}`)).toEqual([want, want])
  })

  test('are of different groups where only their doubles are the same', () => {
    const stage = running({ _id: '$id', n: { $sum: 1 } })
    const values = [LARGE, NEXT, LARGE, `${LARGE}.0`].map((id) => `{"parent":${NEXT},"id":${id}}`)
    expect(written(stage, ...values)).toEqual([
      `{"_id":${LARGE},"n":1}`,
      `{"_id":${NEXT},"n":1}`,
      `{"_id":${LARGE},"n":2}`,
      `{"_id":${LARGE},"n":3}`,
    ])
  })

  test('keep their digits within other stages', () => {
    const inner = [{ $group: { _id: '$g', first: { $first: '$n' }, scope: 'stream' } }]
    const values = [`{"g":1,"n":${LARGE}}`, '{"g":1,"n":2}']
    const facet = createStage('$facet', { all: inner }, '')
    const want = `{"all":[{"_id":1,"first":${LARGE}}]}`
    expect(written(facet, ...values)).toEqual([want, want])
    const sub = createStage('$subPipeline', [{ parallel: [{ pipeline: inner }], merge: 'zip' }], '')
    expect(written(sub, ...values)).toEqual([want, want].map((text) => text.slice(8, -2)))
  })

  test('are not guessed', () => {
    const stage = running({ _id: '$g', max: { $max: { $abs: '$n' } } })
    expect(() => written(stage, `{"g":1,"n":${LARGE},"m":${NEXT}}`)).toThrow('Cannot write field')
  })

  test('go back with their groups', () => {
    const stage = running({ _id: '$g', last: { $last: '$n' } })
    written(stage, `{"g":1,"n":${LARGE}}`)
    const restore = stage.mark!()
    written(stage, `{"g":1,"n":${LARGE.replace('3', '5')}}`)
    restore()
    expect(written(stage, '{"g":1}')).toEqual(['{"_id":1,"last":null}'])
  })
})

describe('lint', () => {
  test.each([
    { spec: { _id: null, scope: 'strem' }, message: 'scope must be batch or stream: found "strem"' },
    { spec: { _id: null, maxGroups: 5 }, message: 'maxGroups has an effect only with scope: stream' },
    {
      spec: { _id: null, scope: 'stream', maxGroups: 0 },
      message: 'maxGroups must be a whole number above 0: found 0',
    },
    {
      spec: { _id: null, scope: 'stream', all: { $push: '$x' } },
      message: 'Cannot use $push with scope: stream, as it needs the values of the whole stream',
    },
  ])('refuses $spec', ({ spec, message }) => {
    expect(lintStage('$group', spec, 'stages.0.$group').map((problem) => problem.message)).toEqual([message])
  })
})
