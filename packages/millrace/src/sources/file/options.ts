/** What is known of the file source without loading it. */
import { NO_ENDPOINTS, type Endpoints } from '../../contracts/definitions.ts'
import type { Options } from '../../options/declaration.ts'
import { field } from '../../options/fields.ts'

const options = {
  path: field
    .string()
    .doc('File to read, relative to the folder of the pipeline file. Blank lines are skipped.')
    .example('orders.jsonl'),
  format: field.oneOf(['jsonl']).default('jsonl').doc('Format of the file.'),
  maxLineBytes: field
    .bytes({ min: 1, max: 1_073_741_824 })
    .default(67_108_864)
    .doc('Maximum length of a line. A longer line ends the run with an error.'),
}

export const fileSourceDefinition = {
  name: 'file',
  summary: 'Reads a JSON Lines file, one record per line.',
  options,
  examples: [{ title: 'Orders from a file', options: { path: 'orders.jsonl' } }],
  endpoints: ({ path }: Partial<Options<typeof options>>): Endpoints => ({ ...NO_ENDPOINTS, file: path }),
}
