import { expect, test } from 'vitest'
import { createFunctionStage } from '../../src/functions/in-line.ts'
import { decodeRows, encodeRows } from '../../src/functions/rows/kafka-rows.ts'
import { batchOf } from '../support/batches.ts'

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
