import { beforeEach, describe, expect, test } from 'vitest'
import type { Cluster } from '../../../../src/kafka/cluster/cluster.ts'
import { FetchAnswers } from '../../../../src/kafka/consumer/fetching/fetch-answers.ts'
import { FetchSession } from '../../../../src/kafka/consumer/fetching/fetch-session.ts'
import { FetchedPartitions, type TakenSlice } from '../../../../src/kafka/consumer/fetching/fetched-partitions.ts'
import type { FetchedRecords } from '../../../../src/kafka/protocol/locate-records.ts'
import { compress } from '../../../../src/kafka/protocol/compression/compression.ts'
import { encodeRecordBatch } from '../../../support/encode-record-batch.ts'

const TOPIC = 't'
const KIB = 1024
const BOUNDS = { maxBytes: 50 * KIB, maxPlainBytes: 1024 * KIB, maxRecords: 1000 }
const VALUE = 'x'.repeat(40 * KIB)

/** One response with two record batches for each of two partitions, compressed or not. */
class Response {
  readonly partitions = new FetchedPartitions({ onHeld() {}, onTaken() {} })
  readonly frame: Buffer

  constructor(codec: 'none' | 'gzip') {
    const codecBits = { none: 0, gzip: 1 }[codec]
    const batches = [0, 1].map((baseOffset) =>
      encodeRecordBatch({
        records: [{ value: Buffer.from(VALUE) }],
        baseOffset,
        attributes: codecBits,
        compress: (plain) => compress(codec, plain),
      }),
    )
    const each = Buffer.concat(batches)
    this.frame = Buffer.allocUnsafeSlow(2 * each.length + 100 * KIB)
    const records = [0, 1].map((i) => {
      each.copy(this.frame, i * each.length)
      return this.frame.subarray(i * each.length, (i + 1) * each.length)
    })
    const cluster = { metadataMaxAgeMs: 1000 } as unknown as Cluster
    const answers = new FetchAnswers(cluster, this.partitions, { checkCrcs: true, maxDecompressedBytes: 1 << 20 })
    for (const partition of [0, 1]) this.partitions.add(TOPIC, partition, 0)
    const session = new FetchSession()
    const asked = [...this.partitions.values()]
    for (const fetch of asked) fetch.on('ask')
    session.next(asked, { topicId: () => undefined, leaderEpoch: () => 0 }, 1000)
    answers.apply(
      {
        errorCode: 0,
        sessionId: 0,
        frame: this.frame,
        topics: [
          {
            topic: TOPIC,
            partitions: records.map((bytes, partition) => ({
              partition,
              errorCode: 0,
              highWatermark: 2,
              lastStableOffset: 2,
              logStartOffset: 0,
              aborted: [],
              preferredReadReplica: -1,
              leader: undefined,
              records: bytes,
            })),
          },
        ],
      },
      session,
    )
  }

  take(): FetchedRecords {
    return (this.partitions.take(BOUNDS) as TakenSlice).records!
  }

  get isFree(): boolean {
    return this.frame.length === 0
  }
}

describe.each(['none', 'gzip'] as const)('the memory of a response with %s', (codec) => {
  let response: Response
  beforeEach(() => {
    response = new Response(codec)
  })

  test('is freed with the last of its batches, and not before', () => {
    const slices: FetchedRecords[] = []
    while (response.partitions.hasReady) slices.push(response.take())
    expect(slices.map(({ count }) => count)).toEqual(codec === 'none' ? [1, 1, 1, 1] : [2, 2])
    for (const slice of slices.toReversed()) {
      expect(response.isFree).toBe(false)
      const { bytes, fields } = slice.locate()
      expect(bytes.toString('utf8', fields[3], fields[3]! + fields[4]!)).toBe(VALUE)
      slice.release()
    }
    expect(response.isFree).toBe(true)
  })

  test('is not freed while some of it waits to be taken', () => {
    const slice = response.take()
    slice.release()
    expect(response.isFree).toBe(false)
  })

  test('is freed when what waits is dropped, as with a partition that goes', () => {
    const slice = response.take()
    for (const partition of [0, 1]) response.partitions.remove(TOPIC, partition)
    expect(response.isFree).toBe(false)
    slice.release()
    expect(response.isFree).toBe(true)
  })

  test('is freed although a paused partition keeps a copy of its part', () => {
    const [first, second] = [...response.partitions.values()]
    for (const completed of second!.completed) completed.detach()
    while (first!.completed.length > 0) {
      const taken = response.partitions.take(BOUNDS)!
      if (taken.partition === 0) taken.records!.release()
    }
    expect(response.isFree).toBe(true)
    while (response.partitions.hasReady) expect(response.take().locate().count).toBeGreaterThan(0)
  })

  test('is not freed while one batch is kept', () => {
    const kept = response.take()
    while (response.partitions.hasReady) response.take().release()
    expect(response.isFree).toBe(false)
    expect(kept.locate().count).toBe(kept.count)
  })
})

test('what was decompressed is freed with its batch', () => {
  const slice = new Response('gzip').take()
  const { bytes } = slice.locate()
  expect(bytes.length).toBeGreaterThan(VALUE.length)
  slice.release()
  expect(bytes.length).toBe(0)
})
