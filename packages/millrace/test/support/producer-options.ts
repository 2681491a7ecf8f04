/** Options of a producer for tests: what is not named has the defaults of the properties. */
import type { ProducerOptions } from '../../src/kafka/producer/options.ts'
import { PRODUCER_FIELDS } from '../../src/kafka/properties/producer-fields.ts'
import { producerSettings } from '../../src/kafka/properties/settings.ts'
import { parseOptions } from '../../src/options/parse.ts'

/** Rules across properties are not applied, so that a test may have a delivery time out within a moment. */
export function producerOptions(named: Partial<ProducerOptions> = {}): ProducerOptions {
  const { partitioner, batchRecords, maxRetries, failsFollowing = false, onUncertain, ...properties } = named
  const { options, problems } = parseOptions(
    { options: PRODUCER_FIELDS },
    {
      bootstrapServers: 'localhost:9092',
      ...properties,
      ...(typeof partitioner === 'string' ? { partitioner } : {}),
    },
  )
  if (problems.length > 0) throw new Error(problems.map(({ message }) => message).join('; '))
  const settings = producerSettings(options).producer
  const chosen = partitioner ?? settings.partitioner
  return { ...settings, batchRecords, maxRetries, failsFollowing, onUncertain, partitioner: chosen }
}
