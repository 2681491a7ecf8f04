/** Compaction that nobody asks for: when it begins, and what it leaves alone. */
import { describe, expect, test } from 'vitest'
import { type EmbeddedBroker, startBroker } from '../../../src/broker/index.ts'
import { produceApi } from '../../../src/protocol/messages/produce.ts'
import { batchOf, produceOf } from '../../support/produce.ts'
import { RawClient } from '../../support/raw-client.ts'

const COMPACT = { 'cleanup.policy': 'compact', 'segment.ms': 1, 'min.cleanable.dirty.ratio': 0.01 }

async function withTopic(
  config: Readonly<{ [name: string]: string | number }>,
  work: (
    broker: EmbeddedBroker,
    write: (time: number, records: object, topic?: string) => Promise<void>,
  ) => Promise<void>,
  now: () => number = Date.now,
): Promise<void> {
  const topics = { a: { partitions: 1, config: { ...COMPACT, ...config } }, b: { partitions: 1, config: COMPACT } }
  await using broker = await startBroker({ topics, now })
  using client = await RawClient.connect(broker.bootstrapServers)
  await work(broker, async (baseTimestamp, records, topic = 'a') => {
    const list = Object.entries(records).map(([key, value]) => ({
      key: Buffer.from(key),
      value: value === null ? null : Buffer.from(String(value)),
    }))
    const { responses } = await client.request(
      produceApi,
      10,
      produceOf({ name: topic }, batchOf([], { baseTimestamp, records: list })),
    )
    expect(responses[0]!.partitionResponses[0]!.errorCode).toBe(0)
  })
}

async function recordsOf(broker: EmbeddedBroker, topic = 'a'): Promise<string[]> {
  return (await broker.topic(topic).records()).map(({ key, value }) => `${String(key)}=${String(value)}`)
}

describe('a compacted topic', () => {
  test('loses older records of a key in the background, and keeps the segment that is written', async () => {
    const start = Date.now() - 10_000
    await withTopic({}, async (broker, write) => {
      await write(start, { a: 1, b: 1 })
      await write(start + 1000, { a: 2 })
      await write(start + 2000, { a: 3 })
      await expect.poll(() => recordsOf(broker)).toEqual(['b=1', 'a=2', 'a=3'])
    })
  })

  test('keeps everything while it all is in the segment that is written', async () => {
    const start = Date.now() - 10_000
    await withTopic({ 'segment.ms': 60_000 }, async (broker, write) => {
      for (const step of [0, 1, 2]) await write(start + step * 1000, { a: step })
      // The other topic shows that there has been time enough.
      for (const step of [0, 1, 2]) await write(start + step * 1000, { a: step }, 'b')
      await expect.poll(() => recordsOf(broker, 'b')).toEqual(['a=1', 'a=2'])
      expect(await recordsOf(broker)).toEqual(['a=0', 'a=1', 'a=2'])
    })
  })

  test('keeps records that are younger than min.compaction.lag.ms', async () => {
    const now = Date.now()
    await withTopic(
      { 'min.compaction.lag.ms': 7500 },
      async (broker, write) => {
        for (const age of [10_000, 9000, 8000, 7000, 6000]) await write(now - age, { a: age })
        await expect.poll(() => recordsOf(broker)).toEqual(['a=8000', 'a=7000', 'a=6000'])
      },
      () => now,
    )
  })

  test('keeps a record without a value for delete.retention.ms after it was first compacted', async () => {
    let now = Date.now()
    await withTopic(
      { 'delete.retention.ms': 5000 },
      async (broker, write) => {
        await write(now, { a: 1 })
        await write(now + 1000, { a: null })
        await broker.compact('a')
        expect(await recordsOf(broker)).toEqual(['a=null'])
        now += 4999
        await broker.compact('a')
        expect(await recordsOf(broker)).toEqual(['a=null'])
        now += 1
        await broker.compact('a')
        expect(await recordsOf(broker)).toEqual([])
      },
      () => now,
    )
  })
})
