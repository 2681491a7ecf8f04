/**
 * Reads a whole topic with the protocol library's own decoder, so that tests of the producer do not depend on ours.
 */
import { fetchV13, type RecordsBatch } from '@platformatic/kafka'
import type { Cluster } from '../../src/kafka/cluster/cluster.ts'
import { retry } from '../../src/resilience/retry.ts'
import { libraryCall } from './library-call.ts'

export interface ReadRecord {
  readonly partition: number
  readonly offset: number
  readonly timestampMs: number
  readonly key: string | null
  readonly value: Buffer | null
  readonly headers: readonly (readonly [string, string | null])[]
}

export interface ReadBatch {
  readonly partition: number
  readonly count: number
  readonly codec: number
  readonly producerId: bigint
  readonly producerEpoch: number
  readonly baseSequence: number
}

interface Answer {
  readonly responses: readonly {
    readonly partitions: readonly { readonly highWatermark: bigint; readonly records: RecordsBatch[] | null }[]
  }[]
}

const FETCH = libraryCall<Answer>('Fetch', 1, 13, fetchV13)

/** The library writes a UUID in hexadecimal. */
function hexadecimal(id: string): string {
  return Buffer.from(id, 'base64url')
    .toString('hex')
    .replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}

/** Every record of a topic, by partition and offset, and the record batches they came in. */
export async function readTopic(
  cluster: Cluster,
  name: string,
): Promise<{ records: ReadRecord[]; batches: ReadBatch[] }> {
  await cluster.refresh([name])
  const topic = await cluster.topic(name)
  const records: ReadRecord[] = []
  const batches: ReadBatch[] = []
  for (const { partition } of topic.partitions) {
    for (let offset = 0, end = 1; offset < end;) {
      const wanted = {
        partition,
        currentLeaderEpoch: -1,
        fetchOffset: BigInt(offset),
        lastFetchedEpoch: -1,
        partitionMaxBytes: 32 << 20,
      }
      const fetch = (): Promise<Answer> =>
        cluster.request(cluster.leader(name, partition), FETCH, () => [
          0,
          1,
          64 << 20,
          0,
          0,
          -1,
          [{ topicId: hexadecimal(topic.id!), partitions: [wanted] }],
          [],
          '',
        ])
      // A broker that was suspended is without its partitions again and again for a moment.
      const answer = await retry(fetch, {
        timeoutMs: 20_000,
        backoff: cluster.backoff,
        isRetriable: () => true,
        onRetry: () => cluster.refresh([name]),
      })
      const found = answer.responses[0]!.partitions[0]!
      end = Number(found.highWatermark)
      for (const batch of found.records ?? []) {
        batches.push({
          partition,
          count: batch.records.length,
          codec: batch.attributes & 7,
          producerId: batch.producerId,
          producerEpoch: batch.producerEpoch,
          baseSequence: batch.firstSequence,
        })
        for (const record of batch.records) {
          const at = Number(batch.firstOffset) + record.offsetDelta
          records.push({
            partition,
            offset: at,
            timestampMs: Number(batch.firstTimestamp + record.timestampDelta),
            key: record.key?.toString() ?? null,
            value: record.value,
            headers: record.headers.map(([key, value]) => [String(key), value?.toString() ?? null]),
          })
          offset = at + 1
        }
      }
    }
  }
  return { records, batches }
}
