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
import { basename, dirname, extname, resolve } from 'node:path'
import type { Delivery } from '../../contracts/context.ts'
import { endpointsOf } from '../../contracts/definitions.ts'
import { NO_ENDPOINTS } from '../../contracts/endpoints.ts'
import type { FunctionDefinition } from '../../contracts/functions.ts'
import type { GraphPlan } from '../../engine/graph/plan.ts'
import { ConfigError, type ConfigProblem } from '../../errors/index.ts'
import { findFunctions, FUNCTION_ALIASES, FUNCTIONS, REFUSED_FUNCTIONS } from '../../functions/index.ts'
import type { Options } from '../../options/declaration.ts'
import { parseOptions } from '../../options/parse.ts'
import { pickUnwritten } from '../../options/spellings.ts'
import { didYouMean } from '../../options/suggest.ts'
import { describeValue, isObject } from '../../options/values.ts'
import { withEnvironment, type Environment } from '../environment.ts'
import { readDocument } from '../document.ts'
import { deliveryDefaults, deliveryFields } from '../delivery.ts'
import { atTop, chosen, circleWarnings, connectionOf, DELIVERY_NAMES, graphDeliveryProblems } from './delivery.ts'
import { circuitBreaker, errorFields, errorPolicy, globalFields, pipelineFields, stageFields } from './fields.ts'
import { inOrder, type PlacedNode } from './order.ts'
import { lintStage } from '../../stages/lint/index.ts'
import { isStageName, STAGE_NAMES } from '../../stages/reference/names.ts'
import { preparation, type PrepareStages } from '../prepare-stages.ts'
import { Findings, toConfigProblem } from '../problems.ts'
import { putVariables, putVariablesInStage, readVariables, type Variables } from './variables.ts'

export interface GraphContext {
  readonly file: string
  /** Used when the file names none. */
  readonly name: string
  readonly environment: Environment
  /** Files that are being read, the outermost first. */
  readonly within?: readonly string[]
}

export interface GraphResult {
  readonly plan: undefined
  readonly graph: GraphPlan | undefined
  readonly problems: readonly ConfigProblem[]
  readonly warnings: readonly ConfigProblem[]
}

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
      message: 'There must be at least one stage',
      suggestion: 'begin each with [[stages]]',
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
  warnings.push(...unusedWarnings(nodes), ...circleWarnings(nodes))
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
      message: `Nobody takes the rows of stage "${id}", so they are dropped`,
      suggestion: 'add a sink, for instance stdout.write',
    }))
}

export interface StageContext extends GraphContext {
  readonly isStreaming: boolean
  readonly delivery: Delivery
  readonly variables: Variables
  /** Puts globals and collections into a stage such as `$match`, an object with its name as key. */
  readonly prepareStage: PrepareStages
  readonly findings: Findings
  /** Reads a graph inside this one. */
  readonly readGraph: (value: unknown, context: GraphContext) => Promise<GraphResult>
}

/** @returns undefined when it has problems that leave nothing to plan */
export async function readStage(stage: unknown, path: string, context: StageContext): Promise<PlacedNode | undefined> {
  const { problems } = context.findings
  if (!isObject(stage)) {
    problems.push({
      path,
      message: `Cannot read the stage as it must be an object with id and function: found ${describeValue(stage)}`,
    })
    return undefined
  }
  const parsed = parseOptions({ options: stageFields }, withFunction(stage), path.split('.'))
  problems.push(...parsed.problems.map(toConfigProblem))
  if (parsed.problems.length > 0) return undefined
  const { id, function: name, inputs, config } = parsed.options
  const at = `${path}.${'function' in stage ? 'function' : 'type'}`
  const definition = findDefinition(name, inputs.length > 0, at, problems)
  if (definition === undefined) return undefined
  const place = config === undefined ? path : `${path}.config`
  if (isStageName(name)) {
    const written = { spec: readSpec(name, config, place, context), path: place }
    return { id, kind: 'transform', function: name, inputs, options: written, endpoints: NO_ENDPOINTS, path }
  }
  const options = await readConfig(definition, config, place, context)
  return {
    id,
    kind: definition.kind,
    function: definition.name,
    inputs,
    options,
    endpoints: endpointsOf(definition, options),
    path,
  }
}

/** A stage with `function` in place of `type`, as old files write it. */
function withFunction(stage: { readonly [name: string]: unknown }): unknown {
  const { type, ...rest } = stage
  if ('function' in stage || type === undefined) return stage
  return { ...rest, function: typeof type === 'string' ? fromType(type) : type }
}

/** The options of a function, with what the guarantee and the mode of execution set where the file says nothing. */
async function readConfig(
  definition: FunctionDefinition,
  config: unknown,
  place: string,
  context: StageContext,
): Promise<{ readonly [name: string]: unknown }> {
  const { problems, warnings } = context.findings
  const settings = putVariables(config ?? {}, context.variables, definition.templates ?? [], place, problems)
  const { source: defaults } = deliveryDefaults(context.delivery)
  const withDefaults =
    definition.kind === 'source' && isObject(settings)
      ? { ...pickUnwritten(defaults, definition.options, settings), ...settings }
      : settings
  const options = parseOptions(definition, withDefaults, place.split('.'))
  problems.push(...options.problems.map(toConfigProblem))
  warnings.push(...options.warnings.map(toConfigProblem))
  const bounds = definition.kind === 'source' && !context.isStreaming ? definition.bounds : {}
  const inner =
    definition.name === 'stage.pipeline' && options.problems.length === 0
      ? { plan: await readInner(options.options, place, context) }
      : {}
  return { ...bounds, ...options.options, ...inner }
}

/** What stands below the name of a stage such as `$match` in a linear file. */
function readSpec(
  name: string,
  config: unknown,
  place: string,
  { variables, prepareStage, findings: { problems } }: StageContext,
): unknown {
  const before = problems.length
  const written = putVariablesInStage(config, variables, place, problems)
  const prepared = prepareStage({ [name]: written }, place) as { readonly [name: string]: unknown }
  const own = problems.splice(before).map((one) => ({ ...one, path: one.path.replace(`${place}.${name}`, place) }))
  problems.push(...own, ...lintStage(name, prepared[name], place))
  return prepared[name]
}

/** The plan of a `stage.pipeline`. */
async function readInner(
  options: { readonly file?: unknown; readonly inline?: unknown },
  place: string,
  context: StageContext,
): Promise<GraphPlan | undefined> {
  const { problems, warnings } = context.findings
  const isFile = typeof options.file === 'string'
  const path = `${place}.${isFile ? 'file' : 'inline'}`
  const file = isFile ? resolve(dirname(context.file), String(options.file)) : context.file
  const within = [...(context.within ?? []), resolve(context.file)]
  if (isFile && within.includes(file)) {
    problems.push({ path, message: `Pipeline file "${file}" runs itself: ${[...within, file].join(' -> ')}` })
    return undefined
  }
  try {
    const { value, problems: missing } = isFile
      ? withEnvironment(await readDocument(file), context.environment)
      : { value: await readInline(options.inline), problems: [] }
    const name = basename(file, extname(file))
    const inner = await context.readGraph(value, { file, name, environment: context.environment, within })
    const below = (problem: ConfigProblem): ConfigProblem => ({
      path,
      message: `${isFile ? `"${file}" ` : ''}${problem.path}: ${problem.message}`,
      ...(problem.suggestion === undefined ? {} : { suggestion: problem.suggestion }),
    })
    problems.push(...[...missing, ...inner.problems].map(below))
    warnings.push(...inner.warnings.map(below))
    return inner.graph
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    problems.push({ path, message: error.problems.map(({ message }) => message).join('; ') || error.message })
    return undefined
  }
}

/** A pipeline as TOML text or as an object. */
async function readInline(inline: unknown): Promise<unknown> {
  if (typeof inline !== 'string') return inline
  const { parse } = await import('smol-toml')
  try {
    return parse(inline)
  } catch (cause) {
    throw new ConfigError(`Cannot read the text as TOML: ${(cause as Error).message.split('\n')[0]!}`, [], { cause })
  }
}

/** `source.csv` is `csv.read`, `plugin.kafka` is `kafka`. */
function fromType(type: string): string {
  const [, kind, name] = /^(source|sink|transform|plugin|stage)\.(.+)$/.exec(type) ?? []
  const verbs: { readonly [kind: string]: string } = {
    source: '.read',
    sink: '.write',
    transform: '.apply',
    plugin: '',
    stage: '',
  }
  if (kind === undefined) return type
  return kind === 'stage' ? type : `${name}${verbs[kind]}`
}

function findDefinition(
  name: string,
  hasInputs: boolean,
  path: string,
  problems: ConfigProblem[],
): (typeof FUNCTIONS)[number] | undefined {
  const named = findFunctions(name)
  const found = named.find(({ kind }) => (kind === 'source') === !hasInputs)
  if (found !== undefined) return found
  if (named.length > 0) {
    const [message, suggestion] = hasInputs
      ? [`Function "${name}" takes no inputs as it is a source`, 'delete inputs']
      : [`Function "${name}" needs inputs: the stages whose rows it takes`, 'for example inputs = ["consume"]']
    problems.push({ path: path.replace(/\.\w+$/, '.inputs'), message, suggestion })
  } else if (REFUSED_FUNCTIONS[name] !== undefined) {
    problems.push({ path, message: `Cannot use function "${name}": ${REFUSED_FUNCTIONS[name]}` })
  } else if (name.startsWith('$')) {
    problems.push(...lintStage(name, undefined, path))
  } else {
    const names = [...FUNCTIONS.map((definition) => definition.name), ...Object.keys(FUNCTION_ALIASES)]
    const stage = didYouMean(name, STAGE_NAMES)
    problems.push({
      path,
      message: `Function "${name}" not found`,
      ...(stage === undefined ? suggest(name, names) : { suggestion: stage }),
    })
  }
  return undefined
}

function suggest(name: string, names: readonly string[]): { suggestion?: string } {
  const suggestion = didYouMean(name, names) ?? `there are ${[...new Set(names)].toSorted().join(', ')}`
  return { suggestion }
}
