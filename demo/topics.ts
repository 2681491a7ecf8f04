import { setTimeout as sleep } from 'node:timers/promises'
import kafkajs from 'kafkajs'

const PARTITIONS = 6

/**
 * Creates the topics of the demo, empty. Those of an earlier demo are deleted, with the offsets that were committed for them.
 *
 * @throws {Error} on a broker from `KAFKA_BOOTSTRAP_SERVERS` when a topic exists: it may be somebody's
 */
export async function prepareTopics(bootstrapServers: string, topics: readonly string[]): Promise<void> {
  const kafka = new kafkajs.Kafka({ brokers: bootstrapServers.split(','), logLevel: kafkajs.logLevel.NOTHING })
  const admin = kafka.admin()
  await admin.connect()
  try {
    const present = async () => (await admin.listTopics()).filter((topic) => topics.includes(topic))
    const old = await present()
    if (old.length > 0 && (process.env['KAFKA_BOOTSTRAP_SERVERS'] ?? '') !== '') {
      throw new Error(
        `Delete topic "${old.join('" and "')}" at ${bootstrapServers} first: the demo does not touch topics that it has not made`,
      )
    }
    if (old.length > 0) await admin.deleteTopics({ topics: [...old] })
    while ((await present()).length > 0) await sleep(50)
    await admin.createTopics({
      topics: topics.map((topic) => ({ topic, numPartitions: PARTITIONS, replicationFactor: 1 })),
      waitForLeaders: true,
    })
  } finally {
    await admin.disconnect()
  }
}
