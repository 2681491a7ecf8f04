/** What is known of the file sink without loading it. */
import { NO_ENDPOINTS, type Endpoints } from '../../contracts/definitions.ts'
import type { Options } from '../../options/declaration.ts'
import { field } from '../../options/fields.ts'

const options = {
  path: field
    .string()
    .doc(
      'File to write, relative to the folder of the pipeline file. Missing folders are created. If the path ends in `/`, it is a folder, and the file in it is named after the pipeline.',
    )
    .example('out/orders.jsonl'),
  format: field.oneOf(['jsonl']).default('jsonl').doc('Format of the file.'),
  mode: field
    .oneOf(['append', 'overwrite'])
    .default('append')
    .doc(
      'What to do with an existing file. `overwrite` is refused for sources that commit offsets: a restart would delete what was delivered.',
    ),
  // Off by default, because an unchanged value is then copied as it is.
  includeMeta: field
    .boolean()
    .default(false)
    .doc('Whether to write `_meta` (topic, partition, offset, timestamp, key) into the lines.'),
}

export const fileSinkDefinition = {
  name: 'file',
  summary: 'Writes a JSON Lines file, one line per record.',
  options,
  examples: [{ title: 'Orders into a file', options: { path: 'out/orders.jsonl' } }],
  endpoints: ({ path, mode }: Partial<Options<typeof options>>): Endpoints => ({
    ...NO_ENDPOINTS,
    file: path,
    replacesFile: mode === 'overwrite',
  }),
}
