/**
 * What integration tests get of the test bed: one broker that all share, names that nobody else uses, Kafka's own tools, and
 * clusters of one's own for tests that kill brokers.
 *
 * ```ts
 * describe.skipIf(!brokerAvailable)('group session', () => {
 *   const topic = uniqueName('orders')
 *   ...
 * })
 *
 * describe.skipIf(!javaAvailable)('producer on three brokers', () => {
 *   const kafka = threeBrokers()
 *   test('goes on when a leader is killed', async () => {
 *     await kafka().brokers[0]?.kill()
 *     ...
 *   })
 * })
 * ```
 */

import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, inject } from 'vitest'
import { javaTool } from '../../../../test-bed/java.ts'
import { type KafkaCluster, type KafkaOptions, startKafka } from '../../../../test-bed/kafka.ts'

export { javaTool }
export type { KafkaBroker, KafkaCluster } from '../../../../test-bed/kafka.ts'

/** Whether there is a broker; tests that need one are skipped otherwise. With `CI=true` its absence fails the run. */
export const brokerAvailable: boolean = inject('bootstrapServers') !== ''

/** Whether `javaTool`, `ownBroker` and `threeBrokers` work here; a broker from `KAFKA_BOOTSTRAP_SERVERS` needs no Java. */
export const javaAvailable: boolean = inject('whyNoJava') === ''

/** Whether the tests run on the embedded broker. */
export const isEmbedded: boolean = inject('isEmbedded')

/** Address of the broker that all tests share. */
export function bootstrapServers(): string {
  return inject('bootstrapServers')
}

/** A name for a topic, group or transactional id that no other test uses. */
export function uniqueName(prefix: string): string {
  return `${prefix}-${randomBytes(6).toString('hex')}`
}

/** One broker for the tests of this file or `describe`, to be killed, paused and restarted; stopped after them. */
export function ownBroker(properties?: KafkaOptions['properties']): () => KafkaCluster {
  return ownCluster({ brokers: 1, ...(properties === undefined ? {} : { properties }) })
}

/** Three brokers for the tests of this file or `describe`, to be killed, paused and restarted; stopped after them. */
export function threeBrokers(properties?: KafkaOptions['properties']): () => KafkaCluster {
  return ownCluster({ brokers: 3, ...(properties === undefined ? {} : { properties }) })
}

function ownCluster(options: KafkaOptions): () => KafkaCluster {
  let cluster: KafkaCluster | undefined
  beforeAll(async () => {
    cluster = await startKafka({ ...options, ephemeral: true })
  })
  afterAll(async () => {
    await cluster?.stop()
    cluster = undefined
  })
  return () => {
    if (cluster === undefined) throw new Error('The cluster runs during tests only')
    return cluster
  }
}
