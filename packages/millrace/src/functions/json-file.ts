/**
 * `json.read` and `json.write`: files of JSON, as a list of rows, a row per line, or an object of columns.
 */
import { NO_ENDPOINTS } from '../contracts/definitions.ts'
import { defineSinkFunction, defineSourceFunction } from '../contracts/functions.ts'
import { field } from '../options/fields.ts'
import { fileAt } from '../sinks/file-at.ts'
import { RowFile } from './rows/row-file.ts'
import { FileRows } from './rows/row-source.ts'
import { rowFormat } from './rows/row-text.ts'

const FORMATS = ['records', 'jsonl', 'dataframe'] as const

export const jsonRead = defineSourceFunction({
  name: 'json.read',
  summary: 'Reads the rows of a file of JSON.',
  options: {
    path: field
      .string()
      .doc('File to read; relative to the folder in which the command runs, or to that of the pipeline file.')
      .example('data/events.json'),
    format: field
      .oneOf(FORMATS, { json: 'records' })
      .default('records')
      .doc('`records` is one list, `jsonl` one row per line, `dataframe` an object with a list per column.'),
  },
  examples: [{ title: 'Events from a list', options: { path: 'data/events.json' } }],
  endpoints: ({ path }) => ({ ...NO_ENDPOINTS, file: path }),
  create: ({ path, format }, context) => new FileRows('json.read', path, { format }, context),
})

export const jsonWrite = defineSinkFunction({
  name: 'json.write',
  summary: 'Writes rows to a file of JSON, which appears when it is complete.',
  options: {
    path: field
      .string()
      .doc(
        'File to write; relative to the folder in which the command runs. Missing folders are created, an existing file is replaced. A path that ends in `/` is a folder, in which the file has the name of the pipeline.',
      )
      .example('output/events.json'),
    format: field
      .oneOf(FORMATS, { json: 'records' })
      .default('records')
      .doc('`records` is one list, `jsonl` one row per line, `dataframe` an object with a list per column.'),
    pretty: field.boolean().default(false).doc('Whether lists and objects are spread over lines.'),
  },
  seesAllColumns: () => true,
  examples: [{ title: 'Events as one list', options: { path: 'output/events.json' } }],
  create: ({ path, format, pretty }, context) =>
    new RowFile(fileAt(path, context, '.json'), rowFormat({ format, pretty })),
})
