import { afterEach, describe, expect, test } from 'vitest'
import { Cluster } from '../../../../src/kafka/cluster/cluster.ts'
import { Fetcher, type TakenSlice } from '../../../../src/kafka/consumer/fetching/fetcher.ts'
import { bootstrapServers, brokerAvailable } from '../../../support/broker.ts'
import { topicBed } from '../../../support/topics.ts'

describe.skipIf(!brokerAvailable)('fetcher', () => {
  const bed = topicBed()
  const open: { close(): unknown }[] = []
  afterEach(async () => {
    for (const each of open.splice(0)) await each.close()
  })

  // Whatever of the new topic lay before the offset that the old one had come to was never read.
  test('asks where to continue when the topic was deleted and recreated, after what it has fetched of the old one', async () => {
    const topic = await bed().create()
    const values = (count: number, bytes: number): { value: string }[] =>
      Array.from({ length: count }, (_, n) => ({ value: `${n}`.padEnd(bytes) }))
    // Each a record batch of its own, of which two fill the buffer of the partition.
    await bed().write(topic, values(9, 1500), { batchBytes: 1000, compression: 'none' })
    const cluster = new Cluster({ bootstrapServers: [bootstrapServers()], clientId: 'fetcher' })
    await cluster.refresh([topic])
    const heard: string[] = []
    const fetcher = new Fetcher(
      cluster,
      {
        isolation: 'read_uncommitted',
        checkCrcs: true,
        maxDecompressedBytes: 1_000_000,
        fetchMinBytes: 1,
        fetchMaxWaitMs: 500,
        fetchMaxBytes: 1_000_000,
        maxPartitionFetchBytes: 1000,
        bufferBytes: 1_000_000,
        requestTimeoutMs: 30_000,
      },
      {
        async onPositionLost(_topic, _partition, position) {
          heard.push(`out of range: ${position}`)
          return 0
        },
        warn() {},
        onMoved: (_topic, _partition, position) => heard.push(`moved: ${position}`),
      },
    )
    open.push(fetcher, cluster)
    const next = async (): Promise<TakenSlice> => {
      for (;;) {
        const slice = fetcher.take()
        if (slice !== undefined) return slice
        await fetcher.wait()
      }
    }
    fetcher.add(topic, 0, 0)
    // Then nothing is under way that could notice that the topic is gone for a moment.
    await expect.poll(() => fetcher.bufferedBytes, { timeout: 20_000 }).toBeGreaterThan(3000)
    await bed().admin.deleteTopics([topic])
    await expect.poll(() => bed().admin.createTopic({ name: topic, partitions: 1 }), { timeout: 20_000 }).toBe(true)
    await bed().write(topic, values(30, 1))
    expect([(await next()).nextOffset, (await next()).nextOffset]).toEqual([1, 2])
    expect(heard).toEqual([])
    expect(await next()).toMatchObject({ records: { firstOffset: 0 }, nextOffset: 30 })
    expect(heard).toEqual(['out of range: 2', 'moved: 0'])
  })
})
