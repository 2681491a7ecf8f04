import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { Producer } from '../../../src/kafka/producer/producer.ts'
import { EmulatedLeader } from '../../support/emulated-leader.ts'
import { producerOptions } from '../../support/producer-options.ts'

async function opened(cluster: EmulatedLeader, lingerMs: number): Promise<Producer> {
  const producer = new Producer(cluster, producerOptions({ lingerMs, acks: 1 }))
  await producer.open()
  await producer.learn('t')
  return producer
}

// With linger.ms 5, the default, a program that awaited each record wrote 165 of them a second.
describe('a record that comes alone', () => {
  /** The timer of the linger never fires. */
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }))
  afterEach(() => void vi.useRealTimers())

  test('is sent at once with the default linger', async () => {
    const cluster = new EmulatedLeader()
    const producer = await opened(cluster, 5)
    for (let i = 0; i < 10; i++) await producer.write([{ value: `${i}` }], 't')
    expect(cluster.requests).toHaveLength(10)
  })

  test('takes along what is written in the same turn', async () => {
    const cluster = new EmulatedLeader()
    const producer = await opened(cluster, 5)
    await Promise.all(Array.from({ length: 100 }, (_, i) => producer.write([{ value: `${i}` }], 't')))
    expect(cluster.requests).toHaveLength(1)
  })

  test.each([
    { when: 'while a request is under way', lingerMs: 5 },
    { when: 'with a longer linger, which was asked for', lingerMs: 6 },
  ])('waits for more $when', async ({ lingerMs }) => {
    const cluster = new EmulatedLeader()
    const first = Promise.withResolvers<object>()
    cluster.answer = () => first.promise
    const producer = await opened(cluster, lingerMs)
    const writes = [producer.write([{ value: 'a' }], 't')]
    await new Promise((resolve) => setImmediate(resolve))
    const sent = cluster.requests.length
    writes.push(producer.write([{ value: 'b' }], 't'))
    await new Promise((resolve) => setImmediate(resolve))
    expect(cluster.requests).toHaveLength(sent)
    first.resolve({})
    await vi.advanceTimersByTimeAsync(lingerMs + 1)
    for (const { failures } of await Promise.all(writes)) expect(failures.size).toBe(0)
  })
})

// `write({...})` never settled, nor did `close` after it.
test('records that are in no array are refused', async () => {
  const producer = await opened(new EmulatedLeader(), 0)
  await expect(producer.write({ value: 'x' } as never, 't')).rejects.toMatchObject({ code: 'ENCODE_FAILED' })
  await producer.close()
})
