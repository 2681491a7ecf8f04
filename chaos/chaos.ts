/**
 * `npm run -s chaos -- SCENARIO [--seconds N] [--delivery D] [--json]`: faults against the command line and real brokers.
 *
 * The verdict goes to standard output, what happens meanwhile to standard error. Ends with 1 when it is not ok.
 */
import { parseArgs } from 'node:util'
import { runScenario } from './run-scenario.ts'
import type { Verdict } from './scenario.ts'
import { SCENARIOS } from './scenarios/index.ts'
import { DELIVERIES, LANES, SHAPES } from './setup.ts'

const USAGE = `Usage: npm run -s chaos -- SCENARIO [--seconds N] [--delivery D] [--lane L] [--shape S] [--rate N] [--seed N] [--json]

${SCENARIOS.map(({ name, summary }) => `  ${name.padEnd(13)}${summary}`).join('\n')}

  --seconds N   how long faults happen; 20 when omitted
  --delivery D  ${DELIVERIES.join(' or ')}; the first when omitted
  --lane L      ${LANES.join(' or ')}; drawn from the seed when omitted
  --shape S     ${SHAPES.join(' or ')} file; the first when omitted
  --rate N      integers per second; 2000 when omitted
  --seed N      gives the same faults again; drawn when omitted
  --json        the verdict as one line of JSON

KAFKA_BOOTSTRAP_SERVERS, when set, names a broker for scenarios that do not touch brokers.`

async function main(): Promise<number> {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: {
      seconds: { type: 'string', default: '20' },
      delivery: { type: 'string', default: DELIVERIES[0] },
      lane: { type: 'string' },
      shape: { type: 'string', default: SHAPES[0] },
      rate: { type: 'string', default: '2000' },
      seed: { type: 'string', default: String(Math.floor(Math.random() * 1e9)) },
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
  const delivery = oneOf('--delivery', values.delivery, DELIVERIES)
  if (scenario.deliveries?.includes(delivery) === false)
    throw new UsageError(
      `Scenario "${name}" makes no sense with ${delivery}: only with ${scenario.deliveries.join(', ')}`,
    )
  const shape = oneOf('--shape', values.shape, SHAPES)
  const { shapes = ['linear'] } = scenario
  if (!shapes.includes(shape))
    throw new UsageError(`Scenario "${name}" knows no ${shape} file: only ${shapes.join(', ')}`)

  const stop = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => stop.abort(new Error(`Stopped by ${signal}`)))
  const started = performance.now()
  const verdict = await runScenario(scenario, {
    seconds: positive('--seconds', values.seconds),
    delivery,
    lane: values.lane === undefined ? undefined : oneOf('--lane', values.lane, LANES),
    shape,
    rate: positive('--rate', values.rate),
    seed: positive('--seed', values.seed),
    signal: stop.signal,
    tell: (text) =>
      process.stderr.write(`${((performance.now() - started) / 1000).toFixed(1).padStart(7)} s  ${text}\n`),
  })
  console.log(values.json ? JSON.stringify(verdict) : readable(verdict))
  return verdict.ok ? 0 : 1
}

function readable({ problems, faults, ...verdict }: Verdict): string {
  const rows = Object.entries({
    ...verdict,
    faults: Object.entries(faults)
      .map(([name, count]) => `${name} ${count}`)
      .join(', '),
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

function oneOf<T extends string>(option: string, text: string, values: readonly T[]): T {
  const value = values.find((each) => each === text)
  if (value === undefined) throw new UsageError(`${option} must be ${values.join(' or ')}: current value is "${text}"`)
  return value
}

class UsageError extends Error {}

try {
  process.exitCode = await main()
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode =
    error instanceof UsageError || (error as { code?: string }).code?.startsWith('ERR_PARSE_ARGS') === true ? 2 : 3
}
