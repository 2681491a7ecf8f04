/** Where each acknowledgement is committed, so is what moves the committable offset without one; it was left to the next acknowledgement. */
import { expect, test } from 'vitest'
import { type EmbeddedBroker, startBroker } from '../../../../src/broker/index.ts'
import { KafkaSink, KafkaSource } from '../../../../src/index.ts'

const PLACE = { topic: 'numbers', partition: 0 }
const committed = (broker: EmbeddedBroker): bigint | undefined => broker.groups()[0]?.offsets[0]?.offset

function reading({ bootstrapServers }: EmbeddedBroker) {
  const source = new KafkaSource({
    bootstrapServers,
    topics: 'numbers',
    groupId: 'g',
    commit: { strategy: 'each_batch' },
  })
  const loop = (async () => {
    for await (const batch of source.batches()) batch.ack()
  })()
  return { source, loop }
}

test('the marker at the end of a transaction is committed, too', async () => {
  await using broker = await startBroker({ topics: { numbers: 1 } })
  const { bootstrapServers } = broker
  const { source, loop } = reading(broker)
  await using sink = new KafkaSink({ bootstrapServers, topic: 'numbers', transactionalId: 't' })
  await sink.beginTransaction()
  await sink.write([{ value: 'a' }])
  await expect.poll(() => committed(broker)).toBe(1n)
  await sink.commitTransaction()
  await expect.poll(() => committed(broker)).toBe(2n)
  await source.close()
  await loop
})

test('the position of a seek is committed', async () => {
  await using broker = await startBroker({ topics: { numbers: 1 } })
  const { bootstrapServers } = broker
  await using sink = new KafkaSink({ bootstrapServers, topic: 'numbers' })
  for (const value of ['a', 'b', 'c']) await sink.write([{ value }])
  const { source, loop } = reading(broker)
  await expect.poll(() => committed(broker)).toBe(3n)
  broker.on('Fetch').hold()
  await source.seek(PLACE, 1)
  await expect.poll(() => committed(broker)).toBe(1n)
  await source.close()
  await loop
})
