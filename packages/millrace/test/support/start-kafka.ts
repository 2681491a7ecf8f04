import type { TestProject } from 'vitest/node'
import { startBroker } from '../../src/broker/index.ts'
import { findSharedKafka, startKafka, whyNoJava } from '../../../../test-bed/kafka.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    bootstrapServers: string
    /** Whether that is the embedded broker. */
    isEmbedded: boolean
    /** Why brokers cannot be started and Kafka's tools cannot be run here; empty when they can. */
    whyNoJava: string
  }
}

/** As the test bed sets Apache Kafka. */
const QUICK_GROUPS = { minSessionTimeoutMs: 1000, heartbeatIntervalMs: 500 }

/** `MILLRACE_TEST_BROKER=embedded` runs the tests on the embedded broker; what needs Apache Kafka is then skipped. */
const EMBEDDED = 'embedded'

/**
 * Gives the integration tests one broker: the one of `KAFKA_BOOTSTRAP_SERVERS`, else the one that `npm run kafka -- start`
 * started, else one that ends with the run. Without Java, that is the embedded broker.
 */
export default async function startKafkaForTests(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  const wanted = process.env['MILLRACE_TEST_BROKER'] ?? ''
  if (wanted !== '' && wanted !== EMBEDDED && wanted !== 'kafka')
    throw new Error(`MILLRACE_TEST_BROKER must be "embedded" or "kafka": current value is "${wanted}"`)
  const noJava = (await whyNoJava()) ?? ''
  const shared = wanted === EMBEDDED ? undefined : await findSharedKafka(1)
  if (wanted === EMBEDDED || (shared === undefined && noJava !== '')) return startEmbedded(project, wanted, noJava)
  project.provide('whyNoJava', noJava)
  project.provide('isEmbedded', false)
  if (noJava !== '') console.warn(`Tests that start brokers or run Kafka's own tools are skipped: ${noJava}`)
  const kafka = shared ?? (await startKafka({ ephemeral: true }))
  project.provide('bootstrapServers', kafka.bootstrapServers)
  return shared === undefined ? () => kafka.stop() : undefined
}

async function startEmbedded(project: TestProject, wanted: string, noJava: string): Promise<() => Promise<void>> {
  const reason = wanted === EMBEDDED ? 'MILLRACE_TEST_BROKER is "embedded"' : noJava
  if (wanted !== EMBEDDED && process.env['CI'] === 'true') throw new Error(`The tests need Apache Kafka: ${reason}`)
  console.warn(
    `The tests run on the embedded broker, and those that need Apache Kafka or its tools are skipped: ${reason}`,
  )
  const broker = await startBroker({ autoCreateTopics: false, retentionBytes: 1024 ** 3, groups: QUICK_GROUPS })
  project.provide('whyNoJava', reason)
  project.provide('isEmbedded', true)
  project.provide('bootstrapServers', broker.bootstrapServers)
  return async () => broker.close()
}
