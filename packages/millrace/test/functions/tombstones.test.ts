import { expect, test } from 'vitest'
import { createFunctionStage } from '../../src/functions/in-line.ts'
import { decodeRows, encodeRows } from '../../src/functions/rows/kafka-rows.ts'
import { batchOf } from '../support/batches.ts'
import { CONTEXT, definitionOf, optionsOf } from '../support/functions.ts'

const CHANGES: readonly [name: string, options: object][] = [
  ['map.apply', { expression: 'a * 2', output_column: 'b' }],
  ['select.apply', { columns: 'a' }],
  ['json.extract', { column: 'a', path: 'x', output_column: 'b' }],
]

/** Values of a batch after a function of stage graphs. */
function through(name: string, options: object, values: readonly (string | null)[]): (string | null)[] {
  const batch = batchOf(values.map((value, i) => ({ key: `k${i}`, value })))
  decodeRows(batch, false)
  const passed = createFunctionStage(name, options, 'stages.0').process(batch)!
  encodeRows(passed, new Set(), 'changed')
  return Array.from({ length: passed.length }, (_, row) => {
    const payload = passed.payloads?.[row]
    return payload === undefined ? (passed.value(row)?.toString() ?? null) : String(payload)
  })
}

test.each(CHANGES)('a tombstone passes through %s as it is', (name, options) => {
  const [first, second] = through(name, options, [null, '{"a":2,"c":3}'])
  expect(first).toBeNull()
  expect(second).toContain('"a":2')
})

// A run ended where the first record of a compacted topic was a delete.
test.each(CHANGES)('tombstones do not tell which columns there are: %s', (name, options) => {
  expect(through(name, options, [null, null])).toEqual([null, null])
})

// All deletes counted as equal, so all but the first were lost.
test.each(['first', 'last', 'none'])('deletes of different keys pass through distinct.apply: keep %s', async (keep) => {
  const batch = batchOf([null, '{"a":1}', null].map((value, i) => ({ key: `k${i}`, value })))
  decodeRows(batch, false)
  const stage = await definitionOf('distinct.apply').create(
    optionsOf('distinct.apply', { columns: 'a', keep }).options,
    CONTEXT,
  )
  const { signal } = new AbortController()
  const passed = [...(await stage.process(batch, signal)), ...((await stage.finish?.(signal)) ?? [])]
  const rows = passed.flatMap((one) =>
    Array.from({ length: one.length }, (_, row) => `${String(one.key(row))} ${one.isTombstone(row)}`),
  )
  expect(rows).toEqual(['k0 true', 'k1 false', 'k2 true'])
})

// A run ended at the first delete.
test('validate.schema passes deletes on', () => {
  const options = { required_fields: 'a', non_nullable: 'a', unique_fields: 'a' }
  expect(through('validate.schema', options, [null, '{"a":2}', null])).toEqual([null, '{"a":2}', null])
})
