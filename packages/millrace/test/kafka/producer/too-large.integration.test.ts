import { describe, expect, test } from 'vitest'
import { Admin, KafkaSink } from '../../../src/index.ts'
import { bootstrapServers, brokerAvailable, proxiedBroker } from '../../support/broker.ts'
import { topicBed } from '../../support/topics.ts'

describe.skipIf(!brokerAvailable)('a batch whose answer was lost, and that is too large when it is sent again', () => {
  const kafka = proxiedBroker()
  const bed = topicBed(() => kafka().kafka.bootstrapServers)
  const values = Array.from({ length: 500 }, (_, i) => `${i}`.padEnd(100))

  const sinkTo = (topic: string, options: object = {}): KafkaSink =>
    new KafkaSink({
      bootstrapServers: kafka().bootstrapServers,
      topic,
      compression: 'none',
      batchBytes: 100_000,
      ...options,
    })

  test('is split when it was too large before', async () => {
    const topic = await bed().create({ configs: { 'max.message.bytes': '3000' } })
    await using sink = sinkTo(topic)
    await sink.write([{ value: 'first' }])
    const lost = kafka().proxies[0]!.loseAnswer('Produce', 'cut')
    const written = sink.write(values.map((value) => ({ value })))
    await lost
    expect([...(await written).failures.values()]).toEqual([])
    expect(await bed().values(topic)).toEqual([['first', ...values]])
  })

  test('is not written a second time in parts when it was written, and the limit was lowered meanwhile', async () => {
    const topic = await bed().create()
    // Time in which the limit is lowered.
    await using sink = sinkTo(topic, { retryBackoffMs: 2000, retryBackoffMaxMs: 2000 })
    await using admin = new Admin({ bootstrapServers: kafka().kafka.bootstrapServers })
    await sink.write([{ value: 'first' }])
    const lost = kafka().proxies[0]!.loseAnswer('Produce', 'cut')
    const written = sink.write(values.map((value) => ({ value })))
    await lost
    await admin.alterConfigs(topic, { 'max.message.bytes': '3000' })
    await expect
      .poll(async () => (await admin.describeConfigs(topic)).get('max.message.bytes'))
      .toMatchObject({ value: '3000' })
    const { failures } = await written
    expect(new Set([...failures.values()].map(({ code }) => code))).toEqual(new Set(['SEQUENCE_BROKEN']))
    expect(failures.size).toBe(values.length)
    expect(await bed().values(topic)).toEqual([['first', ...values]])
  })
})

// The whole batch failed, and with it records that are not too large at all.
describe.skipIf(!brokerAvailable)('a batch that is larger than a segment of the topic', () => {
  const bed = topicBed()

  test('is split', async () => {
    const topic = await bed().create({ configs: { 'segment.bytes': '1048576', 'max.message.bytes': '8388608' } })
    await using sink = new KafkaSink({
      bootstrapServers: bootstrapServers(),
      topic,
      compression: 'none',
      batchBytes: 4 << 20,
      maxRequestBytes: 8 << 20,
    })
    const values = Array.from({ length: 3000 }, (_, i) => `${i}`.padEnd(1000))
    const { failures } = await sink.write(values.map((value) => ({ value })))
    expect([...failures.values()]).toEqual([])
    expect(await bed().values(topic)).toEqual([values])
  })
})
