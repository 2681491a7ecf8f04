/**
 * `sort.apply` and `distinct.apply`: stages that need all rows before they can give the first.
 */
import { defineTransform } from '../component.ts'
import { ORIGIN_COLUMNS } from '../codecs/kafka-rows.ts'
import { field, problem } from '../options/fields.ts'
import type { KeptRow } from './batches.ts'
import { Collection, COLLECTING_FIELDS } from './transforms.ts'
import { columnReader, compareValues, identityOf, type Row } from './values.ts'

const columnList = field.list(field.string(), { commaText: true })

export const sortApply = defineTransform({
  name: 'sort.apply',
  summary: 'Sorts all rows by one or more columns.',
  options: {
    by: columnList.doc('Columns to sort by, the most important one first.').example('amount'),
    descending: field
      .of<readonly boolean[]>({
        expected: 'true, false, or a list of these',
        schema: { type: ['boolean', 'array'] },
        read(value, report) {
          const list = (Array.isArray(value) ? value : [value]).map(String)
          if (list.length === 0 || !list.every((one) => one === 'true' || one === 'false'))
            report({ expected: this.expected, found: value })
          return list.map((one) => one === 'true')
        },
      })
      .default([false])
      .doc('Whether the largest come first; one for all columns, or a list with one for each.'),
    nulls_last: field.boolean().default(false).doc('Whether rows without a value come last instead of first.'),
    ...COLLECTING_FIELDS,
  },
  rules: [
    ({ by, descending }) =>
      descending.length === 1 || descending.length === by.length
        ? undefined
        : problem(
            'descending',
            `There must be one "descending" or one per column: there are ${descending.length} for ${by.length} columns`,
          ),
  ],
  examples: [
    {
      title: 'The largest first',
      options: { by: 'amount', descending: true },
      have: [{ amount: 2 }, { amount: '10' }, { amount: 3 }],
      want: [{ amount: '10' }, { amount: 3 }, { amount: 2 }],
    },
  ],
  create({ by, descending, nulls_last, ...limits }, { stage }) {
    const readers = by.map((column, i) => ({
      read: columnReader(column),
      sign: (descending[i] ?? descending[0]) === true ? -1 : 1,
    }))
    const collection = new Collection(stage, limits)
    const compare = (a: KeptRow, b: KeptRow): number => {
      for (const { read, sign } of readers) {
        const [x, y] = [read(a.batch.documents![a.row] as Row) ?? null, read(b.batch.documents![b.row] as Row) ?? null]
        if (x === null && y === null) continue
        const order =
          x === null ? (nulls_last ? 1 : -1) : y === null ? (nulls_last ? -1 : 1) : sign * compareValues(x, y)
        if (order !== 0) return order
      }
      return 0
    }
    return {
      needs: 'documents',
      process(batch) {
        collection.keep(batch)
        return []
      },
      finish: () => collection.give(collection.rows.toSorted(compare)),
    }
  },
})

export const distinctApply = defineTransform({
  name: 'distinct.apply',
  summary: 'Leaves one of the rows that are equal.',
  options: {
    columns: columnList
      .optional()
      .aliases('subset')
      .doc('Columns that make rows equal; by default all but those that say where a record came from.')
      .example('user_id'),
    keep: field
      .oneOf(['first', 'last', 'none', 'any'])
      .default('first')
      .doc('Which of equal rows is left; `none` drops all that are not alone.'),
    ...COLLECTING_FIELDS,
  },
  seesAllColumns: () => false,
  examples: [
    {
      title: 'The last of each user',
      options: { columns: 'user', keep: 'last' },
      have: [
        { user: 1, n: 1 },
        { user: 2, n: 2 },
        { user: 1, n: 3 },
      ],
      want: [
        { user: 2, n: 2 },
        { user: 1, n: 3 },
      ],
    },
    {
      title: 'Rows that are the same',
      options: {},
      have: [{ a: 1, b: { c: 2 } }, { b: { c: 2 }, a: 1 }, { a: 2 }],
      want: [{ a: 1, b: { c: 2 } }, { a: 2 }],
    },
  ],
  create({ columns, keep, ...limits }, { stage }) {
    const readers = columns?.map(columnReader)
    const collection = new Collection(stage, limits)
    const keyOf = (row: Row): string =>
      identityOf(readers === undefined ? withoutOrigin(row) : readers.map((read) => read(row) ?? null))
    return {
      needs: 'documents',
      process(batch) {
        collection.keep(batch)
        return []
      },
      finish() {
        const found = new Map<string, { at: number; count: number }>()
        collection.rows.forEach(({ batch, row }, at) => {
          const key = keyOf(batch.documents![row] as Row)
          const one = found.get(key)
          if (one === undefined) found.set(key, { at, count: 1 })
          else {
            one.count++
            if (keep === 'last') one.at = at
          }
        })
        const kept = [...found.values()].filter(({ count }) => keep !== 'none' || count === 1).map(({ at }) => at)
        return collection.give(kept.toSorted((a, b) => a - b).map((at) => collection.rows[at]!))
      },
    }
  },
})

/** Offsets differ in all records, so with them no two rows would be equal. */
function withoutOrigin(row: Row): Row {
  if (!('_kafka_offset' in row)) return row
  return Object.fromEntries(
    Object.entries(row).filter(([column]) => !(ORIGIN_COLUMNS as readonly string[]).includes(column)),
  )
}
