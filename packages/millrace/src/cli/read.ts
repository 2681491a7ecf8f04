/**
 * `millrace read`: prints the records of a topic, or of the source of a pipeline file. Joins no group, commits nothing.
 */
import { ConfigError } from '../errors/index.ts'
import { plural, type Outcome } from './output.ts'
import type { PreviewOptions } from './preview/options.ts'
import { preview } from './preview/index.ts'
import { parseLine, recordLine, valueLine } from './preview/record-line.ts'
import { sourcePlan, type SourceOptions } from './preview/source-plan.ts'

export interface ReadOptions extends SourceOptions {
  readonly max?: number
  readonly count?: number
  readonly from: PreviewOptions['from']
  readonly partition?: number
  readonly offset?: number
  readonly follow?: true
  readonly values?: true
  readonly json?: true
}

export async function read(file: string | undefined, options: ReadOptions): Promise<Outcome> {
  const { from, count, max = count, partition, offset, follow = false, values = false, json } = options
  if (offset !== undefined && partition === undefined)
    throw new ConfigError('Cannot begin at --offset without --partition, as each partition has offsets of its own')
  const plan = await sourcePlan(file, options)
  const toLine = values && json === undefined ? valueLine : recordLine
  const lines: string[] = []
  const { rows } = await preview(plan, {
    from,
    at: partition === undefined ? undefined : { partition, offset },
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
