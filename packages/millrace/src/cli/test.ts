/**
 * `millrace test`: runs the cases that stand beside pipeline files through their real stages, without a broker.
 */
import { access } from 'node:fs/promises'
import { extname } from 'node:path'
import type { ReadingOptions } from '../dialects/index.ts'
import { readDocument } from '../dialects/document.ts'
import { ConfigError, isMillraceError } from '../errors/index.ts'
import { diffLines } from './cases/diff-lines.ts'
import { plural, type Outcome } from './output.ts'
import { pipelineFiles } from './pipeline-files.ts'
import { type Documents, isByStage, readCases, type TestCase, type TestFile } from './cases/test-cases.ts'
import { runCase } from './cases/run-case.ts'

interface CaseReport {
  readonly name: string
  readonly ok: boolean
  readonly elapsedMs: number
  /** What differs: lines that begin with a minus are expected, with a plus found. */
  readonly diff?: readonly string[]
}

interface FileReport {
  readonly file: string
  readonly cases: readonly CaseReport[]
}

/** @param paths files, and folders of files; of a folder those that have test cases */
export async function test(
  paths: readonly string[],
  { json, ...reading }: ReadingOptions & { readonly json?: true },
): Promise<Outcome> {
  const reports: FileReport[] = []
  for (const file of await pipelineFiles(paths)) {
    const testFile = await testFileOf(file)
    if (testFile === undefined) {
      if (paths.includes(file)) await refuseUntested(file)
      continue
    }
    const cases = await readCases(testFile)
    const report = { file, cases: await runFile(file, cases, reading).catch((error) => throwIn(file, error)) }
    reports.push(report)
    if (json === undefined) process.stdout.write(`${linesOf(report).join('\n')}\n`)
  }
  if (reports.length === 0)
    throw new ConfigError(`Cannot find test cases in ${paths.map((path) => `"${path}"`).join(', ')}`)
  const cases = reports.flatMap((report) => report.cases)
  const failed = cases.filter(({ ok }) => !ok).length
  const summary =
    failed === 0 ? `${plural(cases.length, 'case')} passed` : `${failed} of ${plural(cases.length, 'case')} failed`
  if (json === undefined) process.stdout.write(`${summary}\n`)
  const error = { code: 'TEST_FAILED', message: summary }
  return { exitCode: failed === 0 ? 0 : 1, summary, result: { files: reports }, ...(failed === 0 ? {} : { error }) }
}

const ENDINGS = ['.yaml', '.yml', '.json', '.toml']

/** `orders.test.yaml` beside `orders.yaml`; undefined when there is none. */
async function testFileOf(file: string): Promise<string | undefined> {
  for (const ending of ENDINGS) {
    const candidate = `${stemOf(file)}.test${ending}`
    const isThere = await access(candidate).then(
      () => true,
      () => false,
    )
    if (isThere) return candidate
  }
  return undefined
}

function stemOf(file: string): string {
  return file.slice(0, file.length - extname(file).length)
}

/** What is wrong with the file itself comes first. */
async function refuseUntested(file: string): Promise<never> {
  await readDocument(file)
  throw new ConfigError(
    `Cannot find test cases for "${file}": write them to "${stemOf(file)}.test.yaml", as shown by millrace test --help`,
  )
}

/** Problems with the name of their file, as there may be several. */
function throwIn(file: string, error: unknown): never {
  if (!(error instanceof ConfigError)) throw error
  const { message, code, cause } = error
  const problems = error.problems.map((problem) => ({ file, ...problem }))
  throw new ConfigError(message, problems, { code: code as 'CONFIG_INVALID', cause })
}

async function runFile(file: string, { environment, cases }: TestFile, reading: ReadingOptions): Promise<CaseReport[]> {
  const reports: CaseReport[] = []
  for (const one of cases) {
    const started = performance.now()
    const diff = await differences(file, environment, one, reading)
    const elapsedMs = Math.round((performance.now() - started) * 10) / 10
    reports.push({ name: one.name, ok: diff.length === 0, elapsedMs, ...(diff.length === 0 ? {} : { diff }) })
  }
  return reports
}

async function differences(
  file: string,
  environment: TestFile['environment'],
  one: TestCase,
  reading: ReadingOptions,
): Promise<readonly string[]> {
  const { expect, error: wanted } = one
  try {
    const found = await runCase(file, environment, one, reading)
    if (wanted !== undefined) return [`- error: ${wanted}`, ...jsonLines(found).map((line) => `+ ${line}`)]
    return diffLines(jsonLines(expect ?? []), jsonLines(found))
  } catch (error) {
    // What is wrong with the file itself is no result of a test.
    if (!isMillraceError(error) || error instanceof ConfigError) throw error
    const told = `${error.code}: ${error.message}`
    if (wanted === undefined) return [...jsonLines(expect ?? []).map((line) => `- ${line}`), `+ error: ${told}`]
    return told.toLowerCase().includes(wanted.toLowerCase()) ? [] : [`- error: ${wanted}`, `+ error: ${told}`]
  }
}

/** One line for each field, in the order of their names, so that the order in which stages wrote them does not matter. */
function jsonLines(values: Documents): string[] {
  return (isByStage(values) ? [values] : values).flatMap((value) =>
    JSON.stringify(sorted(value), undefined, 2).split('\n'),
  )
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, field]) => [name, sorted(field)]),
  )
}

function linesOf({ file, cases }: FileReport): string[] {
  return [
    file,
    ...cases.flatMap(({ name, ok, elapsedMs, diff = [] }) => [
      `  ${ok ? 'ok    ' : 'FAILED'} ${name} (${elapsedMs.toFixed(1)} ms)`,
      ...diff.map((line) => `         ${line}`),
    ]),
  ]
}
