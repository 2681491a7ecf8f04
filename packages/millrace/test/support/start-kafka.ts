import type { TestProject } from 'vitest/node'
import { findSharedKafka, startKafka, whyNoJava } from '../../../../test-bed/kafka.ts'
import { startEmbedded } from './start-embedded.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    bootstrapServers: string
    /** Whether that is the embedded broker. */
    isEmbedded: boolean
    /** Why Apache Kafka cannot be started and its tools cannot be run; empty when they can. */
    whyNoJava: string
  }
}

/**
 * Gives the integration tests one broker: the one of `KAFKA_BOOTSTRAP_SERVERS`, else the one that `npm run kafka -- start`
 * started, else one that ends with the run. Without Java, that is the embedded broker.
 */
export default async function startKafkaForTests(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  const noJava = (await whyNoJava()) ?? ''
  const shared = await findSharedKafka(1)
  if (shared === undefined && noJava !== '') {
    if (process.env['CI'] === 'true') throw new Error(`The tests need Apache Kafka: ${noJava}`)
    return startEmbedded(project, noJava)
  }
  project.provide('whyNoJava', noJava)
  project.provide('isEmbedded', false)
  if (noJava !== '') console.warn(`Tests that start brokers or run Kafka's own tools are skipped: ${noJava}`)
  const kafka = shared ?? (await startKafka({ ephemeral: true }))
  project.provide('bootstrapServers', kafka.bootstrapServers)
  return shared === undefined ? () => kafka.stop() : undefined
}
