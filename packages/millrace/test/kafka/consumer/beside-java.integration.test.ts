/**
 * The differential test: what this consumer reads of a topic while leaders move is what Java's reads of it, per partition in the
 * same order: with transactions, committed and aborted, and with compaction.
 */
import { describe, expect, test } from 'vitest'
import { KafkaSink, KafkaSource } from '../../../src/index.ts'
import { javaAvailable, threeBrokers, uniqueName } from '../../support/broker.ts'
import { topicBed } from '../../support/topics.ts'

/** Whether one record, as `offset key value`, makes compaction remove another. */
function supersedes(one: string, other: string): boolean {
  const [offset, key] = one.split(' ')
  const [before, sameKey] = other.split(' ')
  return key === sameKey && Number(offset) > Number(before)
}

const PARTITIONS = 96
const RECORDS = 24_000

describe.skipIf(!javaAvailable)('a consumer beside that of Java', () => {
  const kafka = threeBrokers({ 'log.cleaner.backoff.ms': 200 })
  const bed = topicBed(() => kafka().bootstrapServers)

  type Isolation = 'read_committed' | 'read_uncommitted'

  /** `offset value` of every record, by partition. */
  async function readHere(
    topic: string,
    isolation: Isolation,
    between = async (): Promise<void> => {},
  ): Promise<string[][]> {
    await using source = new KafkaSource({
      bootstrapServers: kafka().bootstrapServers,
      topics: topic,
      untilEnd: true,
      autoOffsetReset: 'earliest',
      isolation,
      // Small enough for many requests.
      maxPartitionFetchBytes: 8 * 1024,
      metadataMaxAgeMs: 1000,
    })
    const read: string[][] = Array.from({ length: PARTITIONS }, () => [])
    let batches = 0
    for await (const batch of source.batches()) {
      if (++batches === 10) await between()
      for (let row = 0; row < batch.length; row++)
        read[batch.partition]!.push(`${batch.offset(row)} ${batch.value(row)?.toString() ?? 'null'}`)
      batch.ack()
    }
    return read
  }

  /** @param idleMs how long it waits for more records, if there are fewer */
  async function readByJava(topic: string, isolation: Isolation, count: number, idleMs = 60_000): Promise<string[][]> {
    const options =
      `--topic ${topic} --from-beginning --max-messages ${count} --timeout-ms ${idleMs} --isolation-level ${isolation}` +
      ' --formatter-property print.partition=true --formatter-property print.offset=true'
    const { stdout } = await kafka().javaTool('org.apache.kafka.tools.consumer.ConsoleConsumer', [
      '--bootstrap-server',
      kafka().bootstrapServers,
      ...options.split(' '),
    ])
    const read: string[][] = Array.from({ length: PARTITIONS }, () => [])
    for (const line of stdout.split('\n')) {
      const [, partition, offset, value] = /^Partition:(\d+)\tOffset:(\d+)\t(.*)$/.exec(line) ?? []
      if (partition !== undefined) read[Number(partition)]!.push(`${offset} ${value}`)
    }
    return read
  }

  const countOf = (read: readonly string[][]): number => read.reduce((sum, { length }) => sum + length, 0)

  test('reads the same of 96 partitions while a leader dies and comes back', async () => {
    const topic = await bed().create({ partitions: PARTITIONS, replicationFactor: 3 })
    await bed().write(
      topic,
      Array.from({ length: RECORDS }, (_, n) => ({ value: `${n} ${'x'.repeat(80)}`, partition: (n * 7) % PARTITIONS })),
      { batchBytes: 1000 },
    )
    const [victim] = kafka().brokers
    const ours = await readHere(topic, 'read_uncommitted', () => victim!.kill())
    await victim!.restart()
    expect(countOf(ours)).toBe(RECORDS)
    expect(await readByJava(topic, 'read_uncommitted', RECORDS)).toEqual(ours)
  })

  /** Rounds of transactions of which every third is aborted, and plain records between them. @returns how many records were committed */
  async function writeTransactions(topic: string, rounds: number, keys = 1000): Promise<number> {
    const { bootstrapServers } = kafka()
    const options = { bootstrapServers, topic, compression: 'none' } as const
    await using plain = new KafkaSink(options)
    await using sink = new KafkaSink({ ...options, transactionalId: uniqueName('transactions') })
    const recordsOf = (round: number, what: string): { key: string; value: string; partition: number }[] =>
      Array.from({ length: 2 * PARTITIONS }, (_, n) => {
        const key = `k${(Math.floor(n / PARTITIONS) + round) % keys}`
        return { key, value: `${key} ${what} ${round} ${n}`, partition: n % PARTITIONS }
      })
    let committed = 0
    for (let round = 0; round < rounds; round++) {
      await sink.beginTransaction()
      await sink.write(recordsOf(round, 'transaction'))
      await plain.write(recordsOf(round, 'plain'))
      if (round % 3 === 1) await sink.abortTransaction()
      else await sink.commitTransaction()
      committed += (round % 3 === 1 ? 2 : 4) * PARTITIONS
    }
    await bed().settled(topic)
    return committed
  }

  test('reads the same of transactions while a leader dies and comes back', async () => {
    const topic = await bed().create({ partitions: PARTITIONS, replicationFactor: 3 })
    const rounds = 12
    const committed = await writeTransactions(topic, rounds)
    const [, victim] = kafka().brokers
    const ours = await readHere(topic, 'read_committed', () => victim!.kill())
    await victim!.restart()
    expect(countOf(ours)).toBe(committed)
    expect(await readByJava(topic, 'read_committed', committed)).toEqual(ours)
    const all = rounds * 4 * PARTITIONS
    const uncommitted = await readHere(topic, 'read_uncommitted')
    expect(countOf(uncommitted)).toBe(all)
    expect(await readByJava(topic, 'read_uncommitted', all)).toEqual(uncommitted)
  })

  const slow = { timeout: 480_000 }
  test(
    'reads what Java reads of transactions in a compacted topic while a leader dies and comes back',
    slow,
    async () => {
      const topic = await bed().create({
        partitions: PARTITIONS,
        replicationFactor: 3,
        configs: {
          'cleanup.policy': 'compact',
          'segment.ms': '100',
          'min.cleanable.dirty.ratio': '0.01',
          'max.compaction.lag.ms': '100',
        },
      })
      const committed = await writeTransactions(topic, 12, 8)
      // Each replica is compacted by itself.
      await expect
        .poll(async () => countOf(await readHere(topic, 'read_committed')), { interval: 1000 })
        .toBeLessThan(committed / 2)
      const [, , victim] = kafka().brokers
      const ours = await readHere(topic, 'read_committed', () => victim!.kill())
      await victim!.restart()
      const theirs = await readByJava(topic, 'read_committed', committed, 10_000)
      for (let partition = 0; partition < PARTITIONS; partition++) {
        const [here, there] = [ours[partition]!, theirs[partition]!]
        // What only one of them has seen is superseded: its key has a later record, which both have.
        const java = new Set(there)
        const both = new Set(here.filter((record) => java.has(record)))
        const only = [...here, ...there].filter((record) => !both.has(record))
        for (const record of only) expect([...both].some((other) => supersedes(other, record))).toBe(true)
        expect(here.filter((record) => both.has(record))).toEqual(there.filter((record) => both.has(record)))
      }
      expect(countOf(ours)).toBeGreaterThan(0)
    },
  )
})
