/** The option `createTopic` of sources and sinks. Loads no client, so that lint stays fast. */
import { field } from '../../options/fields.ts'

/** How a topic is made that is not there. */
export const createTopic = field
  .object({
    partitions: field.int({ min: 1 }).optional().doc('Number of partitions. By default the broker decides.'),
    replicationFactor: field.int({ min: 1 }).optional().doc('Number of replicas. By default the broker decides.'),
  })
  .optional()
  .doc('Create the topic if it is missing. Without this option, a missing topic is an error.')
