/** What is given up, by whom and when: nothing that is still under way changes, no wait lasts longer than its signal. */
import { describe, expect, test } from 'vitest'
import type { ProducerOptions } from '../../../src/kafka/producer/options.ts'
import { Producer } from '../../../src/kafka/producer/producer.ts'
import { batchOf } from '../../support/batches.ts'
import { EmulatedLeader } from '../../support/emulated-leader.ts'
import { producerOptions } from '../../support/producer-options.ts'

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

async function opened(cluster: EmulatedLeader, options: Partial<ProducerOptions> = {}): Promise<Producer> {
  const producer = new Producer(cluster, producerOptions({ lingerMs: 0, ...options }))
  await producer.open()
  await producer.learn('t')
  return producer
}

/** A leader that answers nothing until it is told to. */
function silentLeader(partitions: number): { cluster: EmulatedLeader; answer: () => void } {
  const cluster = new EmulatedLeader(partitions)
  const { promise, resolve } = Promise.withResolvers<object>()
  cluster.answer = () => promise
  return { cluster, answer: () => resolve({}) }
}

const bytesOf = (cluster: EmulatedLeader, request: number): Buffer =>
  cluster.requests[request]!.topics[0]!.partitions[0]!.records

// A request whose bytes were still on their way to a broker that had stalled was overwritten with the next batch of any partition.
test('the bytes of a request stay as they are until it has ended, also when its records are given up', async () => {
  const { cluster, answer } = silentLeader(2)
  const producer = await opened(cluster)
  const given = batchOf(['given up'])
  const first = producer.writeBatch(given, { topic: 't', partition: 0 })
  await turn()
  const sent = Buffer.from(bytesOf(cluster, 0))
  producer.giveUp(given)
  await expect(first).rejects.toMatchObject({ code: 'BATCH_FAILED' })
  const second = producer.writeBatch(batchOf(['another!']), { topic: 't', partition: 1 })
  await turn()
  expect(cluster.requests).toHaveLength(2)
  expect(bytesOf(cluster, 0)).toEqual(sent)
  expect(bytesOf(cluster, 1)).not.toEqual(sent)
  answer()
  await second
  await producer.close()
})

describe('a signal ends the wait of a call', () => {
  /** A producer whose memory is used up by what a leader does not answer. */
  async function full(): Promise<{ producer: Producer; end: () => Promise<void> }> {
    const { cluster, answer } = silentLeader(1)
    const producer = await opened(cluster, { bufferBytes: 16_384, batchBytes: 16_384 })
    const calls = ['a', 'b'].map((value) => producer.write([{ value: value.repeat(10_000) }], 't'))
    await turn()
    const end = async (): Promise<void> => {
      answer()
      for (const { failures } of await Promise.all(calls)) expect(failures.size).toBe(0)
      await producer.close()
    }
    return { producer, end }
  }

  // It was looked at when the call before had its memory, after two minutes perhaps.
  test('that waits behind one that has no signal', async () => {
    const { producer, end } = await full()
    const stop = new AbortController()
    const write = producer.write([{ value: 'c' }], 't', stop.signal)
    await turn()
    stop.abort()
    await expect(Promise.race([write, turn().then(turn)])).rejects.toMatchObject({ code: 'ABORTED' })
    await end()
  })
})
