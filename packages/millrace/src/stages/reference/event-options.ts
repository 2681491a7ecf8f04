/** Options of `$toEvent` and `$fromEvent`. Loads neither, so that lint stays fast. */
import { transformList } from '../../events/transforms.ts'
import { field } from '../../options/fields.ts'

export const toEventFields = {
  stream: field.string().optional().doc('`stream` of the event; by default the topic of the record.'),
  namespace: field.string().optional().doc('`namespace` of the event; without it there is none.'),
  includeKey: field.boolean().default(false).doc('Whether `metadata.kafka_key` holds the key.'),
  includeHeaders: field.boolean().default(false).doc('Whether `metadata.kafka_headers` holds the headers.'),
  includePosition: field.boolean().default(true).doc('Whether `metadata` says where the record came from.'),
  transforms: field.of(transformList).default([]).doc('Transforms of the event, in order.'),
}

export const fromEventFields = {
  keyField: field
    .string()
    .optional()
    .doc('Field of the data that becomes the key: text as it is, everything else as JSON; no key where it is missing.'),
  customHeaders: field.map(field.string()).optional().doc('Headers that every record gets, before its own.'),
  includeHeaders: field
    .boolean()
    .default(false)
    .doc(
      'Whether the record gets the headers `rivven_stream`, `rivven_event_type`, `rivven_namespace`, `rivven_position`.',
    ),
  transforms: field.of(transformList).default([]).doc('Transforms of the event, in order.'),
}
