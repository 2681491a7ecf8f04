/** Leaders that move while records are written. */
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { startBroker } from '../../../src/broker/index.ts'
import { KafkaSink } from '../../../src/index.ts'

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
