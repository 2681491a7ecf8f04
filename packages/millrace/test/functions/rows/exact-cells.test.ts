/** What `groupby.apply`, `reduce.apply` and `aggregate.stream` pass on of the cells was written as the nearest doubles. */
import { describe, expect, test } from 'vitest'
import type { FunctionContext } from '../../../src/contracts/functions.ts'
import { rowText } from '../../../src/functions/rows/kafka-rows.ts'
import type { Batch } from '../../../src/records/batch.ts'
import { batchOf } from '../../support/batches.ts'
import { CONTEXT, definitionOf, optionsOf } from '../../support/functions.ts'

const LARGE = '9007199254740993'
const NEXT = '9007199254740992'

/** What comes out of a function for one batch of JSON texts. */
async function textsOf(
  name: string,
  options: object,
  values: readonly string[],
  context: Partial<FunctionContext> = {},
): Promise<string[]> {
  const stage = await definitionOf(name).create(optionsOf(name, options).options, { ...CONTEXT, ...context })
  const { signal } = new AbortController()
  const batch = batchOf(values)
  batch.documents = values.map((value) => JSON.parse(value) as unknown)
  const passed: readonly Batch[] = await stage.process(batch, signal)
  const finished = (await stage.finish?.(signal)) ?? []
  return [...passed, ...finished].flatMap((made) => Array.from({ length: made.length }, (_, row) => rowText(made, row)))
}

describe('the digits of cells', () => {
  test.each([
    { name: 'columns of groups', by: ['id'], values: [`{"id":${LARGE},"n":1}`], row: `{"id":${LARGE},"n":1}` },
    { name: 'nested ones', by: ['a.id'], values: [`{"a":{"id":${LARGE}},"id":${NEXT},"n":1}`], row: `"a.id":${LARGE}` },
    { name: 'objects', by: ['a'], values: [`{"a":{"id":${LARGE}},"n":1}`], row: `{"a":{"id":${LARGE}},"n":1}` },
    { name: 'fractions', by: ['id'], values: ['{"id":1.234567890123456789,"n":1}'], row: '1.234567890123456789' },
    { name: 'doubles', by: ['id'], values: ['{"id":1.5,"n":1}'], row: '{"id":1.5,"n":1}' },
  ])('in $name', async ({ by, values, row }) => {
    const options = { by, aggregations: [{ column: 'n', operation: 'first' }] }
    const [text] = await textsOf('groupby.apply', options, values)
    expect(text).toContain(row)
  })

  test.each([
    { operation: 'first', cells: [LARGE, NEXT, '1'], chosen: LARGE },
    { operation: 'last', cells: ['1', NEXT, LARGE], chosen: LARGE },
    { operation: 'last', cells: [LARGE, '1'], chosen: '1' },
    { operation: 'max', cells: ['1', LARGE, '2'], chosen: LARGE },
    { operation: 'min', cells: [`-${LARGE}`, '1'], chosen: `-${LARGE}` },
    { operation: 'sum', cells: [LARGE], chosen: NEXT },
  ])('that $operation chooses from $cells', async ({ operation, cells, chosen }) => {
    const values = cells.map((cell) => `{"id":${cell}}`)
    expect(await textsOf('reduce.apply', { column: 'id', operation }, values)).toEqual([`{"result":${chosen}}`])
  })

  test('in windows', async () => {
    const options = { operation: 'max', value_column: 'id', group_by: ['user'] }
    const values = [`{"user":${LARGE},"id":${LARGE}}`]
    const [text] = await textsOf('aggregate.stream', options, values, { isWindowed: true })
    expect(text).toBe(`{"user":${LARGE},"max":${LARGE}}`)
  })
})
