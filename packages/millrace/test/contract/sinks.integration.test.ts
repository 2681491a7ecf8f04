import { describe } from 'vitest'
import { KAFKA_SINK } from '../../src/catalog.ts'
import { bootstrapServers, brokerAvailable } from '../support/broker.ts'
import { topicBed } from '../support/topics.ts'
import { describeSink } from './sink.ts'

describe.skipIf(!brokerAvailable)('with a broker', () => {
  const bed = topicBed()

  describeSink(KAFKA_SINK, async () => {
    const topic = await bed().create()
    return {
      options: { topic, bootstrapServers: bootstrapServers(), acks: 'all' },
      values: async () => (await bed().values(topic))[0] ?? [],
    }
  })
})
