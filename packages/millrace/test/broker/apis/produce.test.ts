import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type EmbeddedBroker, startBroker } from '../../../src/broker/index.ts'
import { ERROR, type ErrorName } from '../../../src/protocol/error-codes.ts'
import { fetchApi } from '../../../src/protocol/messages/fetch.ts'
import { metadataApi } from '../../../src/protocol/messages/metadata.ts'
import { produceApi } from '../../../src/protocol/messages/produce.ts'
import { encodeRecordBatch } from '../../support/encode-record-batch.ts'
import { batchOf, produceOf } from '../../support/produce.ts'
import { RawClient } from '../../support/raw-client.ts'

const NOW = 1_800_000_000_000
let broker: EmbeddedBroker
let client: RawClient

beforeAll(async () => {
  broker = await startBroker({
    now: () => NOW,
    topics: {
      plain: 1,
      compacted: { config: { 'cleanup.policy': 'compact' } },
      small: { config: { 'max.message.bytes': 200 } },
      timed: { config: { 'message.timestamp.type': 'LogAppendTime' } },
      repeated: 1,
    },
  })
  client = await RawClient.connect(broker.bootstrapServers)
})
afterAll(async () => {
  client.close()
  await broker.close()
})

async function produce(name: string, records: Buffer, version = 11) {
  const response = await client.request(produceApi, version, produceOf({ name }, records))
  return response.responses[0]!.partitionResponses[0]!
}

const now = { baseTimestamp: NOW }

function broken(batch: Buffer): Buffer {
  batch[batch.length - 1]! ^= 1
  return batch
}

describe('a batch', () => {
  test.each<{ name: string; batch: () => Buffer; topic?: string; version?: number; error: ErrorName }>([
    { name: 'with a wrong CRC', batch: () => broken(batchOf(['a'], now)), error: 'CORRUPT_MESSAGE' },
    {
      name: 'of an old format',
      batch: () => encodeRecordBatch({ ...now, records: [{}], magic: 1 }),
      error: 'INVALID_RECORD',
    },
    {
      name: 'that is followed by another one',
      batch: () => Buffer.concat([batchOf(['a'], now), batchOf(['b'], now)]),
      error: 'INVALID_RECORD',
    },
    { name: 'that is cut off', batch: () => batchOf(['abcdef'], now).subarray(0, 65), error: 'CORRUPT_MESSAGE' },
    { name: 'that is shorter than a header', batch: () => Buffer.alloc(40, 2), error: 'CORRUPT_MESSAGE' },
    { name: 'without records', batch: () => Buffer.alloc(0), error: 'INVALID_RECORD' },
    { name: 'of control records', batch: () => batchOf(['a'], { ...now, attributes: 0x20 }), error: 'INVALID_RECORD' },
    {
      name: 'with another count than its offsets say',
      batch: () => batchOf(['a'], { ...now, count: 2 }),
      error: 'INVALID_RECORD',
    },
    {
      name: 'that is larger than the topic allows',
      topic: 'small',
      batch: () => batchOf(['x'.repeat(300)], now),
      error: 'MESSAGE_TOO_LARGE',
    },
    {
      name: 'from the far future',
      batch: () => batchOf(['a'], { baseTimestamp: NOW + 3_600_001 }),
      error: 'INVALID_TIMESTAMP',
    },
    {
      name: 'with zstd in an old request',
      version: 6,
      batch: () => batchOf(['a'], { ...now, attributes: 4 }),
      error: 'UNSUPPORTED_COMPRESSION_TYPE',
    },
    {
      name: 'for a topic that there is not',
      topic: 'missing',
      batch: () => batchOf(['a'], now),
      error: 'UNKNOWN_TOPIC_OR_PARTITION',
    },
  ])('$name is refused with $error', async ({ batch, topic = 'plain', version, error }) => {
    const { errorCode, baseOffset } = await produce(topic, batch(), version)
    expect({ errorCode, baseOffset }).toEqual({ errorCode: ERROR[error], baseOffset: -1 })
  })

  test('is stored as it came, with offsets and the time of the producer', async () => {
    const [before] = broker.topic('plain').offsets()
    expect(await produce('plain', batchOf(['a', 'b'], now))).toMatchObject({
      errorCode: 0,
      baseOffset: Number(before!.end),
      logAppendTimeMs: -1,
    })
    const records = await broker.topic('plain').records()
    expect(
      records.slice(-2).map(({ offset, timestampMs, value }) => [offset - before!.end, timestampMs, String(value)]),
    ).toEqual([
      [0n, NOW, 'a'],
      [1n, NOW, 'b'],
    ])
  })

  test('stays compressed', async () => {
    await produce('plain', batchOf(['zipped'], { ...now, attributes: 1, compress: (bytes) => gzipSync(bytes) }))
    expect(String((await broker.topic('plain').records()).at(-1)!.value)).toBe('zipped')
  })

  test('gets the time of the broker when the topic says so, and a CRC that fits', async () => {
    expect(await produce('timed', batchOf(['a'], { baseTimestamp: 5 }))).toMatchObject({
      errorCode: 0,
      logAppendTimeMs: NOW,
    })
    expect((await broker.topic('timed').records())[0]!.timestampMs).toBe(NOW)
    const partitions = [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1000 }]
    const { responses } = await client.request(fetchApi, 11, {
      maxWaitMs: 0,
      minBytes: 0,
      topics: [{ topic: 'timed', partitions }],
    })
    const { RecordBatchReader } = await import('../../../src/kafka/protocol/record-batch.ts')
    const reader = new RecordBatchReader()
    reader.reset(responses[0]!.partitions[0]!.records!, 'timed', 0)
    expect(reader.next() && reader.timestampType).toBe('LogAppendTime')
  })

  // Clients that write the others of the batch again could not know which of them was the reason.
  test('with a time that is out of range is refused, and the record is named', async () => {
    broker.createTopic('timely', { partitions: 1, config: { 'message.timestamp.after.max.ms': 1000 } })
    const records = [0, 3_600_000, 5].map((timestampDelta) => ({ key: null, value: Buffer.from('x'), timestampDelta }))
    const { errorCode, recordErrors } = await produce(
      'timely',
      encodeRecordBatch({ ...now, maxTimestamp: NOW + 3_600_000, records }),
    )
    expect({ errorCode, at: recordErrors.map(({ batchIndex }) => batchIndex) }).toEqual({
      errorCode: ERROR.INVALID_TIMESTAMP,
      at: [1],
    })
    expect(recordErrors[0]!.batchIndexErrorMessage).toMatch(/^Timestamp \d+ of message with offset 1 is out of range/)
  })

  test('without a key is refused by a compacted topic, and the record is named', async () => {
    const batch = encodeRecordBatch({
      ...now,
      records: [
        { key: Buffer.from('k'), value: null },
        { key: null, value: null },
      ],
    })
    const { errorCode, recordErrors } = await produce('compacted', batch)
    expect({ errorCode, at: recordErrors.map(({ batchIndex }) => batchIndex) }).toEqual({
      errorCode: ERROR.INVALID_RECORD,
      at: [1],
    })
  })
})

describe('an idempotent producer', () => {
  const batch = (baseSequence: number, count = 1, producerEpoch = 0, producerId = 77) =>
    batchOf(
      Array.from({ length: count }, (_, i) => String(baseSequence + i)),
      { ...now, producerId, producerEpoch, baseSequence },
    )
  const send = (bytes: Buffer) => produce('repeated', bytes)

  test('has each batch appended once, and gets the first offset again', async () => {
    for (let i = 0; i < 6; i++) expect((await send(batch(2 * i, 2))).baseOffset).toBe(2 * i)
    // The last five are remembered.
    for (let i = 1; i < 6; i++) expect(await send(batch(2 * i, 2))).toMatchObject({ errorCode: 0, baseOffset: 2 * i })
    expect(await broker.topic('repeated').records()).toHaveLength(12)
  })

  test.each<{ name: string; bytes: () => Buffer; error: ErrorName }>([
    { name: 'older than those that are remembered', bytes: () => batch(0, 2), error: 'OUT_OF_ORDER_SEQUENCE_NUMBER' },
    { name: 'after a gap', bytes: () => batch(14), error: 'OUT_OF_ORDER_SEQUENCE_NUMBER' },
    { name: 'that overlaps the last one', bytes: () => batch(11, 2), error: 'OUT_OF_ORDER_SEQUENCE_NUMBER' },
    {
      name: 'of a new epoch that does not begin at 0',
      bytes: () => batch(12, 1, 1),
      error: 'OUT_OF_ORDER_SEQUENCE_NUMBER',
    },
  ])('must not send a batch $name', async ({ bytes, error }) => {
    expect((await send(bytes())).errorCode).toBe(ERROR[error])
  })

  test('of an older epoch is fenced', async () => {
    expect((await send(batch(0, 1, 1))).errorCode).toBe(0)
    expect((await send(batch(12, 1, 0))).errorCode).toBe(ERROR.INVALID_PRODUCER_EPOCH)
  })

  test('may begin anywhere when the partition does not know it, and wraps its sequence', async () => {
    expect((await send(batch(0x7fffffff, 1, 0, 78))).errorCode).toBe(0)
    expect((await send(batch(0, 1, 0, 78))).errorCode).toBe(0)
  })
})

describe('acks', () => {
  test('of 0 leaves no answer behind, so that the next answer belongs to the next request', async () => {
    const [before] = broker.topic('plain').offsets()
    client.send(produceApi, 11, produceOf({ name: 'plain' }, batchOf(['quiet'], now), { acks: 0 }))
    const { topics } = await client.request(metadataApi, 12, { topics: [{ name: 'plain' }] })
    expect(topics[0]!.name).toBe('plain')
    expect(broker.topic('plain').offsets()[0]!.end).toBe(before!.end + 1n)
  })

  test('of 0 closes the connection when a batch is refused', async () => {
    using other = await RawClient.connect(broker.bootstrapServers)
    const closed = new Promise<void>((resolve) => other.socket.once('close', () => resolve()))
    other.send(produceApi, 11, produceOf({ name: 'missing' }, batchOf(['a'], now), { acks: 0 }))
    await closed
  })

  test('of 2 is refused', async () => {
    const { responses } = await client.request(
      produceApi,
      11,
      produceOf({ name: 'plain' }, batchOf(['a'], now), { acks: 2 }),
    )
    expect(responses[0]!.partitionResponses[0]!.errorCode).toBe(ERROR.INVALID_REQUIRED_ACKS)
  })
})

test('a topic id that nothing has is UNKNOWN_TOPIC_ID', async () => {
  const { responses } = await client.request(
    produceApi,
    13,
    produceOf({ topicId: 'AAAAAAAAAAAAAAAAAAAAAQ' }, batchOf(['a'], now)),
  )
  expect(responses[0]!.partitionResponses[0]!.errorCode).toBe(ERROR.UNKNOWN_TOPIC_ID)
})
