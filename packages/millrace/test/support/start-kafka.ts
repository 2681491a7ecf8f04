import type { TestProject } from 'vitest/node'
import { findSharedKafka, startKafka, whyNoJava } from '../../../../test-bed/kafka.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    /** Empty when there is no broker. */
    bootstrapServers: string
    /** Why there is no broker; empty when there is one. */
    whyNoBroker: string
  }
}

/**
 * Gives the integration tests one broker: the one of `KAFKA_BOOTSTRAP_SERVERS`, else the one that `npm run kafka -- start`
 * started, else one that ends with the run.
 */
export default async function startKafkaForTests(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  const shared = await findSharedKafka(1)
  const problem = shared === undefined ? await whyNoJava() : undefined
  if (problem !== undefined) {
    if (process.env['CI'] === 'true') throw new Error(`The tests need a broker and there is none: ${problem}`)
    console.warn(`Tests that need a broker are skipped: ${problem}`)
    project.provide('bootstrapServers', '')
    project.provide('whyNoBroker', problem)
    return undefined
  }
  const kafka = shared ?? (await startKafka({ ephemeral: true }))
  project.provide('bootstrapServers', kafka.bootstrapServers)
  project.provide('whyNoBroker', '')
  return shared === undefined ? () => kafka.stop() : undefined
}
