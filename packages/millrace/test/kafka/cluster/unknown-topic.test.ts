import { describe, expect, test } from 'vitest'
import { startBroker } from '../../../src/broker/index.ts'
import { KafkaSink, KafkaSource } from '../../../src/index.ts'
import { runHere, toTopic } from '../../support/pipelines.ts'

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

describe('a sink that opens', () => {
  test('waits for a topic that was just created', async () => {
    await using broker = await startBroker({ topics: { new: 1 } })
    broker.on('Metadata').topic('new').times(2).fail('UNKNOWN_TOPIC_OR_PARTITION')
    await using sink = new KafkaSink({ bootstrapServers: broker.bootstrapServers, topic: 'new' })
    expect((await sink.write([{ value: 'v' }])).failures.size).toBe(0)
  })

  test('says that the topic is missing after a second', async () => {
    await using broker = await startBroker()
    await using sink = new KafkaSink({ bootstrapServers: broker.bootstrapServers, topic: 'missing' })
    await expect(sink.write([{ value: 'v' }])).rejects.toMatchObject({ code: 'TOPIC_NOT_FOUND' })
  })

  test('of a pipeline waits too', async () => {
    await using broker = await startBroker({ topics: { new: 1 } })
    broker.on('Metadata').topic('new').times(2).fail('UNKNOWN_TOPIC_OR_PARTITION')
    await runHere({
      source: { type: 'generate', options: { records: 3 } },
      sink: toTopic('new', { bootstrapServers: broker.bootstrapServers }),
    })
    expect(await broker.topic('new').records()).toHaveLength(3)
  })
})
