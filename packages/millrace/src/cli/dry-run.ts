/**
 * `millrace dry-run`: the real source, the real stages, and on the terminal what the sink would be given.
 */
import { readPlan } from '../dialects/index.ts'
import { formatProblem, plural, type Outcome } from './output.ts'
import { preview, type PreviewOptions } from './preview.ts'
import { parseLine, recordLine } from './record-line.ts'

export interface DryRunOptions {
  readonly max: number
  readonly from: PreviewOptions['from']
  readonly follow?: true
  readonly json?: true
}

export async function dryRun(file: string, options: DryRunOptions): Promise<Outcome> {
  const { max, from, follow = false, json } = options
  const plan = await readPlan(file)
  for (const warning of plan.warnings)
    process.stderr.write(`${formatProblem(file, { ...warning, message: `warning: ${warning.message}` })}\n`)
  const lines: string[] = []
  const { read, rows } = await preview(plan, {
    from,
    follow,
    max,
    onRow: (batch, row, codec) => {
      const line = recordLine(batch, row, codec)
      if (json) lines.push(line)
      else process.stdout.write(`${line}\n`)
    },
  })
  const isNothing = read === 0 && from === 'run'
  const told =
    rows === max
      ? `would write these ${plural(rows, 'record')}, and maybe more`
      : `read ${plural(read, 'record')}, would write ${rows.toLocaleString('en-US')}`
  const summary = `${plan.name}: ${told}${isNothing ? '; a run would begin at the end of what is there, try --from earliest' : ''}`
  if (json === undefined) process.stderr.write(`${summary}\n`)
  return { exitCode: 0, summary, result: { records: lines.map(parseLine) } }
}
