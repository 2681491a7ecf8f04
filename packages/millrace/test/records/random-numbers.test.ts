/** Random stages over random numbers, many of which are the same as doubles only. */
import fc from 'fast-check'
import { beforeAll, expect, test } from 'vitest'
import type { Codec } from '../../src/contracts/codec.ts'
import { createFunctionStage } from '../../src/functions/in-line.ts'
import { createStage } from '../../src/stages/index.ts'
import { codecOf, decodedBatch, FORMATS, textsOf } from '../support/number-formats.ts'

type Spec = readonly [stage: string, spec: unknown]

const SHARED = ['9007199254740993', '9007199254740992', '1', '0', '9223372036854775807', '9223372036854775806']
const number = fc.constantFrom(...SHARED, '9007199254740991', '100000000000000000', '-9007199254740993')
const row = fc
  .tuple(number, number, number, fc.array(number, { maxLength: 3 }), fc.constantFrom(...SHARED))
  .map(([id, b, n, ids, inner]) => `{"id":${id},"b":${b},"n":${n},"ids":[${ids.join()}],"o":{"id":${inner}}}`)

const path = fc.constantFrom('$id', '$b', '$n', '$o.id', '$ids', '$o')
const copy = fc.oneof(
  path,
  path.map((one) => ({ k: one, j: '$id' })),
  path.map((one) => [one, '$b']),
)
const computed = fc
  .tuple(fc.constantFrom('$add', '$max', '$sum', '$eq', '$cmp', '$ifNull', '$setUnion', '$concatArrays'), path, path)
  .map(([operator, one, other]) => ({ [operator]: [one, other] }))
const field = fc.constantFrom('id', 'b', 'n', 'x', 'o.id', 'ids', 'o')

const copying: fc.Arbitrary<Spec> = fc.oneof(
  fc.dictionary(field, copy, { minKeys: 1, maxKeys: 3 }).map((spec): Spec => ['$set', spec]),
  fc
    .dictionary(fc.constantFrom('a', 'b', 'id', 'o'), fc.oneof(copy, fc.constant(1)), { minKeys: 1, maxKeys: 3 })
    .map((spec): Spec => ['$project', spec]),
  fc.constantFrom<Spec>(
    ['$replaceRoot', { newRoot: { id: '$b', b: '$id', o: '$o' } }],
    ['$replaceWith', '$o'],
    ['$unset', 'o.id'],
    ['$project', { id: 1, 'o.id': 1 }],
    ['$project', { id: 0 }],
    ['$unwind', '$ids'],
    ['select.apply', { columns: ['o.id', 'b'] }],
    ['map.apply', { expression: 'o.id', output_column: 'b' }],
  ),
)
const any: fc.Arbitrary<Spec> = fc.oneof(
  copying,
  fc.dictionary(field, fc.oneof(copy, computed), { minKeys: 1, maxKeys: 2 }).map((spec): Spec => ['$set', spec]),
  fc.constantFrom<Spec>(
    ['$sort', { id: 1 }],
    ['$match', { id: { $gt: 5 } }],
    ['$group', { _id: '$id', m: { $max: '$b' }, p: { $push: '$n' } }],
    ['$group', { scope: 'stream', _id: '$id', m: { $max: '$b' }, f: { $first: '$o' }, l: { $last: '$n' } }],
    ['$group', { scope: 'stream', _id: null, o: { $mergeObjects: '$o' } }],
    ['$sortByCount', '$n'],
    ['$facet', { a: [{ $match: { id: { $gt: 1 } } }] }],
    ['distinct.apply', { columns: ['id'] }],
  ),
)

let codecs: readonly Codec[]
beforeAll(async () => {
  codecs = await Promise.all(FORMATS.map(codecOf))
})

/** What stages make of two batches of the same rows, or why they fail. */
function outcome(codec: Codec, rows: readonly string[], specs: readonly Spec[]): string[] {
  try {
    const stages = specs.map(([name, spec]) =>
      name.startsWith('$') ? createStage(name, spec, '') : createFunctionStage(name, spec, ''),
    )
    return [1, 2].flatMap(() => textsOf(decodedBatch(codec, rows), stages))
  } catch (error) {
    return [(error as Error).message]
  }
}

test('stages make the same of all formats', () => {
  fc.assert(
    fc.property(
      fc.array(row, { minLength: 1, maxLength: 4 }),
      fc.array(any, { minLength: 1, maxLength: 3 }),
      (rows, specs) => {
        const [json, ...others] = codecs.map((codec) => outcome(codec, rows, specs))
        for (const other of others) expect(other).toEqual(json)
      },
    ),
    { numRuns: 100 },
  )
})

test('numbers that are copied are as exact as text, or refused', () => {
  fc.assert(
    fc.property(
      fc.array(row, { minLength: 1, maxLength: 2 }),
      fc.array(copying, { minLength: 1, maxLength: 4 }),
      (rows, specs) => {
        const texts = rows.map((one) => one.replace(/(-?\d+)/g, '"$1"'))
        const want = outcome(codecs[0]!, texts, specs).map((text) => text.replace(/"(-?\d+)"(?!:)/g, '$1'))
        for (const codec of codecs) {
          const found = outcome(codec, rows, specs)
          if (!found[0]?.startsWith('Cannot')) expect(found).toEqual(want)
          else expect(found[0]).toMatch(/^Cannot (?:apply|use|write field "\w*" exactly)/)
        }
      },
    ),
    { numRuns: 100 },
  )
})
