/**
 * What integration tests get of the test bed: one broker that all share, names that nobody else uses, Kafka's own tools, and
 * clusters of one's own for tests that kill brokers. All of it is Apache Kafka or the embedded broker; tests that only the
 * former can serve are skipped on the latter, and listed with the reason in `needs-kafka.ts`.
 *
 * ```ts
 * describe.skipIf(!brokerAvailable)('group session', () => {
 *   const topic = uniqueName('orders')
 *   ...
 * })
 *
 * describe.skipIf(!brokerAvailable)('producer on three brokers', () => {
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
import { startEmbedded } from '../../../../test-bed/embedded.ts'
import { type KafkaCluster, type KafkaOptions, startKafka } from '../../../../test-bed/kafka.ts'
import { type ProxiedKafka, startProxied } from '../../../../test-bed/proxy.ts'

export { javaTool }
export type { KafkaBroker, KafkaCluster } from '../../../../test-bed/kafka.ts'

/** Whether there is a broker; tests that need one are skipped otherwise. With `CI=true` its absence fails the run. */
export const brokerAvailable: boolean = inject('bootstrapServers') !== ''

/** Whether the tests may start Apache Kafka and run its tools; not when they run on the embedded broker. */
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
  return duringTests(() => startOwn(1, properties))
}

/** Three brokers for the tests of this file or `describe`, to be killed, paused and restarted; stopped after them. */
export function threeBrokers(properties?: KafkaOptions['properties']): () => KafkaCluster {
  return duringTests(() => startOwn(3, properties))
}

/** One broker behind a proxy for the tests of this file or `describe`; stopped after them. */
export function proxiedBroker(): () => ProxiedKafka {
  return duringTests(() => startProxied(1, isEmbedded ? startEmbedded : startKafka))
}

async function startOwn(brokers: 1 | 3, properties: KafkaOptions['properties']): Promise<KafkaCluster> {
  if (!isEmbedded) return startKafka({ brokers, ephemeral: true, ...(properties === undefined ? {} : { properties }) })
  if (properties !== undefined) throw new Error('The embedded broker takes no properties')
  return startEmbedded({ brokers })
}

function duringTests<T extends { stop(): Promise<void> }>(start: () => Promise<T>): () => T {
  let cluster: T | undefined
  beforeAll(async () => {
    cluster = await start()
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
