/**
 * `map.apply`: makes a column of an expression: a column, a constant, or two of them with an operator between.
 */
import { problem } from '../options/declaration.ts'
import { field } from '../options/fields.ts'
import { mapDocuments } from '../stages/rows.ts'
import { defineStageFunction } from './transforms.ts'
import { columnReader, numberOf, withColumn, type Row } from './rows/values.ts'

type Expression = (row: Row) => unknown
type Arithmetic = (a: number, b: number) => number

/** In the order in which they are looked for. */
const OPERATORS: readonly (readonly [string, Arithmetic])[] = [
  ['*', (a, b) => a * b],
  ['+', (a, b) => a + b],
  ['-', (a, b) => a - b],
  ['/', (a, b) => a / b],
]

export const mapApply = defineStageFunction({
  name: 'map.apply',
  summary: 'Computes a column from an expression.',
  options: {
    expression: field
      .string()
      .doc(
        'A column, a constant (`true`, `"text"`, `1.5`), or two columns or numbers with `*`, `+`, `-` or `/` between them. The result is null if a cell is not a number, or on division by zero.',
      )
      .example('amount * 1.1'),
    output_column: field
      .string()
      .doc('Column for the result. An existing column is replaced.')
      .example('amount_with_tax'),
  },
  rules: [
    ({ expression }) =>
      compile(expression) === undefined
        ? problem(
            'expression',
            `Cannot read the expression ${JSON.stringify(expression)} as it must be a column, a constant, or two of them with one operator`,
            'for example "amount * 1.1"; use one map.apply per operator',
          )
        : undefined,
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
  stage({ expression, output_column }, { stage }) {
    const evaluate = compile(expression)!
    return {
      process: (batch) => mapDocuments(batch, stage, (row) => withColumn(row, output_column, evaluate(row))),
    }
  },
})

function compile(text: string): Expression | undefined {
  const trimmed = text.trim()
  const constant = constantOf(trimmed)
  if (constant !== undefined) return () => constant
  for (const [sign, calculate] of OPERATORS) {
    // From the second character on, as the first may be the sign of a number.
    const at = trimmed.indexOf(sign, 1)
    if (at < 0) continue
    const [left, right] = [operand(trimmed.slice(0, at)), operand(trimmed.slice(at + 1))]
    if (left === undefined || right === undefined) return undefined
    return (row) => {
      const [a, b] = [left(row), right(row)]
      const result = a === undefined || b === undefined ? undefined : calculate(a, b)
      return result !== undefined && Number.isFinite(result) ? result : null
    }
  }
  const read = columnReader(trimmed)
  return (row) => read(row) ?? null
}

function operand(text: string): ((row: Row) => number | undefined) | undefined {
  const trimmed = text.trim()
  const number = numberOf(trimmed)
  if (number !== undefined) return () => number
  if (!/^[^\s*+\-/"']+$/.test(trimmed)) return undefined
  const read = columnReader(trimmed)
  return (row) => numberOf(read(row))
}

function constantOf(text: string): string | number | boolean | undefined {
  if (text === 'true' || text === 'false') return text === 'true'
  const quoted = /^"([^"]*)"$|^'([^']*)'$/.exec(text)
  return quoted === null ? numberOf(text) : (quoted[1] ?? quoted[2])
}
