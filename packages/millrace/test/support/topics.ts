/** Topics for integration tests, and what lies in them. */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll } from 'vitest'
import type { NewTopic } from '../../src/kafka/admin/contract.ts'
import { GroupAdmin } from '../../src/kafka/admin/groups.ts'
import { TopicAdmin } from '../../src/kafka/admin/topics.ts'
import { Cluster } from '../../src/kafka/cluster/cluster.ts'
import { listOffsets } from '../../src/kafka/cluster/log-offsets.ts'
import { KafkaSink, KafkaSource } from '../../src/index.ts'
import type { ProducerRecord } from '../../src/records/record.ts'
import { bootstrapServers, uniqueName } from './broker.ts'

export interface TopicBed {
  readonly cluster: Cluster
  readonly admin: TopicAdmin
  readonly groups: GroupAdmin
  /** Creates a topic with a name of its own. */
  create(options?: Omit<NewTopic, 'name'>): Promise<string>
  /** Writes records and expects all of them to be acknowledged. */
  write(
    topic: string,
    records: readonly ProducerRecord[],
    options?: { readonly [name: string]: unknown },
  ): Promise<void>
  /** Values of all records that lie in a topic now, per partition in order. */
  values(topic: string, options?: { readonly [name: string]: unknown }): Promise<string[][]>
  /** Number of the offset behind the last record of a topic, of all partitions together: costs less than reading it. */
  end(topic: string): Promise<number>
  /** Waits until every transaction that lies in a topic now has its marker. */
  settled(topic: string): Promise<void>
}

/** A client for the tests of a `describe`, closed after them. */
export function topicBed(servers: () => string = bootstrapServers): () => TopicBed {
  let bed: TopicBed | undefined
  beforeAll(() => {
    const cluster = new Cluster({ bootstrapServers: servers().split(','), clientId: 'test' })
    const admin = new TopicAdmin(cluster)
    bed = {
      cluster,
      admin,
      groups: new GroupAdmin(cluster),
      async create(options = {}) {
        const name = uniqueName('topic')
        await admin.createTopic({ name, partitions: 1, ...options })
        return name
      },
      async write(topic, records, options = {}) {
        // Uncompressed, so that a test knows how many bytes it writes.
        await using sink = new KafkaSink({ bootstrapServers: servers(), topic, compression: 'none', ...options })
        const { failures } = await sink.write(records)
        for (const failure of failures.values()) throw failure
      },
      async values(topic, options = {}) {
        if (options['isolation'] === 'read_committed') await settled(cluster, topic)
        await using source = new KafkaSource({ bootstrapServers: servers(), topics: topic, untilEnd: true, ...options })
        const values: string[][] = []
        for await (const record of source)
          (values[record.partition] ??= []).push(record.value === null ? 'null' : record.value.toString())
        return values
      },
      async end(topic) {
        const ends = await listOffsets(cluster, await endsOf(cluster, topic))
        return ends.reduce((sum, { offset }) => sum + offset, 0)
      },
      settled: (topic) => settled(cluster, topic),
    }
  })
  afterAll(() => bed?.cluster.close())
  return () => bed!
}

/** How long an open transaction is waited for; some are meant to stay open. */
const SETTLING_MS = 10_000

async function endsOf(cluster: Cluster, topic: string): Promise<{ topic: string; partition: number; at: 'latest' }[]> {
  const { partitions } = await cluster.topic(topic)
  return partitions.map((_, partition) => ({ topic, partition, at: 'latest' }))
}

/** Waits for the markers of transactions: the coordinator writes them a moment after it has said that one is committed. */
async function settled(cluster: Cluster, topic: string): Promise<void> {
  const asked = await endsOf(cluster, topic)
  const ends = await listOffsets(cluster, asked)
  const deadline = performance.now() + SETTLING_MS
  for (;;) {
    const stable = await listOffsets(cluster, asked, { isolation: 'read_committed' })
    if (ends.every(({ offset }, i) => stable[i]!.offset >= offset) || performance.now() > deadline) return
    await sleep(20)
  }
}
