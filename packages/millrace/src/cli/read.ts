/**
 * `millrace read`: prints the records of a topic, or of the source of a pipeline file. Joins no group, commits nothing.
 */
import { ConfigError } from '../errors/index.ts'
import { plural, type Outcome } from './output.ts'
import { startOf, type StartOptions } from './preview/start.ts'
import { preview } from './preview/index.ts'
import { parseLine, recordLine, valueLine } from './preview/record-line.ts'
import { sourcePlan, type SourceOptions } from './preview/source-plan.ts'

export interface ReadOptions extends SourceOptions, StartOptions {
  readonly max?: number
  /** The same. */
  readonly count?: number
  readonly follow?: true
  readonly values?: true
  readonly json?: true
}

export async function read(file: string | undefined, options: ReadOptions): Promise<Outcome> {
  const { from, count, max = count, follow = false, values = false, json } = options
  const start = startOf(options)
  refuseReset(options)
  if (follow && json)
    throw new ConfigError(
      'Cannot use --json together with --follow, which has no end: without it, each line is JSON, too',
    )
  const plan = await sourcePlan(file, options)
  const toLine = values && json === undefined ? valueLine : recordLine
  const lines: string[] = []
  const { rows } = await preview(plan, {
    ...start,
    follow,
    max,
    sourceOnly: true,
    onRow: (batch, row, codec) => {
      const line = toLine(batch, row, codec)
      if (json) lines.push(line)
      else process.stdout.write(`${line}\n`)
    },
  })
  const summary = `${plural(rows, 'record')} read`
  if (rows === 0 && json === undefined)
    process.stderr.write(`${summary}${from === 'earliest' ? ': there are no records' : ': try --from earliest'}\n`)
  const records = lines.map(parseLine)
  return { exitCode: 0, summary, result: values ? { values: records.map(({ value }) => value) } : { records } }
}

/** What `--from` overrides would otherwise be dropped without a word. */
function refuseReset({ from, option = [] }: ReadOptions): void {
  const given = option.find((pair) => /^\s*auto_?\.?offset_?\.?reset\s*=/i.test(pair))
  if (given !== undefined && from !== 'run')
    throw new ConfigError(`Cannot use -o ${given} as --from sets where to start: use --from instead`)
}
