/** What loops over a `KafkaSource` acknowledge and commit, however they end. */
import { describe, expect, test } from 'vitest'
import { type ConsumerRecord, KafkaSource, type KafkaSourceOptions } from '../../src/index.ts'
import type { SourceNames } from '../../src/library/options/source.ts'
import { bootstrapServers, brokerAvailable, uniqueName } from '../support/broker.ts'
import { topicBed } from '../support/topics.ts'

const names = (count: number, from = 0): string[] => Array.from({ length: count }, (_, i) => `v${from + i}`)

describe.skipIf(!brokerAvailable)('a loop over a KafkaSource', () => {
  const bed = topicBed()

  interface Bed {
    readonly topic: string
    readonly groupId: string
    readonly source: <V = Buffer>(options?: { readonly [name: string]: unknown }) => KafkaSource<Buffer, V>
    /** What the group has committed of partition 0; -1 for nothing. */
    readonly committed: () => Promise<number>
  }

  /** A topic with one partition and the values v0, v1, ... in one record batch, and a group that has read nothing of it. */
  async function written(count: number, partitions = 1): Promise<Bed> {
    const [topic, groupId] = [await bed().create({ partitions }), uniqueName('group')]
    await bed().write(
      topic,
      names(count).map((value, i) => ({ value, partition: i % partitions })),
      { batchBytes: 1_000_000, maxRequestBytes: 1_000_000 },
    )
    return {
      topic,
      groupId,
      source: <V = Buffer>(options: Pick<KafkaSourceOptions<Buffer, V>, 'decode'> & Partial<SourceNames> = {}) =>
        new KafkaSource<Buffer, V>({
          bootstrapServers: bootstrapServers(),
          topics: topic,
          groupId,
          untilEnd: true,
          ...options,
          // Whether there is a decoder is for the caller to say.
        } as KafkaSourceOptions<Buffer, V>),
      committed: async () =>
        Number((await bed().groups.committedOffsets(groupId)).find((each) => each.partition === 0)?.offset ?? -1),
    }
  }

  async function rest(source: AsyncIterable<ConsumerRecord>): Promise<string[]> {
    return (await Array.fromAsync(source)).map(({ value }) => String(value))
  }

  // The loop that a body's error leaves acknowledged its last record: on quiet topics every failing record was lost.
  test.each([
    { at: 'the last record of a batch', n: 9 },
    { at: 'a record in the midst of a batch', n: 4 },
  ])('does not commit a record on which its body throws: $at', async ({ n }) => {
    const { source, committed } = await written(10)
    {
      await using failing = source()
      const loop = async (): Promise<void> => {
        for await (const { value } of failing) if (String(value) === `v${n}`) throw new Error('refused')
      }
      await expect(loop()).rejects.toThrow('refused')
    }
    expect(await committed()).toBe(n)
    await using again = source()
    expect(await rest(again)).toEqual(names(10 - n, n))
  })

  // It was a bare SyntaxError, and the record was committed.
  test('reports a value that cannot be decoded with its place, and does not commit it', async () => {
    const { source, committed, topic } = await written(3)
    {
      const decode = { value: (bytes: Buffer) => JSON.parse(String(bytes) === 'v2' ? '{' : '1') as unknown }
      await using failing = source({ decode })
      await expect(Array.fromAsync(failing, ({ value }) => value)).rejects.toMatchObject({
        code: 'DECODE_FAILED',
        part: 'value',
        topic,
        partition: 0,
        offset: 2n,
        cause: expect.any(SyntaxError),
      })
    }
    expect(await committed()).toBe(2)
  })

  // The rest of the batch was never seen: nine of ten records.
  test('continues where the previous loop was left: with the record that it was left at', async () => {
    const { source } = await written(10)
    await using reading = source()
    const seen: string[] = []
    for await (const { value } of reading) if (seen.push(String(value)) === 3) break
    for await (const { value } of reading) if (seen.push(String(value)) === 6) break
    seen.push(...(await rest(reading)))
    expect(seen).toEqual([...names(3), ...names(3, 2), ...names(6, 4)])
  })

  test('continues behind the record that it was left at when that was committed', async () => {
    const { source, committed } = await written(10)
    {
      await using reading = source({ commit: { strategy: 'manual' } })
      for await (const record of reading) {
        if (record.offset < 3n) continue
        await reading.commit(record)
        expect(await committed()).toBe(4)
        break
      }
      expect(await rest(reading)).toEqual(names(6, 4))
    }
    expect(await committed()).toBe(4)
  })

  // The second one took the place of the first, which then waited for ever.
  test('is refused while another one reads', async () => {
    const { source } = await written(1)
    await using reading = source()
    const first = reading.batches()
    await first.next()
    const refused = { code: 'CONFIG_INVALID', message: expect.stringContaining('two loops at a time') }
    await expect(reading.batches().next()).rejects.toMatchObject(refused)
    await expect(reading[Symbol.asyncIterator]().next()).rejects.toMatchObject(refused)
    await first.return()
    expect((await reading[Symbol.asyncIterator]().next()).done).toBe(true)
  })

  // With 100 ms a record, a batch of 16,384 records went 27 minutes without a commit.
  test.each([
    { strategy: 'auto', options: { autoCommitIntervalMs: 20 } },
    { strategy: 'periodic', options: { commit: { strategy: 'periodic', interval: 20 } } },
    { strategy: 'each_batch', options: { commit: { strategy: 'each_batch' }, maxPollRecords: 4 } },
  ])('over records commits what is finished of a batch: $strategy', async ({ options }) => {
    const { source, committed } = await written(10)
    await using reading = source(options)
    let record = 0
    for await (const { offset } of reading) {
      expect(offset).toBe(BigInt(record++))
      if (offset === 4n) await expect.poll(committed).toBe(4)
    }
    expect(record).toBe(10)
  })

  // Slices of a batch counted only together: none of these committed before the last one.
  describe.each([{ maxPollRecords: 10 }, { maxPollRecords: 3 }])('over batches of $maxPollRecords', (limit) => {
    test.each([
      { strategy: 'each_batch', options: {}, act: async () => {} },
      { strategy: 'auto', options: { autoCommitIntervalMs: 20 }, act: async () => {} },
      { strategy: 'manual', options: {}, act: (source: KafkaSource) => source.commit() },
      { strategy: 'on_checkpoint', options: {}, act: (source: KafkaSource) => source.checkpoint() },
    ])('commits each that is acknowledged: $strategy', async ({ strategy, options, act }) => {
      const { source, committed } = await written(100)
      await using reading = source({ ...limit, ...options, commit: { strategy } })
      let records = 0
      for await (const batch of reading.batches()) {
        records += batch.length
        expect(batch.length).toBeLessThanOrEqual(limit.maxPollRecords)
        expect(await reading.progress()).toMatchObject({ records, lag: 100 - records })
        batch.ack()
        await act(reading)
        await expect.poll(committed).toBe(records)
        if (records > 30) break
      }
    })
  })

  test('checkpoints inside its body', async () => {
    const { source, committed } = await written(10)
    await using reading = source({ commit: { strategy: 'on_checkpoint' } })
    for await (const record of reading) {
      await reading.checkpoint()
      if (record.offset > 0n) expect(await committed()).toBe(Number(record.offset))
      expect(await reading.progress()).toMatchObject({ records: Number(record.offset) + 1 })
    }
  })

  // All ten slices came, and then everything was read again.
  test('over batches ends with the slice at which its signal fires', async () => {
    const { source, committed } = await written(100)
    const stop = new AbortController()
    const reading = source({ maxPollRecords: 10 })
    let records = 0
    for await (const batch of reading.batches(stop.signal)) {
      records += batch.length
      batch.ack()
      stop.abort()
    }
    await reading.close()
    expect([records, await committed()]).toEqual([10, 10])
  })

  test('over records ends with the record at which the source is closed, and commits it', async () => {
    const { source, committed } = await written(100)
    const reading = source()
    let closing: Promise<void> | undefined
    const seen: string[] = []
    for await (const { value } of reading) {
      seen.push(String(value))
      if (seen.length < 50) continue
      closing = reading.close()
      await bed().groups.committedOffsets('another') // what the body has to do still
    }
    await closing
    expect([seen, await committed()]).toEqual([names(50), 50])
  })

  test('over records leaves a batch whose partition goes to another member, and every record is read once', async () => {
    const { source } = await written(4000, 4)
    const options = { untilEnd: false, heartbeatIntervalMs: 50 }
    const seen: string[] = []
    const done = Promise.withResolvers<void>()
    const members = [source(options), source(options)]
    const member = async (reading: KafkaSource): Promise<number> => {
      let count = 0
      for await (const { value } of reading) {
        seen.push(String(value))
        if (++count % 20 === 0) await new Promise((resolve) => setTimeout(resolve, 20))
        if (seen.length === 4000) done.resolve()
      }
      return count
    }
    const first = member(members[0]!)
    await expect.poll(() => seen.length).toBeGreaterThan(100)
    const second = member(members[1]!)
    await done.promise
    await Promise.all(members.map((each) => each.close()))
    expect(seen.toSorted((a, b) => Number(a.slice(1)) - Number(b.slice(1)))).toEqual(names(4000))
    expect(Math.min(await first, await second)).toBeGreaterThan(500)
  }, 30_000)

  // Nothing else ran while a batch was worked on: 13.7 s without a heartbeat, partitions lost, 12,000 records handled twice.
  describe('keeps its membership while its body never waits', () => {
    const busy = (ms: number): void => {
      for (const end = performance.now() + ms; performance.now() < end;);
    }
    const options = { sessionTimeoutMs: 6000, heartbeatIntervalMs: 500, autoCommitIntervalMs: 100 }

    test('over records', async () => {
      const { source, committed } = await written(7000)
      await using reading = source(options)
      const seen: string[] = []
      for await (const { value } of reading) {
        seen.push(String(value))
        busy(1)
      }
      expect(seen).toEqual(names(7000))
      expect((await reading.progress())!.rebalances).toBe(1)
      await expect.poll(committed).toBe(7000)
    })

    test('over batches', async () => {
      const { source, committed } = await written(7000)
      await using reading = source(options)
      const seen: string[] = []
      for await (const batch of reading.batches()) {
        for (let row = 0; row < batch.length; row++) {
          seen.push(String(batch.value(row)))
          busy(1)
        }
        batch.ack()
      }
      expect(seen).toEqual(names(7000))
      expect((await reading.progress())!.rebalances).toBe(1)
      await expect.poll(committed).toBe(7000)
    })
  })
})
