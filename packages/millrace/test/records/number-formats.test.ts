/**
 * Integers that no double holds were objects in documents of Avro and Protobuf: `$sum` gave 0, `$group` an id that was none, and
 * comparisons were wrong.
 */
import { beforeAll, describe, expect, test } from 'vitest'
import type { Codec } from '../../src/contracts/codec.ts'
import { createFunctionStage } from '../../src/functions/in-line.ts'
import { createStage } from '../../src/stages/index.ts'
import { codecOf, decodedBatch, FORMATS, textsOf } from '../support/number-formats.ts'

const LARGE = '9007199254740993'
/** As a double. */
const ROUNDED = '9007199254740992'
const OTHER = '36028797018963971'

const ROW = `{"id":${LARGE},"b":${OTHER},"n":2,"ids":[1,${LARGE}],"o":{"id":${LARGE}}}`
const SMALL = '{"id":5,"b":6,"n":1,"ids":[],"o":{"id":7}}'

/** Expressions over one row, and what they give. Chosen numbers have their digits, computed ones those of a double. */
const EXPRESSIONS: readonly (readonly [expression: unknown, want: string])[] = [
  ['$id', LARGE],
  ['$o', `{"id":${LARGE}}`],
  ['$ids', `[1,${LARGE}]`],
  [{ $sum: ['$id', '$n'] }, '9007199254740994'],
  [{ $sum: '$ids' }, LARGE],
  [{ $avg: ['$id', '$id'] }, LARGE],
  [{ $avg: ['$id', 0] }, '4503599627370496'],
  [{ $min: ['$id', '$b'] }, LARGE],
  [{ $max: ['$id', '$n'] }, LARGE],
  [{ $max: '$ids' }, LARGE],
  [{ $add: ['$id', 2] }, '9007199254740994'],
  [{ $subtract: ['$id', '$n'] }, '9007199254740990'],
  [{ $multiply: ['$id', '$n'] }, '18014398509481984'],
  [{ $divide: ['$id', 2] }, '4503599627370496'],
  [{ $mod: ['$b', 1000] }, '968'],
  [{ $abs: '$id' }, LARGE],
  [{ $round: ['$id', 0] }, LARGE],
  [{ $eq: ['$id', '$o.id'] }, 'true'],
  [{ $eq: ['$id', '$b'] }, 'false'],
  [{ $eq: ['$id', Number(ROUNDED)] }, 'true'],
  [{ $gt: ['$id', 5] }, 'true'],
  [{ $lt: ['$id', '$b'] }, 'true'],
  [{ $cmp: ['$b', '$id'] }, '1'],
  [{ $cmp: ['$id', 'text'] }, '-1'],
  [{ $cond: [{ $gte: ['$id', 5] }, '$id', 0] }, LARGE],
  [{ $ifNull: ['$id', 0] }, LARGE],
  // oxlint-disable-next-line unicorn/no-thenable -- a word of MongoDB's
  [{ $switch: { branches: [{ case: { $gt: ['$b', '$id'] }, then: '$b' }], default: 0 } }, OTHER],
  [{ $toString: '$id' }, `"${ROUNDED}"`],
  [{ $type: '$id' }, '"long"'],
  [{ $isNumber: '$id' }, 'true'],
  [{ $toDouble: '$id' }, LARGE],
  [{ $in: ['$id', '$ids'] }, 'true'],
  [{ $in: ['$b', '$ids'] }, 'false'],
  [{ $indexOfArray: ['$ids', '$id'] }, '1'],
  [{ $setUnion: [['$id'], ['$o.id']] }, `[${LARGE}]`],
  [{ $map: { input: '$ids', in: { $add: ['$$this', 1] } } }, `[2,${LARGE}]`],
  [{ $filter: { input: '$ids', cond: { $gt: ['$$this', 1] } } }, `[${LARGE}]`],
  [{ $reduce: { input: '$ids', initialValue: 0, in: { $add: ['$$value', '$$this'] } } }, LARGE],
  [{ $objectToArray: '$o' }, `[{"k":"id","v":${LARGE}}]`],
  [{ $mergeObjects: ['$o', { x: 1 }] }, `{"id":${LARGE},"x":1}`],
  [{ $size: { $setIntersection: ['$ids', ['$id']] } }, '1'],
]

/** Stages over two rows. */
const STAGES: readonly (readonly [stage: string, spec: unknown, want: readonly string[]])[] = [
  ['$match', { id: { $gt: 5 } }, [ROW]],
  ['$match', { ids: { $gt: 1 } }, [ROW]],
  ['$match', { $expr: { $gt: ['$b', '$id'] } }, [ROW, SMALL]],
  ['$match', { id: { $in: [Number(ROUNDED)] } }, [ROW]],
  ['$match', { id: { $type: 'number' } }, [ROW, SMALL]],
  ['$sort', { id: 1 }, [SMALL, ROW]],
  ['$sort', { b: -1 }, [ROW, SMALL]],
  ['$set', { x: 1 }, [`${ROW.slice(0, -1)},"x":1}`, `${SMALL.slice(0, -1)},"x":1}`]],
  ['$set', { n: '$id' }, [ROW.replace('"n":2', `"n":${LARGE}`), SMALL.replace('"n":1', '"n":5')]],
  ['$project', { id: 1 }, [`{"id":${LARGE}}`, '{"id":5}']],
  ['$project', { a: '$b' }, [`{"a":${OTHER}}`, '{"a":6}']],
  ['$project', { 'o.id': 1 }, [`{"o":{"id":${LARGE}}}`, '{"o":{"id":7}}']],
  ['$replaceRoot', { newRoot: '$o' }, [`{"id":${LARGE}}`, '{"id":7}']],
  ['$unwind', '$ids', [ROW.replace(`[1,${LARGE}]`, '1'), ROW.replace(`[1,${LARGE}]`, LARGE)]],
  ['$group', { _id: '$id' }, [`{"_id":${LARGE}}`, '{"_id":5}']],
  ['$group', { _id: { a: '$b' }, n: { $sum: 1 } }, [`{"_id":{"a":${OTHER}},"n":1}`, '{"_id":{"a":6},"n":1}']],
  ['$group', { _id: null, s: { $sum: '$id' } }, ['{"_id":null,"s":9007199254740996}']],
  ['$group', { _id: null, s: { $avg: '$n' }, m: { $max: '$b' } }, [`{"_id":null,"s":1.5,"m":${OTHER}}`]],
  ['$group', { _id: null, s: { $min: '$id' }, p: { $push: '$b' } }, [`{"_id":null,"s":5,"p":[${OTHER},6]}`]],
  ['$group', { _id: null, p: { $addToSet: '$id' } }, [`{"_id":null,"p":[${LARGE},5]}`]],
  ['$group', { scope: 'stream', _id: '$id', s: { $sum: '$n' } }, [`{"_id":${LARGE},"s":2}`, '{"_id":5,"s":1}']],
  ['$group', { scope: 'stream', _id: null, s: { $sum: '$id' } }, ['{"_id":null,"s":9007199254740996}']],
  ['$group', { scope: 'stream', _id: null, s: { $avg: '$id' } }, ['{"_id":null,"s":4503599627370498}']],
  ['$group', { scope: 'stream', _id: null, s: { $max: '$b' } }, [`{"_id":null,"s":${OTHER}}`]],
  ['$group', { scope: 'stream', _id: null, s: { $first: '$o' } }, [`{"_id":null,"s":{"id":${LARGE}}}`]],
  ['$sortByCount', '$id', [`{"_id":${LARGE},"count":1}`, '{"_id":5,"count":1}']],
  ['$bucket', { groupBy: '$id', boundaries: [0, 10, 1e18] }, ['{"_id":0,"count":1}', '{"_id":10,"count":1}']],
  ['distinct.apply', { columns: ['id'] }, [ROW, SMALL]],
  ['filter.apply', { column: 'id', operator: '>', value: 5 }, [ROW]],
  ['filter.apply', { column: 'ids', operator: 'contains', value: 1 }, [ROW]],
  ['select.apply', { columns: ['b'] }, [`{"b":${OTHER}}`, '{"b":6}']],
  [
    'map.apply',
    { expression: 'id + n', output_column: 'n' },
    [ROW.replace('"n":2', '"n":9007199254740994'), SMALL.replace('"n":1', '"n":6')],
  ],
]

/** Two numbers that are the same as doubles. */
const TWINS = `{"id":${LARGE},"b":${ROUNDED},"n":2,"ids":[],"o":{"id":${ROUNDED}}}`
const COPIES: readonly (readonly [stage: string, spec: unknown, want: string])[] = [
  ['$set', { n: '$b' }, TWINS.replace('"n":2', `"n":${ROUNDED}`)],
  ['$set', { b: '$id' }, TWINS.replace(`"b":${ROUNDED}`, `"b":${LARGE}`)],
  ['$set', { b: '$$ROOT.id' }, TWINS.replace(`"b":${ROUNDED}`, `"b":${LARGE}`)],
  ['$set', { 'o.id': '$id' }, TWINS.replace(`"o":{"id":${ROUNDED}}`, `"o":{"id":${LARGE}}`)],
  ['$set', { id: '$b', b: '$id' }, TWINS.replace(LARGE, 'x').replace(ROUNDED, LARGE).replace('x', ROUNDED)],
  ['$set', { n: ['$b', '$id'] }, TWINS.replace('"n":2', `"n":[${ROUNDED},${LARGE}]`)],
  ['$project', { a: '$b', c: '$id' }, `{"a":${ROUNDED},"c":${LARGE}}`],
  ['$project', { x: { a: '$b', c: '$id' } }, `{"x":{"a":${ROUNDED},"c":${LARGE}}}`],
  ['$project', { 'x.a': '$b', id: 1, o: { id: 1 } }, `{"id":${LARGE},"o":{"id":${ROUNDED}},"x":{"a":${ROUNDED}}}`],
  ['$replaceRoot', { newRoot: '$o' }, `{"id":${ROUNDED}}`],
  ['$replaceWith', { id: '$b', b: '$id' }, `{"id":${ROUNDED},"b":${LARGE}}`],
  ['$unset', ['n', 'ids', 'o'], `{"id":${LARGE},"b":${ROUNDED}}`],
  ['map.apply', { expression: 'o.id', output_column: 'id' }, TWINS.replace(LARGE, ROUNDED)],
  ['select.apply', { columns: ['o.id', 'id'] }, `{"o.id":${ROUNDED},"id":${LARGE}}`],
]

describe.each(FORMATS)('integers that no double holds, in %s', (format) => {
  let codec: Codec
  beforeAll(async () => {
    codec = await codecOf(format)
  })

  test.each(EXPRESSIONS)('are numbers in the expression %j', (expression, want) => {
    const stage = createStage('$project', { x: expression }, '')
    expect(textsOf(decodedBatch(codec, [ROW]), [stage])).toEqual([`{"x":${want}}`])
  })

  test.each(STAGES)('are numbers in %s %j', (name, spec, want) => {
    const stage = name.startsWith('$') ? createStage(name, spec, '') : createFunctionStage(name, spec, '')
    expect(textsOf(decodedBatch(codec, [ROW, SMALL]), [stage])).toEqual(want)
  })

  // A copy had the digits of the number in whose place it came, or failed.
  test.each(COPIES)('keep their own digits where %s %j copies one of two that are one double', (name, spec, want) => {
    const stage = name.startsWith('$') ? createStage(name, spec, '') : createFunctionStage(name, spec, '')
    expect(textsOf(decodedBatch(codec, [TWINS]), [stage])).toEqual([want])
  })

  test('keep their own digits through several stages that copy them', () => {
    const stages = [
      createStage('$project', { id: '$b', o: { id: '$id', list: ['$b', '$o.id'] } }, ''),
      createStage('$match', { id: { $gt: 1 } }, ''),
      createStage('$set', { x: '$o.list', id: '$o.id' }, ''),
      createStage('$unset', 'o', ''),
    ]
    expect(textsOf(decodedBatch(codec, [TWINS]), stages)).toEqual([`{"id":${LARGE},"x":[${ROUNDED},${ROUNDED}]}`])
  })

  // By its name, the largest of other fields had the digits of the field in whose place it came.
  test.each(['n', 'id'])('fail in field %s where it is unknown which of two they are', (field) => {
    const stage = createStage('$set', { [field]: { $max: ['$b', 1] } }, '')
    expect(() => textsOf(decodedBatch(codec, [TWINS]), [stage])).toThrow(
      `Cannot write field "${field}" exactly as two numbers of the record are both 9007199254740992 when rounded to a double`,
    )
  })

  test('keep their own digits in lists of a list', () => {
    const row = `{"id":${LARGE},"b":${ROUNDED},"n":2,"ids":[${LARGE},${ROUNDED}],"o":{"id":1}}`
    const stages = [createStage('$set', { o: ['$b', '$o'] }, ''), createStage('$set', { 'o.id': ['$ids', '$id'] }, '')]
    const list = `{"id":[[${LARGE},${ROUNDED}],${LARGE}]}`
    expect(textsOf(decodedBatch(codec, [row]), stages)).toEqual([row.replace('{"id":1}', `[${list},${list}]`)])
  })

  test('go from what the decoder returns into what the encoder takes', () => {
    const batch = decodedBatch(codec, [ROW])
    const stage = createStage('$set', { n: '$b' }, '')
    textsOf(batch, [stage], codec)
    const copied = stage.process(batch)!
    const [written] = textsOf(copied, [])
    expect(written).toBe(ROW.replace('"n":2', `"n":${OTHER}`))
  })
})
