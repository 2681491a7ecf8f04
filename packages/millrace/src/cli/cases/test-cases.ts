/**
 * Reads the test cases of a pipeline file.
 */
import { readDocument } from '../../dialects/document.ts'
import { toConfigProblem } from '../../dialects/problems.ts'
import { ConfigError, type ConfigProblem } from '../../errors/index.ts'
import { field } from '../../options/fields.ts'
import { parseOptions } from '../../options/parse.ts'
import { isObject } from '../../options/values.ts'

/** Documents, with `_meta` or `_raw` where it matters, null for a tombstone; of a graph also by stage. */
export type Documents = readonly unknown[] | { readonly [stage: string]: readonly unknown[] }

export function isByStage(
  documents: Documents | undefined,
): documents is { readonly [stage: string]: readonly unknown[] } {
  return documents !== undefined && !Array.isArray(documents)
}

export interface TestCase {
  readonly name: string
  /** Which pipeline of a file of several; the first one when omitted. */
  readonly pipeline: string | undefined
  readonly given: Documents
  readonly expect: Documents | undefined
  /** Code of the error that must come, or a part of its text. */
  readonly error: string | undefined
}

export interface TestFile {
  /** Values for the variables of the pipeline file. */
  readonly environment: { readonly [name: string]: string }
  readonly cases: readonly TestCase[]
}

const listField = field.of<readonly unknown[]>({
  expected: 'a list',
  schema: { type: 'array' },
  read(value, report) {
    if (Array.isArray(value)) return value
    report({ expected: this.expected, found: value })
    return []
  },
})

const documentsField = field.of<Documents>({
  expected: 'a list, or lists by stage',
  schema: { type: ['array', 'object'] },
  read(value, report) {
    if (Array.isArray(value)) return value
    if (isObject(value) && Object.values(value).every((list) => Array.isArray(list))) return value as Documents
    report({ expected: this.expected, found: value })
    return []
  },
})

const caseFields = {
  name: field.string().optional().doc('What the case shows.'),
  pipeline: field.string().optional().doc('Name of the pipeline, in a file with several.'),
  given: documentsField.doc('Input records. By stage if a graph has several sources.').example([{ amount: 100 }]),
  expect: documentsField.optional().doc('Expected output documents, in order. By stage if a graph has several sinks.'),
  error: field.string().optional().doc('Code of the expected error, or part of its message.'),
}

const fileFields = {
  environment: field.any().optional().doc('Values for the variables of the pipeline file.'),
  cases: listField.doc('The test cases.').example([{ given: [], expect: [] }]),
}

/** @throws {ConfigError} with all problems and their places */
export async function readCases(file: string): Promise<TestFile> {
  const document = await readDocument(file)
  const { options, problems: found } = parseOptions({ options: fileFields }, document.value)
  const problems: ConfigProblem[] = found.map(toConfigProblem)
  const cases = (options.cases ?? []).map((value, i): TestCase => {
    const parsed = parseOptions({ options: caseFields, rules: [] }, value, ['cases', i])
    problems.push(...parsed.problems.map(toConfigProblem))
    const { name = `case ${i + 1}`, pipeline, given, expect, error } = parsed.options
    if ((expect === undefined) === (error === undefined))
      problems.push({ path: `cases.${i}`, message: 'A case must have either expect or error' })
    return { name, pipeline, given, expect, error }
  })
  if (options.environment !== undefined && !isObject(options.environment))
    problems.push({ path: 'environment', message: 'environment must be an object of names and texts' })
  if (problems.length > 0)
    throw new ConfigError(
      `Test file "${file}" has problems`,
      problems.map((problem) => ({ file, ...problem, ...document.positionOf(problem.path) })),
    )
  const environment = Object.fromEntries(
    Object.entries(options.environment ?? {}).map(([name, value]) => [name, String(value)]),
  )
  return { environment, cases }
}
