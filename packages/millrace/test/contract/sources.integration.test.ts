import { describe } from 'vitest'
import { KAFKA_SOURCE } from '../../src/catalog.ts'
import { bootstrapServers, brokerAvailable, uniqueName } from '../support/broker.ts'
import { topicBed } from '../support/topics.ts'
import { describeSource } from './source.ts'

const RECORDS = 600

describe.skipIf(!brokerAvailable)('with a broker', () => {
  const bed = topicBed()

  async function options(): Promise<{ readonly [option: string]: unknown }> {
    const topic = await bed().create({ partitions: 3 })
    await bed().write(
      topic,
      Array.from({ length: RECORDS }, (_, i) => ({ key: `k${i % 20}`, value: `{"n":${i}}` })),
    )
    return {
      topic,
      bootstrapServers: bootstrapServers(),
      groupId: uniqueName('group'),
      'auto.offset.reset': 'earliest',
    }
  }

  describeSource(KAFKA_SOURCE, { ending: options, records: RECORDS, endless: options, goesOn: true })
})
