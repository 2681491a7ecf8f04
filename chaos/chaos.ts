/**
 * `npm run -s chaos -- SCENARIO [--setting S] [--seconds N] [--seed N] [--embedded] [--json]`: faults against the command line and real brokers.
 *
 * The verdict goes to standard output, what happens meanwhile to standard error. Ends with 1 when it is not ok.
 */
import { parseArgs } from 'node:util'
import { runScenario } from './run-scenario.ts'
import type { Verdict } from './scenario.ts'
import { SCENARIOS } from './scenarios/index.ts'
import { DIMENSIONS, parseSetting, settingsWithin } from './settings.ts'

const USAGE = `Usage: npm run -s chaos -- SCENARIO [--setting S] [--seconds N] [--rate N] [--seed N] [--embedded] [--json]

${SCENARIOS.map(({ name, summary }) => `  ${name.padEnd(21)}${summary}`).join('\n')}

  --setting S   what is fixed of the setting, such as delivery=exactly_once,brokers=3; the seed draws the rest:
${Object.entries(DIMENSIONS)
  .map(([dimension, values]) => `                  ${dimension.padEnd(12)}${values.join(', ')}`)
  .join('\n')}
  --seconds N   how long faults happen; 20 when omitted
  --rate N      integers per second; 2000 when omitted
  --seed N      gives the same setting and faults again; drawn when omitted
  --embedded    runs on the embedded broker; Apache Kafka when omitted
  --json        the verdict as one line of JSON

KAFKA_BOOTSTRAP_SERVERS, when set, names a broker for scenarios that do not touch brokers.`

async function main(): Promise<number> {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: {
      seconds: { type: 'string', default: '20' },
      setting: { type: 'string', default: '' },
      rate: { type: 'string', default: '2000' },
      seed: { type: 'string', default: String(Math.floor(Math.random() * 1e9)) },
      embedded: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  const [name] = positionals
  if (values.help || name === undefined) {
    console.error(USAGE)
    return values.help ? 0 : 2
  }
  const scenario = SCENARIOS.find((each) => each.name === name)
  if (scenario === undefined || positionals.length > 1)
    throw new UsageError(`There is no scenario "${positionals.join(' ')}"\n\n${USAGE}`)
  const setting = usable(() => parseSetting(values.setting))
  if (settingsWithin(scenario.allowed ?? {}, setting).length === 0)
    throw new UsageError(`Scenario "${name}" allows no such setting, only ${JSON.stringify(scenario.allowed)}`)

  const stop = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => stop.abort(new Error(`Stopped by ${signal}`)))
  const started = performance.now()
  const verdict = await runScenario(scenario, {
    seconds: positive('--seconds', values.seconds),
    setting,
    running: values.embedded ? {} : { 1: process.env['KAFKA_BOOTSTRAP_SERVERS'] },
    isEmbedded: values.embedded,
    rate: positive('--rate', values.rate),
    seed: positive('--seed', values.seed),
    signal: stop.signal,
    tell: (text) =>
      process.stderr.write(`${((performance.now() - started) / 1000).toFixed(1).padStart(7)} s  ${text}\n`),
  })
  console.log(values.json ? JSON.stringify(verdict) : readable(verdict))
  return verdict.ok ? 0 : 1
}

function readable(verdict: Verdict): string {
  const { scenario, repeat, faults, input, output, lost, repeated, outOfOrder, promised, catchUpMs, problems, ok } =
    verdict
  const rows = Object.entries({
    scenario,
    repeat,
    input,
    output,
    lost,
    repeated,
    outOfOrder,
    promised: promised.join(', '),
    catchUpMs,
    faults: Object.entries(faults)
      .map(([name, count]) => `${name} ${count}`)
      .join(', '),
    ok,
  })
  return [
    ...rows.map(([name, value]) => `${name.padEnd(12)}${value}`),
    ...problems.map((problem) => `problem     ${problem}`),
  ].join('\n')
}

function positive(option: string, text: string): number {
  const value = Number(text)
  if (!(value > 0 && Number.isFinite(value)))
    throw new UsageError(`${option} must be a number above 0: current value is "${text}"`)
  return value
}

function usable<T>(parse: () => T): T {
  try {
    return parse()
  } catch (error) {
    throw new UsageError(`--setting: ${(error as Error).message}`)
  }
}

class UsageError extends Error {}

try {
  process.exitCode = await main()
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode =
    error instanceof UsageError || (error as { code?: string }).code?.startsWith('ERR_PARSE_ARGS') === true ? 2 : 3
}
