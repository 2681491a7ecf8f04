/**
 * `filter.apply`: keeps the rows whose column compares true with a value.
 */
import { problem } from '../options/declaration.ts'
import { field } from '../options/fields.ts'
import { isScalar } from '../options/values.ts'
import { defineStageFunction } from './transforms.ts'
import { RequiredColumns } from './rows/required-columns.ts'
import { columnReader, fieldsOf, numberOf, type Row } from './rows/values.ts'

const OPERATORS = ['==', '!=', '>', '>=', '<', '<=', 'contains', 'in'] as const
type Operator = (typeof OPERATORS)[number]
type Scalar = string | number | boolean
type Test = (cell: unknown) => boolean

export const filterApply = defineStageFunction({
  name: 'filter.apply',
  summary: 'Keeps the rows whose column meets a condition.',
  options: {
    column: field
      .string()
      .doc(
        'Column to compare; dots descend into objects. Rows in which it is missing or null are dropped, whatever the operator. A column that no row of the first batch has is an error if a similar one is there, and otherwise a warning.',
      )
      .example('amount'),
    operator: field
      .oneOf(OPERATORS, { '=': '==', '<>': '!=' })
      .default('==')
      .doc(
        'Comparison operator. `contains` looks for text in a text or for an element in a list; `in` looks for the cell in a list.',
      ),
    value: field
      .of<Scalar | readonly Scalar[]>({
        expected: 'text, a number, a boolean or a list of these',
        schema: { type: ['string', 'number', 'boolean', 'array'] },
        read(value, report) {
          if (!isScalar(value) && !(Array.isArray(value) && value.every(isScalar)))
            report({ expected: this.expected, found: value })
          return value as Scalar
        },
      })
      .doc(
        'Value to compare with. A number may be written as text: it compares as a number with numbers and, for ordering, with text that looks like a number. Other text compares as text: `2024` comes before `2024-01-31`.',
      )
      .example('100'),
  },
  rules: [
    ({ operator, value }) =>
      operator !== 'in' && Array.isArray(value)
        ? problem('value', `Cannot use operator "${operator}" with a list`, 'use in')
        : undefined,
    ({ operator, value }) =>
      operator === 'in' && !Array.isArray(value) && typeof value !== 'string'
        ? problem('value', 'Cannot use operator "in" with a single value', 'write a list, or text separated by commas')
        : undefined,
    ({ operator, value }) =>
      /^[<>]/.test(operator) && typeof value === 'boolean'
        ? problem('value', `Cannot order by a boolean with operator "${operator}"`, 'use == or !=')
        : undefined,
  ],
  examples: [
    {
      title: 'High-value events',
      options: { column: 'amount', operator: '>=', value: '100' },
      have: [{ amount: 99 }, { amount: 100 }, { amount: '250' }, {}],
      want: [{ amount: 100 }, { amount: '250' }],
    },
    {
      title: 'One of several',
      options: { column: 'status', operator: 'in', value: ['paid', 'open'] },
      have: [{ status: 'paid' }, { status: 'void' }],
      want: [{ status: 'paid' }],
    },
  ],
  stage({ column, operator, value }, context) {
    const required = new RequiredColumns(context, [column])
    const read = columnReader(column)
    const test = compare(operator, value)
    let kept = new Int32Array(0)
    return {
      needs: 'fields',
      fields: fieldsOf(column),
      process(batch) {
        required.check(batch)
        const rows = batch.documents as Row[]
        const { length } = batch
        if (kept.length < length) kept = new Int32Array(length)
        let count = 0
        for (let row = 0; row < length; row++) if (test(read(rows[row]!))) kept[count++] = row
        return batch.pick(kept, count)
      },
    }
  },
})

/** A test of cells; null and what is not there never pass. */
function compare(operator: Operator, value: Scalar | readonly Scalar[]): Test {
  if (Array.isArray(value) || operator === 'in') {
    const list = Array.isArray(value)
      ? (value as readonly Scalar[])
      : String(value)
          .split(',')
          .map((part) => part.trim())
    const tests = list.map(equals)
    return (cell) => tests.some((test) => test(cell))
  }
  const one = value as Scalar
  switch (operator) {
    case '==':
      return equals(one)
    case '!=': {
      const test = equals(one)
      return (cell) => cell !== null && cell !== undefined && !test(cell)
    }
    case 'contains': {
      const test = equals(one)
      return (cell) => (typeof cell === 'string' ? cell.includes(String(one)) : Array.isArray(cell) && cell.some(test))
    }
    case '>':
      return ordered(one, (a, b) => a > b)
    case '>=':
      return ordered(one, (a, b) => a >= b)
    case '<':
      return ordered(one, (a, b) => a < b)
    case '<=':
      return ordered(one, (a, b) => a <= b)
  }
}

/** The type of the cell decides: "100" equals 100, but not "100.0". */
function equals(value: Scalar): Test {
  const text = String(value)
  const number = numberOf(value)
  return (cell) => {
    if (typeof cell === 'number') return cell === number
    if (typeof cell === 'string') return typeof value === 'number' ? numberOf(cell) === value : cell === text
    return typeof cell === 'boolean' && String(cell) === text
  }
}

function ordered(value: Scalar, holds: <T extends number | string>(a: T, b: T) => boolean): Test {
  const bound = numberOf(value)
  if (bound === undefined) return (cell) => typeof cell === 'string' && holds(cell, String(value))
  return (cell) => {
    if (typeof cell === 'number') return holds(cell, bound)
    const number = numberOf(cell)
    if (number !== undefined) return holds(number, bound)
    return typeof value === 'string' && typeof cell === 'string' && holds(cell, value)
  }
}
