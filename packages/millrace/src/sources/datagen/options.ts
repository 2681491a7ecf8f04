/** Options of the `datagen` source. Loads nothing of Kafka, so that lint stays fast. */
import type { OptionRule } from '../../options/declaration.ts'
import { field } from '../../options/fields.ts'

export const PATTERNS = ['sequence', 'random', 'users', 'orders', 'events', 'metrics', 'key_value'] as const

export const datagenFields = {
  pattern: field.oneOf(PATTERNS).default('random').doc('Kind of records to generate.'),
  events_per_second: field
    .number({ min: 0 })
    .default(10)
    .doc('Records per second; 0 means as fast as the sink accepts them.'),
  max_events: field.int({ min: 0 }).default(0).doc('Records in total; 0 means no end.'),
  stream_name: field.string().default('datagen').doc('Name of the stream.'),
  namespace: field.string().optional().doc('Namespace of the events. By default none.'),
  include_sequence: field.boolean().default(true).doc('Whether each record has its number, from 0, in `sequence`.'),
  include_timestamp: field
    .boolean()
    .default(true)
    .doc('Whether each record has the time of its creation in `timestamp`.'),
  custom_fields: field.map(field.any()).optional().doc('Fields to add to every record.').example({ env: 'test' }),
  seed: field
    .int({ min: 0, max: 4_294_967_295 })
    .optional()
    .doc('The same seed generates the same records. By default each run has its own seed.'),
  batch_size: field.int({ min: 1, max: 100_000 }).default(100).doc('Records per batch.'),
  cdc_mode: field.boolean().default(false).doc('Must not be true: change events cannot be generated.'),
}

export const datagenRules: readonly OptionRule<typeof datagenFields>[] = [
  ({ cdc_mode: isOn }) =>
    isOn
      ? {
          path: ['cdc_mode'],
          message: 'Cannot use cdc_mode as change events cannot be generated',
          suggestion: 'delete it',
        }
      : undefined,
]
