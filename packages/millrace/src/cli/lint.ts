/**
 * `millrace lint`: checks pipeline files without running them.
 */
import { readPipelineFile, type ReadingOptions } from '../dialects/index.ts'
import { ConfigError, type ConfigProblem } from '../errors/index.ts'
import { formatProblem, plural, type Outcome } from './output.ts'
import { pipelineFiles } from './pipeline-files.ts'

interface FileReport {
  readonly file: string
  readonly problems: readonly ConfigProblem[]
  readonly warnings: readonly ConfigProblem[]
}

/** @param paths files, and folders of files */
export async function lint(
  paths: readonly string[],
  { json, ...reading }: ReadingOptions & { readonly json?: true },
): Promise<Outcome> {
  const files = await pipelineFiles(paths)
  const reports: FileReport[] = []
  for (const file of files) reports.push(await lintFile(file, reading))
  const count = reports.reduce((sum, { problems }) => sum + problems.length, 0)
  const bad = reports.filter(({ problems }) => problems.length > 0).length
  const summary =
    count === 0
      ? `${plural(files.length, 'file')} without problems`
      : `${plural(count, 'problem')} in ${plural(bad, 'file')}`
  if (json === undefined)
    process.stdout.write(`${[...reports.flatMap(linesOf), ...(files.length > 1 ? [summary] : [])].join('\n')}\n`)
  const error = { code: 'CONFIG_INVALID', message: summary }
  return { exitCode: count === 0 ? 0 : 2, summary, result: { files: reports }, ...(count === 0 ? {} : { error }) }
}

async function lintFile(file: string, reading: ReadingOptions): Promise<FileReport> {
  try {
    const { problems, warnings } = await readPipelineFile(file, undefined, reading)
    return { file, problems, warnings }
  } catch (error) {
    if (error instanceof ConfigError) return { file, problems: error.problems, warnings: [] }
    throw error
  }
}

function linesOf({ file, problems, warnings }: FileReport): string[] {
  return [
    ...problems.map((problem) => formatProblem(file, problem)),
    ...warnings.map((warning) => formatProblem(file, { ...warning, message: `warning: ${warning.message}` })),
    ...(problems.length === 0 ? [`${file}: ok`] : []),
  ]
}
