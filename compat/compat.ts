/**
 * `npm run -s compat -- SUITE [--json] [--short] [--only TEST]... [--broker HOST:PORT | --kafka]`: clients and test suites that
 * others wrote, against the embedded broker.
 *
 * The outcome goes to standard output, what happens meanwhile to standard error. Ends with 1 when a test failed that is not
 * listed in `expected-failures.ts`. README.md says what a suite is.
 */
import { parseArgs } from 'node:util'
import { givenBroker, startApacheKafka, startEmbedded, type SuiteBroker } from './broker.ts'
import { runSuite, skipSuite, type Summary } from './run-suite.ts'
import type { Suite } from './suite.ts'
import { SUITES } from './suites/index.ts'

const USAGE = `Usage: npm run -s compat -- SUITE [--json] [--short] [--only TEST]... [--broker HOST:PORT | --kafka]

${SUITES.map(({ name, summary }) => `  ${name.padEnd(20)}${summary}`).join('\n')}

  --json               the counts as one line of JSON, nothing else on standard output
  --short              fewer records, and the quick tests only; CI uses it
  --only TEST          this test only; may be repeated
  --broker HOST:PORT   run against Apache Kafka at this address, to compare
  --kafka              run against Apache Kafka of the test bed, started for this run with the settings that the suite needs
  --help               show this text

What a suite fetches from its package registry is kept in ~/.cache/millrace/compat, or below MILLRACE_CACHE.
Exit codes: 0 all tests passed or failed as listed, 1 a test failed, 2 wrong usage, 3 the suite or the broker could not be started.`

async function main(): Promise<number> {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: {
      json: { type: 'boolean', default: false },
      short: { type: 'boolean', default: false },
      only: { type: 'string', multiple: true },
      broker: { type: 'string' },
      kafka: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help || positionals.length === 0) {
    console[values.help ? 'log' : 'error'](USAGE)
    return values.help ? 0 : 2
  }
  const suite = SUITES.find(({ name }) => name === positionals[0])
  if (suite === undefined || positionals.length > 1)
    throw new UsageError(`There is no suite "${positionals.join(' ')}"\n\n${USAGE}`)
  if (values.kafka && values.broker !== undefined) throw new UsageError('Use --broker or --kafka, not both')

  const started = performance.now()
  const progress = (text: string): void => {
    process.stderr.write(`${((performance.now() - started) / 1000).toFixed(1).padStart(7)} s  ${text}\n`)
  }
  const print = (summary: Summary): number => {
    console.log(values.json ? JSON.stringify(summary) : readable(summary))
    return summary.failed === 0 ? 0 : 1
  }
  const problem = await suite.whyNot?.()
  if (problem !== undefined) {
    progress(`skipped: ${problem}`)
    return print(skipSuite(suite))
  }
  const stop = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => stop.abort(new Error(`Stopped by ${signal}`)))
  const broker = await openBroker(suite.broker, values, progress)
  progress(
    `${suite.name} against ${broker.kind === 'kafka' ? 'Apache Kafka' : 'the embedded broker'} at ${broker.bootstrapServers}`,
  )
  try {
    const startAnother = async (options: Suite['broker']) =>
      values.broker === undefined ? openBroker(options, values, progress) : undefined
    const options = { isShort: values.short, only: values.only, signal: stop.signal, startAnother, progress }
    return print(await runSuite(suite, broker, options))
  } finally {
    await broker.stop()
  }
}

async function openBroker(
  options: Suite['broker'],
  values: { broker?: string | undefined; kafka: boolean },
  progress: (text: string) => void,
): Promise<SuiteBroker> {
  if (values.broker !== undefined) return givenBroker(values.broker)
  if (values.kafka) return startApacheKafka(options)
  return startEmbedded(options, (line) => progress(`broker: ${line}`))
}

function readable({ suite, passed, failed, skipped, expectedFailures }: Summary): string {
  return `${suite}: ${passed} passed, ${failed} failed, ${skipped} skipped, ${expectedFailures} failed as expected`
}

class UsageError extends Error {}

let exitCode
try {
  exitCode = await main()
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  const isUsage =
    error instanceof UsageError || (error as { code?: string }).code?.startsWith('ERR_PARSE_ARGS') === true
  exitCode = isUsage ? 2 : 3
}
// A test that took too long may go on, and its client would try to reach the broker for ever.
process.exit(exitCode)
