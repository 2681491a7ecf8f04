import { expect, test } from 'vitest'
import { startBroker } from '../../../src/broker/index.ts'
import { Admin, KafkaSink, KafkaSource } from '../../../src/index.ts'

// The run failed as the offsets of a partition that does not exist cannot be listed, or the program was given that partition.
test.each([
  ['classic', false],
  ['classic', true],
  ['consumer', false],
  ['consumer', true],
] as const)(
  'a topic that is created again with fewer partitions while they are assigned is read (%s, committed: %s)',
  async (groupProtocol, isCommitted) => {
    await using broker = await startBroker({ topics: { numbers: 2 } })
    const { bootstrapServers } = broker
    await using admin = new Admin({ bootstrapServers })
    if (isCommitted) await admin.resetOffsets('g', { topics: ['numbers'], to: 'latest' })
    const listing = broker.on('ListOffsets').once().hold()
    const fetching = broker.on('OffsetFetch').once().hold()
    const assigned: number[] = []
    await using source = new KafkaSource({
      bootstrapServers,
      topics: 'numbers',
      groupId: 'g',
      groupProtocol,
      offsetOutOfRange: 'reset',
      autoOffsetReset: 'earliest',
      metadataMaxAgeMs: 300,
      onAssigned: (partitions) => void assigned.push(...partitions.map(({ partition }) => partition)),
    })
    const opening = source.open()
    await fetching.entered
    if (isCommitted) listing.release()
    fetching.release()
    if (!isCommitted) await listing.entered
    await admin.deleteTopics(['numbers'])
    broker.createTopic('numbers', 1)
    listing.release()
    await opening
    await using sink = new KafkaSink({ bootstrapServers, topic: 'numbers' })
    await sink.write(Array.from({ length: 20 }, (_, i) => ({ value: `new ${i}` })))
    const seen: string[] = []
    for await (const { value } of source) {
      seen.push(String(value))
      if (seen.length === 20) break
    }
    expect(seen).toEqual(Array.from({ length: 20 }, (_, i) => `new ${i}`))
    if (!isCommitted) expect([...new Set(assigned)]).toEqual([0])
  },
)
