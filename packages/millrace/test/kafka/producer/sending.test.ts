import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { ProducerOptions } from '../../../src/kafka/producer/options.ts'
import { brokerError } from '../../../src/kafka/protocol/kafka-errors.ts'
import { Producer } from '../../../src/kafka/producer/producer.ts'
import { EmulatedLeader } from '../../support/emulated-leader.ts'
import { producerOptions } from '../../support/producer-options.ts'

async function opened(
  cluster: EmulatedLeader,
  lingerMs: number,
  options: Partial<ProducerOptions> = {},
): Promise<Producer> {
  const producer = new Producer(cluster, producerOptions({ lingerMs, acks: 1, ...options }))
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

/** Ends when what was put off to the end of this turn of the event loop is done. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** A leader that answers when it is told to. */
function slowLeader(partitions = 1): { cluster: EmulatedLeader; answerAll: () => Promise<void> } {
  const cluster = new EmulatedLeader(partitions)
  const waiting: (() => void)[] = []
  cluster.answer = () => new Promise((resolve) => waiting.push(() => resolve({})))
  const answerAll = async (): Promise<void> => {
    for (const answer of waiting.splice(0)) answer()
    await turn()
  }
  return { cluster, answerAll }
}

const recordsPerRequest = ({ requests }: EmulatedLeader): number[] =>
  requests.map(({ topics }) =>
    topics.flatMap(({ partitions }) => partitions).reduce((sum, { records }) => sum + records.readInt32BE(57), 0),
  )

// With linger.ms 0 each record had a batch of its own. As a request carries one batch of a partition, 10,000 records a second piled up
// and waited for seconds.
describe('while as many requests as allowed are under way', () => {
  test('records without linger gather in one batch', async () => {
    const { cluster, answerAll } = slowLeader()
    const producer = await opened(cluster, 0, { acks: 'all' })
    const writes: Promise<unknown>[] = []
    const write = (): void => void writes.push(producer.write([{ value: 'x' }], 't'))
    // The sequence is not established before the first answer.
    write()
    await turn()
    await answerAll()
    for (let i = 0; i < 5; i++) {
      write()
      await turn()
    }
    expect(recordsPerRequest(cluster)).toEqual([1, 1, 1, 1, 1, 1])
    for (let i = 0; i < 100; i++) {
      write()
      await turn()
    }
    expect(cluster.requests).toHaveLength(6)
    await answerAll()
    expect(recordsPerRequest(cluster)).toEqual([1, 1, 1, 1, 1, 1, 100])
    await answerAll()
    await Promise.all(writes)
    await producer.close()
  })

  test('records that are flushed one by one gather in one batch', async () => {
    const { cluster, answerAll } = slowLeader()
    const producer = await opened(cluster, 60_000)
    const calls: Promise<unknown>[] = []
    for (let i = 0; i < 50; i++) {
      calls.push(producer.write([{ value: 'x' }], 't'), producer.flush())
      await turn()
    }
    const sent = recordsPerRequest(cluster)
    expect(sent.reduce((sum, count) => sum + count, 0)).toBeLessThan(50)
    await answerAll()
    await answerAll()
    await Promise.all(calls)
    expect(recordsPerRequest(cluster)).toEqual([...sent, 50 - sent.length])
    await producer.close()
  })

  test('records without linger of one turn go in one request', async () => {
    const cluster = new EmulatedLeader(3)
    const producer = await opened(cluster, 0)
    await Promise.all(Array.from({ length: 90 }, (_, i) => producer.write([{ value: `${i}`, partition: i % 3 }], 't')))
    expect(recordsPerRequest(cluster)).toEqual([90])
    await producer.close()
  })

  test('records in a batch that is due and never sent time out', async () => {
    const cluster = new EmulatedLeader()
    const producer = await opened(cluster, 0, { deliveryTimeoutMs: 50 })
    cluster.onLeader = () => -1
    const { failures } = await producer.write([{ value: 'x' }], 't')
    expect(failures.get(0)?.code).toBe('DELIVERY_TIMED_OUT')
    expect(producer.progress.bufferedBytes).toBe(0)
    await producer.close()
  })
})

// `write({...})` never settled, nor did `close` after it.
test('records that are in no array are refused', async () => {
  const producer = await opened(new EmulatedLeader(), 0)
  await expect(producer.write({ value: 'x' } as never, 't')).rejects.toMatchObject({ code: 'ENCODE_FAILED' })
  await producer.close()
})

// They waited in a batch that was never sent, for as long as it was not full, until delivery.timeout.ms was over.
test.each([0, 0.4, 0.99])('records without a key begin with a partition that has a leader (%f)', async (random) => {
  vi.spyOn(Math, 'random').mockReturnValue(random)
  try {
    const cluster = new EmulatedLeader(3)
    vi.spyOn(cluster, 'leader').mockImplementation(((_: string, partition: number) =>
      partition === 1 ? 1 : -1) as never)
    const producer = await opened(cluster, 0, { deliveryTimeoutMs: 200 })
    const reports = await producer.write([{ value: 'x' }], 't')
    expect(reports.get(0)).toMatchObject({ partition: 1 })
    await producer.close()
  } finally {
    vi.restoreAllMocks()
  }
})

// The leader may have forgotten the producer: had the first batch failed and the second not, the first could not be written any more.
test('after a minute without records the first batch goes alone', async () => {
  vi.useFakeTimers({ toFake: ['performance'] })
  try {
    const { cluster, answerAll } = slowLeader()
    const producer = await opened(cluster, 0, { acks: 'all' })
    const writes: Promise<unknown>[] = []
    const requestsOf = async (count: number): Promise<number> => {
      const before = cluster.requests.length
      for (let i = 0; i < count; i++) {
        writes.push(producer.write([{ value: 'x' }], 't'))
        await turn()
      }
      return cluster.requests.length - before
    }
    for (const idleMs of [0, 1000, 60_000]) {
      vi.advanceTimersByTime(idleMs)
      expect(await requestsOf(3)).toBe(idleMs === 1000 ? 3 : 1)
      for (let i = 0; i < 3; i++) await answerAll()
    }
    await Promise.all(writes)
    await producer.close()
  } finally {
    vi.useRealTimers()
  }
})

describe('a topic that is missing', () => {
  const missing = brokerError(3, 'Not there', { code: 'TOPIC_NOT_FOUND', retriable: false })
  let isMissing = false

  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }))
  afterEach(() => void vi.useRealTimers())

  async function openedWith(lingerMs: number): Promise<Producer> {
    const cluster = new EmulatedLeader()
    const topic = cluster.cachedTopic()
    vi.spyOn(cluster, 'leader').mockImplementation(() => (isMissing ? -1 : 1))
    vi.spyOn(cluster, 'cachedTopic').mockImplementation(() => (isMissing ? undefined : topic) as never)
    vi.spyOn(cluster, 'refresh').mockImplementation(() => (isMissing ? Promise.reject(missing) : Promise.resolve()))
    isMissing = false
    return opened(cluster, lingerMs)
  }

  // It was known to be missing since the first time, however long it had been there meanwhile, and its records failed at once.
  test('has as long to come back each time', async () => {
    const producer = await openedWith(0)
    for (let times = 0; times < 2; times++) {
      isMissing = true
      const written = producer.write([{ value: 'x' }], 't')
      await vi.advanceTimersByTimeAsync(20)
      // Found by a call that writes, not by the one that looks for its leader.
      isMissing = false
      await producer.write([{ value: 'y' }], 't')
      expect((await written).failures.size).toBe(0)
      await vi.advanceTimersByTimeAsync(60_000)
    }
  })

  // What was in a batch that was not closed waited for delivery.timeout.ms, two minutes.
  test.each([0, 5, 50])('fails its records when it does not come back, with a linger of %i ms', async (lingerMs) => {
    const producer = await openedWith(lingerMs)
    isMissing = true
    const written = producer.write([{ value: 'x' }], 't')
    await vi.advanceTimersByTimeAsync(12_000)
    const failures = await Promise.race([written.then((reports) => reports.failures), turn()])
    expect(failures?.get(0)).toMatchObject({ code: 'DELIVERY_FAILED', cause: missing })
  })
})
