import { describe, expect, test } from 'vitest'
import { KafkaSink } from '../../../src/index.ts'
import { brokerAvailable, proxiedBroker } from '../../support/broker.ts'
import { topicBed } from '../../support/topics.ts'

// The records beside the invalid one were refused with it, so that an error policy wrote them again.
describe.skipIf(!brokerAvailable)(
  'a batch whose answer was lost, with a record that is invalid when it is sent again',
  () => {
    const kafka = proxiedBroker()
    const bed = topicBed(() => kafka().kafka.bootstrapServers)

    const sinkTo = (topic: string): KafkaSink =>
      new KafkaSink({
        bootstrapServers: kafka().bootstrapServers,
        topic,
        retryBackoffMs: 2500,
        retryBackoffMaxMs: 2500,
      })

    test('the others are written once when nothing was written', async () => {
      const topic = await bed().create({ configs: { 'cleanup.policy': 'compact' } })
      await using sink = sinkTo(topic)
      await sink.write([{ key: 'k', value: 'first' }])
      const lost = kafka().proxies[0]!.loseAnswer('Produce', 'cut')
      const written = sink.write([{ key: 'a', value: 'a' }, { value: 'without a key' }, { key: 'b', value: 'b' }])
      await lost
      const { failures } = await written
      expect([...failures].map(([row, { code }]) => [row, code])).toEqual([[1, 'DELIVERY_FAILED']])
      await sink.write([{ key: 'k', value: 'last' }])
      expect(await bed().values(topic)).toEqual([['first', 'a', 'b', 'last']])
    })

    test('nothing is written a second time when a record has become too old meanwhile', async () => {
      const topic = await bed().create({ configs: { 'message.timestamp.before.max.ms': '2000' } })
      await using sink = sinkTo(topic)
      await sink.write([{ value: 'first' }])
      const lost = kafka().proxies[0]!.loseAnswer('Produce', 'cut')
      const now = Date.now()
      const written = sink.write([
        { value: 'old', timestampMs: now },
        ...['a', 'b'].map((value) => ({ value, timestampMs: now + 60_000 })),
      ])
      await lost
      const { failures } = await written
      expect([...failures].map(([row, { code }]) => [row, code])).toEqual([
        [0, 'DELIVERY_FAILED'],
        [1, 'SEQUENCE_BROKEN'],
        [2, 'SEQUENCE_BROKEN'],
      ])
      await sink.write([{ value: 'last' }])
      expect(await bed().values(topic)).toEqual([['first', 'old', 'a', 'b', 'last']])
    })
  },
)
