/**
 * What commands print. Standard output carries the result, standard error everything else. With `--json` standard
 * output carries exactly one line: the envelope.
 */
import { counted } from '../options/units.ts'
import { BatchError, isMillraceError, RecordError, type ConfigProblem, type MillraceError } from '../errors/index.ts'
import { isFaultOfRecord, meaningOf, reasonOf } from '../errors/meaning.ts'

export interface Envelope {
  readonly command: string
  readonly ok: boolean
  /** One sentence for people. */
  readonly summary: string
  readonly result: unknown
  readonly error: EnvelopeError | null
}

export interface EnvelopeError {
  readonly code: string
  readonly message: string
  readonly problems?: readonly ConfigProblem[]
  /** What to do about it. */
  readonly hint?: string
}

/** How a command ended. */
export interface Outcome {
  readonly exitCode: number
  readonly summary: string
  readonly result: unknown
  readonly error?: EnvelopeError
}

export { counted as plural }

export function printEnvelope(command: string, { exitCode, summary, result, error }: Outcome): void {
  const envelope: Envelope = { command, ok: exitCode === 0, summary, result: result ?? null, error: error ?? null }
  process.stdout.write(
    `${JSON.stringify(envelope, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value))}\n`,
  )
}

/** `FILE:LINE:COL path: message (suggestion)`, one line. */
export function formatProblem(asked: string, problem: ConfigProblem): string {
  const { file = asked, path, line, column, message, suggestion } = problem
  const place = [line === undefined ? file : `${file}:${line}:${column ?? 1}`, path].filter((part) => part !== '')
  const prefix = place.length === 0 ? '' : `${place.join(' ')}: `
  return `${prefix}${message}${suggestion === undefined ? '' : ` (${suggestion})`}`
}

/** Lines that tell of an error, without a stack for those who cannot mend the code. */
export function errorLines(thrown: unknown, file: string | undefined): string[] {
  const error = reportedOf(thrown)
  if (!isMillraceError(error) || error.code === 'UNEXPECTED') return unexpectedLines(error)
  const problems = problemsOf(error)
  if (problems.length > 0) return problems.map((problem) => formatProblem(file ?? '', problem))
  const first = error instanceof BatchError ? error.failures.values().next().value : undefined
  const hint = hintFor(error)
  return [
    `${error.code}: ${error.message}`,
    ...(first === undefined ? [] : [`${first.code}: ${first.message}`]),
    ...(hint === undefined ? [] : [hint]),
  ]
}

/** What ends a run is reported under its own code, whatever it was wrapped in: credentials that were refused are no failed batch. */
function reportedOf(error: unknown): unknown {
  return isMillraceError(error) && meaningOf(error) === 'ends-run' ? reasonOf(error) : error
}

export function toEnvelopeError(thrown: unknown): EnvelopeError {
  const error = reportedOf(thrown)
  if (!isMillraceError(error)) return { code: 'UNEXPECTED', message: messageOf(error) }
  const problems = problemsOf(error)
  const hint = hintFor(error)
  return {
    code: error.code,
    message: error.message,
    ...(problems.length === 0 ? {} : { problems }),
    ...(hint === undefined ? {} : { hint }),
  }
}

function problemsOf(error: MillraceError): readonly ConfigProblem[] {
  return 'problems' in error ? (error.problems as readonly ConfigProblem[]) : []
}

/** How to look at a record that ends a run, and how to get past it. */
function hintFor(error: MillraceError): string | undefined {
  const failed = error instanceof BatchError ? error.failures.values().next().value : error
  if (!(failed instanceof RecordError) || failed.offset === undefined || !isFaultOfRecord(failed)) return undefined
  const { topic, partition, offset } = failed
  if (topic === undefined || !/^[\w.-]+$/.test(topic)) return undefined // of a file
  return `Look at the record with "millrace read -t ${topic} --partition ${partition} --offset ${offset} --count 1"; errorPolicy "skip" or "deadLetter" lets a run go on without it`
}

function unexpectedLines(error: unknown): string[] {
  const isDebugging = process.env['MILLRACE_DEBUG'] === '1'
  return [
    `UNEXPECTED: ${messageOf(error)}`,
    `This is a bug in Millrace. Please report it as described in CONTRIBUTING.md of the project${isDebugging ? '' : '; MILLRACE_DEBUG=1 shows where it happened'}`,
    ...(isDebugging && error instanceof Error ? [stackOf(error)] : []),
  ]
}

function stackOf(error: Error): string {
  return `${error.stack ?? error.message}${error.cause instanceof Error ? `\ncaused by ${stackOf(error.cause)}` : ''}`
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
