/**
 * Text as rows: JSON as a list, lines or columns, CSV, or the whole as it is.
 */
import { constants } from 'node:buffer'
import type { Readable } from 'node:stream'
import { DecodeError } from '../../errors/index.ts'
import { mayDiffer, parseExactly } from '../../records/exact-numbers.ts'
import { counted } from '../../options/units.ts'
import { isObject } from '../../options/values.ts'
import { arrivingRecordsOf, recordsOf } from './csv-records.ts'
import { linesOf, NotUtf8, textIn } from './lines.ts'
import type { Row } from './values.ts'

export interface ReadOptions {
  readonly format: 'records' | 'jsonl' | 'dataframe' | 'csv' | 'raw'
  /** CSV: whether the first line has the names of the columns. */
  readonly headers?: boolean
  readonly delimiter?: string
  /** CSV: rows by which the types of columns are guessed. */
  readonly inferRows?: number
}

const BATCH_ROWS = 1000

export interface ReadRows {
  readonly rows: readonly Row[]
  /** Their JSON as it came, where it says more than the rows: a double does not hold every integer. */
  readonly texts?: readonly string[]
  /** What they weigh, for back-pressure. */
  readonly byteLength: number
}

/**
 * Some rows at a time, as soon as they are there.
 * @param what name of what is read, for errors
 * @throws {DecodeError} with the line where there is one
 */
export async function* readRows(
  stream: Readable,
  what: string,
  options: ReadOptions,
): AsyncGenerator<ReadRows, void, undefined> {
  try {
    yield* rowsIn(textIn(stream), what, options)
  } catch (cause) {
    throw cause instanceof NotUtf8 ? unreadable(what, cause.message, cause) : cause
  }
}

async function* rowsIn(
  stream: AsyncIterable<string>,
  what: string,
  options: ReadOptions,
): AsyncGenerator<ReadRows, void, undefined> {
  switch (options.format) {
    case 'jsonl':
      yield* readLines(stream, what)
      return
    case 'csv':
      yield* readCsv(stream, what, options)
      return
    case 'raw': {
      const data = await textOf(stream, what)
      yield { rows: [{ data }], byteLength: data.length }
      return
    }
    case 'records':
    case 'dataframe': {
      const text = (await textOf(stream, what)).trim()
      const toRows = options.format === 'records' ? rowsOfList : rowsOfColumns
      const rows = toRows(text === '' ? [] : parseAll(text, what, JSON.parse), what)
      const exact = mayDiffer(text) ? toRows(parseAll(text, what, parseExactly), what) : undefined
      for (let start = 0; start < rows.length; start += BATCH_ROWS) {
        const some = rows.slice(start, start + BATCH_ROWS)
        const texts = exact?.slice(start, start + BATCH_ROWS).map((row) => JSON.stringify(row))
        const byteLength = Math.ceil((text.length / rows.length) * some.length)
        yield { rows: some, byteLength, ...(texts === undefined ? {} : { texts }) }
      }
    }
  }
}

async function* readLines(stream: AsyncIterable<string>, what: string): AsyncGenerator<ReadRows, void, undefined> {
  let number = 0
  try {
    for await (const lines of linesOf(stream)) {
      const rows: Row[] = []
      const texts: string[] = []
      let byteLength = 0
      for (const line of lines) {
        number++
        const text = (number === 1 ? withoutMark(line) : line).trim()
        if (text === '') continue
        const value = parseLine(text, number, what)
        if (number === 1 && isListOfRows(value))
          throw unreadable(
            what,
            'line 1 is a list of rows, which is format "records": format "jsonl" has one row per line',
          )
        const row = toRow(value)
        rows.push(row)
        texts.push(row === value ? text : `{"value":${text}}`)
        byteLength += text.length
      }
      if (rows.length > 0) yield { rows, texts, byteLength }
    }
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause
    throw unreadable(what, `line ${number + 1} is too long: a row can have ${MOST_TEXT}`, cause)
  }
}

function parseLine(text: string, number: number, what: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    const isList = number === 1 && text.startsWith('[')
    const hint = isList ? ': it looks like a list, which is format "records"' : ''
    throw unreadable(what, `line ${number} is not JSON: ${(cause as Error).message}${hint}`, cause)
  }
}

function isListOfRows(value: unknown): boolean {
  return Array.isArray(value) && value.some(isObject)
}

function parseAll(text: string, what: string, parse: (text: string) => unknown): unknown {
  try {
    return parse(text)
  } catch (cause) {
    const looksLikeLines = /\}[^\S\n]*\n\s*\{/.test(text)
      ? ': it looks like one row per line, which is format "jsonl"'
      : ''
    throw unreadable(what, `it is not JSON: ${(cause as Error).message}${looksLikeLines}`, cause)
  }
}

function rowsOfList(value: unknown, what: string): Row[] {
  if (Array.isArray(value)) return value.map(toRow)
  if (isObject(value)) return [value]
  throw unreadable(what, 'it must be a list of objects for format "records"')
}

function rowsOfColumns(value: unknown, what: string): Row[] {
  // A list of rows says the same.
  if (Array.isArray(value) && value.every(isObject)) return value
  if (!isObject(value) || !Object.values(value).every(Array.isArray))
    throw unreadable(what, 'it must be an object with a list per column, or a list of objects, for format "dataframe"')
  const columns = Object.entries(value as { readonly [column: string]: readonly unknown[] })
  const count = columns[0]?.[1].length ?? 0
  const uneven = columns.find(([, cells]) => cells.length !== count)
  if (uneven !== undefined)
    throw unreadable(
      what,
      `all columns must be of the same length: "${columns[0]![0]}" has ${counted(count, 'row')}, "${uneven[0]}" has ${uneven[1].length}`,
    )
  return Array.from({ length: count }, (_, i) =>
    Object.fromEntries(columns.map(([column, cells]) => [column, cells[i]])),
  )
}

/** What is no object becomes `{value: ...}`. */
function toRow(value: unknown): Row {
  return isObject(value) ? value : { value }
}

async function* readCsv(
  stream: AsyncIterable<string>,
  what: string,
  { headers = true, delimiter = ',', inferRows = 100 }: ReadOptions,
): AsyncGenerator<ReadRows, void, undefined> {
  // Where types are guessed by the first row, rows are to go on as they arrive.
  const records = inferRows === 1 ? arrivingRecordsOf(stream, delimiter) : recordsOf(stream, delimiter)
  let columns: readonly string[] | undefined
  let types: ReadonlyMap<string, CellReader> | undefined
  let waiting: Row[] = []
  let byteLength = 0
  const typed = (): ReadRows => {
    const rows = waiting.map((row) =>
      Object.fromEntries(Object.entries(row).map(([column, cell]) => [column, types!.get(column)!(cell as string)])),
    )
    const texts = hasRounded(rows) ? rows.map((row, i) => exactText(row, waiting[i]!)) : undefined
    const read = { rows, byteLength, ...(texts === undefined ? {} : { texts }) }
    waiting = []
    byteLength = 0
    return read
  }
  try {
    for await (const { cells, isLast } of records) {
      if (columns === undefined) {
        columns = headers ? differentNames(cells) : cells.map((_, i) => `column_${i + 1}`)
        if (headers) continue
      }
      // Cells that are missing at the end of a row are null.
      waiting.push(Object.fromEntries(columns.map((column, i) => [column, cells[i] ?? ''])))
      for (const { length } of cells) byteLength += length + 1
      if (types === undefined && waiting.length >= inferRows) types = inferTypes(waiting)
      if (types !== undefined && (waiting.length >= BATCH_ROWS || isLast)) yield typed()
    }
  } catch (cause) {
    throw unreadable(what, (cause as Error).message.replace(/\.$/, ''), cause)
  }
  types ??= inferTypes(waiting)
  if (waiting.length > 0) yield typed()
}

/** A name that came before gets a number, as polars does it. */
function differentNames(names: readonly string[]): string[] {
  const times = new Map<string, number>()
  return names.map((name) => {
    const before = times.get(name) ?? 0
    times.set(name, before + 1)
    return before === 0 ? name : `${name}_duplicated_${before - 1}`
  })
}

type CellReader = (cell: string) => unknown

// Leading zeros and plus signs mean something in codes and telephone numbers, so what has them stays text.
const NUMBER = /^-?(?:0|[1-9]\d{0,18})(?:\.\d+)?(?:[eE][-+]?\d+)?$/
const asText: CellReader = (cell) => (cell === '' ? null : cell)
const asNumber: CellReader = (cell) => (NUMBER.test(cell) ? Number(cell) : asText(cell))
const BOOLEANS: { readonly [cell: string]: boolean } = {
  true: true,
  True: true,
  TRUE: true,
  false: false,
  False: false,
  FALSE: false,
}
const isBoolean = (cell: string): boolean => Object.hasOwn(BOOLEANS, cell)
const asBoolean: CellReader = (cell) => (isBoolean(cell) ? BOOLEANS[cell] : asText(cell))

/** A column is of a type when all its cells that are not empty are. */
function inferTypes(rows: readonly Row[]): Map<string, CellReader> {
  const columns = Object.keys(rows[0] ?? {})
  return new Map(
    columns.map((column) => {
      const cells = rows.map((row) => row[column] as string).filter((cell) => cell !== '')
      if (cells.length > 0 && cells.every((cell) => NUMBER.test(cell))) return [column, asNumber]
      return [column, cells.length > 0 && cells.every(isBoolean) ? asBoolean : asText]
    }),
  )
}

/** Whether a double does not hold an integer of these rows, or is Infinity. */
function hasRounded(rows: readonly Row[]): boolean {
  return rows.some((row) => Object.values(row).some((cell) => typeof cell === 'number' && !isHeld(cell)))
}

function isHeld(number: number): boolean {
  return Number.isSafeInteger(number) || (Number.isFinite(number) && !Number.isInteger(number))
}

/** A row as JSON, its numbers as they are written. */
function exactText(row: Row, written: Row): string {
  const cells = Object.entries(row).map(([column, cell]) => {
    const text = typeof cell === 'number' ? (written[column] as string) : JSON.stringify(cell)
    return `${JSON.stringify(column)}:${text}`
  })
  return `{${cells.join(',')}}`
}

const MOST_TEXT = `${Math.floor(constants.MAX_STRING_LENGTH / 1024 / 1024)} MiB at most`

async function textOf(stream: AsyncIterable<string>, what: string): Promise<string> {
  let text = ''
  try {
    for await (const chunk of stream) text += chunk
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause
    throw unreadable(
      what,
      `it is read as a whole, and can have ${MOST_TEXT}: write one row per line, which is format "jsonl"`,
      cause,
    )
  }
  return withoutMark(text)
}

/** Some programs begin what they write in UTF-8 with a byte order mark. */
function withoutMark(text: string): string {
  return text.startsWith('\uFEFF') ? text.slice(1) : text
}

function unreadable(what: string, reason: string, cause?: unknown): DecodeError {
  return new DecodeError('value', `Cannot read "${what}": ${reason}`, { cause, topic: what })
}
