/** What is sent without asking for a response: what the brokers do not say. */
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { startBroker } from '../../../src/broker/index.ts'
import { KafkaSink } from '../../../src/index.ts'
import { Producer } from '../../../src/kafka/producer/producer.ts'
import { EmulatedLeader } from '../../support/emulated-leader.ts'
import { producerOptions } from '../../support/producer-options.ts'

// A broker that leads no more closes the connection, as there is no response that could say so. Nobody asked for the new leader: everything
// was lost until metadata.max.age.ms, five minutes, was over.
test('with acks 0 the new leader is found when the old one closes the connection', async () => {
  await using kafka = await startBroker({ nodes: 2, topics: { t: 1 } })
  await using sink = new KafkaSink({ bootstrapServers: kafka.bootstrapServers, topic: 't', acks: 0 })
  const values: number[] = []
  const write = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i++) {
      await sink.send({ value: `${values.length}` })
      values.push(values.length)
      await sleep(1)
    }
  }
  const written = async (): Promise<number[]> => (await kafka.topic('t').records()).map(({ value }) => Number(value))
  await write(20)
  await expect.poll(written).toEqual(values)
  kafka.moveLeader('t', 0, (await leaderOf(kafka)) === 0 ? 1 : 0)
  await write(200)
  await expect.poll(async () => (await written()).at(-1)).toBe(219)
  expect((await written()).length).toBeGreaterThan(150)
})

/** Node that the records written so far went to. */
async function leaderOf(kafka: { requests(): { api: string; node: number }[] }): Promise<number> {
  return kafka.requests().findLast(({ api }) => api === 'Produce')!.node
}

describe('what was written with acks 0 is there', () => {
  // The connection was closed at once, and took along what the broker had not read yet: 24 of 30,000 records, with exit code 0.
  test.each(['close', 'flush'] as const)('after %s, though the broker is slow', async (end) => {
    await using kafka = await startBroker({ topics: { t: 6 } })
    kafka.on('Produce').delay(20)
    const sink = new KafkaSink({ bootstrapServers: kafka.bootstrapServers, topic: 't', acks: 0, compression: 'none' })
    await sink.write(Array.from({ length: 2000 }, (_, i) => ({ value: `${i}`.padEnd(1000) })))
    await sink[end]()
    expect(await kafka.topic('t').records()).toHaveLength(2000)
    await sink.close()
  })

  test('unless closing is given up, as the broker handles nothing', async () => {
    const cluster = new EmulatedLeader()
    const producer = new Producer(cluster, producerOptions({ acks: 0 }))
    await producer.open()
    await producer.learn('t')
    cluster.answer = (_, count) => (count === 1 ? {} : new Promise(() => {}))
    await producer.write([{ value: 'x' }], 't')
    const stop = new AbortController()
    const closed = producer.close(stop.signal)
    await new Promise((resolve) => setImmediate(resolve))
    stop.abort()
    await closed
  })
})
