/** Records that the broker finds too large, in a transaction of a pipeline: it goes on without them. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type EmbeddedBroker, startBroker } from '../../../src/broker/index.ts'
import { BatchError, type MillraceError } from '../../../src/errors/index.ts'
import { meaningOf } from '../../../src/errors/meaning.ts'
import { Cluster } from '../../../src/kafka/cluster/cluster.ts'
import { Producer } from '../../../src/kafka/producer/producer.ts'
import { batchOf } from '../../support/batches.ts'
import { producerOptions } from '../../support/producer-options.ts'

const LIMIT = 2000
const large = (i: number): string => `${i}`.padEnd(3 * LIMIT, 'x')

describe('a transaction continues without records that are too large for the topic', () => {
  let kafka: EmbeddedBroker
  let cluster: Cluster
  let producer: Producer

  beforeEach(async () => {
    kafka = await startBroker({
      topics: {
        t: { partitions: 1, config: { 'max.message.bytes': LIMIT } },
        compacted: { partitions: 1, config: { 'cleanup.policy': 'compact' } },
      },
    })
    cluster = new Cluster({ bootstrapServers: [kafka.bootstrapServers], clientId: 'test', retryBackoffMs: 5 })
    producer = new Producer(
      cluster,
      producerOptions({ batchRecords: 50, compression: 'none', requestTimeoutMs: 1000 }),
      {
        transactionalId: 'tx',
        timeoutMs: undefined,
      },
    )
    await producer.open()
    producer.beginTransaction()
  })
  afterEach(async () => {
    await producer.close(AbortSignal.abort())
    await cluster.close()
    await kafka.close()
  })

  /** Writes rows in calls that overlap. @returns codes of the rows that failed, by number */
  async function write(count: number, isLarge: (i: number) => boolean): Promise<Map<number, string>> {
    const failed = new Map<number, string>()
    const calls: Promise<void>[] = []
    for (let first = 0; first < count; first += 100) {
      const rows = Array.from({ length: 100 }, (_, row) =>
        isLarge(first + row) ? large(first + row) : `${first + row}`,
      )
      const written = producer.writeBatch(batchOf(rows), { topic: 't' })
      calls.push(
        written.catch((error: unknown) => {
          if (!(error instanceof BatchError)) throw error
          for (const [row, { code }] of error.failures) failed.set(first + row, code)
        }),
      )
    }
    await Promise.all(calls)
    return failed
  }

  async function committed(topic = 't'): Promise<number[]> {
    return (await kafka.topic(topic).records()).map(({ value }) => Number.parseInt(String(value), 10))
  }

  test.each<{ which: string; count: number; isLarge: (i: number) => boolean }>([
    { which: 'the first', count: 100, isLarge: (i) => i === 0 },
    { which: 'the last', count: 300, isLarge: (i) => i === 299 },
    { which: 'every tenth', count: 1000, isLarge: (i) => i % 10 === 3 },
    { which: 'neighbours', count: 500, isLarge: (i) => i > 120 && i < 130 },
    { which: 'all', count: 100, isLarge: () => true },
  ])('$which of them', async ({ count, isLarge }) => {
    const all = Array.from({ length: count }, (_, i) => i)
    const failed = await write(count, isLarge)
    expect([...failed.keys()].toSorted((a, b) => a - b)).toEqual(all.filter(isLarge))
    expect(new Set(failed.values())).toEqual(new Set(['RECORD_TOO_LARGE']))
    await producer.commitTransaction(() => undefined)
    expect(await committed()).toEqual(all.filter((i) => !isLarge(i)))
  })

  // One record without a key aborted the transaction, and all of it was processed again.
  test.each<{ which: string; count: number; isRefused: (i: number) => boolean }>([
    { which: 'the first', count: 100, isRefused: (i) => i === 0 },
    { which: 'every tenth', count: 1000, isRefused: (i) => i % 10 === 3 },
    { which: 'neighbours at the end', count: 500, isRefused: (i) => i > 480 },
    { which: 'all', count: 100, isRefused: () => true },
  ])('or that the broker rejects for another reason: $which of them', async ({ count, isRefused }) => {
    const all = Array.from({ length: count }, (_, i) => i)
    const failed = new Map<number, MillraceError>()
    const calls = Array.from({ length: count / 50 }, async (_, call) => {
      const first = call * 50
      const rows = all.slice(first, first + 50).map((i) => ({ key: isRefused(i) ? null : `k${i}`, value: `${i}` }))
      await producer.writeBatch(batchOf(rows), { topic: 'compacted' }).catch((error: unknown) => {
        if (!(error instanceof BatchError)) throw error
        for (const [row, reason] of error.failures) failed.set(first + row, reason)
      })
    })
    await Promise.all(calls)
    expect([...failed.keys()].toSorted((a, b) => a - b)).toEqual(all.filter(isRefused))
    for (const error of failed.values()) expect(meaningOf(error)).toBe('record')
    await producer.commitTransaction(() => undefined)
    expect(await committed('compacted')).toEqual(all.filter((i) => !isRefused(i)))
  })

  test('a program does not commit without a record that it has written', async () => {
    const { failures } = await producer.write([{ value: 'a' }, { value: large(1) }], 't')
    expect(failures.get(1)?.code).toBe('RECORD_TOO_LARGE')
    await expect(producer.commitTransaction(() => undefined)).rejects.toMatchObject({ code: 'TRANSACTION_FAILED' })
    await producer.abortTransaction()
    expect(await committed()).toEqual([])
  })
})
