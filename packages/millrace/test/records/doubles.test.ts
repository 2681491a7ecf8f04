/** Numbers of Avro and Protobuf that no double holds are objects in documents: conditions were never true of them, and sums left them out. */
import { describe, expect, test } from 'vitest'
import { createFunctionStage } from '../../src/functions/in-line.ts'
import { accumulator, type Aggregation } from '../../src/functions/aggregations.ts'
import { compareValues } from '../../src/functions/rows/values.ts'
import { numberOf, stringifyExactly, withDoubles } from '../../src/records/exact-numbers.ts'
import { createStage } from '../../src/stages/index.ts'
import { batchOf } from '../support/batches.ts'

const LARGE = '9007199254740993'
const id = numberOf(LARGE)

describe('numbers that no double holds', () => {
  test.each([
    { name: '$match', spec: { id: { $gt: 5 } }, count: 1 },
    { name: '$match', spec: { $expr: { $gt: ['$id', 5] } }, count: 1 },
    { name: '$match', spec: { 'a.ids': { $gt: 5 } }, count: 1 },
    { name: '$match', spec: { id: { $lt: 5 } }, count: 0 },
    { name: 'filter.apply', spec: { column: 'id', operator: '>', value: 5 }, count: 1 },
    { name: 'filter.apply', spec: { column: 'a.ids', operator: 'contains', value: 1 }, count: 1 },
    { name: 'filter.apply', spec: { column: 'id', operator: '!=', value: 5 }, count: 1 },
  ])('compare as doubles in $name $spec, and pass with their digits', ({ name, spec, count }) => {
    const batch = batchOf(['{}'])
    batch.documents = [{ id, a: { ids: [1, id] } }]
    const stage = name.startsWith('$') ? createStage(name, spec, '') : createFunctionStage(name, spec, '')
    const passed = stage.process(batch)
    expect((passed?.documents ?? []).map(stringifyExactly)).toEqual(
      Array(count).fill(`{"id":${LARGE},"a":{"ids":[1,${LARGE}]}}`),
    )
  })

  test.each<{ operation: Aggregation; result: string }>([
    { operation: 'sum', result: '9007199254740994' },
    { operation: 'max', result: LARGE },
    { operation: 'min', result: '2' },
    { operation: 'last', result: '2' },
  ])('count in $operation', ({ operation, result }) => {
    const made = accumulator(operation)
    for (const cell of [id, 2]) made.add(cell)
    expect(stringifyExactly(made.result())).toBe(result)
  })

  test('sort as doubles', () => {
    expect([3, id, '5', 2].toSorted(compareValues).map(stringifyExactly)).toEqual(['2', '3', '"5"', LARGE])
  })

  test('leave documents without them as they are', () => {
    const document = { a: [1, { b: null }], at: new Date(0) }
    expect(withDoubles(document)).toBe(document)
  })
})
