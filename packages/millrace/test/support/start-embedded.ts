import type { TestProject } from 'vitest/node'
import { startEmbedded as start } from '../../../../test-bed/embedded.ts'
import { listNeedsKafka } from './needs-kafka.ts'

/** Gives the tests of a project the embedded broker, and says at their end which were skipped. */
export async function startEmbedded(project: TestProject, reason: string): Promise<() => Promise<void>> {
  const broker = await start()
  project.provide('whyNoJava', reason)
  project.provide('isEmbedded', true)
  project.provide('bootstrapServers', broker.bootstrapServers)
  return async () => {
    await broker.stop()
    console.log(
      [`The tests of "${project.name}" ran on the embedded broker (${reason}). Not these:`, ...listNeedsKafka()].join(
        '\n',
      ),
    )
  }
}

/** For the project that always runs on it. */
export default (project: TestProject): Promise<() => Promise<void>> =>
  startEmbedded(project, 'the other projects have Apache Kafka')
