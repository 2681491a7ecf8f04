/**
 * `millrace check`: tells of each connector of a pipeline file whether it could work, and how long that took to find out.
 */
import type { Check } from '../contracts/source.ts'
import { readAnyPlan, type ReadingOptions } from '../dialects/index.ts'
import { connectorsOf, type Connector } from './connectors.ts'
import { exitCodeOf } from './exit-code.ts'
import { errorLines, plural, toEnvelopeError, type EnvelopeError, type Outcome } from './output.ts'

interface CheckReport {
  readonly name: string
  /** Undefined when it was not tried, because one before it failed. */
  readonly ok: boolean | undefined
  readonly elapsedMs: number | undefined
  /** What was found, or what is wrong. */
  readonly message: string
  readonly error?: EnvelopeError
}

interface ConnectorReport extends Pick<Connector, 'kind' | 'title'> {
  readonly checks: readonly CheckReport[]
}

export async function check(
  file: string,
  { json, ...reading }: ReadingOptions & { readonly json?: true },
): Promise<Outcome> {
  const plan = await readAnyPlan(file, undefined, reading)
  const errors: unknown[] = []
  const connectors: ConnectorReport[] = []
  for (const connector of await connectorsOf(plan)) {
    const { kind, title } = connector
    const say = (line: string): void => void (json === undefined && process.stdout.write(`${line}\n`))
    say(`${kind} ${title}`)
    connectors.push({ kind, title, checks: await runChecks(connector, file, errors, (report) => say(lineOf(report))) })
  }
  const summary =
    errors.length === 0 ? `${plan.name}: all checks passed` : `${plan.name}: ${plural(errors.length, 'check')} failed`
  if (json === undefined) process.stdout.write(`${summary}\n`)
  const result = { connectors }
  if (errors.length === 0) return { exitCode: 0, summary, result }
  return { exitCode: Math.max(...errors.map(exitCodeOf)), summary, result, error: toEnvelopeError(errors[0]) }
}

/** @param onReport called as soon as there is a result, as the next check may take seconds */
async function runChecks(
  { make }: Connector,
  file: string,
  errors: unknown[],
  onReport: (report: CheckReport) => void,
): Promise<readonly CheckReport[]> {
  let made: Awaited<ReturnType<Connector['make']>>
  const configuration: Check = { name: 'configuration', run: async () => ((made = await make()), 'can be used') }
  const reports: CheckReport[] = []
  const report = async (one: Check): Promise<void> => {
    const found = reports.every(({ ok }) => ok)
      ? await runCheck(one, file, errors)
      : { name: one.name, ok: undefined, elapsedMs: undefined, message: 'not tried' }
    reports.push(found)
    onReport(found)
  }
  try {
    await report(configuration)
    for (const one of made?.checks?.() ?? []) await report(one)
  } finally {
    await made?.close()
  }
  return reports
}

async function runCheck({ name, run }: Check, file: string, errors: unknown[]): Promise<CheckReport> {
  const started = performance.now()
  const elapsed = (): number => Math.round((performance.now() - started) * 10) / 10
  try {
    const message = await run(new AbortController().signal)
    return { name, ok: true, elapsedMs: elapsed(), message }
  } catch (error) {
    errors.push(error)
    return {
      name,
      ok: false,
      elapsedMs: elapsed(),
      message: errorLines(error, file).join('; '),
      error: toEnvelopeError(error),
    }
  }
}

function lineOf({ name, ok, elapsedMs, message }: CheckReport): string {
  const verdict = ok === undefined ? '-' : ok ? 'ok' : 'FAILED'
  const time = elapsedMs === undefined ? '' : `${elapsedMs.toFixed(1)} ms`
  return `  ${verdict.padEnd(7)}${name.padEnd(14)}${time.padStart(10)}  ${message}`
}
