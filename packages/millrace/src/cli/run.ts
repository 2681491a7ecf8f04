/**
 * `millrace run`: runs a pipeline until its source ends or a signal comes (I4).
 */
import { setFlagsFromString } from 'node:v8'
import { catalog } from '../catalog.ts'
import { readAnyPlan, type ReadingOptions } from '../dialects/index.ts'
import type { GraphPlan } from '../engine/graph/plan.ts'
import {
  allSinksOf,
  type HttpPlan,
  type PipelineGroup,
  type PipelinePlan,
  type RunProgress,
  type RunResult,
} from '../engine/plan.ts'
import { ConfigError, isMillraceError } from '../errors/index.ts'
import { Counters } from '../metrics/counters.ts'
import { parseHttpAddress } from '../options/http-address.ts'
import { exitCodeOf } from './exit-code.ts'
import { formatProblem, plural, toEnvelopeError, type Outcome } from './output.ts'
import {
  failureParts,
  logDisplay,
  type LogFacts,
  type LogOptions,
  type ProgressDisplay,
  ratesOf,
  terminalDisplay,
} from './progress.ts'
import { StopSignals } from './stop-signals.ts'
import { startTelemetry, type Telemetry, telemetryPlan } from './telemetry.ts'
import type { LogLevel } from './verbs/verb.ts'
import { startWatching, type Watching } from './watching.ts'

type AnyPlan = PipelinePlan | PipelineGroup | GraphPlan

export interface RunFlags {
  readonly untilEnd?: boolean
  readonly json?: true
  /** Address to serve metrics, health and the dashboard at, in place of that of the file. */
  readonly http?: string
  /** Nothing of keys, values and headers is shown there. */
  readonly hideValues?: boolean
  readonly logLevel?: LogLevel
  /** Seconds between two lines of the log about progress. */
  readonly logInterval?: number
}

export async function run(
  file: string,
  {
    untilEnd = false,
    json,
    http,
    hideValues,
    logLevel = 'info',
    logInterval = 10,
    ...reading
  }: ReadingOptions & RunFlags,
): Promise<Outcome> {
  const plan = await readAnyPlan(file, undefined, reading)
  // What such stages print is for other programs, so that what we have to say goes elsewhere.
  const says = sinksOf(plan).some((name) => name.startsWith('stdout')) ? process.stderr : process.stdout
  const asked = http === undefined ? (plan.http ?? []) : httpOf(http)
  const servers = hideValues === true ? asked.map((each) => ({ ...each, hideValues })) : asked
  const telemetryWanted = telemetryPlan(process.env)
  const display = await displayOf(file, plan, untilEnd, { level: logLevel, intervalMs: logInterval * 1000 })

  const signals = new StopSignals(display.info)
  let latest: RunProgress | undefined
  let watching: Watching | undefined
  let telemetry: Telemetry | undefined
  try {
    const { readVersion } = await import('./program.ts')
    const version = await readVersion()
    if (telemetryWanted !== undefined) telemetry = await startTelemetry(telemetryWanted, version, display.warn)
    watching = await startWatching(servers, version, display)
    const metrics = watching.options.metrics ?? (telemetry && new Counters())
    if (metrics !== undefined) await telemetry?.observe(metrics)
    if ('stages' in plan && plan.stages.length === 0) keepNurserySmall()
    // The engine, and through the catalog the clients, are loaded only when there is something to run.
    const { runPlan } = await import('../engine/run-plan.ts')
    const result = await runPlan(plan, {
      components: catalog,
      signal: signals.stop,
      abort: signals.abort,
      untilEnd,
      onProgress: (progress) => {
        latest = progress
        display.show(progress)
      },
      ...watching.options,
      metrics,
      warn: watching.warn,
      inform: watching.inform,
    })
    display.end()
    const summary = `${summaryOf(plan.name, result)}${adviceFor(plan, result, file)}`
    if (json === undefined) says.write(`${summary}\n`)
    return { exitCode: signals.interrupted ?? 0, summary, result: resultOf(result) }
  } catch (error) {
    display.end()
    const { interrupted } = signals
    if (interrupted !== undefined) return stoppedAtOnce(interrupted)
    if (signals.stop.aborted && isMillraceError(error) && error.code === 'ABORTED')
      return stoppedBefore(plan.name, json === undefined)
    display.failed(error, file)
    return failureOf(error, latest)
  } finally {
    await watching?.close()
    await telemetry?.close()
    signals.release()
  }
}

function sinksOf(plan: AnyPlan): string[] {
  if ('nodes' in plan) return plan.nodes.map((node) => node.function)
  return 'pipelines' in plan ? plan.pipelines.flatMap(sinksOf) : allSinksOf(plan).map(({ component }) => component)
}

/** @throws {ConfigError} when it is no address */
function httpOf(given: string): readonly HttpPlan[] {
  if (given === 'off') return []
  const address = parseHttpAddress(given)
  if (address !== undefined) return [address]
  throw new ConfigError(
    `Cannot read option "--http" as it must be a port, an address such as "127.0.0.1:9600", or "off": current value is "${given}"`,
  )
}

const ENDINGS = {
  source: 'reached the end of the source',
  stage: 'a stage ended the run',
  signal: 'stopped as requested',
} as const

/** Why nothing was read, where it may be a surprise. */
function adviceFor(plan: AnyPlan, { ended, read }: RunResult, file: string): string {
  if (ended !== 'source' || read.records > 0) return ''
  const [options, ...others] = sourceOptionsOf(plan)
  const group = options === undefined || others.length > 0 ? undefined : groupOf(options)
  if (typeof group !== 'string') return ''
  const look = `millrace offsets ${file} shows how far it is`
  return options!['autoOffsetReset'] === 'latest'
    ? ` (a group without committed offsets starts there, unless auto.offset.reset is earliest; ${look})`
    : ` (nothing was left to read for group "${group}"; ${look})`
}

/** Options of all sources of one plan. */
function sourceOptionsOf(plan: AnyPlan): LogFacts[] {
  if ('pipelines' in plan) return []
  return 'nodes' in plan
    ? plan.nodes.filter(({ kind }) => kind === 'source').map(({ options }) => options)
    : [plan.source.options]
}

function summaryOf(name: string, result: RunResult): string {
  const { readPerSecond } = ratesOf(result)
  const count = new Intl.NumberFormat('en-US')
  const seconds = (result.elapsedMs / 1000).toFixed(1)
  const failed = failureParts(result, (each) => count.format(each))
  return `${name}: read ${plural(result.read.records, 'record')}, wrote ${count.format(result.written.records)} in ${seconds} s (${count.format(readPerSecond)} read/s)${failed.length === 0 ? '' : `, ${failed.join(', ')}`}; ${ENDINGS[result.ended]}`
}

/** Where the run shows how far it is. It begins with what lint warns of. */
async function displayOf(file: string, plan: AnyPlan, untilEnd: boolean, log: LogOptions): Promise<ProgressDisplay> {
  const display = process.stderr.isTTY
    ? terminalDisplay(process.stderr, untilEnd, log.level)
    : await logDisplay(plan.name, untilEnd, log)
  for (const warning of plan.warnings) display.warn(formatProblem(file, warning))
  display.started?.(await startOf(file, plan))
  return display
}

function stoppedBefore(name: string, isTold: boolean): Outcome {
  const summary = `${name}: stopped before it started, so nothing was read`
  if (isTold) process.stdout.write(`${summary}\n`)
  return { exitCode: 0, summary, result: null }
}

function stoppedAtOnce(exitCode: number): Outcome {
  const summary = 'Stopped at once by a second signal: the next run reads the records in flight again'
  process.stderr.write(`${summary}\n`)
  return { exitCode, summary, result: null, error: { code: 'ABORTED', message: summary } }
}

/** How a run ended that failed, and how far it came. */
function failureOf(error: unknown, latest: RunProgress | undefined): Outcome {
  const failure = toEnvelopeError(error)
  const result = latest === undefined ? null : resultOf({ ...latest, ended: 'error' })
  return { exitCode: exitCodeOf(error), summary: failure.message, result, error: failure }
}

/** What a log begins with: which program runs what, as whom. */
async function startOf(file: string, plan: AnyPlan): Promise<LogFacts> {
  const { readVersion } = await import('./program.ts')
  const started = { version: await readVersion(), file }
  if ('pipelines' in plan) return { ...started, pipelines: plan.pipelines.map(({ name }) => name) }
  const groups = 'nodes' in plan ? plan.nodes.map(({ options }) => groupOf(options)) : [groupOf(plan.source.options)]
  return { ...started, delivery: plan.delivery, groups: groups.filter((group) => group !== undefined) }
}

function groupOf(options: LogFacts): unknown {
  return options['groupId'] ?? options['group_id']
}

function resultOf(result: RunProgress & { readonly ended: RunResult['ended'] | 'error' }): unknown {
  return { ...result, elapsedMs: Math.round(result.elapsedMs), ...ratesOf(result) }
}

/**
 * Keeps V8 from growing the space for young objects. Without stages there are hardly any but buffers, which live outside
 * of it and are freed when it is collected: often is better than seldom (40 MB less, at the same speed). Documents are
 * another matter: there a larger nursery saves 8 % of the time.
 */
function keepNurserySmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1')
}
