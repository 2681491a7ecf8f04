import type { TestProject } from 'vitest/node'
import { findSharedKafka, startKafka, whyNoJava } from '../../../../test-bed/kafka.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    /** Empty when there is no broker. */
    bootstrapServers: string
    /** Why there is no broker; empty when there is one. */
    whyNoBroker: string
    /** Why brokers cannot be started and Kafka's tools cannot be run here; empty when they can. */
    whyNoJava: string
  }
}

/**
 * Gives the integration tests one broker: the one of `KAFKA_BOOTSTRAP_SERVERS`, else the one that `npm run kafka -- start`
 * started, else one that ends with the run.
 */
export default async function startKafkaForTests(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  const shared = await findSharedKafka(1)
  const noJava = (await whyNoJava()) ?? ''
  project.provide('whyNoJava', noJava)
  if (shared === undefined && noJava !== '') {
    if (process.env['CI'] === 'true') throw new Error(`The tests need a broker and there is none: ${noJava}`)
    console.warn(`Tests that need a broker are skipped: ${noJava}`)
    project.provide('bootstrapServers', '')
    project.provide('whyNoBroker', noJava)
    return undefined
  }
  if (noJava !== '') console.warn(`Tests that start brokers or run Kafka's own tools are skipped: ${noJava}`)
  const kafka = shared ?? (await startKafka({ ephemeral: true }))
  project.provide('bootstrapServers', kafka.bootstrapServers)
  project.provide('whyNoBroker', '')
  return shared === undefined ? () => kafka.stop() : undefined
}
