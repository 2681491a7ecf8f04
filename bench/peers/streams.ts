/** Kafka Streams as a copier or a filter from topic to topic. */

import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { compileJava } from '../../test-bed/java.ts'
import type { Bed } from '../bed.ts'
import { lastLine, waitFor } from '../child.ts'
import type { Sample } from '../measure.ts'

export interface StreamsWork {
  topic: string
  records: number
  /** Only orders of at least this amount; all of them when omitted. */
  minimum?: number
  /** In Kafka's words. */
  properties?: Readonly<Record<string, string | number>>
}

/** As the pipelines of Millrace that it is compared with; a thread for each core. */
const PROPERTIES = {
  'num.stream.threads': 2,
  'producer.linger.ms': 5,
  'producer.batch.size': 262_144,
  'producer.acks': 'all',
  'consumer.auto.offset.reset': 'earliest',
  'consumer.max.poll.records': 5000,
  'replication.factor': 1,
}

/** Runs until it has read everything and committed; timed from first append to last, by the broker. */
export async function runStreams(bed: Bed, { topic, records, minimum, properties }: StreamsWork): Promise<Sample> {
  const classes = join(bed.folder, 'classes')
  mkdirSync(classes, { recursive: true })
  if (!existsSync(join(classes, 'StreamsJob.class')))
    await compileJava(join(import.meta.dirname, 'programs', 'StreamsJob.java'), classes, { jars: 'streams' })
  const output = await bed.createTopic(bed.name('streams'), { 'message.timestamp.type': 'LogAppendTime' })
  const options = {
    topic,
    output,
    records,
    ...(minimum === undefined ? {} : { minimum }),
    'bootstrap.servers': bed.bootstrapServers,
    'application.id': output,
    'state.dir': join(bed.folder, output),
    ...PROPERTIES,
    ...properties,
  }
  const child = await bed.kafka.spawnJava(
    'StreamsJob',
    Object.entries(options).map(([name, value]) => `${name}=${value}`),
    {
      jars: 'streams',
      jvmArgs: ['-Xmx2g', '-XX:+UseG1GC', '-XX:MaxGCPauseMillis=20'],
      classPath: [classes],
    },
  )
  const { stdout, cpuSeconds } = await waitFor(child, 'StreamsJob')
  const { records: read } = lastLine(stdout) as { records: number }
  if (read !== records) throw new Error(`Kafka Streams read ${read} records instead of ${records}`)
  const seconds = await bed.secondsOfAppending(output)
  await bed.deleteTopic(output)
  return { records, seconds, cpuSeconds }
}
