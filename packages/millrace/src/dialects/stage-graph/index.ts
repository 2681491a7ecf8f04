/**
 * The shape of Conveyor: stages that name their inputs, in TOML first of all.
 *
 * ```toml
 * [pipeline]
 * name = "kafka-etl"
 *
 * [[stages]]
 * id = "consume"
 * function = "kafka"
 * inputs = []
 * [stages.config]
 * brokers = "localhost:9092"
 * topic = "raw-events"
 * group_id = "etl-processor"
 * ```
 *
 * Old files write `type = "source.csv"` instead of `function = "csv.read"`. `{{name}}` stands for a variable of
 * `[global.variables]`. Unlike on the host, parameters of stages are checked, and unknown ones are problems.
 */
import { dirname, resolve } from 'node:path'
import type { GraphPlan } from '../../engine/graph/plan.ts'
import type { ConfigProblem } from '../../errors/index.ts'
import type { Options } from '../../options/declaration.ts'
import { isObject } from '../../options/values.ts'
import { deliveryFields } from '../delivery.ts'
import type { GraphContext, GraphResult } from './context.ts'
import { atTop, chosen, circleWarnings, connectionOf, DELIVERY_NAMES, graphDeliveryProblems } from './delivery.ts'
import { conditionWarnings } from '../stage-warnings.ts'
import { endlessWarnings } from './endless.ts'
import { circuitBreaker, errorFields, errorPolicy, globalFields, pipelineFields } from './fields.ts'
import { inOrder, type PlacedNode } from './order.ts'
import { preparation } from '../prepare-stages.ts'
import { Findings } from '../problems.ts'
import { type StageContext, readStage, suggest } from './stage.ts'
import { readVariables, type Variables } from './variables.ts'

/** Makes a plan of the content of a file, and finds all its problems. */
export async function readStageGraph(value: unknown, context: GraphContext): Promise<GraphResult> {
  const findings = new Findings()
  const { problems, warnings } = findings
  const content = isObject(value) ? value : {}
  warnOfUnknownSections(content, warnings)
  const file = readSections(content, context, findings)
  const stages = content['stages']
  if (!Array.isArray(stages) || stages.length === 0) {
    problems.push({
      path: 'stages',
      message: 'The file must have at least one stage',
      suggestion: 'start each stage with [[stages]]',
    })
    return { plan: undefined, graph: undefined, problems, warnings }
  }
  const nodes = await readStages(stages, file, context, findings)
  const ordered = inOrder(nodes, idsOf(stages), problems)
  const policy = errorPolicy(file.errors, connectionOf(nodes), problems, warnings)
  // While stages have problems, what else is wrong with them cannot be found out.
  if (!problems.some(({ path }) => path.startsWith('stages')))
    problems.push(...graphDeliveryProblems({ ...file.promised, nodes, errorPolicy: policy, stages }))
  if (problems.length > 0) return { plan: undefined, graph: undefined, problems, warnings }
  warnings.push(
    ...unusedWarnings(nodes),
    ...circleWarnings(nodes),
    ...endlessWarnings(nodes),
    ...nodes.flatMap(({ function: name, options }) =>
      name === '$match' ? conditionWarnings(options['spec'], String(options['path'])) : [],
    ),
  )
  const { promised, settings, errors, isStreaming } = file
  const graph: GraphPlan = {
    name: file.name,
    file: context.file,
    directory: process.cwd(),
    folders: [...new Set([process.cwd(), dirname(resolve(context.file))])],
    nodes: ordered,
    delivery: promised.delivery,
    commitIntervalMs: promised.commitInterval,
    errorPolicy: policy,
    circuitBreaker: circuitBreaker(errors),
    maxBatchRecords: settings.stream_batch_size,
    timeoutMs: isStreaming ? undefined : settings.timeout_seconds * 1000,
    warnings,
  }
  return { plan: undefined, graph, problems, warnings }
}

const SECTIONS = ['pipeline', 'global', 'stages', 'error_handling', 'collections']

function warnOfUnknownSections(content: { readonly [name: string]: unknown }, warnings: ConfigProblem[]): void {
  for (const name of Object.keys(content))
    if (!SECTIONS.includes(name) && !DELIVERY_NAMES.includes(name))
      warnings.push({ path: name, message: `Unknown section "${name}" has no effect`, ...suggest(name, SECTIONS) })
}

/** What a file says beside its stages. */
interface Sections {
  readonly name: string
  readonly settings: Options<typeof globalFields>
  readonly isStreaming: boolean
  readonly promised: Options<typeof deliveryFields>
  readonly errors: Options<typeof errorFields>
  readonly variables: Variables
  readonly collections: unknown
}

function readSections(
  content: { readonly [name: string]: unknown },
  context: GraphContext,
  findings: Findings,
): Sections {
  const named = { ...pipelineFields, name: pipelineFields.name.default(context.name) }
  const { name } = findings.parse({ options: named }, content['pipeline'], ['pipeline'])
  const settings = findings.parse({ options: globalFields }, content['global'], ['global'])
  const above = findings.parse({ options: deliveryFields }, atTop(content))
  const promised = chosen(content, settings, above, findings.problems)
  const errors = findings.parse({ options: errorFields }, content['error_handling'], ['error_handling'])
  const variables = readVariables(settings.variables, findings.problems)
  const isStreaming = settings.execution_mode === 'streaming'
  return { name, settings, isStreaming, promised, errors, variables, collections: content['collections'] }
}

/** The stages that could be read. */
async function readStages(
  stages: readonly unknown[],
  { variables, collections, isStreaming, promised: { delivery } }: Sections,
  context: GraphContext,
  findings: Findings,
): Promise<readonly PlacedNode[]> {
  const prepareStage = preparation(
    {
      globals: Object.fromEntries(variables),
      globalsIn: 'global.variables',
      collections,
      directory: dirname(resolve(context.file)),
    },
    findings.problems,
  )
  const around: StageContext = {
    ...context,
    isStreaming,
    variables,
    prepareStage,
    delivery,
    findings,
    readGraph: readStageGraph,
  }
  const nodes: PlacedNode[] = []
  for (const [i, stage] of stages.entries()) {
    const node = await readStage(stage, `stages.${i}`, around)
    if (node !== undefined) nodes.push(node)
  }
  return nodes
}

/** Of all stages that are written, also of those that could not be read. */
function idsOf(stages: readonly unknown[]): ReadonlySet<unknown> {
  return new Set(stages.map((stage) => (isObject(stage) ? stage['id'] : undefined)))
}

function unusedWarnings(nodes: readonly PlacedNode[]): ConfigProblem[] {
  return nodes
    .filter(({ id, kind }) => kind !== 'sink' && !nodes.some(({ inputs }) => inputs.includes(id)))
    .map(({ id, path }) => ({
      path,
      message: `No stage takes the rows of stage "${id}", so they are dropped`,
      suggestion: 'add a sink, for instance stdout.write',
    }))
}
