import { runNode } from '../child.ts'
import { type Contender, race } from '../measure.ts'
import { consumeWithJava, produceWithJava } from '../peers/java.ts'
import { consumeWithKcat, hasKcat } from '../peers/kcat.ts'
import type { Bench, Case } from './case.ts'

const RECORDS = 20_000_000

/** Fills a topic with records of 100 bytes, by Java's producer. */
export async function hundredByteTopic(bench: Bench, records: number): Promise<string> {
  const topic = await bench.bed.createTopic(bench.bed.name('hundred-bytes'))
  bench.progress(`writing ${records} records of 100 bytes`)
  await produceWithJava(bench.bed, { topic, records, payload: { recordSize: 100 } })
  return topic
}

/** One run of a runner that consumes. */
export function consumer(
  bench: Bench,
  topic: string,
  runner: string,
  records: number,
  more: object = {},
): Contender['run'] {
  const { bed } = bench
  return () =>
    runNode(runner, { bootstrapServers: bed.bootstrapServers, topic, groupId: bed.name('bench'), records, ...more })
}

export const consume: Case = {
  name: 'consume',
  summary: '20 million records of 100 bytes, 6 partitions: batches and records against the consumers of others',
  async run(bench) {
    const records = bench.scaled(RECORDS)
    const topic = await hundredByteTopic(bench, records)
    const contenders: Contender[] = [
      { name: 'batches', side: 'ours', run: consumer(bench, topic, 'millrace-consume', records, { mode: 'batches' }) },
      { name: 'records', side: 'ours', run: consumer(bench, topic, 'millrace-consume', records, { mode: 'records' }) },
      { name: 'java', side: 'peers', run: () => consumeWithJava(bench.bed, topic, records) },
      { name: 'kafkajs', side: 'peers', run: consumer(bench, topic, 'kafkajs-consume', Math.ceil(records / 4)) },
      {
        name: 'platformatic',
        side: 'peers',
        run: consumer(bench, topic, 'platformatic-consume', Math.ceil(records / 20)),
      },
    ]
    if (hasKcat())
      contenders.push({ name: 'kcat', side: 'peers', run: () => consumeWithKcat(bench.bed, topic, records) })
    return race(contenders, bench)
  },
}

/** The same contender twice: what differs between the two is noise, and no smaller difference elsewhere means anything. */
export const control: Case = {
  name: 'control',
  summary: 'A/A: the consumer of batches against itself',
  async run(bench) {
    const records = bench.scaled(RECORDS)
    const topic = await hundredByteTopic(bench, records)
    const run = consumer(bench, topic, 'millrace-consume', records, { mode: 'batches' })
    return race(
      [
        { name: 'batches-a', side: 'ours', run },
        { name: 'batches-b', side: 'ours', run },
      ],
      bench,
      ['batches-a/batches-b'],
    )
  },
}
