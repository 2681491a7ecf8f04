/** Starts librdkafka's `test-runner` for one number and reads its report. */
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { type CommandResult, describeFailure, runCommand } from '../../command.ts'
import type { Outcome, Result, SuiteContext } from '../../suite.ts'
import type { NumberedTests } from './table.ts'

export interface Place {
  /** The folder of librdkafka. */
  readonly library: string
  /** The folder that stands for an installed Kafka, for tests that start its scripts. */
  readonly kafkaPath: string
  readonly bootstrapServers: string
  readonly protocol: GroupProtocol
}

/** The protocol that consumers use in their groups. */
export type GroupProtocol = 'classic' | 'consumer'

interface Report {
  readonly tests: { readonly [name: string]: { readonly state: string } }
}

/** Tests end themselves when they are late; this is for those that cannot. */
const TIMEOUT_MS = 900_000
/** As in librdkafka's own runs, for machines that do other things as well. */
const TIMEOUT_MULTIPLIER = 3
const KAFKA_VERSION = '4.3.1'
/** Tests that leave out most of what they have when they are to be quick; the others only do it less often. */
const THOROUGH = new Set(['0077', '0081', '0082', '0094', '0098'])
const RESULTS: { readonly [state: string]: Result } = { PASSED: 'passed', SKIPPED: 'skipped' }

/** Runs the tests of one number, in a process of their own and with topics of their own. */
export async function runNumber(
  context: SuiteContext,
  place: Place,
  { number, scenario, names }: NumberedTests,
): Promise<Outcome[]> {
  const folder = join(context.scratch, `${number}-${scenario}`)
  mkdirSync(folder, { recursive: true })
  const conf = join(folder, 'test.conf')
  const report = join(folder, 'report.json')
  const settings = {
    'bootstrap.servers': place.bootstrapServers,
    'test.topic.prefix': `rdk${number}-${randomBytes(5).toString('hex')}`,
    'test.timeout.multiplier': TIMEOUT_MULTIPLIER,
  }
  writeFileSync(
    conf,
    Object.entries(settings)
      .map(([name, value]) => `${name}=${value}\n`)
      .join(''),
  )
  const flags = [
    '-p1',
    '-L',
    '-s',
    scenario === 'acls' ? 'default' : scenario,
    ...(THOROUGH.has(number) && !context.isShort ? [] : ['-Q']),
  ]
  const result = await runCommand(join(place.library, 'tests', 'test-runner'), flags, {
    cwd: join(place.library, 'tests'),
    timeoutMs: TIMEOUT_MS,
    signal: context.signal,
    log: join(folder, 'log'),
    env: {
      LD_LIBRARY_PATH: ['src', 'src-cpp'].map((part) => join(place.library, part)).join(':'),
      TESTS: number,
      TEST_KAFKA_VERSION: KAFKA_VERSION,
      TEST_REPORT: report,
      TEST_CONSUMER_GROUP_PROTOCOL: place.protocol,
      RDKAFKA_TEST_CONF: conf,
      BROKERS: place.bootstrapServers,
      KAFKA_PATH: place.kafkaPath,
    },
  })
  const { tests } = existsSync(report) ? (JSON.parse(readFileSync(report, 'utf8')) as Report) : { tests: {} }
  return names.map((name) => outcomeOf(name, tests[name]?.state, result))
}

function outcomeOf(test: string, state: string | undefined, result: CommandResult): Outcome {
  if (state === undefined) return { test, result: 'failed', text: describeFailure('test-runner', result, TIMEOUT_MS) }
  const outcome = { test, result: RESULTS[state] ?? 'failed' }
  return outcome.result === 'passed' ? outcome : { ...outcome, text: saidOf(test, result) ?? state }
}

/** What the runner says of a test that failed or was skipped. */
function saidOf(test: string, { stdout, stderr }: CommandResult): string | undefined {
  const lines = stripVTControlCharacters(stderr).split('\n')
  const failed = lines.findIndex((line) => line.startsWith(`### Test "${test}`))
  if (failed >= 0) return lines[failed + 1]
  // One line of the summary, which has the state and the time before the reason.
  const row = stripVTControlCharacters(stdout)
    .split('\n')
    .find((line) => line.startsWith('|') && line.includes(` ${test} `))
  return row?.split('|').slice(4).join('|').trim()
}
