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
  summary: 'Reads the rows of a JSON file.',
  options: {
    path: field
      .string()
      .doc(
        'File to read, relative to the working directory or, if it is not there, to the folder of the pipeline file.',
      )
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
  summary: 'Writes rows to a JSON file. The file appears once it is complete.',
  options: {
    path: field
      .string()
      .doc(
        'File to write, relative to the working directory. Missing folders are created; an existing file is replaced. If the path ends in `/`, it is a folder, and the file in it is named after the pipeline.',
      )
      .example('output/events.json'),
    format: field
      .oneOf(FORMATS, { json: 'records' })
      .default('records')
      .doc('`records` is one list, `jsonl` one row per line, `dataframe` an object with a list per column.'),
    pretty: field.boolean().default(false).doc('Whether to indent lists and objects over several lines.'),
  },
  seesAllColumns: () => true,
  waitsForEnd: () => true,
  examples: [{ title: 'Events as one list', options: { path: 'output/events.json' } }],
  create: ({ path, format, pretty }, context) =>
    new RowFile(fileAt(path, context, '.json'), rowFormat({ format, pretty }), context),
})
