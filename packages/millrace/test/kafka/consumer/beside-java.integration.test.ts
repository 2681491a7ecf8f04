/**
 * The differential test: what this consumer reads of a topic while leaders move is what Java's reads of it, per partition in the
 * same order.
 */
import { describe, expect, test } from 'vitest'
import { KafkaSource } from '../../../src/index.ts'
import { javaAvailable, threeBrokers } from '../../support/broker.ts'
import { topicBed } from '../../support/topics.ts'

const PARTITIONS = 96
const RECORDS = 24_000

describe.skipIf(!javaAvailable)('a consumer beside that of Java', () => {
  const kafka = threeBrokers()
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

  async function readByJava(topic: string, isolation: Isolation, count: number): Promise<string[][]> {
    const options =
      `--topic ${topic} --from-beginning --max-messages ${count} --timeout-ms 60000 --isolation-level ${isolation}` +
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
})
