/**
 * How the functions of stage graphs look at rows: columns, numbers that may be text, equal rows, order.
 */

import { isExact } from '../../records/exact-numbers.ts'

/** A row: a parsed document whose fields are the columns. Never changed in place. */
export type Row = { readonly [column: string]: unknown }

export type ColumnReader = (row: Row) => unknown

/** Reads a column. A name with dots that is no column itself descends into objects. `undefined` where there is none. */
export function columnReader(column: string): ColumnReader {
  if (!column.includes('.'))
    return column in {} ? (row) => (Object.hasOwn(row, column) ? row[column] : undefined) : (row) => row[column]
  const names = column.split('.')
  return (row) => {
    if (Object.hasOwn(row, column)) return row[column]
    let value: unknown = row
    for (const name of names) {
      if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined
      value = (value as Row)[name]
    }
    return value
  }
}

/** The fields of a row in which the reader of a column looks for it. */
export function fieldsOf(column: string): readonly string[] {
  return column.includes('.') ? [column, column.slice(0, column.indexOf('.'))] : [column]
}

/** The row with a column set; a column that is there keeps its place. */
export function withColumn(row: Row, column: string, value: unknown): Row {
  return { ...row, [column]: value }
}

const NUMBER = /^\s*[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?\s*$/

/** A number, also one that is written as text; undefined for everything else. */
export function numberOf(value: unknown): number | undefined {
  if (typeof value === 'number') return value
  return typeof value === 'string' && NUMBER.test(value) ? Number(value) : undefined
}

/** Text that is equal for equal values, whatever the order of their fields. */
export function identityOf(value: unknown): string {
  return (
    JSON.stringify(value, (_, inner: unknown) =>
      typeof inner === 'object' && inner !== null && !Array.isArray(inner) && !isExact(inner)
        ? Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1)))
        : inner,
    ) ?? 'null'
  )
}

/** Order of two texts, by code units. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** Order of two values of a column that is not all text, neither of them null: numbers (also as text) by size, text by code points, then by type. */
export function compareValues(a: unknown, b: unknown): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b
  const [first, second] = [numberOf(a), numberOf(b)]
  if (first !== undefined && second !== undefined) return first - second
  const [x, y] = [rankOf(a), rankOf(b)]
  if (x !== y) return x - y
  const [s, t] = typeof a === 'object' ? [identityOf(a), identityOf(b)] : [a as string, b as string]
  return s < t ? -1 : s > t ? 1 : 0
}

function rankOf(value: unknown): number {
  if (numberOf(value) !== undefined) return 0
  return typeof value === 'string' ? 1 : typeof value === 'boolean' ? 2 : 3
}
