/** Topics for integration tests, and what lies in them. */
import { afterAll, beforeAll } from 'vitest'
import { Admin, type NewTopic } from '../../src/kafka/admin.ts'
import { Cluster } from '../../src/kafka/cluster.ts'
import { KafkaSink, KafkaSource } from '../../src/index.ts'
import type { ProducerRecord } from '../../src/record.ts'
import { bootstrapServers, uniqueName } from './broker.ts'

export interface TopicBed {
  readonly cluster: Cluster
  readonly admin: Admin
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
}

/** A client for the tests of a `describe`, closed after them. */
export function topicBed(servers: () => string = bootstrapServers): () => TopicBed {
  let bed: TopicBed | undefined
  beforeAll(() => {
    const cluster = new Cluster({ bootstrapServers: servers().split(','), clientId: 'test' })
    const admin = new Admin(cluster)
    bed = {
      cluster,
      admin,
      async create(options = {}) {
        const name = uniqueName('topic')
        await admin.createTopic({ name, partitions: 1, ...options })
        return name
      },
      async write(topic, records, options = {}) {
        await using sink = new KafkaSink({ bootstrapServers: servers(), topic, ...options })
        const { failures } = await sink.write(records)
        for (const failure of failures.values()) throw failure
      },
      async values(topic, options = {}) {
        await using source = new KafkaSource({ bootstrapServers: servers(), topics: topic, untilEnd: true, ...options })
        const values: string[][] = []
        for await (const record of source)
          (values[record.partition] ??= []).push(record.value === null ? 'null' : record.value.toString())
        return values
      },
    }
  })
  afterAll(() => bed?.cluster.close())
  return () => bed!
}
