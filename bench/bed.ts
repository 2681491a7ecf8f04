/** The broker of a benchmark: topics made, filled, watched and deleted by clients that are not under test. */

import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Admin } from '@platformatic/kafka'
import { clusterAt, type KafkaCluster, startKafka } from '../test-bed/kafka.ts'

/** Answers to ListOffsets: the first record at or after a time, the end of the log, the record with the largest timestamp. */
const FIRST_RECORD = 0n
const LOG_END = -1n
const LARGEST_TIMESTAMP = -3n

const PARTITIONS = 6

export class Bed {
  readonly kafka: KafkaCluster
  /** A folder for files of the run; gone after it. */
  readonly folder: string
  readonly #admin: Admin
  #names = 0

  private constructor(kafka: KafkaCluster) {
    this.kafka = kafka
    this.folder = mkdtempSync(join(tmpdir(), 'millrace-bench-'))
    this.#admin = new Admin({ clientId: 'bench', bootstrapBrokers: kafka.bootstrapServers.split(',') })
    process.once('exit', () => rmSync(this.folder, { recursive: true, force: true }))
  }

  /** Starts a broker with a heap of 1 GB, which ends with this process, or uses the one of `KAFKA_BOOTSTRAP_SERVERS` unless it has to be its own. */
  static async start({ own = false } = {}): Promise<Bed> {
    const external = process.env['KAFKA_BOOTSTRAP_SERVERS'] ?? ''
    if (external !== '' && !own) return new Bed(await startKafka())
    // So that the log tells of rebalances; for the broker alone, not for the tools that are run later.
    process.env['JAVA_TOOL_OPTIONS'] = '-Dorg.slf4j.simpleLogger.log.org.apache.kafka.coordinator.group=info'
    try {
      return new Bed(await startKafka({ ephemeral: true }))
    } finally {
      delete process.env['JAVA_TOOL_OPTIONS']
    }
  }

  /** Uses a broker that something else has started. @param stop ends it */
  static at(bootstrapServers: string, stop: () => Promise<void>): Bed {
    return new Bed(clusterAt(bootstrapServers, stop))
  }

  get bootstrapServers(): string {
    return this.kafka.bootstrapServers
  }

  /** A name for a topic, a group or a cluster that this broker has not seen yet. */
  name(prefix: string): string {
    return `${prefix}-${process.pid}-${++this.#names}`
  }

  /** Creates a topic, with six partitions unless another number is given, and returns its name. */
  async createTopic(
    name: string,
    configs: Readonly<Record<string, string>> = {},
    partitions: number = PARTITIONS,
  ): Promise<string> {
    // Deleted data must not lie on the disk for the minute that Kafka grants it.
    const all = { 'file.delete.delay.ms': '100', ...configs }
    await this.#admin.createTopics({
      topics: [name],
      partitions,
      replicas: 1,
      configs: Object.entries(all).map(([key, value]) => ({ name: key, value })),
    })
    return name
  }

  async deleteTopic(name: string): Promise<void> {
    await this.#admin.deleteTopics({ topics: [name] })
  }

  /** Number of records ever appended to a topic. */
  async countRecords(topic: string): Promise<number> {
    return (await this.#offsets(topic, LOG_END)).reduce((sum, { offset }) => sum + Number(offset), 0)
  }

  /** Waits until a topic holds that many records. @throws {Error} when nothing was appended for a minute, or more than that were */
  async waitForRecords(topic: string, records: number): Promise<void> {
    let seen = -1
    let deadline = 0
    for (;;) {
      const count = await this.countRecords(topic)
      if (count > records) throw new Error(`Topic "${topic}" holds ${count} records instead of ${records}`)
      if (count === records) return
      if (count !== seen) deadline = performance.now() + 60_000
      if (performance.now() > deadline) throw new Error(`Topic "${topic}" stays at ${count} of ${records} records`)
      seen = count
      await sleep(100)
    }
  }

  /** Seconds between the first and the last append to a topic with `message.timestamp.type=LogAppendTime`, by the broker's clock. */
  async secondsOfAppending(topic: string): Promise<number> {
    const times = async (which: bigint) =>
      (await this.#offsets(topic, which)).flatMap(({ timestamp }) => (timestamp < 0n ? [] : [Number(timestamp)]))
    const first = Math.min(...(await times(FIRST_RECORD)))
    const last = Math.max(...(await times(LARGEST_TIMESTAMP)))
    return (last - first) / 1000
  }

  /** How often the members of some groups were assigned anew, by the broker's log; undefined when it cannot be read. */
  rebalancesOf(groups: readonly string[]): number | undefined {
    const [broker] = this.kafka.brokers
    if (broker === undefined) return undefined
    const log = readFileSync(join(broker.folder, 'broker.log'), 'utf8')
    const generations = groups.map((group) => log.split(`Stabilized group ${group} generation`).length - 1)
    if (generations.includes(0)) return undefined
    // The first generation is the one in which the member joins.
    return generations.reduce((sum, count) => sum + count - 1, 0)
  }

  /** Stops the broker in its tracks. */
  pause(): void {
    for (const broker of this.kafka.brokers) broker.pause()
  }

  resume(): void {
    for (const broker of this.kafka.brokers) broker.resume()
  }

  async #offsets(topic: string, timestamp: bigint): Promise<readonly { offset: bigint; timestamp: bigint }[]> {
    const partitions = Array.from({ length: PARTITIONS }, (_, partitionIndex) => ({ partitionIndex, timestamp }))
    const [listed] = await this.#admin.listOffsets({ topics: [{ name: topic, partitions }] })
    return listed?.partitions ?? []
  }

  async stop(): Promise<void> {
    await this.#admin.close()
    // A broker from KAFKA_BOOTSTRAP_SERVERS goes on.
    await this.kafka.stop()
  }
}
