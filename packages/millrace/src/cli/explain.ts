/**
 * `millrace explain`: tells how a pipeline would run, without connecting to anything.
 */
import { groupIdOf, type KafkaSourceOptions } from '../sources/kafka/options.ts'
import { KAFKA_SOURCE, SINKS, SOURCES, catalog } from '../catalog.ts'
import { readAnyPlan, type ReadingOptions } from '../dialects/index.ts'
import { explainGraph, type GraphExplanation } from '../engine/graph/explain-graph.ts'
import type { GraphPlan } from '../engine/graph/plan.ts'
import {
  allSinksOf,
  type Explanation,
  type PipelineGroup,
  type PipelinePlan,
  type PlannedComponent,
  type RateLimit,
} from '../engine/plan.ts'
import { explainPlan } from '../engine/explain.ts'
import type { Fields } from '../options/declaration.ts'
import { redact } from '../options/describe.ts'
import { formatProblem, plural, type Outcome } from './output.ts'

export async function explain(
  file: string,
  { json, ...reading }: ReadingOptions & { readonly json?: true },
): Promise<Outcome> {
  const plan = await readAnyPlan(file, undefined, reading)
  if ('nodes' in plan) return explainStages(file, plan, json)
  return 'pipelines' in plan ? explainAll(file, plan, json) : explainOne(file, plan, json)
}

async function explainOne(file: string, plan: PipelinePlan, json: true | undefined): Promise<Outcome> {
  const explanation = await explainPlan(plan, catalog)
  const source = describe(plan.source, SOURCES)
  const [sink, ...fanout] = allSinksOf(plan).map((planned) => describe(planned, SINKS))
  for (const warning of plan.warnings)
    process.stderr.write(`${formatProblem(file, { ...warning, message: `warning: ${warning.message}` })}\n`)
  if (json === undefined)
    process.stdout.write(
      `${textOf(
        plan,
        explanation,
        titleOf(source, groupOf(plan)),
        [sink!, ...fanout].map((each) => titleOf(each)),
      )}\n`,
    )
  const summary = `Pipeline "${plan.name}" takes the ${explanation.lane} lane with guarantee ${explanation.guarantee.name}`
  return {
    exitCode: 0,
    summary,
    result: { name: plan.name, source, sink, ...(fanout.length === 0 ? {} : { fanout }), ...explanation },
  }
}

async function explainAll(file: string, group: PipelineGroup, json: true | undefined): Promise<Outcome> {
  const outcomes: Outcome[] = []
  for (const plan of group.pipelines) {
    if (json === undefined && outcomes.length > 0) process.stdout.write('\n')
    outcomes.push(await explainOne(file, outcomes.length === 0 ? { ...plan, warnings: group.warnings } : plan, json))
  }
  const summary = `"${group.name}" has ${outcomes.length} pipelines that run together`
  return { exitCode: 0, summary, result: { name: group.name, pipelines: outcomes.map(({ result }) => result) } }
}

async function explainStages(file: string, plan: GraphPlan, json: true | undefined): Promise<Outcome> {
  const explanation = await explainGraph(plan, catalog)
  for (const warning of plan.warnings)
    process.stderr.write(`${formatProblem(file, { ...warning, message: `warning: ${warning.message}` })}\n`)
  if (json === undefined) process.stdout.write(`${graphTextOf(plan, explanation)}\n`)
  const summary = `Pipeline "${plan.name}" has ${plan.nodes.length} stages and guarantee ${explanation.guarantee.name}`
  return { exitCode: 0, summary, result: { name: plan.name, ...explanation } }
}

function graphTextOf(plan: GraphPlan, { stages, guarantee, backpressure, errors, ends }: GraphExplanation): string {
  const rows: [label: string, text: string][] = [
    ['pipeline', plan.name],
    ...stages.map(({ id, function: name, inputs, does }, i): [string, string] => [
      i === 0 ? 'stages' : '',
      `${id}: ${name}${inputs.length === 0 ? '' : ` <- ${inputs.join(', ')}`}; ${does}`,
    ]),
    ['guarantee', `${guarantee.name}: ${guarantee.means}`],
    ['ends', ends],
    ['memory', backpressure],
    ['errors', errors],
  ]
  return rows.map(([label, text]) => `${label.padEnd(11)}${text}`).join('\n')
}

/** Component and options, as they are printed. */
type Described = Pick<PlannedComponent, 'component' | 'options'>

/** Without secrets (I8). */
function describe(
  planned: PlannedComponent,
  entries: readonly { readonly name: string; readonly options: Fields }[],
): Described {
  const fields = entries.find(({ name }) => name === planned.component)!.options
  return { component: planned.component, options: redact(fields, planned.options) }
}

/** @param group that a source reads as a member of */
function titleOf({ component, options }: Described, group?: string): string {
  const { topic, bootstrapServers, path, template, records } = options
  const where = bootstrapServers === undefined ? '' : ` at ${listed(bootstrapServers)}`
  const who = group === undefined ? '' : `, group ${group}`
  const count = typeof records === 'number' ? `, ${plural(records, 'record')}` : ''
  const what = topic ?? path ?? template
  return `${component}${what === undefined ? '' : ` ${listed(what)}`}${where}${securityText(options)}${who}${count}`
}

function groupOf({ source: { component, options } }: PipelinePlan): string | undefined {
  return component === KAFKA_SOURCE.name ? groupIdOf(options as unknown as KafkaSourceOptions) : undefined
}

/** How connections are secured, where they are. */
function securityText({ securityProtocol: protocol, saslMechanism: mechanism }: Described['options']): string {
  if (protocol === undefined || protocol === 'PLAINTEXT') return ''
  return ` (${listed(protocol)}${mechanism === undefined ? '' : `, ${listed(mechanism)}`})`
}

function rateText({ recordsPerSecond, burst, maxInFlight }: RateLimit): string {
  const rate =
    recordsPerSecond === undefined
      ? []
      : [`at most ${recordsPerSecond} records/s, and up to ${burst} at once after a pause`]
  const room = maxInFlight === undefined ? [] : [`at most ${maxInFlight} records on their way to the sink`]
  return [...rate, ...room].join('; ')
}

function listed(value: unknown): string {
  return (Array.isArray(value) ? value : [value]).join(', ')
}

function textOf(plan: PipelinePlan, explanation: Explanation, source: string, sinks: readonly string[]): string {
  const rows: [label: string, text: string][] = [
    ['pipeline', plan.name],
    ['source', source],
    ...explanation.stages.map(({ name, needs, does }, i): [string, string] => [
      i === 0 ? 'stages' : '',
      `${name}: ${does} (needs ${needs})`,
    ]),
    ...sinks.map((sink, i): [string, string] => [i === 0 ? (sinks.length === 1 ? 'sink' : 'sinks') : '', sink]),
    ['lane', `${explanation.lane}: ${explanation.why}`],
    ['guarantee', `${explanation.guarantee.name}: ${explanation.guarantee.means}`],
    ...(explanation.starts === undefined ? [] : [['starts', explanation.starts] as [string, string]]),
    ...(explanation.schemas === undefined ? [] : [['schemas', explanation.schemas] as [string, string]]),
    ['commits', explanation.commits],
    ['partitions', explanation.partitions],
    ...(plan.rateLimit === undefined ? [] : [['rate limit', rateText(plan.rateLimit)] as [string, string]]),
    ['memory', explanation.backpressure],
    ['errors', explanation.errors],
  ]
  return rows.map(([label, text]) => `${label.padEnd(11)}${text}`).join('\n')
}
