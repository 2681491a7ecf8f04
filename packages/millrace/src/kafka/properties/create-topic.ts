/** The option `createTopic` of sources and sinks. Loads no client, so that lint stays fast. */
import { field } from '../../options/fields.ts'

/** How a topic is made that is not there. */
export const createTopic = field
  .object({
    partitions: field.int({ min: 1 }).optional().doc("Number of partitions; by default the broker's."),
    replicationFactor: field.int({ min: 1 }).optional().doc("Number of replicas; by default the broker's."),
  })
  .optional()
  .doc('Make the topic if it is not there; without it a missing topic is an error.')
