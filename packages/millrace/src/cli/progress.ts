/**
 * Shows how far a run is: a live line on a terminal, JSON lines elsewhere. Always on standard error.
 */
import type { RunProgress, CountsByCode } from '../engine/plan.ts'
import type { EventName, Report } from '../metrics/events.ts'
import { formatBytes, formatCount } from '../options/units.ts'
import { errorLines, toEnvelopeError } from './output.ts'
import type { LogLevel } from './verbs/verb.ts'

export type LogFacts = { readonly [name: string]: unknown }

export interface ProgressDisplay {
  /** Logs that the run begins; on a terminal that is no news. */
  started?(facts: LogFacts): void
  /** Reports what ended the run. */
  failed(error: unknown, file: string): void
  show(progress: RunProgress): void
  readonly warn: Report
  readonly info: Report
  /** Takes the live line away. */
  end(): void
}

/**
 * The line of a moment: lag, time left when the run is bounded, what failed or stands in the way, totals, and rates since an
 * earlier moment. What matters most comes first; a narrow terminal leaves out rates.
 */
export function progressLine(
  now: RunProgress,
  before: RunProgress | undefined,
  isBounded: boolean,
  columns = Infinity,
): string {
  const { readPerSecond, writtenPerSecond, bytesPerSecond } = ratesOf(now, before)
  const { lag, problem } = now
  const first = [`${(now.elapsedMs / 1000).toFixed(0)} s`]
  if (lag !== undefined) first.push(`lag ${lag === null ? '?' : formatCount(lag)}`)
  if (isBounded && typeof lag === 'number' && readPerSecond > 0) first.push(`ETA ${formatSeconds(lag / readPerSecond)}`)
  const [read, written] = [`read ${formatCount(now.read.records)}`, `written ${formatCount(now.written.records)}`]
  const [readRate, writtenRate] = [formatCount(readPerSecond), formatCount(writtenPerSecond)]
  const endings =
    problem === undefined
      ? [
          [`${read} (${readRate}/s, ${formatBytes(bytesPerSecond)}/s)`, `${written} (${writtenRate}/s)`],
          [`${read} (${readRate}/s)`, `${written} (${writtenRate}/s)`],
          [read, written],
        ]
      : [[problem, read, written]]
  const failures = [failureParts(now, formatCount), failureParts(now, formatCount, false)]
  const lines = failures.flatMap((parts) => endings.map((ending) => [...first, ...parts, ...ending].join('  ')))
  return lines.find((line) => line.length <= columns) ?? lines.at(-1)!.slice(0, columns)
}

/** What became of records that failed, by their error codes; nothing when none did. */
export function failureParts(
  { errors: { skipped, deadLettered, retried }, circuitBreaker }: RunProgress,
  format: (count: number) => string,
  hasCodes = true,
): string[] {
  const counts = [
    ['skipped', skipped],
    ['dead letters', deadLettered],
    ['retried', retried],
  ] as const
  const textOf = ([name, byCode]: (typeof counts)[number]): string[] => {
    const count = sum(byCode)
    const codes = Object.entries(byCode).map(([code, each]) => `${code} ${format(each)}`)
    return count === 0 ? [] : [`${name} ${format(count)}${hasCodes ? ` (${codes.join(', ')})` : ''}`]
  }
  return [
    ...counts.flatMap(textOf),
    ...(circuitBreaker === undefined || circuitBreaker.state === 'closed' ? [] : [`circuit ${circuitBreaker.state}`]),
  ]
}

function sum(counts: CountsByCode): number {
  return Object.values(counts).reduce((total, count) => total + count, 0)
}

export interface Rates {
  readonly readPerSecond: number
  readonly writtenPerSecond: number
  /** Bytes read. */
  readonly bytesPerSecond: number
}

/** Rates between two moments; of the whole run without an earlier one. */
export function ratesOf(now: RunProgress, before?: RunProgress): Rates {
  const seconds = Math.max(0.001, (now.elapsedMs - (before?.elapsedMs ?? 0)) / 1000)
  return {
    readPerSecond: Math.round((now.read.records - (before?.read.records ?? 0)) / seconds),
    writtenPerSecond: Math.round((now.written.records - (before?.written.records ?? 0)) / seconds),
    bytesPerSecond: Math.round((now.read.bytes - (before?.read.bytes ?? 0)) / seconds),
  }
}

/** One line that is written over and over. */
export function terminalDisplay(stream: NodeJS.WriteStream, isBounded: boolean, level: LogLevel): ProgressDisplay {
  let before: RunProgress | undefined
  let line = ''
  const above = (text: string): void => {
    stream.write(`\r\u001B[2K${text}\n${line}`)
  }
  return {
    show(progress) {
      line = progressLine(progress, before, isBounded, Math.max(20, (stream.columns || 80) - 1))
      before = progress
      stream.write(`\r\u001B[2K${line}`)
    },
    warn: (message, facts) => {
      if (level !== 'error') above(`warning: ${message}${formatFacts(facts)}`)
    },
    info: (message) => {
      if (level === 'info') above(message)
    },
    failed(error, file) {
      for (const text of errorLines(error, file)) stream.write(`${text}\n`)
    },
    end() {
      if (line !== '') stream.write('\r\u001B[2K')
      line = ''
    },
  }
}

export interface LogOptions {
  readonly level: LogLevel
  /** Time between two lines about progress. */
  readonly intervalMs: number
}

/** One JSON object per line. */
export async function logDisplay(
  pipeline: string,
  isBounded: boolean,
  { level, intervalMs }: LogOptions,
): Promise<ProgressDisplay> {
  const { default: pino } = await import('pino')
  // A full disk for logs is no reason to stop moving records.
  const destination = pino.destination({ dest: 2, sync: true }).on('error', () => {})
  const log = pino(
    {
      level,
      base: { pipeline },
      messageKey: 'message',
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    destination,
  )
  let before: RunProgress | undefined
  return {
    show(progress) {
      if (progress.elapsedMs - (before?.elapsedMs ?? 0) < intervalMs) return
      const rates = ratesOf(progress, before)
      const etaSeconds =
        isBounded && typeof progress.lag === 'number' && rates.readPerSecond > 0
          ? Math.round(progress.lag / rates.readPerSecond)
          : undefined
      log.info(
        {
          event: 'run.progress' satisfies EventName,
          read: progress.read.records,
          written: progress.written.records,
          ...rates,
          lag: progress.lag,
          problem: progress.problem,
          etaSeconds,
          ...progress.errors,
          circuitBreaker: progress.circuitBreaker,
        },
        'progress',
      )
      before = progress
    },
    warn: (message, facts) => log.warn({ event: 'warning' satisfies EventName, ...facts }, message),
    info: (message, facts = {}) => log.info(facts, message),
    started: (facts) => log.info({ event: 'run.started' satisfies EventName, ...facts }, 'started'),
    failed(error, file) {
      const { code, hint } = toEnvelopeError(error)
      const texts = errorLines(error, file).filter((text) => text !== hint)
      for (const text of texts)
        log.error(
          { event: 'run.failed' satisfies EventName, code, hint },
          text.startsWith(`${code}: `) ? text.slice(code.length + 2) : text,
        )
    },
    end: () => {},
  }
}

function formatFacts(facts: { readonly [name: string]: unknown } | undefined): string {
  const entries = Object.entries(facts ?? {}).filter(([name]) => name !== 'event')
  return entries.length === 0 ? '' : ` (${entries.map(([name, value]) => `${name} ${String(value)}`).join(', ')})`
}

function formatSeconds(seconds: number): string {
  if (seconds < 90) return `${Math.ceil(seconds)} s`
  const minutes = Math.round(seconds / 60)
  return minutes < 90 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}
