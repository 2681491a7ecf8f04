/** Stages that speak with the hub of connectors. */
import { transformList } from '../../events/transforms.ts'
import { field } from '../../options/fields.ts'
import { parsedShape } from '../lint/shapes.ts'
import type { StageDefinition } from './definition.ts'

export const toEventFields = {
  stream: field.string().optional().doc('`stream` of the event. By default the topic of the record.'),
  namespace: field.string().optional().doc('`namespace` of the event. By default none.'),
  includeKey: field.boolean().default(false).doc('Whether the key is in `metadata.kafka_key`.'),
  includeHeaders: field.boolean().default(false).doc('Whether the headers are in `metadata.kafka_headers`.'),
  includePosition: field.boolean().default(true).doc('Whether `metadata` says where the record came from.'),
  decoded: field
    .boolean()
    .default(false)
    .doc(
      'Whether `data` is the value as the source decoded it, for sources of Avro, Protobuf or JSON Schema; by default its bytes as they are.',
    ),
  transforms: field.of(transformList).default([]).doc('Transforms of the event, in order.'),
}

export const fromEventFields = {
  keyField: field
    .string()
    .optional()
    .doc(
      'Field of the data to use as the key: text as it is, everything else as JSON. If the field is missing, the record has no key.',
    ),
  customHeaders: field.map(field.string()).optional().doc('Headers to add to every record, before its own.'),
  includeHeaders: field
    .boolean()
    .default(false)
    .doc('Whether to add the headers `rivven_stream`, `rivven_event_type`, `rivven_namespace`, `rivven_position`.'),
  transforms: field.of(transformList).default([]).doc('Transforms of the event, in order.'),
}

export const EVENT_STAGES = {
  $toEvent: {
    summary: 'Wraps a record in an event, the format of topics of the hub.',
    takes: 'An object of options, all of them optional.',
    examples: [
      {
        title: 'An event of the stream "orders"',
        spec: { stream: 'orders', includePosition: false },
        have: [{ id: 1 }],
        want: [
          {
            event_type: 'record',
            stream: 'orders',
            timestamp: '2026-01-31T12:00:00.000Z',
            data: { id: 1 },
            metadata: {},
          },
        ],
      },
    ],
    options: toEventFields,
    shape: parsedShape(toEventFields),
  },
  $fromEvent: {
    summary: 'Unwraps the record from an event of the hub.',
    takes: 'An object of options, all of them optional.',
    examples: [
      {
        title: 'Keyed by a field of the data',
        spec: { keyField: 'order_id' },
        have: [{ event_type: 'insert', stream: 'orders', data: { order_id: 'o-1', amount: 5 }, metadata: {} }],
        want: [{ order_id: 'o-1', amount: 5 }],
      },
    ],
    options: fromEventFields,
    shape: parsedShape(fromEventFields),
  },
} as const satisfies { readonly [name: `$${string}`]: StageDefinition }
