import { setTimeout as delay } from 'node:timers/promises'
import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { KafkaSink, KafkaSource } from '../../src/index.ts'
import { listOffsets } from '../../src/kafka/cluster/log-offsets.ts'
import { bootstrapServers, brokerAvailable, uniqueName } from '../support/broker.ts'
import { topicBed } from '../support/topics.ts'
import { TransactionalWriter } from '../support/transactional-writer.ts'

const numbered = (count: number, from = 0): { key: string; value: string }[] =>
  Array.from({ length: count }, (_, i) => ({ key: `k${(from + i) % 7}`, value: `v${from + i}` }))
const sorted = (values: readonly string[][]): string[] =>
  values.flat().toSorted((a, b) => Number(a.slice(1)) - Number(b.slice(1)))
const names = (count: number, from = 0): string[] => Array.from({ length: count }, (_, i) => `v${from + i}`)

describe.skipIf(!brokerAvailable)('KafkaSource', () => {
  const bed = topicBed()
  const sourceOf = (topics: string, options: { readonly [name: string]: unknown } = {}): KafkaSource =>
    new KafkaSource({ bootstrapServers: bootstrapServers(), topics, untilEnd: true, ...options })

  test.each(['none', 'gzip', 'snappy', 'lz4', 'zstd'])(
    'reads every record once and in order when it was written with %s',
    async (compression) => {
      const topic = await bed().create({ partitions: 3 })
      await bed().write(topic, numbered(5000), { compression })
      const values = await bed().values(topic)
      expect(sorted(values)).toEqual(names(5000))
      for (const partition of values) expect(partition).toEqual(sorted([partition]))
    },
  )

  test('gives batches of at most max.poll.records, which commit as the batch that they were cut from', async () => {
    const topic = await bed().create()
    await bed().write(topic, numbered(100), { batchBytes: 1_000_000 })
    const groupId = uniqueName('group')
    const read = async (): Promise<number[]> => {
      await using source = sourceOf(topic, { groupId, 'max.poll.records': 30 })
      const sizes: number[] = []
      for await (const batch of source.batches()) {
        sizes.push(batch.length)
        batch.ack()
      }
      return sizes
    }
    // The first one may be smaller, while it is not known how long a record takes.
    const sizes = await read()
    expect(Math.max(...sizes)).toBe(30)
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(100)
    expect(await read()).toEqual([])
  })

  test('gives key, value, headers, timestamp, offset as they were written', async () => {
    const topic = await bed().create()
    const headers = [
      ['a', 'one'],
      ['a', 'two'],
      ['', null],
      ['ü', Buffer.from([0, 255])],
    ] as const
    await bed().write(topic, [
      { key: 'k', value: 'v', headers, timestampMs: 1_700_000_000_123 },
      { key: null, value: null, timestampMs: 5 },
      { key: '', value: '' },
    ])
    await using source = sourceOf(topic)
    const records = []
    for await (const record of source) records.push(record)
    expect(records.map(({ offset }) => offset)).toEqual([0n, 1n, 2n])
    expect(records[0]).toMatchObject({
      topic,
      partition: 0,
      timestampMs: 1_700_000_000_123,
      timestampType: 'CreateTime',
    })
    expect(records[0]!.headers).toEqual([
      ['a', Buffer.from('one')],
      ['a', Buffer.from('two')],
      ['', null],
      ['ü', Buffer.from([0, 255])],
    ])
    expect([records[1]!.key, records[1]!.value]).toEqual([null, null])
    expect([records[2]!.key, records[2]!.value]).toEqual([Buffer.alloc(0), Buffer.alloc(0)])
  })

  test('shows its records to console.log and JSON.stringify', async () => {
    const topic = await bed().create()
    await bed().write(topic, [{ key: 'k', value: 'v', timestampMs: 5 }])
    await using source = sourceOf(topic, { decode: { key: String, value: String } })
    for await (const record of source) {
      expect(inspect(record)).toContain("value: 'v'")
      expect(JSON.parse(JSON.stringify(record))).toEqual({
        topic,
        partition: 0,
        offset: '0',
        timestampMs: 5,
        timestampType: 'CreateTime',
        key: 'k',
        value: 'v',
        headers: [],
      })
    }
  })

  test('gives the time of appending where the topic says so', async () => {
    const topic = await bed().create({ configs: { 'message.timestamp.type': 'LogAppendTime' } })
    const before = Date.now()
    await bed().write(topic, [
      { value: 'a', timestampMs: 1 },
      { value: 'b', timestampMs: 2 },
    ])
    await using source = sourceOf(topic)
    for await (const record of source) {
      expect(record.timestampType).toBe('LogAppendTime')
      expect(record.timestampMs).toBeGreaterThanOrEqual(before)
    }
  })

  test('decodes keys and values with given functions', async () => {
    const topic = await bed().create()
    await bed().write(topic, [{ key: 'k', value: '{"a":1}' }, { value: null }])
    await using source = new KafkaSource({
      bootstrapServers: bootstrapServers(),
      topics: topic,
      untilEnd: true,
      decode: { key: String, value: (bytes) => JSON.parse(bytes.toString()) as { a: number } },
    })
    const seen = []
    for await (const { key, value } of source) seen.push([key, value])
    expect(seen).toEqual([
      ['k', { a: 1 }],
      [null, null],
    ])
  })

  test('reads records of 10 MB', async () => {
    const topic = await bed().create({ configs: { 'max.message.bytes': '20000000' } })
    const big = 'x'.repeat(10_000_000)
    await bed().write(topic, [{ value: 'a' }, { value: big }, { value: 'b' }], { maxRequestBytes: 20_000_000 })
    expect(await bed().values(topic)).toEqual([['a', big, 'b']])
  })

  test('ends at once on an empty topic', async () => {
    const topic = await bed().create({ partitions: 4 })
    expect(await bed().values(topic)).toEqual([])
  })

  test('stops at the offsets that were the end when it began, however much is written meanwhile', async () => {
    const topic = await bed().create()
    await bed().write(topic, numbered(100))
    await using source = sourceOf(topic)
    await source.open()
    await bed().write(topic, numbered(100, 100))
    const values = []
    for await (const { value } of source) values.push(value!.toString())
    expect(values).toEqual(names(100))
  })

  test.each([
    { name: 'earliest', reset: 'earliest', want: names(20) },
    { name: 'latest', reset: 'latest', want: [] },
    { name: 'a timestamp', reset: { timestampMs: 1_700_000_000_010 }, want: names(10, 10) },
    { name: 'a timestamp beyond the end', reset: { timestampMs: 1_800_000_000_000 }, want: [] },
  ])('starts at $name', async ({ reset, want }) => {
    const topic = await bed().create()
    await bed().write(
      topic,
      numbered(20).map((record, i) => ({ ...record, timestampMs: 1_700_000_000_000 + i })),
    )
    expect((await bed().values(topic, { autoOffsetReset: reset })).flat()).toEqual(want)
  })

  test('refuses to start without a committed offset when the policy is none', async () => {
    const topic = await bed().create()
    await using source = sourceOf(topic, { groupId: uniqueName('group'), autoOffsetReset: 'none' })
    await expect(source.open()).rejects.toMatchObject({ code: 'NO_COMMITTED_OFFSET', topic, partition: 0 })
  })

  test('says which topic does not exist', async () => {
    await using source = sourceOf('no-such-topic')
    await expect(source.open()).rejects.toMatchObject({ code: 'TOPIC_NOT_FOUND', topic: 'no-such-topic' })
  })

  test('fails with the offsets when retention deleted what was to be read next, and continues when it is set to', async () => {
    const topic = await bed().create()
    const groupId = uniqueName('group')
    await bed().write(topic, numbered(10))
    {
      await using source = sourceOf(topic, { groupId })
      for await (const batch of source.batches()) batch.ack()
    }
    await bed().write(topic, numbered(10, 10))
    await bed().admin.deleteRecords([{ topic, partition: 0, offset: 15 }])
    {
      await using source = sourceOf(topic, { groupId })
      await expect(source.batches().next()).rejects.toMatchObject({
        code: 'OFFSET_OUT_OF_RANGE',
        topic,
        partition: 0,
        message: expect.stringMatching(/Offset 10 .* begins at 15/),
      })
    }
    await using source = sourceOf(topic, { groupId, offsetOutOfRange: 'reset' })
    const values = []
    for await (const { value } of source) values.push(value!.toString())
    expect(values).toEqual(names(5, 15))
  })

  test('continues after the last acknowledged batch, and reads again what was not acknowledged (I1)', async () => {
    const topic = await bed().create()
    const groupId = uniqueName('group')
    await bed().write(topic, numbered(10))
    {
      await using source = sourceOf(topic, { groupId })
      for await (const batch of source.batches()) batch.ack()
    }
    await bed().write(topic, numbered(10, 10))
    {
      await using source = sourceOf(topic, { groupId })
      const { value: batch } = await source.batches().next()
      expect(batch!.firstOffset).toBe(10n)
    }
    await using source = sourceOf(topic, { groupId })
    const values = []
    for await (const { value } of source) values.push(value!.toString())
    expect(values).toEqual(names(10, 10))
  })

  test('does not commit past a batch that is not acknowledged, whatever comes after it (I2)', async () => {
    const topic = await bed().create({ partitions: 1, configs: { 'max.message.bytes': '1000' } })
    const groupId = uniqueName('group')
    for (let i = 0; i < 5; i++) await bed().write(topic, [{ value: `v${i}` }])
    await using source = sourceOf(topic, { groupId, maxPartitionFetchBytes: 1 })
    const batches = await Array.fromAsync(source.batches())
    expect(batches.length).toBe(5)
    for (const at of [4, 0, 2, 3]) batches[at]!.ack()
    await source.commit()
    expect(await bed().groups.committedOffsets(groupId)).toMatchObject([{ topic, partition: 0, offset: 1 }])
    batches[1]!.ack()
    await source.commit()
    expect(await bed().groups.committedOffsets(groupId)).toMatchObject([{ topic, partition: 0, offset: 5 }])
  })

  test('finds partitions that are added while it runs', async () => {
    const topic = await bed().create({ partitions: 1 })
    await using source = sourceOf(topic, { untilEnd: false, groupId: uniqueName('group'), metadataMaxAgeMs: 300 })
    const seen = new Set<string>()
    const reading = (async () => {
      for await (const { value } of source) if (seen.add(value!.toString()).size === 40) return
    })()
    await bed().write(topic, numbered(20))
    await bed().admin.createPartitions(topic, 4)
    await bed().write(
      topic,
      numbered(20, 20).map((record, i) => ({ ...record, partition: i % 4 })),
    )
    await reading
    expect(sorted([[...seen]])).toEqual(names(40))
  })

  test('loses nothing when members join and leave', async () => {
    const topic = await bed().create({ partitions: 6 })
    const groupId = uniqueName('group')
    const total = 6000
    await bed().write(topic, numbered(total))
    const seen = new Map<string, number>()
    const done = new AbortController()
    const member = async (take: number): Promise<void> => {
      await using source = sourceOf(topic, {
        untilEnd: false,
        groupId,
        maxPartitionFetchBytes: 2048,
        sessionTimeoutMs: 6000,
        heartbeatIntervalMs: 100,
      })
      let taken = 0
      for await (const batch of source.batches(done.signal)) {
        await delay(1)
        for (let i = 0; i < batch.length; i++)
          seen.set(batch.value(i)!.toString(), (seen.get(batch.value(i)!.toString()) ?? 0) + 1)
        taken += batch.length
        batch.ack()
        if (seen.size === total) done.abort()
        if (taken >= take) return
      }
    }
    await Promise.all([member(1500), delay(200).then(() => member(1500)), delay(500).then(() => member(total))])
    expect(seen.size).toBe(total)
    // Members that leave have acknowledged all they took, so nothing is read twice.
    expect([...seen.values()].filter((times) => times > 1).length).toBe(0)
  })

  describe('with read_committed', () => {
    test('hides aborted transactions, several in one fetch, and what plain producers wrote between comes through', async () => {
      const topic = await bed().create()
      const writer = await TransactionalWriter.open(bed().cluster, uniqueName('txn'))
      const other = await TransactionalWriter.open(bed().cluster, uniqueName('txn'))
      for (let round = 0; round < 3; round++) {
        await writer.write(topic, 0, [`aborted-${round}`])
        await other.write(topic, 0, [`other-${round}`])
        await writer.abort()
        await bed().write(topic, [{ value: `plain-${round}` }])
        await writer.write(topic, 0, [`committed-${round}`])
        await writer.commit()
        await other.commit()
      }
      const want = [0, 1, 2].flatMap((round) => [`other-${round}`, `plain-${round}`, `committed-${round}`])
      expect((await bed().values(topic, { isolation: 'read_committed' })).flat()).toEqual(want)
      expect((await bed().values(topic, { isolation: 'read_uncommitted' })).flat()).toHaveLength(12)
    })

    test('hides an aborted transaction that spans several fetches', async () => {
      const topic = await bed().create()
      const writer = await TransactionalWriter.open(bed().cluster, uniqueName('txn'))
      const other = await TransactionalWriter.open(bed().cluster, uniqueName('txn'))
      for (let i = 0; i < 6; i++) {
        await writer.write(topic, 0, [`aborted-${i}`.padEnd(2000, '.')])
        await other.write(topic, 0, [`kept-${i}`])
      }
      await writer.abort()
      await other.commit()
      const values = (await bed().values(topic, { isolation: 'read_committed', maxPartitionFetchBytes: 100 })).flat()
      expect(values).toEqual([0, 1, 2, 3, 4, 5].map((i) => `kept-${i}`))
    })

    test('waits at a transaction that is open, and commits beyond one that was aborted', async () => {
      const topic = await bed().create()
      const groupId = uniqueName('group')
      const writer = await TransactionalWriter.open(bed().cluster, uniqueName('txn'))
      await writer.write(topic, 0, ['a'])
      await writer.commit()
      await writer.write(topic, 0, ['b'])
      {
        await using source = sourceOf(topic, { isolation: 'read_committed', groupId, apiTimeoutMs: 2000 })
        const values = []
        for await (const { value } of source) values.push(value!.toString())
        expect(values).toEqual(['a'])
      }
      await writer.abort()
      await bed().settled(topic)
      {
        await using source = sourceOf(topic, { isolation: 'read_committed', groupId })
        expect((await Array.fromAsync(source)).length).toBe(0)
      }
      const [end] = await listOffsets(bed().cluster, [{ topic, partition: 0, at: 'latest' }])
      expect(await bed().groups.committedOffsets(groupId)).toMatchObject([{ topic, partition: 0, offset: end!.offset }])
    })
  })

  test('keeps memory bounded and the group membership when its reader stalls', async () => {
    const topic = await bed().create({ partitions: 3 })
    const value = Buffer.alloc(10_000, 'x')
    await bed().write(
      topic,
      Array.from({ length: 3000 }, () => ({ value })),
    )
    await using source = sourceOf(topic, {
      groupId: uniqueName('group'),
      sessionTimeoutMs: 4000,
      heartbeatIntervalMs: 300,
      fetchBufferBytes: 2_000_000,
      maxPartitionFetchBytes: 200_000,
    })
    let read = 0
    let stalled = false
    for await (const batch of source.batches()) {
      if (!stalled) await delay(6000)
      stalled = true
      read += batch.length
      batch.ack()
    }
    expect(read).toBe(3000)
    expect((await source.progress())!.rebalances).toBe(1)
  })

  test('can be closed twice, while it waits, and before it was used', async () => {
    const topic = await bed().create()
    const idle = sourceOf(topic)
    await idle.close()
    await idle.close()
    await expect(idle.open()).rejects.toMatchObject({ code: 'CLOSED' })
    const waiting = sourceOf(topic, { untilEnd: false, groupId: uniqueName('group') })
    const next = waiting.batches().next()
    await delay(300)
    await waiting.close()
    expect(await next).toEqual({ done: true, value: undefined })
  })

  test.each([
    { when: 'before it is connected', signal: () => AbortSignal.abort() },
    { when: 'while it connects', signal: () => AbortSignal.timeout(1) },
    { when: 'while it waits', signal: () => AbortSignal.timeout(500) },
  ])('stops when its signal fires $when, and may be read again', async ({ signal }) => {
    const topic = await bed().create()
    await using source = sourceOf(topic, { untilEnd: false })
    expect(await Array.fromAsync(source.batches(signal()))).toEqual([])
    await bed().write(topic, [{ value: 'there' }])
    for await (const { value } of source) {
      expect(String(value)).toBe('there')
      break
    }
  })

  test('connects with a later call when the first one could not', async () => {
    const topic = uniqueName('later')
    await using source = sourceOf(topic, { untilEnd: true })
    const opening = source.open()
    source.pause([{ topic, partition: 0 }]) // nobody else hears of the failure because of that
    await expect(opening).rejects.toMatchObject({ code: 'TOPIC_NOT_FOUND' })
    await bed().admin.createTopic({ name: topic, partitions: 1 })
    await bed().write(topic, [{ value: 'there' }])
    expect((await Array.fromAsync(source)).map(({ value }) => String(value))).toEqual(['there'])
  })

  test('reports all problems of its options at once', () => {
    expect(() => new KafkaSource({ bootstrapServers: '', topics: [], fetchMinByte: 1 } as never)).toThrow(
      /fetchMinBytes/,
    )
    expect(() => new KafkaSink({ bootstrapServers: 'localhost:9092', acks: '2' } as never)).toThrow(/acks/)
  })
})
