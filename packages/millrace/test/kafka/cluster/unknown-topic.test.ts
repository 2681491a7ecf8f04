import { expect, test } from 'vitest'
import { startBroker } from '../../../src/broker/index.ts'
import { KafkaSource } from '../../../src/index.ts'

// A broker hears of a new topic some time after the controller: it ended a consumer of many topics (K11).
test.each([
  { name: 'is asked for again while two of three brokers do not know it', times: 2, ended: undefined },
  { name: 'is missing when no broker knows it', times: 100, ended: { code: 'TOPIC_NOT_FOUND' } },
])('a topic $name', async ({ times, ended }) => {
  await using broker = await startBroker({ nodes: 3, topics: { old: 1, new: 1 } })
  await using source = new KafkaSource({
    bootstrapServers: broker.bootstrapServers,
    topics: ['old', 'new'],
    untilEnd: true,
    autoOffsetReset: 'earliest',
  })
  broker.on('Metadata').topic('new').times(times).fail('UNKNOWN_TOPIC_OR_PARTITION')
  const error = await Array.fromAsync(source).then(
    () => undefined,
    (cause: unknown) => cause,
  )
  if (ended === undefined) expect(error).toBeUndefined()
  else expect(error).toMatchObject(ended)
})
