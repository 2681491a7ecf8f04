import { describe, expect, test } from 'vitest'
import { brokerAvailable } from '../support/broker.ts'
import { fromTopic, runHere, toTopic } from '../support/pipelines.ts'
import { topicBed } from '../support/topics.ts'

/** Around batch.size (16384), where a record begins to need a batch of its own, and far above it. */
const SIZES = [0, 1, 100, ...Array.from({ length: 120 }, (_, i) => 16_384 - 150 + 3 * i), 50_000, 900_000]

const padded = (size: number): string => JSON.stringify({ size, text: 'x'.repeat(size) })

// Records of more than batch.size that were taken over one by one as they had been read counted as written, and were not.
describe.skipIf(!brokerAvailable)('records of all sizes', () => {
  const bed = topicBed()

  test.each([
    { lane: 'verbatim', sink: {} },
    { lane: 'bytes', sink: { keepPartition: false } },
    { lane: 'bytes, compressed', sink: { keepPartition: false, 'compression.type': 'lz4' } },
    { lane: 'bytes, in transactions', sink: { keepPartition: false }, more: { delivery: 'exactly_once' } },
    { lane: 'documents', sink: { keepPartition: false }, more: { stages: [{ $match: { size: { $gte: 0 } } }] } },
    { lane: 'events', sink: {}, more: { stages: [{ $toEvent: {} }, { $fromEvent: {} }] } },
  ])('come through: $lane', async ({ sink, more = {} }) => {
    const [from, to] = [await bed().create(), await bed().create()]
    const values = SIZES.map(padded)
    await bed().write(
      from,
      values.map((value, i) => ({ key: `k${i}`, value })),
    )
    const result = await runHere({ source: fromTopic(from), sink: toTopic(to, sink), ...more })
    expect(result).toMatchObject({ read: { records: values.length }, written: { records: values.length } })
    const written = (await bed().values(to, { isolation: 'read_committed' })).flat()
    expect(written.map(({ length }) => length)).toEqual(values.map(({ length }) => length))
    expect(written).toEqual(values)
  })

  // The call of the producer was never settled, and closing waited for it without end.
  test('a record batch that may not be decompressed ends a run that was to forward it', async () => {
    const [from, to] = [await bed().create(), await bed().create({ partitions: 2 })]
    await bed().write(from, [{ value: padded(10_000) }], { compression: 'gzip' })
    const running = runHere({ source: fromTopic(from, { maxDecompressedBytes: 1000 }), sink: toTopic(to) })
    await expect(running).rejects.toMatchObject({ code: 'RECORD_BATCH_TOO_LARGE' })
  })
})
