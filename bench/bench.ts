/**
 * `npm run -s bench -- CASE [--json] [--scale X] [--rounds N] [--only NAME,NAME] [--against FOLDER]`: ours and the peers against one broker.
 *
 * The object goes to standard output, what happens meanwhile to standard error. README.md says what is counted.
 */

import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { Bed } from './bed.ts'
import type { Bench, Case } from './cases/case.ts'
import { avro } from './cases/avro.ts'
import { broker } from './cases/broker.ts'
import { compressed } from './cases/compressed.ts'
import { consume, control } from './cases/consume.ts'
import { copyEos } from './cases/copy-eos.ts'
import { copy } from './cases/copy.ts'
import { filter } from './cases/filter.ts'
import { latency } from './cases/latency.ts'
import { materialize } from './cases/materialize.ts'
import { memory } from './cases/memory.ts'
import { partitions } from './cases/partitions.ts'
import { produce } from './cases/produce.ts'
import { send } from './cases/send.ts'
import { startup } from './cases/startup.ts'
import { watched } from './cases/watched.ts'
import { inCheckout } from './child.ts'
import { commitOf, describeEnvironment } from './environment.ts'
import type { CaseResult } from './measure.ts'

const CASES: readonly Case[] = [
  consume,
  compressed,
  partitions,
  produce,
  send,
  latency,
  copy,
  copyEos,
  filter,
  avro,
  materialize,
  memory,
  broker,
  watched,
  control,
]
const NAMES = [...CASES.map(({ name }) => name), 'startup']

const USAGE = `Usage: npm run -s bench -- CASE [--json] [--scale X] [--rounds N] [--only NAME,NAME] [--against FOLDER]

${CASES.map(({ name, summary }) => `  ${name.padEnd(11)}${summary}`).join('\n')}
  startup    the command line as a whole process, and the size of an installation

  --json        the result as one line of JSON, nothing else on standard output
  --scale X     X times as many records; 1 when omitted
  --rounds N    runs of each contender, of which the median counts; 3 when omitted
  --only A,B    only these contenders; all when omitted
  --against F   instead of the peers, the Millrace of the checkout in folder F, which must be built

KAFKA_BOOTSTRAP_SERVERS, when set, names a broker to use instead of one that is started for the run.`

async function main(): Promise<number> {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: {
      json: { type: 'boolean', default: false },
      scale: { type: 'string', default: '1' },
      rounds: { type: 'string', default: '3' },
      only: { type: 'string' },
      against: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  })
  const [name] = positionals
  if (values.help || name === undefined || positionals.length > 1 || !NAMES.includes(name)) {
    const problem = values.help || name === undefined ? '' : `There is no case "${positionals.join(' ')}"\n\n`
    console.error(problem + USAGE)
    return values.help ? 0 : 2
  }
  const scale = positive('--scale', values.scale)
  const rounds = positive('--rounds', values.rounds)
  if (!Number.isInteger(rounds))
    throw new UsageError(`--rounds must be a whole number: current value is "${values.rounds}"`)

  const against = values.against === undefined ? undefined : builtCheckout(values.against)
  const before = against === undefined ? undefined : <T>(run: () => Promise<T>) => inCheckout(against, run)

  const progress = (text: string) => process.stderr.write(`${name}: ${text}\n`)
  const environment = describeEnvironment()
  const start = performance.now()
  const result =
    name === 'startup'
      ? await startup({ progress, before })
      : await onBroker(
          CASES.find((each) => each.name === name)!,
          { scale, rounds, only: values.only?.split(','), before, progress },
        )
  const report = {
    case: name,
    scale,
    rounds,
    ...result,
    minutes: Math.round((performance.now() - start) / 6000) / 10,
    environment: against === undefined ? environment : { ...environment, against: commitOf(against) },
  }
  console.log(JSON.stringify(report, undefined, values.json ? undefined : 2))
  return 0
}

async function onBroker(
  chosen: Case,
  { scale, ...options }: Omit<Bench, 'bed' | 'scaled'> & { scale: number },
): Promise<CaseResult> {
  options.progress('starting the broker')
  const bed = await Bed.start()
  const stop = (): void => {
    // The broker that was started for this run ends with this process.
    process.exit(130)
  }
  process.once('SIGINT', stop)
  process.once('SIGTERM', stop)
  try {
    return await chosen.run({ ...options, bed, scaled: (records) => Math.max(1000, Math.round(records * scale)) })
  } finally {
    await bed.stop()
  }
}

/** @throws {UsageError} unless the folder holds a checkout that was built */
function builtCheckout(folder: string): string {
  const path = resolve(folder)
  if (!existsSync(join(path, 'packages', 'millrace', 'dist', 'index.js')))
    throw new UsageError(`--against needs a built checkout: run npm ci && npm run build in ${path}`)
  return path
}

class UsageError extends Error {}

function positive(option: string, text: string): number {
  const value = Number(text)
  if (!(value > 0)) throw new UsageError(`${option} must be a number above 0: current value is "${text}"`)
  return value
}

try {
  process.exitCode = await main()
} catch (error) {
  console.error(error instanceof UsageError ? error.message : error)
  process.exitCode = error instanceof UsageError ? 2 : 1
}
