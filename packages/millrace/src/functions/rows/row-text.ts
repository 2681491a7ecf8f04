/**
 * Rows as text: lists of JSON, lines of JSON, an object of columns, CSV, a table for people.
 *
 * Rows come as JSON texts. Numbers are written with the digits that came in (I7).
 */
import { isExact, parseExactly } from '../../records/exact-numbers.ts'
import type { Row } from './values.ts'

/** Rows that are read as often as a format needs them, and what columns they have, in the order of their first appearance. */
export interface StoredRows {
  readonly columns: readonly string[]
  readonly count: number
  texts(): AsyncIterable<string>
}

/** Writes rows piece by piece. */
export type RowFormat = (rows: StoredRows) => AsyncIterable<string>

export interface FormatOptions {
  readonly format: 'records' | 'jsonl' | 'dataframe' | 'csv' | 'table'
  readonly pretty?: boolean
  readonly headers?: boolean
  readonly delimiter?: string
}

export function rowFormat({ format, pretty = false, headers = true, delimiter = ',' }: FormatOptions): RowFormat {
  switch (format) {
    case 'records':
      return (rows) => listOf(rows, pretty)
    case 'jsonl':
      return linesOf
    case 'dataframe':
      return (rows) => columnsOf(rows, pretty)
    case 'csv':
      return (rows) => csvOf(rows, headers, delimiter)
    case 'table':
      return tableOf
  }
}

async function* listOf(rows: StoredRows, pretty: boolean): AsyncIterable<string> {
  let before = pretty ? '[\n' : '['
  for await (const text of rows.texts()) {
    yield before + (pretty ? indented(JSON.stringify(parseExactly(text), undefined, 2)) : text)
    before = pretty ? ',\n' : ','
  }
  yield rows.count === 0 ? '[]' : pretty ? '\n]' : ']'
}

/** Without a final line feed. */
async function* linesOf(rows: StoredRows): AsyncIterable<string> {
  let before = ''
  for await (const text of rows.texts()) {
    yield before + text
    before = '\n'
  }
}

async function* columnsOf(rows: StoredRows, pretty: boolean): AsyncIterable<string> {
  const space = pretty ? '\n  ' : ''
  let before = '{'
  for (const column of rows.columns) {
    yield `${before}${space}${JSON.stringify(column)}:${pretty ? ' ' : ''}`
    let open = '['
    for await (const text of rows.texts()) {
      yield open + JSON.stringify((parseExactly(text) as Row)[column] ?? null)
      open = pretty ? ', ' : ','
    }
    yield ']'
    before = ','
  }
  yield rows.columns.length === 0 ? '{}' : pretty ? '\n}' : '}'
}

async function* csvOf(rows: StoredRows, headers: boolean, delimiter: string): AsyncIterable<string> {
  const { stringify } = await import('csv-stringify/sync')
  const line = (cells: readonly string[]): string => stringify([[...cells]], { delimiter })
  if (headers && rows.columns.length > 0) yield line(rows.columns)
  for await (const text of rows.texts()) {
    const row = parseExactly(text) as Row
    yield line(rows.columns.map((column) => cellText(row[column])))
  }
}

/** As polars prints it: shape, names, types, rows. */
async function* tableOf(rows: StoredRows): AsyncIterable<string> {
  yield `shape: (${rows.count}, ${rows.columns.length})\n`
  if (rows.columns.length === 0) return
  const types = rows.columns.map(() => 'null')
  const widths = rows.columns.map((column) => column.length)
  for await (const text of rows.texts()) {
    const row = parseExactly(text) as Row
    rows.columns.forEach((column, i) => {
      types[i] = commonType(types[i]!, typeOf(row[column]))
      widths[i] = Math.min(MAX_CELL, Math.max(widths[i]!, cellText(row[column], 'null').length))
    })
  }
  types.forEach((type, i) => (widths[i] = Math.max(widths[i]!, type.length)))
  const line = (cells: readonly string[]): string =>
    `│ ${cells.map((cell, i) => shortened(cell, widths[i]!).padEnd(widths[i]!)).join(' ┆ ')} │\n`
  const rule = (left: string, middle: string, right: string, dash: string): string =>
    `${left}${widths.map((width) => dash.repeat(width + 2)).join(middle)}${right}\n`
  yield (
    rule('┌', '┬', '┐', '─') +
      line(rows.columns) +
      line(rows.columns.map(() => '---')) +
      line(types) +
      rule('╞', '╪', '╡', '═')
  )
  for await (const text of rows.texts()) {
    const row = parseExactly(text) as Row
    yield line(rows.columns.map((column) => cellText(row[column], 'null')))
  }
  yield rule('└', '┴', '┘', '─')
}

const MAX_CELL = 60

function shortened(text: string, width: number): string {
  const line = text.replaceAll('\n', ' ')
  return line.length > width ? `${line.slice(0, width - 1)}…` : line
}

function typeOf(value: unknown): string {
  if (value === null || value === undefined) return 'null'
  if (typeof value === 'number') return Number.isInteger(value) ? 'i64' : 'f64'
  if (typeof value === 'string') return 'str'
  if (typeof value === 'boolean') return 'bool'
  if (isExact(value)) return /[.eE]/.test(value.rawJSON) ? 'f64' : 'i64'
  return Array.isArray(value) ? 'list' : 'struct'
}

function commonType(a: string, b: string): string {
  if (a === b || b === 'null') return a
  if (a === 'null') return b
  return (a === 'i64' && b === 'f64') || (a === 'f64' && b === 'i64') ? 'f64' : 'str'
}

/** A cell of CSV or of a table; objects and lists as JSON. */
export function cellText(value: unknown, nothing = ''): string {
  if (value === null || value === undefined) return nothing
  if (isExact(value)) return value.rawJSON
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function indented(text: string): string {
  return `  ${text.replaceAll('\n', '\n  ')}`
}
