/**
 * `groupby.apply`, `reduce.apply` and `aggregate.stream`: numbers over many rows. Only the numbers are kept, not the rows.
 */
import { defineTransform, type StageContext } from '../contracts/functions.ts'
import type { Transform } from '../contracts/stage.ts'
import type { Batch } from '../records/batch.ts'
import { problem } from '../options/declaration.ts'
import { field } from '../options/fields.ts'
import { accumulator, AGGREGATIONS, CHOOSING, type Accumulator, type Aggregation } from './aggregations.ts'
import { exactOrError, KeptDigits } from '../records/kept-digits.ts'
import { stringifyExactly } from '../records/exact-numbers.ts'
import { batchOfRows, syntheticOrigin } from './rows/batches.ts'
import { comparableCell, pathOf } from './rows/exact-cells.ts'
import { PAYLOAD } from './rows/kafka-rows.ts'
import { RequiredColumns } from './rows/required-columns.ts'
import { Collection } from './transforms.ts'
import { columnReader, identityOf, type ColumnReader, type Row } from './rows/values.ts'

const groupLimit = {
  max_rows: field.int({ min: 1 }).default(1_000_000).doc('Maximum number of groups. More end the run with an error.'),
}
const NO_BYTES = Number.MAX_SAFE_INTEGER

export const groupbyApply = defineTransform({
  name: 'groupby.apply',
  summary: 'Aggregates each group of rows into one row.',
  options: {
    by: field.list(field.string(), { commaText: true }).doc('Columns to group by.').example('country'),
    aggregations: field
      .list(
        field.object({
          column: field.string().doc('Column with the values.'),
          operation: field.oneOf(AGGREGATIONS).doc('Operation to compute.'),
          output_column: field.string().optional().doc('Column for the result. By default that of `column`.'),
        }),
      )
      .doc(
        'Results to compute for each group. Null and missing cells do not count, nor do cells without a number in numeric operations, where true is 1 and false 0; `first` and `last` are the cells of the first and the last row, null included. `min` and `max` of text compare as text. `std` and `var` are those of a sample; `median` keeps all numbers in memory. A column that no row of the first batch has is an error if a similar one is there, and otherwise a warning.',
      )
      .example([{ column: 'amount', operation: 'sum', output_column: 'total' }]),
    ...groupLimit,
  },
  made: ({ by, aggregations }) => [...by, ...aggregations.map(({ column, output_column }) => output_column ?? column)],
  keepsRowsBack: () => true,
  waitsForEnd: () => true,
  notInLine: () => ({ because: 'it needs all rows', instead: '$group' }),
  examples: [
    {
      title: 'Totals by country',
      options: { by: 'country', aggregations: [{ column: 'amount', operation: 'sum', output_column: 'total' }] },
      have: [
        { country: 'de', amount: 1 },
        { country: 'fr', amount: 2 },
        { country: 'de', amount: '3' },
      ],
      want: [
        { country: 'de', total: 4 },
        { country: 'fr', total: 2 },
      ],
    },
  ],
  create({ by, aggregations, max_rows }, context) {
    const columns = aggregations.map(({ column, operation, output_column }) => ({
      column,
      operation,
      output: output_column ?? column,
    }))
    return overall(context, max_rows, new Groups(by, columns), [...by, ...aggregations.map(({ column }) => column)])
  },
})

export const reduceApply = defineTransform({
  name: 'reduce.apply',
  summary: 'Aggregates all rows into one row.',
  options: {
    column: field.string().doc('Column with the values.').example('amount'),
    operation: field
      .oneOf(AGGREGATIONS)
      .doc(
        'Operation to compute. Null and missing cells do not count, nor do cells without a number in numeric operations, where true is 1 and false 0; `first` and `last` are the cells of the first and the last row, null included. `min` and `max` of text compare as text. `std` and `var` are those of a sample; `median` keeps all numbers in memory. A column that no row of the first batch has is an error if a similar one is there, and otherwise a warning.',
      )
      .example('sum'),
    output_column: field.string().default('result').doc('Column for the result.'),
  },
  made: ({ output_column }) => [output_column],
  keepsRowsBack: () => true,
  waitsForEnd: () => true,
  notInLine: () => ({ because: 'it needs all rows', instead: '$group with _id: null' }),
  examples: [
    {
      title: 'The sum',
      options: { column: 'amount', operation: 'sum' },
      have: [{ amount: 1 }, { amount: '2.5' }, { amount: null }],
      want: [{ result: 3.5 }],
    },
  ],
  create: ({ column, operation, output_column }, context) =>
    overall(context, 1, new Groups([], [{ column, operation, output: output_column }]), [column]),
})

const STREAM_OPERATIONS = ['count', 'sum', 'avg', 'min', 'max'] as const

export const aggregateStream = defineTransform({
  name: 'aggregate.stream',
  summary:
    'Aggregates the rows of each window, or all rows if there are no windows. Behind a source that never ends, such as `file.watch`, it aggregates what comes together.',
  options: {
    operation: field
      .oneOf(STREAM_OPERATIONS)
      .doc('Operation to compute. The result column has the same name.')
      .example('count'),
    group_by: field.list(field.string(), { commaText: true }).optional().doc('Columns to group by.'),
    value_column: field.string().optional().aliases('column').doc('Column with the values. `count` does not need one.'),
    ...groupLimit,
  },
  rules: [
    ({ operation, value_column }) =>
      operation === 'count' || value_column !== undefined
        ? undefined
        : problem('value_column', `Missing option "value_column", which operation "${operation}" requires`),
  ],
  made: ({ operation, group_by = [] }) => [...group_by, operation],
  keepsRowsBack: () => true,
  notInLine: () => ({ because: 'it needs all rows of a window', instead: '$group' }),
  examples: [
    {
      title: 'Rows per level',
      options: { operation: 'count', group_by: ['level'] },
      have: [{ level: 'error' }, { level: 'info' }, { level: 'error' }],
      want: [
        { level: 'error', count: 2 },
        { level: 'info', count: 1 },
      ],
    },
  ],
  create({ operation, group_by = [], value_column, max_rows }, context) {
    const { stage, isWindowed } = context
    const make = (): Groups => new Groups(group_by, [{ column: value_column, operation, output: operation }])
    const columns = [...group_by, ...(value_column === undefined ? [] : [value_column])]
    if (!isWindowed) return overall(context, max_rows, make(), columns)
    const required = new RequiredColumns(context, columns)
    return {
      needs: 'documents',
      process(batch) {
        required.check(batch)
        const groups = make()
        groups.add(batch)
        const { acknowledgement, length } = batch
        // A result that fails stands for all rows of its window.
        const sources = { of: () => Array.from({ length }, (_, row) => ({ batch, row })) }
        const { rows, texts } = groups.results()
        const origin = syntheticOrigin(stage)
        return [batchOfRows(rows, { origin, acknowledgement, sources, ...(texts && { texts }) })]
      },
    }
  },
})

/** Computes over everything that comes, and gives the result at the end. */
function overall(context: StageContext, maxGroups: number, groups: Groups, columns: readonly string[]): Transform {
  const held = new Collection(context.stage, { max_rows: maxGroups, max_bytes: NO_BYTES })
  const required = new RequiredColumns(context, columns)
  return {
    needs: 'documents',
    process(batch) {
      required.check(batch)
      held.holdAcknowledgement(batch)
      groups.add(batch)
      held.check(groups.count)
      return []
    },
    finish() {
      const { rows, texts } = groups.results()
      return held.emitNew(rows, texts)
    },
  }
}

interface Computed {
  /** Undefined counts rows. */
  readonly column: string | undefined
  readonly operation: Aggregation
  readonly output: string
}

interface Group {
  readonly row: Row
  readonly accumulators: readonly Accumulator[]
  /** The digits of cells that a double rounds; undefined where there are none. */
  exact: KeptDigits | undefined
}

/** Groups in the order in which their first rows came. Without columns there is one group, as soon as there is a row. */
class Groups {
  readonly #by: readonly (readonly [string, ColumnReader])[]
  readonly #computed: readonly (Computed & { readonly read: ColumnReader })[]
  readonly #groups = new Map<string, Group>()

  constructor(by: readonly string[], computed: readonly Computed[]) {
    this.#by = by.map((column) => [column, columnReader(column)])
    this.#computed = computed.map((one) => ({
      ...one,
      read: one.column === undefined ? () => true : columnReader(one.column),
    }))
  }

  get count(): number {
    return this.#groups.size
  }

  add(batch: Batch): void {
    for (let row = 0; row < batch.length; row++) {
      const document = batch.documents![row] as Row
      const key = identityOf(
        this.#by.map(([column, read]) => comparableCell(read(document) ?? null, column, batch, row)),
      )
      let group = this.#groups.get(key)
      if (group === undefined) {
        group = {
          row: Object.fromEntries(this.#by.map(([column, read]) => [column, read(document) ?? null])),
          accumulators: this.#computed.map(({ operation }) => accumulator(operation)),
          exact: undefined,
        }
        this.#groups.set(key, group)
        for (const [column] of this.#by) note(group, column, group.row[column], column, batch, row)
      }
      for (let i = 0; i < this.#computed.length; i++) {
        const { read, operation, output, column } = this.#computed[i]!
        const cell = read(document)
        const computed = group.accumulators[i]!
        computed.add(cell)
        if (column === undefined || !KeptDigits.mayRound(cell)) continue
        if (!CHOOSING.has(operation) || computed.result() !== cell) continue
        // Of several cells that are the same as doubles the first one counts.
        if (operation === 'last' || group.exact?.has(output, cell) !== true)
          note(group, output, cell, column, batch, row)
      }
    }
  }

  /** One row for each group, and their JSON where it says more. */
  results(): { readonly rows: readonly Row[]; readonly texts: readonly string[] | undefined } {
    const groups = [...this.#groups.values()]
    const rows = groups.map(({ row, accumulators }): Row => ({
      ...row,
      ...Object.fromEntries(this.#computed.map(({ output }, i) => [output, accumulators[i]!.result()])),
    }))
    if (!groups.some(({ exact }) => exact !== undefined)) return { rows, texts: undefined }
    return { rows, texts: rows.map((row, i) => stringifyExactly(groups[i]!.exact?.restored(row) ?? row)) }
  }
}

/** Remembers the digits of a cell that is in the result of a group. */
function note(group: Group, output: string, cell: unknown, column: string, batch: Batch, row: number): void {
  if (!KeptDigits.mayRound(cell)) return
  ;(group.exact ??= new KeptDigits()).keep(
    output,
    cell,
    exactOrError(cell, pathOf(column, batch, row), batch, row, PAYLOAD),
  )
}
