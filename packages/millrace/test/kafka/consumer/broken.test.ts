/**
 * An exception where nothing waits, in a timer or in the handler of an answer, ended the process, or was tried again for ever. Each has
 * an owner: it becomes the error of whoever reads (K5). The same for the producer is in ../producer/broken.test.ts.
 */
import { afterEach, describe, expect, test, vi } from 'vitest'
import type { Cluster } from '../../../src/kafka/cluster/cluster.ts'
import type { Consumer } from '../../../src/kafka/consumer/consumer.ts'
import { Fetcher } from '../../../src/kafka/consumer/fetching/fetcher.ts'
import { withOwnedReports } from '../../../src/kafka/consumer/options.ts'
import { FETCH } from '../../../src/kafka/protocol/fetch.ts'
import { ConnectionError } from '../../../src/errors/index.ts'
import { encodeRecordBatch } from '../../support/encode-record-batch.ts'
import { unhandledErrors } from '../../support/unhandled.ts'

type Stub = { [name: string]: unknown }

const explode = (): never => {
  throw new TypeError('injected')
}

const partition = { partition: 0, errorCode: 0, highWatermark: 1, lastStableOffset: 1, logStartOffset: 0, aborted: [] }
const records = encodeRecordBatch({ records: [{ value: Buffer.from('v') }], leaderEpoch: 1 })
const fetched = { ...partition, preferredReadReplica: -1, leader: undefined, records }
const lost = new ConnectionError('BROKER_DISCONNECTED', 'gone')

/** A cluster of one broker that answers one fetch, and then none. */
function clusterOf(changes: Stub = {}): Stub {
  let fetches = 0
  return {
    metadataVersion: 0,
    metadataMaxAgeMs: 60_000,
    requestTimeoutMs: 100,
    backoff: { initialMs: 1, maxMs: 1 },
    cachedTopic: () => undefined,
    leader: () => 0,
    leaderEpoch: () => 1,
    addressOf: () => 'k:9092',
    refresh: async () => {},
    request: async (_broker: number, call: unknown) => {
      if (call !== FETCH) return { topics: [] }
      if (fetches++ > 0) return new Promise(() => {})
      return { errorCode: 0, topics: [{ topic: 't', partitions: [fetched] }] }
    },
    ...changes,
  }
}

const unhandled = unhandledErrors()
afterEach(() => {
  vi.useRealTimers()
})

describe('an exception in the background ends a fetcher with an error that says so', () => {
  test.each<{ where: string; epoch?: number; arrange: (cluster: Stub) => void; warn?: () => void }>([
    {
      where: 'when requests are sent',
      arrange: (cluster) => {
        let reads = 0
        Object.defineProperty(cluster, 'metadataVersion', { get: () => (reads++ === 0 ? 0 : explode()) })
      },
    },
    {
      where: 'when a request is put together',
      arrange: (cluster) => {
        let calls = 0
        cluster['leaderEpoch'] = () => (calls++ === 0 ? 1 : explode())
      },
    },
    {
      where: 'while an answer is understood',
      arrange: (cluster) =>
        (cluster['request'] = async () => ({
          errorCode: 0,
          topics: [
            {
              topic: 't',
              partitions: [
                {
                  ...fetched,
                  get records() {
                    return explode()
                  },
                },
              ],
            },
          ],
        })),
    },
    {
      where: 'after a request that failed',
      arrange: (cluster) => {
        cluster['request'] = () => Promise.reject(lost)
        Object.defineProperty(cluster, 'backoff', { get: explode })
      },
    },
    {
      where: 'in the timer of the next attempt',
      arrange: (cluster) => {
        cluster['request'] = () => Promise.reject(lost)
        cluster['refresh'] = explode
      },
    },
    {
      where: 'behind that, where it was tried again for ever',
      arrange: (cluster) => {
        cluster['request'] = () => Promise.reject(lost)
        cluster['refresh'] = async () => (cluster['leader'] = explode)
      },
    },
    {
      where: 'where the epochs of leaders are asked for',
      epoch: 0,
      arrange: (cluster) =>
        (cluster['request'] = async () => ({
          get topics() {
            return explode()
          },
        })),
    },
    {
      where: 'in the timer that looks for silent brokers',
      arrange: (cluster) => {
        vi.useFakeTimers({ toFake: ['setInterval', 'performance'] })
        cluster['request'] = () => new Promise(() => {})
        cluster['addressOf'] = explode
        setImmediate(() => vi.advanceTimersByTime(60_000))
      },
    },
  ])('$where', async ({ arrange, epoch = 1 }) => {
    const cluster = clusterOf()
    arrange(cluster)
    const fetcher = new Fetcher(
      cluster as unknown as Cluster,
      {
        isolation: 'read_uncommitted',
        checkCrcs: true,
        maxDecompressedBytes: 1000,
        fetchMinBytes: 1,
        fetchMaxWaitMs: 500,
        fetchMaxBytes: 1 << 20,
        maxPartitionFetchBytes: 1 << 20,
        bufferBytes: 1 << 20,
        requestTimeoutMs: 30_000,
      },
      { onPositionLost: async () => 0, onMoved: () => {}, warn: () => {} },
    )
    fetcher.add('t', 0, 0, epoch)
    await fetcher.wait()
    expect(() => fetcher.take()).toThrow(expect.objectContaining({ code: 'UNEXPECTED' }))
    fetcher.close()
    await new Promise((resolve) => setImmediate(resolve))
    expect(unhandled).toEqual([])
  })
})

test('a callback for warnings that throws ends reading with an error, not the process', () => {
  const failures: { code: string; message: string }[] = []
  const { warn, inform } = withOwnedReports(
    { warn: explode, inform: explode } as unknown as ConstructorParameters<typeof Consumer>[0],
    (error) => failures.push(error),
  )
  warn('A broker is down')
  inform!('Joined')
  expect(failures.map(({ code, message }) => [code, message])).toEqual([
    ['UNEXPECTED', 'Cannot report "A broker is down" as the callback for it failed'],
    ['UNEXPECTED', 'Cannot report "Joined" as the callback for it failed'],
  ])
})
