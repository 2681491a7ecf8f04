/**
 * `select.apply`: keeps some columns, in the order given.
 */
import { field } from '../options/fields.ts'
import { mapDocuments } from '../stages/rows.ts'
import { defineStageFunction } from './transforms.ts'
import { RequiredColumns } from './rows/required-columns.ts'
import { columnReader, type Row } from './rows/values.ts'

export const selectApply = defineStageFunction({
  name: 'select.apply',
  summary: 'Keeps the listed columns, in that order.',
  options: {
    columns: field
      .list(field.string(), { commaText: true })
      .doc(
        'Columns to keep. A column that a row does not have becomes null. A column that no row of the first batch has is an error if a similar one is there, and otherwise a warning.',
      )
      .example(['user_id', 'amount']),
  },
  made: ({ columns }) => columns,
  examples: [
    {
      title: 'Two columns',
      options: { columns: ['b', 'a'] },
      have: [{ a: 1, b: { x: 2 }, c: 3 }, { b: 4 }],
      want: [
        { b: { x: 2 }, a: 1 },
        { b: 4, a: null },
      ],
    },
  ],
  stage({ columns }, context) {
    const { stage } = context
    const readers = columns.map((column) => [column, columnReader(column)] as const)
    const required = new RequiredColumns(context, columns)
    const moved = columns
      .filter((column) => column.includes('.'))
      .map((column) => ({ to: [column], from: column.split('.') }))
    const select = (row: Row): Row => {
      const selected: { [column: string]: unknown } = {}
      for (const [column, read] of readers) selected[column] = read(row) ?? null
      return selected
    }
    return {
      process(batch) {
        required.check(batch)
        return mapDocuments(batch, stage, select, undefined, false, moved)
      },
    }
  },
})
