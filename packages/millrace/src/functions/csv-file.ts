/**
 * `csv.read` and `csv.write`: files of comma-separated values.
 */
import { NO_ENDPOINTS } from '../contracts/definitions.ts'
import { defineSinkFunction, defineSourceFunction } from '../contracts/functions.ts'
import { field } from '../options/fields.ts'
import { delimiter } from './rows/delimiter.ts'
import { fileAt } from '../sinks/file-at.ts'
import { RowFile } from './rows/row-file.ts'
import { FileRows } from './rows/row-source.ts'
import { rowFormat } from './rows/row-text.ts'

const headers = field.boolean().default(true).aliases('has_headers')

export const csvRead = defineSourceFunction({
  name: 'csv.read',
  summary: 'Reads the rows of a CSV file.',
  options: {
    path: field
      .string()
      .doc(
        'File to read, relative to the working directory or, if it is not there, to the folder of the pipeline file.',
      )
      .example('data/orders.csv'),
    headers: headers.doc(
      'Whether the first line has the column names. Otherwise they are `column_1`, `column_2` and so on.',
    ),
    delimiter,
    infer_schema_length: field
      .int({ min: 1 })
      .default(100)
      .doc(
        'Number of rows from which column types are inferred: number, boolean or text. Empty cells are null, and so are cells that are missing at the end of a row.',
      ),
  },
  examples: [{ title: 'Orders', options: { path: 'data/orders.csv' } }],
  endpoints: ({ path }) => ({ ...NO_ENDPOINTS, file: path }),
  create: ({ path, headers, delimiter, infer_schema_length }, context) =>
    new FileRows('csv.read', path, { format: 'csv', headers, delimiter, inferRows: infer_schema_length }, context),
})

export const csvWrite = defineSinkFunction({
  name: 'csv.write',
  summary: 'Writes rows to a CSV file. The file appears once it is complete.',
  options: {
    path: field
      .string()
      .doc(
        'File to write, relative to the working directory. Missing folders are created; an existing file is replaced. If the path ends in `/`, it is a folder, and the file in it is named after the pipeline.',
      )
      .example('output/orders.csv'),
    headers: headers.doc('Whether to write the column names as the first line.'),
    delimiter,
  },
  seesAllColumns: () => true,
  waitsForEnd: () => true,
  examples: [{ title: 'Orders', options: { path: 'output/orders.csv' } }],
  create: ({ path, headers, delimiter }, context) =>
    new RowFile(fileAt(path, context, '.csv'), rowFormat({ format: 'csv', headers, delimiter }), context),
})
