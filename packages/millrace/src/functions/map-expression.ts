/**
 * Expressions of `map.apply`: a column, a constant, or two columns or numbers with an operator between.
 *
 * An operator with blanks around it counts before one without, so that `unit-price * 2` is a column times two, and
 * `price-discount` a difference.
 */
import { columnReader, numberOf, type Row } from './rows/values.ts'

export interface MapExpression {
  /** Columns that it reads. */
  readonly columns: readonly string[]
  /** The column whose cells it is; undefined if it computes or is a constant. */
  readonly copies?: string
  readonly evaluate: (row: Row) => unknown
}

type Arithmetic = (a: number, b: number) => number

/** In the order in which they are looked for. */
const OPERATORS: readonly (readonly [string, Arithmetic])[] = [
  ['*', (a, b) => a * b],
  ['+', (a, b) => a + b],
  ['-', (a, b) => a - b],
  ['/', (a, b) => a / b],
]

/** What no column is taken to have in its name, as it means something else in other languages. */
const FOREIGN = /[%^()<>=!&|?,;:"'`{}[\]]/
/** Constants of other languages. */
const MEANT: { readonly [word: string]: string } = { True: 'true', TRUE: 'true', False: 'false', FALSE: 'false' }

/** @returns what to write instead, when it cannot be read */
export function readMapExpression(text: string): MapExpression | { readonly suggestion: string } {
  const trimmed = text.trim()
  const constant = constantOf(trimmed)
  if (constant !== undefined) return { columns: [], evaluate: () => constant }
  if (Object.hasOwn(MEANT, trimmed)) return { suggestion: `write "${MEANT[trimmed]}"` }
  const found = splitAtOperator(trimmed)
  if (found === undefined) return FOREIGN.test(trimmed) || trimmed === '' ? UNKNOWN : copied(trimmed)
  const [left, right] = [operand(found.left), operand(found.right)]
  if (left === undefined || right === undefined) return UNKNOWN
  return {
    columns: [...left.columns, ...right.columns],
    evaluate(row) {
      const [a, b] = [left.read(row), right.read(row)]
      const result = a === undefined || b === undefined ? undefined : found.calculate(a, b)
      return result !== undefined && Number.isFinite(result) ? result : null
    },
  }
}

const UNKNOWN = { suggestion: 'for example "amount * 1.1"; use one map.apply per operator' }

function copied(column: string): MapExpression {
  const read = columnReader(column)
  return { columns: [column], copies: column, evaluate: (row) => read(row) ?? null }
}

function splitAtOperator(
  text: string,
): { readonly left: string; readonly right: string; readonly calculate: Arithmetic } | undefined {
  for (const around of [' ', ''])
    for (const [sign, calculate] of OPERATORS) {
      const operator = `${around}${sign}${around}`
      // From the second character on, as the first may be the sign of a number.
      const at = text.indexOf(operator, 1)
      if (at > 0) return { left: text.slice(0, at), right: text.slice(at + operator.length), calculate }
    }
  return undefined
}

interface Operand {
  readonly columns: readonly string[]
  readonly read: (row: Row) => number | undefined
}

function operand(text: string): Operand | undefined {
  const trimmed = text.trim()
  const number = numberOf(trimmed)
  if (number !== undefined) return { columns: [], read: () => number }
  // A hyphen may be part of a name; anything else here would be a second operator.
  if (!/^[^\s*+/-][^\s*+/]*$/.test(trimmed) || FOREIGN.test(trimmed)) return undefined
  const read = columnReader(trimmed)
  return { columns: [trimmed], read: (row) => numberOf(read(row)) }
}

function constantOf(text: string): string | number | boolean | undefined {
  if (text === 'true' || text === 'false') return text === 'true'
  const quoted = /^"([^"]*)"$|^'([^']*)'$/.exec(text)
  return quoted === null ? numberOf(text) : (quoted[1] ?? quoted[2])
}
