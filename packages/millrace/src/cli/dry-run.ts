/**
 * `millrace dry-run`: the real source, the real stages, and on the terminal what the sink would be given.
 */
import { readAnyPlan, type ReadingOptions } from '../dialects/index.ts'
import type { GraphPlan } from '../engine/graph/plan.ts'
import type { PipelinePlan } from '../engine/plan.ts'
import { isMillraceError } from '../errors/index.ts'
import { formatProblem, plural, type Outcome } from './output.ts'
import type { GraphPreviewOptions } from './preview/preview-graph.ts'
import type { PreviewOptions, PreviewResult } from './preview/options.ts'
import { preview } from './preview/index.ts'
import { parseLine, writtenLine } from './preview/record-line.ts'

export interface DryRunOptions extends ReadingOptions {
  readonly max: number
  readonly from: PreviewOptions['from']
  readonly follow?: true
  readonly json?: true
}

export async function dryRun(file: string, options: DryRunOptions): Promise<Outcome> {
  const plan = await readAnyPlan(file, undefined, options)
  for (const warning of plan.warnings)
    process.stderr.write(`${formatProblem(file, { ...warning, message: `warning: ${warning.message}` })}\n`)
  if ('nodes' in plan) return dryRunGraph(plan, options)
  if (!('pipelines' in plan)) return dryRunOne(plan, options)
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
  const lines = new Lines(options)
  const onRow: PreviewOptions['onRow'] = (batch, row, codec) => lines.add(writtenLine(batch, row, codec))
  const { from, follow = false, max } = options
  return told(plan.name, options, lines, await preview(plan, { from, follow, max, onRow }), max)
}

/** Each line says for which sink it is. */
async function dryRunGraph(plan: GraphPlan, options: DryRunOptions): Promise<Outcome> {
  const { previewGraph } = await import('./preview/preview-graph.ts')
  const lines = new Lines(options)
  const onRow: GraphPreviewOptions['onRow'] = (batch, row, codec, stage) =>
    lines.add(`{"stage":${JSON.stringify(stage)},${writtenLine(batch, row, codec).slice(1)}`)
  const { from, follow = false, max } = options
  const sinks = plan.nodes.filter(({ kind }) => kind === 'sink').length
  return told(plan.name, options, lines, await previewGraph(plan, { from, follow, max, onRow }), max * sinks)
}

/** Prints lines, or keeps them for the envelope. */
class Lines {
  readonly kept: string[] = []
  readonly #json: boolean

  constructor({ json }: Pick<DryRunOptions, 'json'>) {
    this.#json = json === true
  }
  add(line: string): void {
    if (this.#json) this.kept.push(line)
    else process.stdout.write(`${line}\n`)
  }
}

function told(
  name: string,
  { from, json }: DryRunOptions,
  { kept }: Lines,
  { read, rows }: PreviewResult,
  max: number,
): Outcome {
  const what =
    rows === max
      ? `would write ${rows === 1 ? 'this record' : `these ${plural(rows, 'record')}`}, and possibly more`
      : `read ${plural(read, 'record')}, would write ${rows.toLocaleString('en-US')}`
  const advice = read === 0 && from === 'run' ? '; a run would find nothing new: try --from earliest' : ''
  const summary = `${name}: ${what}${advice}`
  if (json === undefined) process.stderr.write(`${summary}\n`)
  return { exitCode: 0, summary, result: { name, records: kept.map(parseLine) } }
}

/** What another pipeline of the file writes is not there before that one has run. */
function notYet({ name, after = [] }: PipelinePlan, error: unknown): Outcome {
  if (after.length === 0 || !isMillraceError(error) || error.code !== 'TOPIC_NOT_FOUND') throw error
  const summary = `${name}: its input does not exist yet: ${after.join(', ')} will write it`
  process.stderr.write(`${summary}\n`)
  return { exitCode: 0, summary, result: { name, records: [] } }
}
