import { expect, test } from 'vitest'
import { Producer } from '../../../src/kafka/producer/producer.ts'
import { EmulatedLeader } from '../../support/emulated-leader.ts'
import { producerOptions } from '../../support/producer-options.ts'

// Every timer and every batch that was closed looked at all partitions, of which none could be sent: 250 us each at 10,000 (K7).
test('looks at no partition while each leader has as many requests as it takes', async () => {
  const cluster = new EmulatedLeader(100)
  const answered = Promise.withResolvers<object>()
  cluster.answer = () => answered.promise
  let lookUps = 0
  cluster.onLeader = () => {
    lookUps++
    return 1
  }
  // A request has room for one record.
  const producer = new Producer(
    cluster,
    producerOptions({ acks: 1, lingerMs: 1, maxRequestBytes: 1024, batchBytes: 800 }),
  )
  await producer.open()
  await producer.learn('t')
  const value = Buffer.alloc(700)
  const write = (from: number, to: number): Promise<unknown> =>
    producer.write(
      Array.from({ length: to - from }, (_, i) => ({ value, partition: from + i })),
      't',
    )
  const first = write(0, 50)
  await expect.poll(() => cluster.requests.length).toBe(5)
  await new Promise((resolve) => setTimeout(resolve, 20))
  lookUps = 0
  const second = write(50, 100)
  await new Promise((resolve) => setTimeout(resolve, 20))
  expect(lookUps).toBeLessThanOrEqual(1)
  expect(cluster.requests).toHaveLength(5)
  answered.resolve({})
  await Promise.all([first, second])
  expect(cluster.requests).toHaveLength(100)
  await producer.close()
})
