/**
 * `select.apply`: keeps some columns, in the order given.
 */
import type { Batch } from '../records/batch.ts'
import { StageError } from '../errors/index.ts'
import { field } from '../options/fields.ts'
import { didYouMean } from '../options/suggest.ts'
import { mapDocuments } from '../stages/rows.ts'
import { defineStageFunction } from './transforms.ts'
import { columnReader, type ColumnReader, type Row } from './rows/values.ts'

export const selectApply = defineStageFunction({
  name: 'select.apply',
  summary: 'Keeps the listed columns, in that order.',
  options: {
    columns: field
      .list(field.string(), { commaText: true })
      .doc(
        'Columns to keep. A column that a row does not have becomes null. A column that none of the first rows has ends the run with an error.',
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
  stage({ columns }, { stage }) {
    const readers = columns.map((column) => [column, columnReader(column)] as const)
    let isChecked = false
    const select = (row: Row): Row => {
      const selected: { [column: string]: unknown } = {}
      for (const [column, read] of readers) selected[column] = read(row) ?? null
      return selected
    }
    return {
      process(batch) {
        if (!isChecked && batch.length > 0) {
          requireColumns(batch, readers, stage)
          isChecked = true
        }
        return mapDocuments(batch, stage, select)
      },
    }
  },
})

/** A misspelled column would otherwise become a column of nulls. */
function requireColumns(batch: Batch, readers: readonly (readonly [string, ColumnReader])[], stage: string): void {
  const rows = batch.documents as Row[]
  const missing = readers.find(([, read]) => rows.every((row) => read(row) === undefined))
  if (missing === undefined) return
  const there = [...new Set(rows.flatMap((row) => Object.keys(row)))]
  throw new StageError(
    `Cannot select column "${missing[0]}" in stage "${stage}" as none of the first ${rows.length} rows has it: ${didYouMean(missing[0], there) ?? `there are ${there.slice(0, 20).join(', ')}`}`,
    { topic: batch.topic, partition: batch.partition, offset: batch.offset(0), component: stage },
  )
}
