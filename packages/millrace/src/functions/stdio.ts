/**
 * `stdin.read`, `stdin.stream`, `stdout.write` and `stdout_stream.write`: rows from and to other programs.
 */
import { defineSinkFunction, defineSourceFunction } from '../contracts/functions.ts'
import type { Sink } from '../contracts/sink.ts'
import type { Batch } from '../records/batch.ts'
import { writeOut } from '../sinks/standard-output.ts'
import { parseExactly } from '../records/exact-numbers.ts'
import type { Row } from './rows/values.ts'
import { field } from '../options/fields.ts'
import { delimiter } from './rows/delimiter.ts'
import { RowOutput } from './rows/row-file.ts'
import { eachRowText, type FailedRows, throwFailed } from './rows/row-texts.ts'
import { InputRows } from './rows/row-source.ts'
import { cellText, rowFormat } from './rows/row-text.ts'

const headers = field
  .boolean()
  .default(true)
  .aliases('has_headers')
  .doc('CSV: whether the first line has the column names.')
const inputFormat = field.oneOf(['json', 'jsonl', 'csv', 'raw'])

export const stdinRead = defineSourceFunction({
  name: 'stdin.read',
  summary: 'Reads the rows of standard input.',
  options: {
    format: inputFormat
      .default('json')
      .doc('`json` is one list, `jsonl` is one row per line, and `raw` is the whole text as column `data` of one row.'),
    headers,
    delimiter,
  },
  examples: [{ title: 'A list', options: { format: 'json' } }],
  create: ({ format, headers, delimiter }) =>
    new InputRows({ format: format === 'json' ? 'records' : format, headers, delimiter }),
})

export const stdinStream = defineSourceFunction({
  name: 'stdin.stream',
  summary: 'Reads the rows of standard input as they arrive.',
  options: {
    format: inputFormat.default('jsonl').doc('`jsonl` is one row per line; `json` means the same here.'),
    headers,
    delimiter,
  },
  examples: [{ title: 'One row per line', options: {} }],
  create: ({ format, headers, delimiter }) =>
    new InputRows({ format: format === 'json' ? 'jsonl' : format, headers, delimiter, inferRows: 1 }),
})

export const stdoutWrite = defineSinkFunction({
  name: 'stdout.write',
  summary: 'Prints rows at the end of the run.',
  options: {
    format: field.oneOf(['table', 'json', 'jsonl', 'csv']).default('table').doc('Output format; `json` is one list.'),
    limit: field.int({ min: 1 }).optional().doc('Print at most this many rows. By default, all of them.'),
    pretty: field.boolean().default(true).doc('JSON: whether to indent it over several lines.'),
    delimiter,
  },
  seesAllColumns: () => true,
  waitsForEnd: () => true,
  examples: [{ title: 'The first ten as a table', options: { limit: 10 } }],
  create: ({ format, limit, pretty, delimiter }, context) =>
    new RowOutput(rowFormat({ format: format === 'json' ? 'records' : format, pretty, delimiter }), limit, context),
})

export const stdoutStreamWrite = defineSinkFunction({
  name: 'stdout_stream.write',
  summary: 'Prints rows as they arrive.',
  options: {
    format: field
      .oneOf(['json', 'jsonl', 'csv', 'text'])
      .default('jsonl')
      .doc('Output format; `text` is name=value, and `csv` has the columns of the first row.'),
    pretty: field.boolean().default(false).doc('JSON: whether to indent it over several lines.'),
    delimiter,
    flush_every: field.int({ min: 1 }).default(1).ignored('batches are printed as they arrive'),
  },
  seesAllColumns: () => true,
  examples: [{ title: 'One row per line', options: {} }],
  create: ({ format, pretty, delimiter }, { collectsFailures }) =>
    new OutputStream(format, pretty, delimiter, collectsFailures),
})

class OutputStream implements Sink {
  readonly valueCodec = 'json'
  readonly includeMeta = false
  readonly needsDocuments = true
  readonly writesRecordBatches = false
  readonly partitions = 'all rows go to standard output as they arrive'
  readonly #format: 'json' | 'jsonl' | 'csv' | 'text'
  readonly #pretty: boolean
  readonly #delimiter: string
  readonly #collectsFailures: boolean
  #columns: readonly string[] | undefined
  #csvLine: (cells: readonly string[]) => string = () => ''
  #records = 0
  #bytes = 0

  constructor(
    format: 'json' | 'jsonl' | 'csv' | 'text',
    pretty: boolean,
    delimiter: string,
    collectsFailures: boolean,
  ) {
    this.#collectsFailures = collectsFailures
    this.#format = format
    this.#pretty = pretty
    this.#delimiter = delimiter
  }

  async open(): Promise<void> {
    const { stringify } = await import('csv-stringify/sync')
    this.#csvLine = (cells) => stringify([[...cells]], { delimiter: this.#delimiter })
  }

  async write(batch: Batch): Promise<void> {
    let text = ''
    const failures: FailedRows | undefined = this.#collectsFailures ? new Map() : undefined
    eachRowText(batch, failures, (json) => {
      text += this.#textOf(json)
      return true
    })
    await writeOut(text)
    this.#records += batch.length - (failures?.size ?? 0)
    this.#bytes += Buffer.byteLength(text)
    throwFailed(batch, failures)
  }

  /** @param text of a row, as JSON */
  #textOf(text: string): string {
    if (this.#format !== 'csv' && this.#format !== 'text')
      return `${this.#pretty ? JSON.stringify(parseExactly(text), undefined, 2) : text}\n`
    const cells = parseExactly(text) as Row
    if (this.#format === 'text')
      return `${Object.entries(cells)
        .map(([column, cell]) => `${column}=${cellText(cell, 'null')}`)
        .join(' ')}\n`
    const header = this.#columns === undefined
    this.#columns ??= Object.keys(cells)
    return (
      (header ? this.#csvLine(this.#columns) : '') +
      this.#csvLine(this.#columns.map((column) => cellText(cells[column])))
    )
  }

  async flush(): Promise<void> {}
  async close(): Promise<void> {}
  progress(): ReturnType<Sink['progress']> {
    return { records: this.#records, bytes: this.#bytes }
  }
}
