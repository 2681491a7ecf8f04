/** What is known of the standard output sink without loading it. */
import { field } from '../../options/fields.ts'

const options = {
  format: field
    .oneOf(['json', 'pretty', 'text', 'tsv'])
    .default('json')
    .doc(
      'Output format: `json` is one line per record, `pretty` is JSON over several lines, `text` is the value unchanged, and `tsv` is a table whose columns are the fields of the first record. In a table, a field `timestamp` of the value is `data.timestamp` if the time of the record is printed too.',
    ),
  include_metadata: field
    .boolean()
    .default(false)
    .aliases('includeMetadata')
    .doc('Whether to print topic, partition, offset, time, key and headers. The value is then under `data`.'),
  include_timestamp: field
    .boolean()
    .default(false)
    .aliases('includeTimestamp')
    .doc('Whether to print the time of each record. The value is then under `data`.'),
  color: field.boolean().optional().ignored('output has no colors, so that other programs can read it'),
}

export const stdoutSinkDefinition = {
  name: 'stdout',
  summary: 'Prints records to standard output.',
  options,
  examples: [{ title: 'To look at records', options: { format: 'pretty', include_metadata: true } }],
}
