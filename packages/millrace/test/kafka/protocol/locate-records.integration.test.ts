import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { CODEC_BITS, CODECS, type Codec } from '../../../src/kafka/protocol/compression/codecs.ts'
import { Batch } from '../../../src/records/batch.ts'
import { Cluster } from '../../../src/kafka/cluster/cluster.ts'
import { compress } from '../../../src/kafka/protocol/compression/compression.ts'
import { FETCH } from '../../../src/kafka/protocol/fetch.ts'
import { FetchedRecords } from '../../../src/kafka/protocol/locate-records.ts'
import { RecordBatchReader } from '../../../src/kafka/protocol/record-batch.ts'
import { bootstrapServers, brokerAvailable, javaAvailable, javaTool, uniqueName } from '../../support/broker.ts'
import { encodeRecordBatch } from '../../support/encode-record-batch.ts'

const RECORDS = 3000 // about 300 KB: several blocks of snappy and lz4

/** Values that compress partly, keys that are sometimes null, a header that occurs twice. */
const records = Array.from({ length: RECORDS }, (_, i) => ({
  key: i % 5 === 0 ? null : `key-${i % 97}`,
  value:
    i % 11 === 0
      ? null
      : JSON.stringify({
          orderId: (i * 2654435761) % 4294967296,
          customer: `customer-${(i * 7919) % 1000}`,
          note: 'x'.repeat(i % 60),
        }),
  headers:
    i % 3 === 0
      ? [
          ['trace', `t${i}`],
          ['trace', 'again'],
        ]
      : [['trace', 'once']],
}))

const seen = (batch: Batch) =>
  Array.from({ length: batch.length }, (_, row) => ({
    key: batch.key(row)?.toString() ?? null,
    value: batch.value(row)?.toString() ?? null,
    headers: batch.headers(row).map(([name, value]) => [name, value?.toString()]),
  }))

describe.skipIf(!brokerAvailable || !javaAvailable)('record batches of the Java producer', () => {
  let cluster: Cluster
  beforeAll(() => {
    cluster = new Cluster({ clientId: 'test', bootstrapServers: bootstrapServers().split(',') })
  })
  afterAll(() => cluster.close())

  /** Fetch responses from an offset on, up to another. */
  async function fetchAll(topic: string, from: number, to: number): Promise<Buffer[]> {
    const { id } = await cluster.topic(topic)
    const responses: Buffer[] = []
    const reader = new RecordBatchReader()
    for (let offset = from; offset < to;) {
      const partitions = [{ partition: 0, leaderEpoch: -1, offset, maxBytes: 10_000_000 }]
      const answer = await cluster.request(cluster.leader(topic, 0), FETCH, () => ({
        maxWaitMs: 500,
        minBytes: 1,
        maxBytes: 10_000_000,
        isolation: 0 as const,
        rackId: '',
        sessionId: 0,
        sessionEpoch: -1,
        forgotten: [],
        topics: [{ name: topic, id, partitions }],
      }))
      const bytes = answer.topics[0]?.partitions[0]?.records
      if (bytes === undefined) throw new Error(`Nothing was fetched at offset ${offset}`)
      responses.push(bytes)
      reader.reset(bytes, topic, 0)
      while (reader.next()) offset = reader.lastOffset + 1
    }
    return responses
  }

  async function produce(topic: string, codec: Codec): Promise<void> {
    const lines = records.map(
      ({ key, value, headers }) =>
        `${headers.map(([name, text]) => `${name}:${text}`).join(',')}\t${key ?? 'NULL'}\t${value ?? 'NULL'}\n`,
    )
    const format = ['parse.key=true', 'parse.headers=true', 'null.marker=NULL'].flatMap((property) => [
      '--reader-property',
      property,
    ])
    const batching = ['--batch-size', '900000', '--timeout', '500']
    await javaTool(
      'org.apache.kafka.tools.ConsoleProducer',
      [
        '--bootstrap-server',
        bootstrapServers(),
        '--topic',
        topic,
        '--compression-codec',
        codec,
        ...batching,
        ...format,
      ],
      { stdin: lines.join('') },
    )
  }

  test('are read with every codec', async () => {
    const topic = uniqueName('java-batches')
    await javaTool('org.apache.kafka.tools.TopicCommand', [
      '--bootstrap-server',
      bootstrapServers(),
      '--create',
      '--topic',
      topic,
      '--partitions',
      '1',
    ])
    const reader = new RecordBatchReader()
    for (const [i, codec] of CODECS.entries()) {
      await produce(topic, codec)
      const read: ReturnType<typeof seen> = []
      const codecs = new Set<Codec>()
      let largest = 0
      for (const bytes of await fetchAll(topic, i * RECORDS, (i + 1) * RECORDS)) {
        reader.reset(bytes, topic, 0)
        while (reader.next()) {
          codecs.add(reader.codec)
          largest = Math.max(largest, reader.count)
          const storage = new FetchedRecords({
            topic,
            partition: 0,
            bytes,
            ranges: Int32Array.of(reader.start, reader.end),
            fromOffset: 0,
          })
          read.push(
            ...seen(
              new Batch(
                { component: 'test', topic, partition: 0, partitionCount: 1, timestampType: 'CreateTime' },
                storage,
                { ack() {} },
              ),
            ),
          )
          expect(Math.abs(reader.maxTimestampMs - Date.now())).toBeLessThan(120_000)
        }
      }
      expect(read).toEqual(records)
      expect([...codecs]).toEqual([codec])
      expect(largest).toBeGreaterThan(1000) // so that there were several blocks
    }
  })
})

describe.skipIf(!javaAvailable)('compressed record batches of ours', () => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-'))
  afterAll(() => rmSync(folder, { recursive: true }))

  test('are read by Java, every codec', async () => {
    const input = records.map(({ value, ...rest }) => ({
      key: rest.key === null ? null : Buffer.from(rest.key),
      value: value === null ? null : Buffer.from(value),
    }))
    const segment = CODECS.map((codec, i) =>
      encodeRecordBatch({
        records: input,
        baseOffset: i * RECORDS,
        baseTimestamp: 1_700_000_000_000,
        attributes: CODEC_BITS[codec],
        compress: (plain) => compress(codec, plain),
      }),
    )
    const file = join(folder, '00000000000000000000.log')
    writeFileSync(file, Buffer.concat(segment))
    const { stdout } = await javaTool('org.apache.kafka.tools.DumpLogSegments', ['--files', file, '--print-data-log'])
    expect([...stdout.matchAll(/compresscodec: (\w+)/g)].map(([, codec]) => codec)).toEqual([...CODECS])
    expect([...stdout.matchAll(/isvalid: (\w+)/g)].map(([, valid]) => valid)).toEqual(CODECS.map(() => 'true'))
    const dumped = [...stdout.matchAll(/^\| offset: (\d+) .*$/gm)].map(([line, offset]) => ({
      offset: Number(offset),
      key: / key: (\S+)/.exec(line)?.[1] ?? null,
      value: / payload: (.*)$/.exec(line)?.[1] ?? null,
    }))
    expect(dumped).toEqual(
      CODECS.flatMap((_, i) => records.map(({ key, value }, j) => ({ offset: i * RECORDS + j, key, value }))),
    )
  })
})
