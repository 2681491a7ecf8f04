import { expect, test } from 'vitest'
import { startBroker } from '../../src/broker/index.ts'
import { KafkaSink, KafkaSource } from '../../src/index.ts'

/** Works without waiting for anything. */
function work(ms: number): void {
  const end = performance.now() + ms
  while (performance.now() < end);
}

// What was fetched was returned call after call without a turn of the event loop, so that no heartbeat was sent: with a second of work
// in the buffer and a session of half a second, the group removed the member, and its records were read twice.
test('polling leaves turns to the event loop while the program between two calls never waits', async () => {
  await using broker = await startBroker({ topics: { numbers: 1 } })
  const { bootstrapServers } = broker
  await using sink = new KafkaSink({ bootstrapServers, topic: 'numbers' })
  await sink.write(Array.from({ length: 600 }, (_, i) => ({ value: String(i) })))
  await using source = new KafkaSource({ bootstrapServers, topics: 'numbers', autoOffsetReset: 'earliest' })
  let read = (await source.poll({ maxRecords: 10 })).length
  let turns = 0
  const timer = setInterval(() => turns++, 1)
  while (read < 600) {
    const records = await source.poll({ maxRecords: 10 })
    read += records.length
    work(records.length)
  }
  clearInterval(timer)
  expect(read).toBe(600)
  expect(turns).toBeGreaterThan(10)
})
