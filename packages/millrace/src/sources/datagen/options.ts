/** Options of the `datagen` source. Loads nothing of Kafka, so that lint stays fast. */
import type { OptionRule } from '../../options/declaration.ts'
import { field } from '../../options/fields.ts'

export const PATTERNS = ['sequence', 'random', 'users', 'orders', 'events', 'metrics', 'key_value'] as const

export const datagenFields = {
  pattern: field.oneOf(PATTERNS).default('random').doc('What records look like.'),
  events_per_second: field
    .number({ min: 0 })
    .default(10)
    .doc('How many a second; 0 for as fast as the sink takes them.'),
  max_events: field.int({ min: 0 }).default(0).doc('How many in all; 0 for no end.'),
  stream_name: field.string().default('datagen').doc('Name of the stream.'),
  namespace: field.string().optional().doc('Namespace of the events; without it there is none.'),
  include_sequence: field.boolean().default(true).doc('Whether each record has its number in `sequence`, from 0.'),
  include_timestamp: field
    .boolean()
    .default(true)
    .doc('Whether each record has the time at which it was made in `timestamp`.'),
  custom_fields: field.map(field.any()).optional().doc('Fields that every record gets.').example({ env: 'test' }),
  seed: field
    .int({ min: 0, max: 4_294_967_295 })
    .optional()
    .doc('The same seed gives the same records; by default each run has its own.'),
  batch_size: field.int({ min: 1, max: 100_000 }).default(100).doc('Records that go out together.'),
  cdc_mode: field.boolean().default(false).doc('Refused when it is true: change events are not made up.'),
}

export const datagenRules: readonly OptionRule<typeof datagenFields>[] = [
  ({ cdc_mode: isOn }) =>
    isOn
      ? {
          path: ['cdc_mode'],
          message: 'Cannot use cdc_mode as change events are not made up',
          suggestion: 'delete it',
        }
      : undefined,
]
