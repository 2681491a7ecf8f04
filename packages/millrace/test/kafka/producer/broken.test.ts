/**
 * Exceptions where nothing waits: in timers, in handlers of answers, in batches that cannot be closed. Each ended the process, or left
 * a call waiting and memory held for ever. Vitest fails a run with an exception that nobody has caught.
 */
import { describe, expect, test, vi } from 'vitest'
import { Producer } from '../../../src/kafka/producer/producer.ts'
import type { ProducerOptions } from '../../../src/kafka/producer/options.ts'
import { PartitionQueue, ProducerBatch } from '../../../src/kafka/producer/partition-queue.ts'
import { HEADER_BYTES } from '../../../src/kafka/protocol/record-batch.ts'
import { EmulatedLeader } from '../../support/emulated-leader.ts'
import { producerOptions } from '../../support/producer-options.ts'

const NOT_ENOUGH_REPLICAS = { errorCode: 19 }
const MESSAGE_TOO_LARGE = 10

/** Writes one record with a leader that was prepared. @returns the code of its failure, or `written` */
async function fateOf(
  prepare: (cluster: EmulatedLeader) => void,
  options: Partial<ProducerOptions> = {},
): Promise<string> {
  const cluster = new EmulatedLeader()
  const producer = new Producer(cluster, producerOptions({ lingerMs: 1, ...options }))
  await producer.open()
  await producer.learn('t')
  prepare(cluster)
  const reports = await producer.write([{ value: 'x' }], 't')
  expect(producer.progress.bufferedBytes).toBe(0)
  cluster.onLeader = () => 1
  await producer.close()
  return reports.failures.get(0)?.code ?? 'written'
}

/** Throws from the call on with this number, counted from 1; the first one chooses the partition of the record. */
const throwsFrom = (call: number, leader = 1): (() => number) => {
  let calls = 0
  return () => {
    if (++calls >= call) throw new Error('injected')
    return leader
  }
}

describe.each([0, 1])('an exception with a linger of %d ms fails the records it concerns', (lingerMs) => {
  test.each<{ where: string; prepare: (cluster: EmulatedLeader) => void }>([
    { where: 'in the timer of the linger', prepare: (cluster) => (cluster.onLeader = throwsFrom(2)) },
    {
      where: 'in the timer of the next attempt',
      prepare: (cluster) => {
        cluster.answer = () => {
          cluster.onLeader = throwsFrom(1)
          return NOT_ENOUGH_REPLICAS
        }
      },
    },
    { where: 'after looking for a leader', prepare: (cluster) => (cluster.onLeader = throwsFrom(3, -1)) },
    { where: 'in the timer after that', prepare: (cluster) => (cluster.onLeader = throwsFrom(4, -1)) },
    {
      where: 'while an answer is understood',
      prepare: (cluster) =>
        (cluster.answer = () => ({
          errorCode: 87,
          get recordErrors(): never {
            throw new Error('injected')
          },
        })),
    },
    {
      where: 'in an answer that cannot be read',
      prepare: (cluster) => (cluster.answer = () => Promise.reject(new TypeError('injected'))),
    },
  ])('$where', async ({ prepare }) => {
    expect(await fateOf(prepare, { lingerMs })).toMatch(/^(UNEXPECTED|DELIVERY_FAILED)$/)
  })

  test('in the timer that looks for what is too old', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    try {
      const cluster = new EmulatedLeader()
      const producer = new Producer(cluster, producerOptions({ lingerMs }))
      await producer.open()
      await producer.learn('t')
      cluster.onLeader = () => -1
      const written = producer.write([{ value: 'x' }], 't')
      await vi.advanceTimersByTimeAsync(400)
      cluster.onLeader = throwsFrom(1)
      await vi.advanceTimersByTimeAsync(200)
      expect((await written).failures.get(0)?.code).toBe('UNEXPECTED')
    } finally {
      vi.useRealTimers()
    }
  })

  test('in a batch that cannot be closed, whose memory is free again', async () => {
    // A level that the codec does not have.
    const options = { ...producerOptions({ compression: 'gzip', lingerMs }), compressionLevel: 99 }
    const cluster = new EmulatedLeader()
    const producer = new Producer(cluster, options)
    await producer.open()
    await producer.learn('t')
    const { failures } = await producer.write([{ value: 'x' }], 't')
    expect(failures.get(0)?.code).toBe('UNEXPECTED')
    expect(producer.progress.bufferedBytes).toBe(0)
    await producer.close()
  })
})

// What was forwarded may be damaged; the leader refuses it for its size before it looks.
test('a batch that is too large and cannot be decompressed fails its records', async () => {
  const cluster = new EmulatedLeader()
  cluster.answer = ({ topics }) => {
    topics[0]!.partitions[0]!.records.fill(0xff, HEADER_BYTES)
    return { errorCode: MESSAGE_TOO_LARGE }
  }
  const producer = new Producer(cluster, producerOptions({ compression: 'gzip' }))
  await producer.open()
  const { failures } = await producer.write([{ value: 'x' }, { value: 'y' }], 't')
  expect([...failures.keys()]).toEqual([0, 1])
  expect(failures.get(0)).toMatchObject({ code: 'RECORD_CORRUPT' })
  expect(producer.progress.bufferedBytes).toBe(0)
  expect(cluster.requests).toHaveLength(1)
  await producer.close()
})

// The timestamp was found to be none when the batch was closed by a timer, which ended the process.
test.each([1e19, Number.MAX_SAFE_INTEGER + 1, 5n as unknown as number, NaN])(
  'a timestamp of %s is refused before it is in a batch',
  async (timestampMs) => {
    const cluster = new EmulatedLeader()
    const producer = new Producer(cluster, producerOptions())
    const { failures } = await producer.write([{ value: 'x', timestampMs }, { value: 'y' }], 't')
    expect([...failures].map(([row, { code }]) => [row, code])).toEqual([[0, 'ENCODE_FAILED']])
    await producer.close()
  },
)

// Its parts were compressed with its codec and our level, which gzip does not have.
test('a forwarded batch with another codec is split with a level of its own', async () => {
  const { splitBatch } = await import('../../../src/kafka/producer/split-batch.ts')
  const { BatchBuffer } = await import('../../../src/kafka/producer/partition-queue.ts')
  const queue = new PartitionQueue(0, 't', 0, undefined)
  const buffer = new BatchBuffer(100_000)
  const value = Buffer.alloc(10_000, 'x')
  for (let i = 0; i < 4; i++) buffer.builder.append(1000 + i, Buffer.alloc(0), 0, -1, value, Buffer.from([0]), 1)
  const gzipped = new ProducerBatch(queue, 0, 0, buffer)
  gzipped.close('gzip', undefined)
  const parts = splitBatch(gzipped, { compression: 'zstd', compressionLevel: 19 })
  expect(parts.map(({ count }) => count)).toEqual([2, 2])
  // They held their records as they are before compression, too.
  for (const { held, closed } of parts) expect(held).toBe(closed!.end)
  expect(parts[0]!.closed!.end).toBeLessThan(1000)
})
