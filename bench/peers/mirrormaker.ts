/** MirrorMaker 2 as a copier from topic to topic. */

import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Bed } from '../bed.ts'
import { cpuSince, endWithUs } from '../child.ts'
import { cpuOfEndedChildren, type Sample } from '../measure.ts'

/**
 * Copies a topic and stops MirrorMaker when the last record has arrived; timed from first append to last, by the broker.
 *
 * @param properties of the producer, in Kafka's words
 */
export async function copyWithMirrorMaker(
  bed: Bed,
  topic: string,
  records: number,
  properties: Readonly<Record<string, string | number>> = {},
): Promise<Sample> {
  // Its offsets are kept per pair of clusters: a new alias for the same broker makes it begin at the beginning.
  const alias = bed.name('source')
  const output = await bed.createTopic(`${alias}.${topic}`, { 'message.timestamp.type': 'LogAppendTime' })
  const file = join(bed.folder, `${alias}.properties`)
  writeFileSync(
    file,
    configuration(alias, bed.bootstrapServers, topic, { 'linger.ms': 5, 'batch.size': 262_144, ...properties }),
  )
  const cpuBefore = cpuOfEndedChildren()
  const child = await bed.kafka.spawnJava('org.apache.kafka.connect.mirror.MirrorMaker', [file], {
    jars: 'connect',
    jvmArgs: ['-Xmx2g', '-XX:+UseG1GC', '-XX:MaxGCPauseMillis=20', '-XX:InitiatingHeapOccupancyPercent=35'],
  })
  endWithUs(child)
  child.stdout?.resume()
  child.stderr?.resume()
  const ended = once(child, 'close')
  try {
    const early = ended.then(() => Promise.reject(new Error('MirrorMaker ended before it had copied everything')))
    await Promise.race([bed.waitForRecords(output, records), early])
  } finally {
    child.kill('SIGKILL')
    await ended
  }
  const seconds = await bed.secondsOfAppending(output)
  await bed.deleteTopic(output)
  return { records, seconds, cpuSeconds: cpuSince(cpuBefore) }
}

function configuration(
  alias: string,
  bootstrapServers: string,
  topic: string,
  producer: Readonly<Record<string, string | number>>,
): string {
  const route = `${alias}->target`
  const lines = {
    clusters: `${alias}, target`,
    [`${alias}.bootstrap.servers`]: bootstrapServers,
    'target.bootstrap.servers': bootstrapServers,
    [`${route}.enabled`]: true,
    [`target->${alias}.enabled`]: false,
    [`${route}.topics`]: topic,
    // Nothing but the copy.
    'emit.heartbeats.enabled': false,
    'emit.checkpoints.enabled': false,
    'sync.topic.configs.enabled': false,
    'sync.topic.acls.enabled': false,
    'refresh.topics.enabled': false,
    'refresh.groups.enabled': false,
    'tasks.max': 2,
    'replication.factor': 1,
    'offset-syncs.topic.replication.factor': 1,
    'config.storage.replication.factor': 1,
    'offset.storage.replication.factor': 1,
    'status.storage.replication.factor': 1,
    [`${alias}.consumer.max.poll.records`]: 5000,
    ...Object.fromEntries(Object.entries(producer).map(([name, value]) => [`target.producer.${name}`, value])),
  }
  return Object.entries(lines)
    .map(([name, value]) => `${name} = ${value}\n`)
    .join('')
}
