/**
 * `json.extract`: takes a value out of a column that holds JSON.
 */
import { parseExactly } from '../records/exact-numbers.ts'
import { field } from '../options/fields.ts'
import { mapDocuments } from '../stages/rows.ts'
import { defineStageFunction } from './transforms.ts'
import { exactCell } from './rows/exact-cells.ts'
import { RequiredColumns } from './rows/required-columns.ts'
import { columnReader, withColumn, type Row } from './rows/values.ts'

export const jsonExtract = defineStageFunction({
  name: 'json.extract',
  summary: 'Extracts a value from a column that contains JSON.',
  options: {
    column: field
      .string()
      .doc(
        'Column with JSON as text, or with an object. A column that no row of the first batch has is an error if a similar one is there, and otherwise a warning.',
      )
      .example('payload'),
    path: field
      .string()
      .doc('Path to the value: names and positions, separated by dots.')
      .example('user.address.0.city'),
    output_column: field
      .string()
      .doc('Column for the value, as text. Objects and lists are written as JSON; a missing value becomes null.')
      .example('city'),
  },
  made: ({ output_column }) => [output_column],
  examples: [
    {
      title: 'A city',
      options: { column: 'payload', path: 'user.city', output_column: 'city' },
      have: [{ payload: '{"user":{"city":"Bonn"}}' }, { payload: '{}' }],
      want: [
        { payload: '{"user":{"city":"Bonn"}}', city: 'Bonn' },
        { payload: '{}', city: null },
      ],
    },
  ],
  stage({ column, path, output_column }, context) {
    const { stage } = context
    const required = new RequiredColumns(context, [column])
    const read = columnReader(column)
    const names = path
      .replace(/^\$\.?/, '')
      .split('.')
      .filter((name) => name !== '')
    return {
      process(batch, failed) {
        required.check(batch)
        const extract = (cells: Row, row: number): Row =>
          withColumn(cells, output_column, textAt(parsed(exactCell(read(cells), column, batch, row)), names))
        return mapDocuments(batch, stage, extract, failed)
      },
    }
  },
})

function parsed(cell: unknown): unknown {
  if (typeof cell !== 'string') return cell
  try {
    return parseExactly(cell)
  } catch {
    return null
  }
}

function textAt(value: unknown, names: readonly string[]): string | null {
  let found = value
  for (const name of names)
    found = typeof found === 'object' && found !== null && Object.hasOwn(found, name) ? (found as Row)[name] : null
  if (found === null || found === undefined) return null
  return typeof found === 'string' ? found : JSON.stringify(found)
}
