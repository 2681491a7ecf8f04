import { mkdtemp, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { catalog } from '../../src/catalog.ts'
import { readAnyPlan } from '../../src/dialects/index.ts'
import { runPlan } from '../../src/engine/run-plan.ts'
import { SLICE_ROWS } from '../../src/engine/slices.ts'
import { Counters } from '../../src/metrics/counters.ts'
import type { MetricName } from '../../src/metrics/table.ts'
import type { ProducerRecord } from '../../src/records/record.ts'
import { bootstrapServers, brokerAvailable, ownBroker, uniqueName } from '../support/broker.ts'
import { fromTopic, pipelineFile, runHere, startCommand, toTopic } from '../support/pipelines.ts'
import { type ReadRecord, readTopic } from '../support/read-topic.ts'
import { topicBed } from '../support/topics.ts'

const NEVER = new AbortController().signal

async function fileOf(content: object): Promise<string> {
  const file = join(await mkdtemp(join(tmpdir(), 'millrace-')), 'graph.json')
  await writeFile(file, JSON.stringify(content))
  return file
}

/** Records as they should be wherever they land. */
const withoutOffset = (records: readonly ReadRecord[]): Omit<ReadRecord, 'offset'>[] =>
  records.map(({ partition, timestampMs, key, value, headers }) => ({ partition, timestampMs, key, value, headers }))

const orders = (count: number, from = 0): ProducerRecord[] =>
  Array.from({ length: count }, (_, i) => ({
    key: `c${(from + i) % 11}`,
    value: `{"id": ${from + i},  "amount":${(from + i) % 200}.50}`,
    headers: [['n', String(from + i)]] as const,
    timestampMs: 1_700_000_000_000 + from + i,
  }))

describe.skipIf(!brokerAvailable)('a pipeline', () => {
  const bed = topicBed()

  describe('without stages', () => {
    test.each([
      { compression: 'none', keepPartition: undefined },
      { compression: 'gzip', keepPartition: undefined },
      { compression: 'snappy', keepPartition: undefined },
      { compression: 'lz4', keepPartition: undefined },
      { compression: 'zstd', keepPartition: undefined },
      { compression: 'lz4', keepPartition: false },
      { compression: 'none', keepPartition: false },
    ])(
      'copies keys, values, headers and times of topics in $compression (keepPartition $keepPartition)',
      async ({ compression, keepPartition }) => {
        const [from, to] = [await bed().create({ partitions: 3 }), await bed().create({ partitions: 3 })]
        await bed().write(from, [...orders(3000), { key: 'k', value: null }, { key: null, value: '' }], {
          compression,
          batchBytes: 65_536,
          // Without it what is there is sent after each turn, in record batches that a busy machine makes too small to be forwarded.
          lingerMs: 500,
        })
        const result = await runHere({
          source: fromTopic(from),
          sink: toTopic(to, keepPartition === undefined ? {} : { keepPartition }),
        })
        expect(result).toMatchObject({ read: { records: 3002 }, written: { records: 3002 } })
        const [a, b] = [await readTopic(bed().cluster, from), await readTopic(bed().cluster, to)]
        expect(b.records.length).toBe(3002)
        if (keepPartition === undefined) expect(b.records).toEqual(a.records)
        // Keyed records land where murmur2 puts them, as they did before; only the one without a key may be elsewhere.
        else
          expect(withoutOffset(b.records.filter(({ key }) => key !== null))).toEqual(
            withoutOffset(a.records.filter(({ key }) => key !== null)),
          )
        // Forwarded record batches stay compressed.
        if (keepPartition === undefined)
          expect(new Set(b.batches.map(({ codec }) => codec))).toEqual(new Set(a.batches.map(({ codec }) => codec)))
      },
    )

    test('counts records, bytes, commits, and batches that were forwarded whole', async () => {
      const [from, to] = [await bed().create({ partitions: 3 }), await bed().create({ partitions: 3 })]
      await bed().write(from, orders(1000), { batchBytes: 65_536, lingerMs: 500 })
      const metrics = new Counters()
      const { written } = await runHere({ source: fromTopic(from), sink: toTopic(to) }, { metrics })
      const valueOf = (name: MetricName): number | undefined =>
        metrics.snapshot().find(({ metric }) => metric === name)?.value
      expect(valueOf('millrace_source_records_total')).toBe(1000)
      expect(valueOf('millrace_sink_records_total')).toBe(1000)
      expect(valueOf('millrace_sink_bytes_total')).toBe(written.bytes)
      expect(valueOf('millrace_source_lag_records')).toBe(0)
      expect(valueOf('millrace_offset_commits_total')).toBeGreaterThan(0)
      const batches = valueOf('millrace_source_batches_total')
      expect(batches).toBeGreaterThanOrEqual(3)
      expect(valueOf('millrace_sink_batches_total')).toBe(batches)
      expect(valueOf('millrace_sink_forwarded_batches_total')).toBe(batches)
    })

    test('copies a compacted topic, whose batches have gaps', async () => {
      const from = await bed().create({
        configs: {
          'cleanup.policy': 'compact',
          'segment.ms': '50',
          'min.cleanable.dirty.ratio': '0.0001',
          'max.compaction.lag.ms': '50',
          'delete.retention.ms': '0',
        },
      })
      const to = await bed().create()
      for (let round = 0; round < 5; round++) {
        await bed().write(
          from,
          Array.from({ length: 50 }, (_, i) => ({ key: `k${i % (10 + round)}`, value: `${round}-${i}` })),
          { batchBytes: 300 },
        )
        await delay(100)
      }
      await runHere({ source: fromTopic(from), sink: toTopic(to) })
      const last = (
        records: readonly { readonly key: string | null; readonly value: Buffer | null }[],
      ): Map<string | null, string> => new Map(records.map(({ key, value }) => [key, String(value)]))
      expect(last((await readTopic(bed().cluster, to)).records)).toEqual(
        last((await readTopic(bed().cluster, from)).records),
      )
    })
  })

  describe('with stages', () => {
    test('filters, and what is left goes out as the very bytes that came in', async () => {
      const [from, to] = [await bed().create({ partitions: 3 }), await bed().create({ partitions: 3 })]
      await bed().write(from, orders(1000))
      const result = await runHere({
        source: fromTopic(from),
        stages: [{ $match: { amount: { $gte: 100 } } }],
        sink: toTopic(to),
      })
      const want = (await readTopic(bed().cluster, from)).records.filter(
        ({ value }) => (JSON.parse(String(value)) as { amount: number }).amount >= 100,
      )
      expect(result.written.records).toBe(want.length)
      const got = (await readTopic(bed().cluster, to)).records
      expect(withoutOffset(got)).toEqual(withoutOffset(want))
    })

    test('changes documents, multiplies them and takes keys from a field', async () => {
      const [from, to] = [await bed().create(), await bed().create({ partitions: 2 })]
      await bed().write(from, [
        { key: 'a', value: '{"id":7,"items":["x","y"],"secret":1}' },
        { key: 'b', value: '{"id":8,"items":[]}' },
      ])
      await runHere({
        source: fromTopic(from),
        stages: [{ $unwind: '$items' }, { $set: { from: '$_meta.offset' } }, { $unset: 'secret' }],
        sink: toTopic(to, { keyField: 'id' }),
      })
      const got = (await readTopic(bed().cluster, to)).records.map(({ key, value }) => [key, JSON.parse(String(value))])
      expect(got).toEqual([
        ['7', { id: 7, items: 'x', from: 0 }],
        ['7', { id: 7, items: 'y', from: 0 }],
      ])
    })

    test('stops after $limit, and leaves the rest to the next run', async () => {
      const [from, to] = [await bed().create(), await bed().create()]
      await bed().write(from, orders(500))
      const result = await runHere(
        { source: fromTopic(from), stages: [{ $limit: 10 }], sink: toTopic(to) },
        { untilEnd: false },
      )
      expect(result).toMatchObject({ ended: 'stage', written: { records: 10 } })
    })

    test('keeps tombstones', async () => {
      const [from, to] = [await bed().create(), await bed().create()]
      await bed().write(from, [
        { key: 'a', value: '{"x":1}' },
        { key: 'a', value: null },
      ])
      await runHere({ source: fromTopic(from), stages: [{ $match: { x: { $ne: 2 } } }], sink: toTopic(to) })
      expect((await readTopic(bed().cluster, to)).records.map(({ value }) => value?.toString() ?? null)).toEqual([
        '{"x":1}',
        null,
      ])
    })
  })

  // With at_most_once a large batch was cut before it was committed. Only its last slice could be, and the others were passed over.
  test('at_most_once passes over no part of a batch that is large enough to be cut (I7)', async () => {
    const [from, to] = [await bed().create(), await bed().create()]
    const total = 40_000
    await bed().write(from, orders(total), {
      compression: 'zstd',
      batchBytes: 16_000_000,
      lingerMs: 1000,
      maxRequestBytes: 16_000_000,
      bufferBytes: 64_000_000,
    })
    const { batches } = await readTopic(bed().cluster, from)
    expect(Math.max(...batches.map(({ count }) => count))).toBeGreaterThan(SLICE_ROWS)
    const result = await runHere({
      delivery: 'at_most_once',
      source: fromTopic(from),
      stages: [{ $match: {} }],
      sink: toTopic(to),
    })
    expect(result).toMatchObject({ read: { records: total }, written: { records: total } })
  })

  describe('in pieces of so many records', () => {
    const grouped = { runtime: { microBatchSize: 7 }, stages: [{ $group: { _id: null, n: { $sum: 1 } } }] }

    // Pieces were cut before the offsets were committed, and all but the last of a batch were passed over or came twice.
    test.each(['at_least_once', 'at_most_once', 'exactly_once'])(
      'sees every record once with %s, whether microBatchSize, max.poll.records or stream_batch_size asks for it',
      async (delivery) => {
        const from = await bed().create({ partitions: 1 })
        await bed().write(from, orders(100), { batchBytes: 1_000_000 })
        const sevens = [...Array.from({ length: 14 }, () => 7), 2]
        const sizesIn = async (topic: string): Promise<number[]> => {
          const values = (await bed().values(topic, { 'isolation.level': 'read_committed' })).flat()
          return values.map((value) => (JSON.parse(value) as { n: number }).n)
        }
        const expectSevens = async (spec: object, options = {}): Promise<void> => {
          const to = await bed().create({ partitions: 1 })
          await runHere({ source: fromTopic(from, options), sink: toTopic(to), delivery, ...spec })
          // A transaction may be visible a moment after its commit only.
          await expect.poll(() => sizesIn(to)).toEqual(sevens)
        }
        await expectSevens(grouped)
        await expectSevens({ stages: grouped.stages }, { 'max.poll.records': 7 })
        await expectSevens(grouped, { 'max.poll.records': '50' })

        const to = await bed().create({ partitions: 1 })
        const common = { brokers: bootstrapServers() }
        await runPlan(
          await readAnyPlan(
            await fileOf({
              global: { delivery, execution_mode: 'streaming', stream_batch_size: 7 },
              stages: [
                { id: 'in', function: 'kafka', config: { ...common, topic: from, group_id: uniqueName('group') } },
                { id: 'count', function: '$group', inputs: ['in'], config: grouped.stages[0]!.$group },
                { id: 'out', function: 'kafka', inputs: ['count'], config: { ...common, topic: to } },
              ],
            }),
          ),
          { components: catalog, signal: NEVER, abort: NEVER, untilEnd: true, warn: () => {} },
        )
        await expect.poll(() => sizesIn(to)).toEqual(sevens)
      },
    )

    test('batchSize bounds the record batches that are made', async () => {
      const [from, to] = [await bed().create({ partitions: 1 }), await bed().create({ partitions: 1 })]
      await bed().write(from, orders(100), { batchBytes: 1_000_000 })
      const stages = [{ $set: { seen: true } }]
      await runHere({ source: fromTopic(from), stages, sink: toTopic(to, { batchSize: 30, 'batch.size': 1_000_000 }) })
      const { batches, records } = await readTopic(bed().cluster, to)
      expect(records).toHaveLength(100)
      // The first ones may be smaller, while it is not known how long a record takes.
      expect(Math.max(...batches.map(({ count }) => count))).toBe(30)
    })
  })

  test('goes from a file to a topic and back', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'millrace-'))
    const topic = await bed().create()
    const lines = '{"a":1}\n{"a":"ü"}\n\n  {"b" : null}\n'
    await writeFile(join(folder, 'in.jsonl'), lines)
    await runHere({ source: { type: 'file', options: { path: join(folder, 'in.jsonl') } }, sink: toTopic(topic) })
    await runHere({
      source: fromTopic(topic),
      sink: { type: 'file', options: { path: join(folder, 'deep/er/out.jsonl') } },
    })
    expect(
      (await readFile(join(folder, 'deep/er/out.jsonl'), 'utf8'))
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line)),
    ).toEqual([{ a: 1 }, { a: 'ü' }, { b: null }])
  })

  test('stops at a value that is not JSON, says where, and commits nothing after it (I1)', async () => {
    const [from, to] = [await bed().create(), await bed().create()]
    const groupId = uniqueName('group')
    await bed().write(from, orders(10))
    await bed().write(from, [{ value: '{"half":' }])
    await bed().write(from, orders(10, 20))
    const run = runHere({ source: fromTopic(from, { groupId }), stages: [{ $match: {} }], sink: toTopic(to) })
    await expect(run).rejects.toMatchObject({ code: 'DECODE_FAILED', topic: from, partition: 0, offset: 10n })
    const committed = await bed().groups.committedOffsets(groupId)
    for (const { offset } of committed) expect(offset).toBeLessThanOrEqual(10)
  })

  test('stops when a record is too large for its topic, says which topic, and commits nothing after it', async () => {
    const [from, to] = [await bed().create(), await bed().create({ configs: { 'max.message.bytes': '2000' } })]
    const groupId = uniqueName('group')
    await bed().write(from, orders(5))
    await bed().write(from, [{ value: `"${'x'.repeat(5000)}"` }])
    const run = runHere({ source: fromTopic(from, { groupId }), sink: toTopic(to) })
    await expect(run).rejects.toMatchObject({
      message: expect.stringContaining(`offset 5 of partition 0 of "${from}"`),
      cause: { message: expect.stringContaining(to) },
    })
    const committed = await bed().groups.committedOffsets(groupId)
    for (const { offset } of committed) expect(offset).toBeLessThanOrEqual(5)
  })

  test('says that a topic is missing before it reads anything', async () => {
    const from = await bed().create()
    await expect(runHere({ source: fromTopic(from), sink: toTopic('no-such-topic') })).rejects.toMatchObject({
      code: 'TOPIC_NOT_FOUND',
      topic: 'no-such-topic',
    })
    await expect(runHere({ source: fromTopic('no-such-topic'), sink: toTopic(from) })).rejects.toMatchObject({
      code: 'TOPIC_NOT_FOUND',
      topic: 'no-such-topic',
    })
  })

  test('drains, commits and ends with 0 on SIGTERM, and the next run continues without repeating (I4)', async () => {
    const [from, to] = [await bed().create({ partitions: 2 }), await bed().create({ partitions: 2 })]
    await bed().write(from, orders(20_000))
    const file = await pipelineFile({
      source: fromTopic(from, { maxPartitionFetchBytes: 20_000 }),
      stages: [{ $set: { seen: true } }],
      sink: toTopic(to),
    })
    const first = startCommand(['run', file, '--json'])
    await expect.poll(() => bed().end(to)).toBeGreaterThan(0)
    first.child.kill('SIGTERM')
    expect(await first.done).toMatchObject({ code: 0 })
    const { code, stdout } = await startCommand(['run', file, '--until-end', '--json']).done
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ command: 'run', ok: true })
    const ids = (await readTopic(bed().cluster, to)).records.map(
      ({ value }) => (JSON.parse(String(value)) as { id: number }).id,
    )
    expect(ids.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 20_000 }, (_, i) => i))
  })

  test('loses nothing when it is killed at random moments (I1)', async () => {
    const [from, to] = [await bed().create({ partitions: 3 }), await bed().create({ partitions: 3 })]
    const total = 60_000
    await bed().write(from, orders(total))
    const groupId = uniqueName('group')
    const file = await pipelineFile({
      source: fromTopic(from, {
        groupId,
        'auto.commit.interval.ms': 50,
        maxPartitionFetchBytes: 30_000,
        'session.timeout.ms': 2000,
        'heartbeat.interval.ms': 500,
      }),
      stages: [{ $set: { seen: true } }],
      sink: toTopic(to),
    })
    for (let kill = 0; kill < 4; kill++) {
      const { child, done } = startCommand(['run', file])
      await delay(500 + Math.random() * 700)
      child.kill('SIGKILL')
      await done
    }
    // A killed member counts as one until its session is over, and would keep its share of the partitions.
    await expect.poll(async () => (await bed().groups.describeGroup(groupId)).state).toMatch(/^(Empty|Dead)$/)
    expect(await startCommand(['run', file, '--until-end']).done).toMatchObject({ code: 0, stderr: expect.any(String) })
    const ids = new Set(
      (await readTopic(bed().cluster, to)).records.map(({ value }) => (JSON.parse(String(value)) as { id: number }).id),
    )
    expect(ids.size).toBe(total)
  })

  test('ends with 3 and names the address when no broker answers', async () => {
    const file = await pipelineFile({
      source: fromTopic('a', { bootstrapServers: '127.0.0.1:1', 'default.api.timeout.ms': 5000 }),
      sink: toTopic('b', { bootstrapServers: '127.0.0.1:1', 'max.block.ms': 5000 }),
    })
    const { code, stderr } = await startCommand(['run', file]).done
    expect(code).toBe(3)
    expect(stderr).toMatch(/127\.0\.0\.1:1.*connection refused/)
    // Meanwhile nobody is left in the dark.
    expect(stderr).toMatch(/No broker could be reached yet; retrying for up to 5 s: .*connection refused/)
    expect(stderr).not.toMatch(/^\s+at /m)
  })
})

describe.skipIf(!brokerAvailable)('a pipeline whose output broker goes away', () => {
  const output = ownBroker()
  const here = topicBed()
  const there = topicBed(() => output().bootstrapServers)

  // It ended a busy run after 10 s, while a broker takes longer than that to restart.
  test('waits while the broker is silent, says so, and continues when it is back, without a rebalance', async () => {
    const [from, to] = [await here().create(), await there().create()]
    await here().write(from, orders(5000))
    const groupId = uniqueName('group')
    const stop = new AbortController()
    const warnings: string[] = []
    let problems: unknown[] = []
    const running = runHere(
      {
        source: fromTopic(from, { groupId, 'session.timeout.ms': 4000, 'heartbeat.interval.ms': 300 }),
        stages: [{ $match: {} }],
        sink: toTopic(to, { bootstrapServers: output().bootstrapServers }),
      },
      {
        untilEnd: false,
        signal: stop.signal,
        warn: (message) => warnings.push(message),
        onProgress: ({ problem }) => (problems = [...problems, problem]),
      },
    )
    await expect.poll(() => there().end(to)).toBe(5000)
    output().brokers[0]!.pause()
    await here().write(from, orders(5000, 5000))
    // Longer than the flushTimeout of runs that retry.
    await delay(23_000)
    output().brokers[0]!.resume()
    await expect.poll(async () => (await readTopic(there().cluster, to)).records.length).toBe(10_000)
    await expect.poll(() => warnings.at(-1)).toMatch(/^Topic ".*" is written again, after \d+ s$/)
    stop.abort()
    expect((await running).written.records).toBe(10_000)
    expect(warnings[0]).toMatch(/^Topic ".*" cannot be written: nothing acknowledged for \d+ s/)
    expect(problems).toContainEqual(expect.stringMatching(/^nothing acknowledged for/))
  })

  test('fails with the reason when nothing is acknowledged for flushTimeout', async () => {
    const [from, to] = [await here().create(), await there().create()]
    await here().write(from, orders(100))
    const stop = new AbortController()
    const running = runHere(
      {
        source: fromTopic(from),
        stages: [{ $match: {} }],
        sink: toTopic(to, { bootstrapServers: output().bootstrapServers, flushTimeout: 'PT1S' }),
      },
      { untilEnd: false, signal: stop.signal },
    )
    let isOver = false
    running.catch(() => (isOver = true))
    // It may be over already, when a busy machine took its second for the first records.
    await expect.poll(async () => isOver || (await there().end(to)) === 100).toBe(true)
    output().brokers[0]!.pause()
    await here().write(from, orders(100, 100))
    await expect(running).rejects.toThrow(/flushTimeout/)
    output().brokers[0]!.resume()
  })
})
