/**
 * Our own: the same random scripts of requests to this broker and to Apache Kafka 4.3.1, which is started beside it; a test for
 * each script, called after its seed. What a script does, and what of the answers is compared, says
 * `packages/millrace/test/support/differential.ts`.
 *
 * `MILLRACE_DIFFERENTIAL_SCRIPTS` and `MILLRACE_DIFFERENTIAL_SEED` choose how many scripts there are and the first seed.
 */
import { isDeepStrictEqual } from 'node:util'
import { deleteTopicsApi } from '../../packages/millrace/src/protocol/messages/delete-topics.ts'
import { comparable, scriptOf } from '../../packages/millrace/test/support/differential.ts'
import { sideOf } from '../../packages/millrace/test/support/differential-script.ts'
import { membersGroupOf } from '../../packages/millrace/test/support/differential-members.ts'
import { RawClient } from '../../packages/millrace/test/support/raw-client.ts'
import { startKafka } from '../../test-bed/kafka.ts'
import { whyNoJava } from '../../test-bed/java.ts'
import type { Suite, SuiteContext } from '../suite.ts'

const SCRIPTS = 10_000
const SHORT = 200
const STEPS = 40
/** Both brokers wait for their timers and disks now and then. */
const AT_A_TIME = 4
/** Scripts between two lines of progress: each passed test is not worth one. */
const PROGRESS = 100

/** Topics are removed after each script, so that Apache Kafka does not drown in the files of tens of thousands. */
async function runScript(seed: number, apacheServers: string, ours: string): Promise<void> {
  using apache = await RawClient.connect(apacheServers)
  using embedded = await RawClient.connect(ours)
  const sides = [sideOf(apache), sideOf(embedded)] as const
  const name = `differential-${process.pid}-${seed}`
  const done: string[] = []
  try {
    for (const step of scriptOf(seed, name, STEPS)) {
      done.push(step.name)
      const [wanted, given] = [comparable(await step.run(sides[0])), comparable(await step.run(sides[1]))]
      if (!isDeepStrictEqual(given, wanted)) throw new Error(differenceOf(given, wanted))
    }
  } catch (error) {
    throw new Error(`${(error as Error).message}\nafter ${done.slice(-6).join('\n')}`, { cause: error })
  } finally {
    for (const client of [apache, embedded])
      await client
        .request(deleteTopicsApi, 5, { topicNames: [name, membersGroupOf(name)], timeoutMs: 10_000 })
        .catch(() => {})
  }
}

/** The first lines that differ, of the answers as JSON. */
function differenceOf(given: unknown, wanted: unknown): string {
  const [ours, theirs] = [given, wanted].map((answer) => JSON.stringify(answer, undefined, 1)?.split('\n') ?? [])
  const at = ours!.findIndex((line, i) => line !== theirs![i])
  const from = Math.max(0, at - 2)
  const show = (lines: readonly string[]): string =>
    lines
      .slice(from, at + 2)
      .map((line) => line.trim().slice(0, 300))
      .join(' ')
  return `it answered ${show(ours!)}, Apache Kafka ${show(theirs!)}`
}

async function run(context: SuiteContext): Promise<void> {
  const count = Number(process.env['MILLRACE_DIFFERENTIAL_SCRIPTS'] ?? (context.isShort ? SHORT : SCRIPTS))
  const first = Number(process.env['MILLRACE_DIFFERENTIAL_SEED'] ?? 1)
  const kafka = await startKafka({ ephemeral: true })
  try {
    let next = first
    let equal = 0
    const work = async (): Promise<void> => {
      while (next < first + count) {
        context.signal.throwIfAborted()
        const seed = next++
        const test = `seed ${seed}`
        if (!context.wants(test)) continue
        try {
          await runScript(seed, kafka.bootstrapServers, context.bootstrapServers)
          context.report({ test, result: 'passed' })
          if (++equal % PROGRESS === 0) context.progress(`${equal} scripts had the same answers`)
        } catch (error) {
          context.report({ test, result: 'failed', text: (error as Error).message })
        }
      }
    }
    await Promise.all(Array.from({ length: AT_A_TIME }, work))
  } finally {
    await kafka.stop()
  }
}

export const differential: Suite = {
  name: 'differential',
  summary: 'random scripts of requests, answered as Apache Kafka 4.3.1 answers them',
  broker: { autoCreateTopics: false },
  isQuiet: true,
  whyNot: whyNoJava,
  run,
}
