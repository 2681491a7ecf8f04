/**
 * `millrace dry-run`: the real source, the real stages, and on the terminal what the sink would be given.
 */
import { readAnyPlan, readPlan } from '../dialects/index.ts'
import type { PipelinePlan } from '../engine/plan.ts'
import { isMillraceError } from '../errors/index.ts'
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
  const plan = await readAnyPlan(file)
  for (const warning of plan.warnings)
    process.stderr.write(`${formatProblem(file, { ...warning, message: `warning: ${warning.message}` })}\n`)
  if (!('pipelines' in plan)) return dryRunOne(await readPlan(file), options)
  // One after the other, each as if it were alone.
  const outcomes: Outcome[] = []
  for (const each of plan.pipelines)
    outcomes.push(await dryRunOne(each, options).catch((error: unknown) => notYet(each, error)))
  return {
    exitCode: 0,
    summary: outcomes.map(({ summary }) => summary).join('; '),
    result: { pipelines: outcomes.map(({ result }) => result) },
  }
}

async function dryRunOne(plan: PipelinePlan, options: DryRunOptions): Promise<Outcome> {
  const { max, from, follow = false, json } = options
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
  const told =
    rows === max
      ? `would write ${rows === 1 ? 'this record' : `these ${plural(rows, 'record')}`}, and maybe more`
      : `read ${plural(read, 'record')}, would write ${rows.toLocaleString('en-US')}`
  const advice = read === 0 && from === 'run' ? '; a run would find nothing new, try --from earliest' : ''
  const summary = `${plan.name}: ${told}${advice}`
  if (json === undefined) process.stderr.write(`${summary}\n`)
  return { exitCode: 0, summary, result: { name: plan.name, records: lines.map(parseLine) } }
}

/** What another pipeline of the file writes is not there before that one has run. */
function notYet({ name, after = [] }: PipelinePlan, error: unknown): Outcome {
  if (after.length === 0 || !isMillraceError(error) || error.code !== 'TOPIC_NOT_FOUND') throw error
  const summary = `${name}: what it reads will be written by ${after.join(', ')}, and is not there yet`
  process.stderr.write(`${summary}\n`)
  return { exitCode: 0, summary, result: { name, records: [] } }
}
