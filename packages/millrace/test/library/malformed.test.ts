import { afterEach, describe, expect, test, vi } from 'vitest'
import { startBroker } from '../../src/broker/index.ts'
import { KafkaSource } from '../../src/index.ts'
import { Cluster } from '../../src/kafka/cluster/cluster.ts'
import type { FetchResponse } from '../../src/kafka/protocol/fetch.ts'
import { encodeRecord, encodeRecordBatch } from '../support/encode-record-batch.ts'

const GOOD = 600

/** A record batch of which the record at `GOOD` cannot be read, behind a CRC that is right. */
function malformedBatch(): Buffer {
  const records = Array.from({ length: GOOD + 2 }, (_, i) => ({ value: Buffer.from(`v${i}`) }))
  const start = records.slice(0, GOOD).reduce((sum, record, i) => sum + encodeRecord(record, i).length, 0)
  return encodeRecordBatch({
    records,
    compress: (bytes) => {
      bytes.fill(0x7f, start + 4, start + 7)
      return bytes
    },
  })
}

/** Fetches of partition 0 bring that batch. */
function fetchesBring(batch: Buffer): void {
  const request = Object.getOwnPropertyDescriptor(Cluster.prototype, 'request')!.value as Cluster['request']
  vi.spyOn(Cluster.prototype, 'request').mockImplementation(async function (this: Cluster, ...given) {
    const answer: unknown = await Reflect.apply(request, this, given)
    if (given[1].name !== 'Fetch') return answer
    const { topics, ...rest } = answer as FetchResponse
    const filled = topics.map((topic) => ({
      ...topic,
      partitions: topic.partitions.map((each) => ({ ...each, highWatermark: GOOD + 2, records: batch })),
    }))
    return { ...rest, topics: filled }
  })
}

describe('what comes before a record that cannot be read is handled and committed', () => {
  afterEach(() => void vi.restoreAllMocks())

  const read: { readonly [kind: string]: (source: KafkaSource, seen: bigint[]) => Promise<void> } = {
    'in a loop over records': async (source, seen) => {
      for await (const { offset } of source) seen.push(offset)
    },
    'in a loop over batches': async (source, seen) => {
      for await (const batch of source.batches()) {
        for (let row = 0; row < batch.length; row++) seen.push(batch.offset(row))
        batch.ack()
      }
    },
    'by poll': async (source, seen) => {
      for (;;) seen.push(...(await source.poll()).map(({ offset }) => offset))
    },
    // It ended with the first record: what was taken and not started yet was dropped.
    'by process': (source, seen) =>
      source.process(async ({ offset }) => {
        await Promise.resolve()
        seen.push(offset)
      }),
  }

  test.each(Object.entries(read))('%s', async (_, all) => {
    await using broker = await startBroker({ topics: { numbers: 1 } })
    fetchesBring(malformedBatch())
    const source = new KafkaSource({
      bootstrapServers: broker.bootstrapServers,
      topics: 'numbers',
      groupId: 'g',
      autoOffsetReset: 'earliest',
    })
    const seen: bigint[] = []
    await expect(all(source, seen)).rejects.toMatchObject({ code: 'RECORD_CORRUPT', offset: BigInt(GOOD) })
    expect(seen).toEqual(Array.from({ length: GOOD }, (__, i) => BigInt(i)))
    await source.close()
    expect(broker.groups()[0]?.offsets).toMatchObject([{ offset: BigInt(GOOD) }])
  })
})
