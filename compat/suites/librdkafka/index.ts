/**
 * librdkafka's own tests, from the sources in npm's `@confluentinc/kafka-javascript`. Those that need no broker, or use the mock
 * cluster inside librdkafka, are left out.
 *
 * The tests wait more than they work, so that several run at a time, each in a process of its own.
 */
import { whyNoJava } from '../../../test-bed/java.ts'
import { canRun } from '../../command.ts'
import { whyLeftOut } from '../../expected-failures.ts'
import type { Suite, SuiteContext } from '../../suite.ts'
import { build, buildJava } from './build.ts'
import { writeScripts } from './kafka-scripts.ts'
import { type GroupProtocol, runNumber } from './runner.ts'
import { type NumberedTests, readTests, type Scenario } from './table.ts'

/** As the scenarios of librdkafka have them. */
const BROKER = { nodes: 3, defaultPartitions: 4 } as const
const OTHERS = {
  noautocreate: { ...BROKER, autoCreateTopics: false },
  acls: { defaultPartitions: 4, hasAcls: true },
} as const
const AT_A_TIME = 3
/** What the short form runs. */
const QUICK = new Set(['0001', '0005', '0012', '0017', '0022', '0026', '0044', '0073', '0099', '0103'])

export const librdkafka = suiteOf('librdkafka', 'classic')
/** The same tests, with groups of the consumer protocol (KIP-848). */
export const librdkafkaConsumer = suiteOf('librdkafka-consumer', 'consumer')

function suiteOf(name: string, protocol: GroupProtocol): Suite {
  const consumers = protocol === 'classic' ? '' : ', its consumers with the consumer protocol (KIP-848)'
  return {
    name,
    summary: `the tests of librdkafka 2.15.1, from npm's @confluentinc/kafka-javascript 1.10.1${consumers}`,
    broker: BROKER,
    whyNot,
    run: async (context) => run(context, protocol),
  }
}

async function whyNot(): Promise<string | undefined> {
  for (const program of ['gcc', 'g++', 'make', 'tar'])
    if (!(await canRun(program, ['--version'])))
      return `${program} is not installed (Debian: apt-get install build-essential libssl-dev rapidjson-dev zlib1g-dev)`
  // Some tests start Kafka's own tools.
  return whyNoJava()
}

async function run(context: SuiteContext, protocol: GroupProtocol): Promise<void> {
  const library = await build(context)
  const kafkaPath = await writeScripts(context.scratch)
  await buildJava(context, library, kafkaPath)
  const waiting = readTests(library)
    .map((each) => without(each, context))
    .filter(({ number, names }) => names.length > 0 && (!context.isShort || QUICK.has(number)))
  for (const scenario of ['default', 'noautocreate', 'acls'] as const) {
    const numbers = waiting.filter((each) => each.scenario === scenario)
    if (numbers.length === 0) continue
    const bootstrapServers = await serversFor(scenario, context)
    if (bootstrapServers === undefined) {
      const text = 'It needs another broker than the one that --broker names'
      for (const test of numbers.flatMap(({ names }) => names)) context.report({ test, result: 'skipped', text })
      continue
    }
    const work = async (): Promise<void> => {
      for (let next = numbers.shift(); next !== undefined; next = numbers.shift())
        for (const outcome of await runNumber(context, { library, kafkaPath, bootstrapServers, protocol }, next))
          context.report(outcome)
    }
    await Promise.all(Array.from({ length: AT_A_TIME }, work))
  }
}

async function serversFor(scenario: Scenario, context: SuiteContext): Promise<string | undefined> {
  return scenario === 'default' ? context.bootstrapServers : context.startAnother(OTHERS[scenario])
}

/** The tests that are to run; the others are reported as skipped. */
function without(tests: NumberedTests, context: SuiteContext): NumberedTests {
  const names = tests.names.filter((test) => {
    if (!context.wants(test)) return false
    const reason = whyLeftOut(context.suite, test, context.kind)
    if (reason !== undefined) context.report({ test, result: 'skipped', text: reason })
    return reason === undefined
  })
  return { ...tests, names }
}
