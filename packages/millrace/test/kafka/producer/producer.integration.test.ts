import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { CODECS } from '../../../src/kafka/protocol/compression/codecs.ts'
import { Batch } from '../../../src/records/batch.ts'
import { BatchError, type MillraceError } from '../../../src/errors/index.ts'
import { TopicAdmin } from '../../../src/kafka/admin/topics.ts'
import { Cluster } from '../../../src/kafka/cluster/cluster.ts'
import { Producer, type ProducerOptions } from '../../../src/kafka/producer/producer.ts'
import { FETCH } from '../../../src/kafka/protocol/fetch.ts'
import { FetchedRecords } from '../../../src/kafka/protocol/locate-records.ts'
import { RecordBatchReader } from '../../../src/kafka/protocol/record-batch.ts'
import type { DeliveryReport } from '../../../src/records/record.ts'
import { sleep } from '../../../src/resilience/retry.ts'
import { batchOf } from '../../support/batches.ts'
import {
  bootstrapServers,
  brokerAvailable,
  javaAvailable,
  javaTool,
  ownBroker,
  threeBrokers,
  uniqueName,
} from '../../support/broker.ts'
import { readTopic } from '../../support/read-topic.ts'
import { producerOptions } from '../../support/producer-options.ts'

const clusters: Cluster[] = []

function connect(servers: string, options: { requestTimeoutMs?: number } = {}): Cluster {
  const cluster = new Cluster({ bootstrapServers: servers.split(','), clientId: 'producer-test', ...options })
  clusters.push(cluster)
  return cluster
}

afterAll(() => Promise.all(clusters.map((cluster) => cluster.close())))

async function createTopic(
  cluster: Cluster,
  partitions: number,
  configs: Record<string, string> = {},
  replicationFactor = 1,
): Promise<string> {
  const name = uniqueName('produced')
  await new TopicAdmin(cluster).createTopic({ name, partitions, replicationFactor, configs })
  return name
}

const errorOf = (report: DeliveryReport | MillraceError): string => ('code' in report ? report.code : 'written')

/** What a topic holds of a partition or of everything, as an object that a fetcher would have made. */
async function fetchBatch(cluster: Cluster, name: string, partition: number): Promise<Batch> {
  const topic = await cluster.topic(name)
  const request = {
    maxWaitMs: 0,
    minBytes: 1,
    maxBytes: 64 << 20,
    isolation: 0 as const,
    rackId: '',
    sessionId: 0,
    sessionEpoch: -1,
    forgotten: [],
    topics: [{ name, id: topic.id, partitions: [{ partition, leaderEpoch: -1, offset: 0, maxBytes: 64 << 20 }] }],
  }
  const answer = await cluster.request(cluster.leader(name, partition), FETCH, () => request)
  const bytes = answer.topics[0]!.partitions[0]!.records!
  const reader = new RecordBatchReader()
  reader.reset(bytes, name, partition)
  const ranges: number[] = []
  while (reader.next()) ranges.push(reader.start, reader.end)
  const storage = new FetchedRecords({ topic: name, partition, bytes, ranges: Int32Array.from(ranges), fromOffset: 0 })
  return new Batch(
    { component: 'test', topic: name, partition, partitionCount: topic.partitions.length, timestampType: 'CreateTime' },
    storage,
    { ack() {} },
  )
}

describe.skipIf(!brokerAvailable)('producer', () => {
  let cluster: Cluster
  beforeAll(() => {
    cluster = connect(bootstrapServers())
  })

  async function producing<T>(options: Partial<ProducerOptions>, use: (producer: Producer) => Promise<T>): Promise<T> {
    const producer = new Producer(cluster, producerOptions(options))
    try {
      return await use(producer)
    } finally {
      await producer.close()
    }
  }

  test('writes keys, values, headers and timestamps, null and empty ones included', async () => {
    const topic = await createTopic(cluster, 1)
    await producing({}, (producer) =>
      producer.write(
        [
          {
            key: 'k',
            value: 'v',
            headers: [
              ['h', '1'],
              ['h', Buffer.from('2')],
              ['', null],
            ],
            timestampMs: 1_600_000_000_000,
          },
          { key: Buffer.from('bytes'), value: new Uint8Array([0x78, 0x79]), timestampMs: 5 },
          { value: null, key: 'tombstone', timestampMs: 1_600_000_000_001 },
          { value: '', key: '', timestampMs: 1_600_000_000_002 },
          { value: 'grüß 👋', key: 'ключ', timestampMs: 1_600_000_000_003 },
        ],
        topic,
      ),
    )
    const { records } = await readTopic(cluster, topic)
    expect(
      records.map(({ offset, timestampMs, key, value, headers }) => ({
        offset,
        timestampMs,
        key,
        value: value?.toString() ?? null,
        headers,
      })),
    ).toEqual([
      {
        offset: 0,
        timestampMs: 1_600_000_000_000,
        key: 'k',
        value: 'v',
        headers: [
          ['h', '1'],
          ['h', '2'],
          ['', null],
        ],
      },
      { offset: 1, timestampMs: 5, key: 'bytes', value: 'xy', headers: [] },
      { offset: 2, timestampMs: 1_600_000_000_001, key: 'tombstone', value: null, headers: [] },
      { offset: 3, timestampMs: 1_600_000_000_002, key: '', value: '', headers: [] },
      { offset: 4, timestampMs: 1_600_000_000_003, key: 'ключ', value: 'grüß 👋', headers: [] },
    ])
  })

  test('reports the partition and offset of each record', async () => {
    const topic = await createTopic(cluster, 5)
    const values = Array.from({ length: 3000 }, (_, i) => `value-${i}`)
    const reports = await producing({ batchBytes: 2000 }, async (producer) => {
      const calls = [0, 1, 2].map((call) =>
        producer.write(
          values
            .slice(call * 1000, call * 1000 + 1000)
            .map((value, i) => ({ value, key: i % 3 === 0 ? null : `k${i % 70}` })),
          topic,
        ),
      )
      return (await Promise.all(calls)).flatMap((each) => [...each])
    })
    const { records } = await readTopic(cluster, topic)
    const byPlace = new Map(
      records.map(({ partition, offset, value }) => [`${partition}/${offset}`, value!.toString()]),
    )
    expect(
      reports.map((report) =>
        byPlace.get(`${(report as DeliveryReport).partition}/${(report as DeliveryReport).offset}`),
      ),
    ).toEqual(values)
    expect(records).toHaveLength(values.length)
  })

  test.skipIf(!javaAvailable).each([...CODECS])(
    'what it writes with %s is read by the Java consumer',
    async (compression) => {
      const topic = await createTopic(cluster, 1)
      const values = Array.from({ length: 500 }, (_, i) =>
        `${i} ${'some text that compresses well '.repeat(i % 20)}`.trim(),
      )
      await producing({ compression, batchBytes: 8192 }, (producer) =>
        producer.write(
          values.map((value, i) => ({ value, key: `k${i}`, headers: [['n', String(i)]] })),
          topic,
        ),
      )
      const { stdout } = await javaTool('org.apache.kafka.tools.consumer.ConsoleConsumer', [
        '--bootstrap-server',
        bootstrapServers(),
        '--topic',
        topic,
        '--from-beginning',
        '--max-messages',
        String(values.length),
        '--timeout-ms',
        '60000',
        '--formatter-property',
        'print.key=true',
        '--formatter-property',
        'print.headers=true',
        '--formatter-property',
        'key.separator=|',
        '--formatter-property',
        'headers.separator=,',
      ])
      expect(
        stdout
          .trim()
          .split('\n')
          .map((line) => line.replaceAll('\t', '|')),
      ).toEqual(values.map((value, i) => `n:${i}|k${i}|${value}`))
      const { batches } = await readTopic(cluster, topic)
      expect(new Set(batches.map(({ codec }) => codec))).toEqual(new Set([CODECS.indexOf(compression)]))
    },
  )

  test.each<{ acks: 0 | 1 | 'all'; offset: bigint }>([
    { acks: 0, offset: -1n },
    { acks: 1, offset: 0n },
    { acks: 'all', offset: 0n },
  ])('writes with acks $acks', async ({ acks, offset }) => {
    const topic = await createTopic(cluster, 1)
    const reports = await producing({ acks }, (producer) => producer.write([{ value: 'a' }, { value: 'b' }], topic))
    expect(reports.get(0)).toEqual({ topic, partition: 0, offset })
    await expect
      .poll(async () => (await readTopic(cluster, topic)).records.map(({ value }) => value!.toString()))
      .toEqual(['a', 'b'])
  })

  test('acks 0 keeps order and loses nothing while the broker keeps up', async () => {
    const topic = await createTopic(cluster, 1)
    await producing({ acks: 0, batchBytes: 4000 }, (producer) =>
      producer.write(
        Array.from({ length: 20_000 }, (_, i) => ({ value: `${i}`.padEnd(100) })),
        topic,
      ),
    )
    await expect.poll(async () => (await readTopic(cluster, topic)).records.length).toBe(20_000)
    const { records } = await readTopic(cluster, topic)
    expect(records.every(({ value }, i) => Number(value!.toString()) === i)).toBe(true)
  })

  test('numbers the batches of an idempotent producer without a gap, and marks no other', async () => {
    const topic = await createTopic(cluster, 1)
    await producing({ batchBytes: 500 }, (producer) =>
      producer.write(
        Array.from({ length: 200 }, () => ({ value: 'x'.repeat(50) })),
        topic,
      ),
    )
    await producing({ idempotence: false }, (producer) => producer.write([{ value: 'x' }], topic))
    const { batches } = await readTopic(cluster, topic)
    const anonymous = batches.pop()!
    expect(anonymous).toMatchObject({ producerId: -1n, producerEpoch: -1, baseSequence: -1 })
    let next = 0
    for (const { producerId, producerEpoch, baseSequence, count } of batches) {
      expect([producerId >= 0n, producerEpoch, baseSequence]).toEqual([true, 0, next])
      next += count
    }
    expect(next).toBe(200)
  })

  test('writes to several topics in one call', async () => {
    const [one, two] = [await createTopic(cluster, 2), await createTopic(cluster, 2)]
    const reports = await producing({}, (producer) =>
      producer.write(
        [{ value: 'a' }, { value: 'b', topic: two }, { value: 'c' }, { value: 'd', topic: 'no-such-topic' }],
        one,
      ),
    )
    expect([...reports].map((report) => ('code' in report ? report.code : report.topic))).toEqual([
      one,
      two,
      one,
      'DELIVERY_FAILED',
    ])
    const failure = reports.get(3) as MillraceError
    expect(failure.message).toContain('Topic "no-such-topic" does not exist')
    expect(failure.cause).toMatchObject({ code: 'TOPIC_NOT_FOUND' })
  })

  test('writeBatch to a topic that is missing fails every row', async () => {
    const error = await producing({}, (producer) =>
      producer.writeBatch(batchOf(['a', 'b']), { topic: 'no-such-topic' }).then(
        () => undefined,
        (error: unknown) => error,
      ),
    )
    expect(error).toBeInstanceOf(BatchError)
    expect([...(error as BatchError).failures.keys()]).toEqual([0, 1])
  })

  test('a record of 10 MB goes through when topic and producer allow it', async () => {
    const topic = await createTopic(cluster, 1, { 'max.message.bytes': String(12 << 20) })
    const value = Buffer.alloc(10_000_000, 'large')
    const reports = await producing({ maxRequestBytes: 11 << 20 }, (producer) =>
      producer.write([{ value: 'small' }, { value }, { value: 'small' }], topic),
    )
    expect(reports.failures.size).toBe(0)
    const { records } = await readTopic(cluster, topic)
    expect(records.map(({ value }) => value!.length)).toEqual([5, value.length, 5])
    expect(records[1]!.value!.equals(value)).toBe(true)
  })

  test('a record that is too large for a request or for the topic fails alone', async () => {
    const topic = await createTopic(cluster, 1, { 'max.message.bytes': '5000' })
    const reports = await producing({ maxRequestBytes: 20_000 }, (producer) =>
      producer.write(
        [
          { value: 'a' },
          { value: Buffer.alloc(10_000) },
          { value: 'b' },
          { value: Buffer.alloc(30_000) },
          { value: 'c' },
        ],
        topic,
      ),
    )
    expect([...reports].map(errorOf)).toEqual(['written', 'RECORD_TOO_LARGE', 'written', 'RECORD_TOO_LARGE', 'written'])
    expect((reports.get(1) as MillraceError).message).toContain('max.message.bytes')
    expect((reports.get(3) as MillraceError).message).toContain('max.request.size')
    expect(reports.get(1)).toMatchObject({ topic, partition: 0 })
    expect((await readTopic(cluster, topic)).records.map(({ value }) => value!.toString())).toEqual(['a', 'b', 'c'])
  })

  test('records that are refused in the midst of others leave these in order, with several requests under way', async () => {
    const topic = await createTopic(cluster, 1, { 'max.message.bytes': '5000' })
    const isLarge = (i: number): boolean => i % 37 === 36
    const records = Array.from({ length: 2000 }, (_, i) => ({
      value: isLarge(i) ? Buffer.alloc(8000) : `${i}`.padEnd(100),
    }))
    const reports = await producing({ batchBytes: 1000 }, (producer) => producer.write(records, topic))
    expect([...reports].map(errorOf)).toEqual(records.map((_, i) => (isLarge(i) ? 'RECORD_TOO_LARGE' : 'written')))
    const read = await readTopic(cluster, topic)
    expect(read.records.map(({ value }) => Number(value!.toString()))).toEqual(
      records.flatMap((_, i) => (isLarge(i) ? [] : [i])),
    )
    // The chain broke and went on in later epochs of the same producer.
    expect(new Set(read.batches.map(({ producerId }) => producerId)).size).toBe(1)
    expect(read.batches.at(-1)!.producerEpoch).toBeGreaterThan(0)
  })

  test('what follows a refused record fails with it when it is to be written in order, and can be written behind it (I2)', async () => {
    const topic = await createTopic(cluster, 1, { 'max.message.bytes': '5000' })
    const isLarge = (i: number): boolean => i === 50
    const records = Array.from({ length: 200 }, (_, i) => ({
      value: isLarge(i) ? Buffer.alloc(8000) : `${i}`.padEnd(100),
    }))
    await producing({ batchBytes: 1000, failsFollowing: true }, async (producer) => {
      const codes = [...(await producer.write(records, topic))].map(errorOf)
      expect(codes[50]).toBe('RECORD_TOO_LARGE')
      expect(new Set(codes.slice(0, 50))).toEqual(new Set(['written']))
      expect(new Set(codes.slice(51))).toEqual(new Set(['REFUSED_WITH_BATCH']))
      const rest = records.slice(51)
      expect((await producer.write(rest, topic)).failures.size).toBe(0)
    })
    const read = await readTopic(cluster, topic)
    expect(read.records.map(({ value }) => Number(value!.toString()))).toEqual(
      records.flatMap((_, i) => (isLarge(i) ? [] : [i])),
    )
  })

  test.each(['none', 'gzip'] as const)(
    'batches (%s) that the broker finds too large are split, in order and once',
    async (compression) => {
      const topic = await createTopic(cluster, 2, { 'max.message.bytes': '3000' })
      const values = Array.from({ length: 2000 }, (_, i) => `${i}-${Math.random().toString(36).repeat(5)}`)
      const reports = await producing({ compression, batchBytes: 60_000 }, (producer) =>
        producer.write(
          values.map((value, i) => ({ value, partition: i % 2, timestampMs: 1_700_000_000_000 + i })),
          topic,
        ),
      )
      expect(reports.failures.size).toBe(0)
      const { records } = await readTopic(cluster, topic)
      for (const partition of [0, 1]) {
        expect(
          records.filter((record) => record.partition === partition).map(({ value }) => value!.toString()),
        ).toEqual(values.filter((_, i) => i % 2 === partition))
      }
      expect(records.map(({ timestampMs }) => timestampMs).sort((a, b) => a - b)).toEqual(
        values.map((_, i) => 1_700_000_000_000 + i),
      )
      expect([...reports].every((report, i) => (report as DeliveryReport).offset === BigInt(i >> 1))).toBe(true)
    },
  )

  test('a call that brings more than the memory waits, and the memory stays within its bound', async () => {
    const topic = await createTopic(cluster, 3)
    const bufferBytes = 200_000
    await producing({ bufferBytes, batchBytes: 16_384 }, async (producer) => {
      let most = 0
      const watch = setInterval(() => (most = Math.max(most, producer.progress.bufferedBytes)), 1)
      const records = Array.from({ length: 50_000 }, (_, i) => ({ value: `${i}`.padEnd(100), key: `${i % 50}` }))
      const [first, second] = await Promise.all([
        producer.write(records, topic),
        producer.write([{ value: 'last', partition: 0 }], topic),
      ])
      clearInterval(watch)
      expect(first.failures.size + second.failures.size).toBe(0)
      expect(most).toBeGreaterThan(0)
      expect(most).toBeLessThanOrEqual(bufferBytes)
      expect(producer.progress).toMatchObject({ records: 50_001, bufferedBytes: 0 })
    })
    const { records } = await readTopic(cluster, topic)
    expect(records).toHaveLength(50_001)
    // The second call stood in line behind the first.
    expect(
      records
        .filter(({ partition }) => partition === 0)
        .at(-1)!
        .value!.toString(),
    ).toBe('last')
  })

  test('a call with a million records leaves the event loop its turns', async () => {
    const topic = await createTopic(cluster, 3)
    await producing({ batchBytes: 65_536 }, async (producer) => {
      // Work of this thread, not time: on a busy machine it may have to wait for its turn.
      let longestMs = 0
      let before = process.threadCpuUsage()
      const watch = setInterval(() => {
        const { user, system } = process.threadCpuUsage(before)
        longestMs = Math.max(longestMs, (user + system) / 1000)
        before = process.threadCpuUsage()
      }, 1)
      const value = Buffer.alloc(10)
      const reports = await producer.write(
        Array.from({ length: 1_000_000 }, () => ({ value })),
        topic,
      )
      clearInterval(watch)
      expect(reports.length).toBe(1_000_000)
      expect(reports.failures.size).toBe(0)
      // Slices are 8 ms; the rest is for the garbage collector.
      expect(longestMs).toBeLessThan(250)
    })
  })

  test('flush sends what lingers', async () => {
    const topic = await createTopic(cluster, 1)
    await producing({ lingerMs: 3_600_000 }, async (producer) => {
      const writing = producer.write([{ value: 'a' }], topic)
      await new Promise((resolve) => setTimeout(resolve, 50))
      expect((await readTopic(cluster, topic)).records).toEqual([])
      await producer.flush()
      expect((await writing).get(0)).toMatchObject({ offset: 0n })
    })
  })

  test('close sends what lingers, may be called twice, and nothing is written afterwards', async () => {
    const topic = await createTopic(cluster, 1)
    const producer = new Producer(cluster, producerOptions({ lingerMs: 3_600_000 }))
    const writing = producer.write([{ value: 'a' }], topic)
    await Promise.all([producer.close(), producer.close()])
    expect((await writing).failures.size).toBe(0)
    await expect(producer.write([{ value: 'b' }], topic)).rejects.toMatchObject({ code: 'CLOSED' })
    expect((await readTopic(cluster, topic)).records).toHaveLength(1)
  })

  test('closing can be cut short: what is open fails', async () => {
    const producer = new Producer(connect('127.0.0.1:1'), producerOptions())
    const writing = producer.write([{ value: 'a' }], 'any')
    await expect(producer.close(AbortSignal.timeout(100))).resolves.toBeUndefined()
    const reports = await writing.catch((error: unknown) => error)
    expect(reports).toMatchObject({ code: 'ABORTED' })
  }, 30_000)

  test('a signal ends the waiting', async () => {
    const topic = await createTopic(cluster, 1)
    await producing({ lingerMs: 2000 }, async (producer) => {
      const abort = new AbortController()
      const writing = producer.write([{ value: 'a' }], topic, abort.signal)
      setTimeout(() => abort.abort(), 30)
      await expect(writing).rejects.toMatchObject({ code: 'ABORTED' })
      await expect(producer.write([{ value: 'b' }], topic, AbortSignal.abort())).rejects.toMatchObject({
        code: 'ABORTED',
      })
    })
  })

  test('partitions that are added while it runs are written to', async () => {
    const topic = await createTopic(cluster, 1)
    await producing({ partitioner: 'round_robin' }, async (producer) => {
      await producer.write([{ value: 'a' }, { value: 'b' }], topic)
      await new TopicAdmin(cluster).createPartitions(topic, 3)
      await cluster.refresh([topic])
      const reports = await producer.write([{ value: 'c' }, { value: 'd' }, { value: 'e' }], topic)
      expect([...reports].map((report) => (report as DeliveryReport).partition).sort((a, b) => a - b)).toEqual([
        0, 1, 2,
      ])
    })
  })

  describe('batches of a pipeline', () => {
    test('unchanged rows keep key, value, headers and timestamp; changed ones get the new key or payload', async () => {
      const topic = await createTopic(cluster, 4)
      const batch = batchOf([
        {
          key: 'a',
          value: 'unchanged',
          headers: [
            ['h', '1'],
            ['h', null],
          ],
          timestampMs: 1000,
        },
        { key: 'b', value: 'old', headers: [['h', '2']], timestampMs: 2000 },
        { key: null, value: null, timestampMs: 3000 },
        { key: 'd', value: 'dropped' },
        { key: 'e', value: 'value stays', headers: [['x', 'y']], timestampMs: 5000 },
        { key: 'f', value: 'becomes a tombstone', timestampMs: 6000 },
      ])
      const rows = batch.derive({ rows: Int32Array.of(0, 1, 2, 4, 5) })
      rows.payloads = [undefined, 'new ä', undefined, undefined, null]
      rows.keys = [undefined, undefined, undefined, 'new key', Buffer.from('f2')]
      await producing({}, (producer) => producer.writeBatch(rows, { topic, partition: 'keep' }))
      const { records } = await readTopic(cluster, topic)
      expect(
        records.map(({ partition, timestampMs, key, value, headers }) => ({
          partition,
          timestampMs,
          key,
          value: value?.toString() ?? null,
          headers,
        })),
      ).toEqual([
        {
          partition: 3,
          timestampMs: 1000,
          key: 'a',
          value: 'unchanged',
          headers: [
            ['h', '1'],
            ['h', null],
          ],
        },
        { partition: 3, timestampMs: 2000, key: 'b', value: 'new ä', headers: [['h', '2']] },
        { partition: 3, timestampMs: 3000, key: null, value: null, headers: [] },
        { partition: 3, timestampMs: 5000, key: 'new key', value: 'value stays', headers: [['x', 'y']] },
        { partition: 3, timestampMs: 6000, key: 'f2', value: null, headers: [] },
      ])
    })

    test('keys land where write puts them, and a timestamp of -1 becomes now', async () => {
      const topic = await createTopic(cluster, 7)
      const keys = Array.from({ length: 50 }, (_, i) => `key-${i}`)
      const before = Date.now()
      await producing({}, async (producer) => {
        await producer.writeBatch(batchOf(keys.map((key) => ({ key, value: 'batch', timestampMs: -1 }))), { topic })
        await producer.write(
          keys.map((key) => ({ key, value: 'write' })),
          topic,
        )
      })
      const { records } = await readTopic(cluster, topic)
      const placed = (value: string): string[] =>
        records
          .filter((record) => record.value!.toString() === value)
          .map(({ key, partition }) => `${key}@${partition}`)
          .sort()
      expect(placed('batch')).toHaveLength(50)
      expect(placed('batch')).toEqual(placed('write'))
      for (const { timestampMs } of records) expect(timestampMs).toBeGreaterThanOrEqual(before)
    })

    test('a partition that the topic does not have fails its rows', async () => {
      const topic = await createTopic(cluster, 2)
      const error = await producing({}, (producer) =>
        producer.writeBatch(batchOf(['a']), { topic, partition: 'keep' }).then(
          () => undefined,
          (error: unknown) => error,
        ),
      )
      expect((error as BatchError).failures.get(0)).toMatchObject({ topic, partition: 3 })
    })
  })

  describe('raw lane', () => {
    test.each([...CODECS])(
      'forwards whole record batches (%s), in order with what is gathered',
      async (compression) => {
        const [source, target] = [await createTopic(cluster, 2), await createTopic(cluster, 2)]
        const values = Array.from({ length: 3000 }, (_, i) => `${i} ${Math.random().toString(36).repeat(4)}`)
        await producing({ compression, batchBytes: 30_000 }, (producer) =>
          producer.write(
            values.map((value, i) => ({ value, key: `k${i}`, headers: [['n', String(i)]], partition: 1 })),
            source,
          ),
        )
        const batch = await fetchBatch(cluster, source, 1)
        await producing({ lingerMs: 1000 }, async (producer) => {
          const route = { topic: target, partition: 'keep' } as const
          expect(producer.writeRaw(batch, route)).toBe(false)
          await producer.learn(target)
          await Promise.all([
            producer.write([{ value: 'before', partition: 1 }], target),
            producer.writeRaw(batch, route),
            producer.write([{ value: 'between', partition: 1 }], target),
            producer.writeRaw(batch, route),
            producer.write([{ value: 'after', partition: 1 }], target),
          ])
        })
        const { records, batches } = await readTopic(cluster, target)
        expect(records.map(({ value }) => value!.toString())).toEqual([
          'before',
          ...values,
          'between',
          ...values,
          'after',
        ])
        expect(records[5]).toMatchObject({ key: 'k4', headers: [['n', '4']] })
        expect(new Set(batches.map(({ producerId }) => producerId)).size).toBe(1)
        expect(batches.map(({ baseSequence }) => baseSequence)).toEqual(
          batches.map((_, i) => batches.slice(0, i).reduce((sum, { count }) => sum + count, 0)),
        )
        // The source's bytes are left alone.
        expect([...batch.records.offsets]).toEqual(values.map((_, i) => i))
      },
    )

    test('splits what the target finds too large', async () => {
      const [source, target] = [
        await createTopic(cluster, 1),
        await createTopic(cluster, 1, { 'max.message.bytes': '4000' }),
      ]
      const values = Array.from({ length: 1000 }, (_, i) => `${i} ${'x'.repeat(i === 900 ? 5000 : 20)}`)
      const error = await producing({ batchBytes: 16_000 }, async (producer) => {
        await producer.write(
          values.map((value) => ({ value })),
          source,
        )
        await producer.learn(target)
        return (
          producer.writeRaw(await fetchBatch(cluster, source, 0), { topic: target, partition: 'keep' }) as Promise<void>
        ).then(
          () => undefined,
          (error: unknown) => error,
        )
      })
      expect([...(error as BatchError).failures.entries()].map(([row, { code }]) => [row, code])).toEqual([
        [900, 'RECORD_TOO_LARGE'],
      ])
      expect((await readTopic(cluster, target)).records.map(({ value }) => value!.toString())).toEqual(
        values.filter((_, i) => i !== 900),
      )
    })

    test('leaves to writeBatch what cannot be forwarded', async () => {
      const [source, stamped, target] = [
        await createTopic(cluster, 1),
        await createTopic(cluster, 1, { 'message.timestamp.type': 'LogAppendTime' }),
        await createTopic(cluster, 1),
      ]
      await producing({ lingerMs: 0 }, async (producer) => {
        for (let i = 0; i < 3; i++) await producer.write([{ value: 'small' }], source)
        await producer.write(
          Array.from({ length: 100 }, () => ({ value: 'x'.repeat(100) })),
          stamped,
        )
        await producer.learn(target)
        const small = await fetchBatch(cluster, source, 0)
        expect(small.length).toBe(3)
        expect(producer.writeRaw(small, { topic: target, partition: 'keep' })).toBe(false)
        expect(producer.writeRaw(await fetchBatch(cluster, stamped, 0), { topic: target, partition: 'keep' })).toBe(
          false,
        )
        const large = await fetchBatch(cluster, stamped, 0)
        expect(producer.writeRaw(large.derive({ rows: Int32Array.of(1) }), { topic: target, partition: 'keep' })).toBe(
          false,
        )
      })
    })
  })
})

/** Writes records of a few keys, numbered per key, until told to stop; then waits for all. Gives the numbers that were acknowledged. */
function produceSteadily(
  producer: Producer,
  topic: string,
): { stop: () => Promise<{ acknowledged: number; failures: MillraceError[] }> } {
  const KEYS = 40
  const CALLS = 50
  let running = true
  let number = 0
  let acknowledged = 0
  const failures: MillraceError[] = []
  const calls = new Set<Promise<void>>()
  const loop = (async () => {
    while (running) {
      const records = Array.from({ length: 100 }, () => {
        number++
        return { key: `k${number % KEYS}`, value: String(Math.floor(number / KEYS)) }
      })
      const call = producer.write(records, topic).then((reports) => {
        acknowledged += reports.length - reports.failures.size
        failures.push(...reports.failures.values())
        calls.delete(call)
      })
      calls.add(call)
      await sleep(2)
      if (calls.size >= CALLS) await Promise.race(calls)
    }
  })()
  return {
    async stop() {
      running = false
      await loop
      await Promise.all(calls)
      return { acknowledged, failures }
    },
  }
}

/** Resolves when so many records more have been acknowledged. */
async function producedMore(producer: Producer, count = 3000): Promise<void> {
  const before = producer.progress.records
  await expect.poll(() => producer.progress.records).toBeGreaterThan(before + count)
}

async function expectOnceAndInOrder(cluster: Cluster, topic: string, acknowledged: number): Promise<void> {
  const { records } = await readTopic(cluster, topic)
  expect(records).toHaveLength(acknowledged)
  const next = new Map<string, number>()
  let wrong = 0
  for (const { key, value } of records) {
    const number = Number(value!.toString())
    const last = next.get(key!)
    if (last !== undefined && number !== last + 1) wrong++
    next.set(key!, number)
  }
  expect(wrong).toBe(0)
}

describe.skipIf(!brokerAvailable)('producer while a broker fails', () => {
  const own = ownBroker()

  test('every record is written once and in order per key across restarts and a stall of the broker', async () => {
    const cluster = connect(own().bootstrapServers, { requestTimeoutMs: 3000 })
    const topic = await createTopic(cluster, 3)
    const producer = new Producer(cluster, producerOptions({ batchBytes: 2000, requestTimeoutMs: 2000 }))
    await producer.open()
    const producing = produceSteadily(producer, topic)
    const [broker] = own().brokers
    for (let round = 0; round < 2; round++) {
      await producedMore(producer)
      await broker!.restart()
    }
    await producedMore(producer)
    // Until requests have timed out: what was under way has an unknown outcome.
    const { retries } = producer.progress
    broker!.pause()
    await expect.poll(() => producer.progress.retries).toBeGreaterThan(retries)
    broker!.resume()
    await producedMore(producer)
    const { acknowledged, failures } = await producing.stop()
    expect(failures).toEqual([])
    await producer.close()
    await expectOnceAndInOrder(cluster, topic, acknowledged)
  })

  test('records that could not be delivered in time fail, and the next ones go through in a new epoch', async () => {
    const cluster = connect(own().bootstrapServers, { requestTimeoutMs: 3000 })
    const topic = await createTopic(cluster, 1)
    const producer = new Producer(cluster, producerOptions({ deliveryTimeoutMs: 3000, requestTimeoutMs: 1000 }))
    await producer.open()
    await producer.learn(topic)
    await expect.poll(async () => (await producer.write([{ value: 'first' }], topic)).failures.size).toBe(0)
    const [broker] = own().brokers
    broker!.pause()
    let lost = await producer.write([{ value: 'lost' }], topic)
    // A process may get through some more work before it is suspended.
    while (lost.failures.size === 0) lost = await producer.write([{ value: 'lost' }], topic)
    expect(lost.get(0)).toMatchObject({ code: 'DELIVERY_TIMED_OUT', topic, partition: 0 })
    expect((lost.get(0) as MillraceError).message).toContain('it is unknown whether it was written')
    broker!.resume()
    await expect.poll(async () => (await producer.write([{ value: 'again' }], topic)).failures.size).toBe(0)
    await producer.close()
    const { batches } = await readTopic(cluster, topic)
    expect(batches.at(-1)).toMatchObject({ baseSequence: 0, producerId: batches[0]!.producerId })
    expect(batches.at(-1)!.producerEpoch).toBeGreaterThan(0)
  })
})

describe.skipIf(!brokerAvailable)('producer in a cluster of three', () => {
  const own = threeBrokers()

  test('follows the leaders when a broker goes and comes back', async () => {
    const cluster = connect(own().bootstrapServers, { requestTimeoutMs: 5000 })
    const topic = await createTopic(cluster, 6, { 'min.insync.replicas': '2' }, 3)
    const producer = new Producer(cluster, producerOptions({ batchBytes: 2000 }))
    await producer.open()
    const producing = produceSteadily(producer, topic)
    await producedMore(producer)
    const broker = own().brokers[1]!
    await broker.kill()
    // Another cluster looks, so that this producer has to find out for itself.
    const observer = connect(own().bootstrapServers)
    await expect
      .poll(
        async () => {
          await observer.refresh([topic])
          return observer.cachedTopic(topic)!.partitions.every(({ leader }) => leader >= 0 && leader !== broker.id)
        },
        { timeout: 60_000 },
      )
      .toBe(true)
    await producedMore(producer)
    await broker.restart()
    await producedMore(producer)
    const { acknowledged, failures } = await producing.stop()
    expect(failures).toEqual([])
    await producer.close()
    await expectOnceAndInOrder(cluster, topic, acknowledged)
  })

  test('what prevents delivery is reported after the delivery timeout', async () => {
    const cluster = connect(own().bootstrapServers, { requestTimeoutMs: 5000 })
    const topic = await createTopic(cluster, 1, { 'min.insync.replicas': '2' }, 2)
    const { leader, replicas } = (await cluster.topic(topic)).partitions[0]!
    const follower = own().brokers.find(({ id }) => id !== leader && replicas.includes(id))!
    await follower.kill()
    await expect
      .poll(
        async () => {
          await cluster.refresh([topic])
          return cluster.cachedTopic(topic)!.partitions[0]!.inSyncReplicas.length
        },
        { timeout: 60_000 },
      )
      .toBe(1)
    const impatient = new Producer(cluster, producerOptions({ deliveryTimeoutMs: 2000 }))
    await impatient.open()
    await impatient.learn(topic)
    // The last attempt is not always answered in time: then nobody knows what became of its records.
    let attempt = 0
    await expect
      .poll(
        async () => {
          attempt++
          const reports = await impatient.write([{ value: `a${attempt}` }, { value: `b${attempt}` }], topic)
          expect([...reports].map(errorOf)).toEqual(['DELIVERY_TIMED_OUT', 'DELIVERY_TIMED_OUT'])
          return (reports.get(0) as MillraceError).message
        },
        { timeout: 60_000 },
      )
      .toMatch(/they were not written.*NOT_ENOUGH_REPLICAS/)
    await impatient.close()
    const producer = new Producer(cluster, producerOptions())
    const writing = producer.write([{ value: 'c' }], topic)
    await follower.restart()
    expect((await writing).failures.size).toBe(0)
    await producer.close()
    const values = (await readTopic(cluster, topic)).records.map(({ value }) => value!.toString())
    expect(values).not.toContain(`a${attempt}`)
    expect(values.at(-1)).toBe('c')
  })
})
