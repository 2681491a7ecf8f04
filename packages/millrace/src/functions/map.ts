/**
 * `map.apply`: makes a column of an expression: a column, a constant, or two of them with an operator between.
 */
import { problem } from '../options/declaration.ts'
import { field } from '../options/fields.ts'
import { mapDocuments } from '../stages/rows.ts'
import { defineStageFunction } from './transforms.ts'
import { readMapExpression, type MapExpression } from './map-expression.ts'
import { RequiredColumns } from './rows/required-columns.ts'
import { withColumn, type Row } from './rows/values.ts'

export const mapApply = defineStageFunction({
  name: 'map.apply',
  summary: 'Computes a column from an expression.',
  options: {
    expression: field
      .string()
      .doc(
        'A column, a constant (`true`, `"text"`, `1.5`), or two columns or numbers with `*`, `+`, `-` or `/` between them. The result is null if a cell is not a number, or on division by zero. In `unit-price * 2`, an operator between blanks counts first. A column that no row of the first batch has is an error if a similar one is there, and otherwise a warning.',
      )
      .example('amount * 1.1'),
    output_column: field
      .string()
      .doc('Column for the result. An existing column is replaced.')
      .example('amount_with_tax'),
  },
  rules: [
    ({ expression }) => {
      const read = readMapExpression(expression)
      return 'suggestion' in read
        ? problem(
            'expression',
            `Cannot read the expression ${JSON.stringify(expression)} as it must be a column, a constant, or two of them with one operator`,
            read.suggestion,
          )
        : undefined
    },
  ],
  made: ({ output_column }) => [output_column],
  examples: [
    {
      title: 'With tax',
      options: { expression: 'amount * 1.5', output_column: 'gross' },
      have: [{ amount: 10 }, { amount: '2' }, { amount: null }],
      want: [
        { amount: 10, gross: 15 },
        { amount: '2', gross: 3 },
        { amount: null, gross: null },
      ],
    },
    {
      title: 'A constant',
      options: { expression: '"eu"', output_column: 'region' },
      have: [{ id: 1 }],
      want: [{ id: 1, region: 'eu' }],
    },
  ],
  stage({ expression, output_column }, context) {
    const { stage } = context
    const { columns, copies, evaluate } = readMapExpression(expression) as MapExpression
    const moved = [{ to: [output_column], from: copies?.split('.') }]
    const map = (row: Row): Row => withColumn(row, output_column, evaluate(row))
    const required = new RequiredColumns(context, columns)
    return {
      process(batch) {
        required.check(batch)
        return mapDocuments(batch, stage, map, undefined, false, moved)
      },
    }
  },
})
