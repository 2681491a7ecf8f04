import { describe, expect, test } from 'vitest'
import { KafkaSource } from '../../src/index.ts'
import { bootstrapServers, brokerAvailable } from '../support/broker.ts'
import { consume, graphFile, produce, runGraphHere } from '../support/graphs.ts'
import { fromTopic, runHere, toTopic } from '../support/pipelines.ts'
import { topicBed } from '../support/topics.ts'

const bytes = (hex: string): Buffer => Buffer.from(hex, 'hex')

// Key serializers and deserializers other than text and bytes were accepted and never used: keyField with IntegerSerializer
// wrote the digits, and stages saw the bytes of a key as text.
describe.skipIf(!brokerAvailable)('formats of Kafka’s own serializers', () => {
  const bed = topicBed()
  const written = async (topic: string): Promise<unknown[]> => {
    const found: unknown[] = []
    await using source = new KafkaSource({ bootstrapServers: bootstrapServers(), topics: topic, untilEnd: true })
    for await (const { key, value } of source) found.push([key?.toString('hex'), value?.toString()])
    return found
  }

  test('are what a line reads and writes as keys', async () => {
    const [from, to] = [await bed().create(), await bed().create()]
    await bed().write(from, [
      { key: bytes('0000002a'), value: '{"n":7}' },
      { key: bytes('00000001'), value: '{"n":8}' },
    ])
    await runHere({
      source: fromTopic(from, { keyDeserializer: 'IntegerDeserializer' }),
      stages: [{ $match: { '_meta.key': { $gt: 10 } } }, { $set: { k: '$_meta.key' } }],
      sink: toTopic(to, { keyField: 'n', keySerializer: 'LongSerializer' }),
    })
    expect(await written(to)).toEqual([['0000000000000007', '{"n":7,"k":42}']])
  })

  test('are what a graph reads and writes as keys and values', async () => {
    const [from, to] = [await bed().create(), await bed().create()]
    await bed().write(from, [{ key: bytes('0000002a'), value: bytes('00000007') }])
    const file = await graphFile([
      consume(from, { keyDeserializer: 'IntegerDeserializer', valueDeserializer: 'IntegerDeserializer' }),
      {
        id: 'swap',
        function: 'select.apply',
        inputs: ['consume'],
        config: { columns: ['_kafka_key', '_kafka_payload'] },
      },
      produce(to, ['swap'], { key_field: '_kafka_payload', keySerializer: 'ShortSerializer', include_metadata: true }),
    ])
    await runGraphHere(file)
    expect(await written(to)).toEqual([['0007', '{"_kafka_key":42,"_kafka_payload":7}']])
  })
})
