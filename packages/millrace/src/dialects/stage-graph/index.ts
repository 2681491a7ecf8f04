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
import { preparation } from '../prepare-stages.ts'
import { toConfigProblem } from '../problems.ts'
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
  const problems: ConfigProblem[] = []
  const warnings: ConfigProblem[] = []
  const content = isObject(value) ? value : {}
  const section = <F extends Parameters<typeof parseOptions>[0]['options']>(
    fields: F,
    input: unknown,
    place: readonly string[],
  ): Options<F> => {
    const parsed = parseOptions({ options: fields }, input, place)
    problems.push(...parsed.problems.map(toConfigProblem))
    warnings.push(...parsed.warnings.map(toConfigProblem))
    return parsed.options
  }
  for (const name of Object.keys(content))
    if (!SECTIONS.includes(name) && !DELIVERY_NAMES.includes(name))
      warnings.push({ path: name, message: `Unknown section "${name}" has no effect`, ...suggest(name, SECTIONS) })
  const { name } = section(
    { ...pipelineFields, name: pipelineFields.name.default(context.name) },
    content['pipeline'],
    ['pipeline'],
  )
  const settings = section(globalFields, content['global'], ['global'])
  const above = section(deliveryFields, atTop(content), [])
  const promised = chosen(content, settings, above, problems)
  const errors = section(errorFields, content['error_handling'], ['error_handling'])
  const variables = readVariables(settings.variables, problems)
  const stages = content['stages']
  if (!Array.isArray(stages) || stages.length === 0) {
    problems.push({
      path: 'stages',
      message: 'There must be at least one stage',
      suggestion: 'begin each with [[stages]]',
    })
    return { plan: undefined, graph: undefined, problems, warnings }
  }
  const isStreaming = settings.execution_mode === 'streaming'
  const prepareStage = preparation(
    {
      globals: Object.fromEntries(variables),
      globalsIn: 'global.variables',
      collections: content['collections'],
      directory: dirname(resolve(context.file)),
    },
    problems,
  )
  const nodes: PlacedNode[] = []
  for (const [i, stage] of stages.entries()) {
    const around = { ...context, isStreaming, variables, prepareStage, delivery: promised.delivery }
    const node = await readStage(stage, `stages.${i}`, around, problems, warnings)
    if (node !== undefined) nodes.push(node)
  }
  const written = new Set(stages.map((stage: unknown) => (isObject(stage) ? stage['id'] : undefined)))
  const ordered = inOrder(nodes, written, problems)
  const policy = errorPolicy(errors, connectionOf(nodes), problems, warnings)
  // Of stages that are not as they should be, what else is wrong with them cannot be told.
  if (!problems.some(({ path }) => path.startsWith('stages')))
    problems.push(...graphDeliveryProblems({ ...promised, nodes, errorPolicy: policy, stages }))
  if (problems.length > 0) return { plan: undefined, graph: undefined, problems, warnings }
  for (const node of nodes)
    if (node.kind !== 'sink' && !nodes.some(({ inputs }) => inputs.includes(node.id)))
      warnings.push({
        path: node.path,
        message: `Nobody takes the rows of stage "${node.id}", so they are dropped`,
        suggestion: 'add a sink, for instance stdout.write',
      })
  warnings.push(...circleWarnings(nodes))
  const folder = dirname(resolve(context.file))
  const graph: GraphPlan = {
    name,
    file: context.file,
    directory: process.cwd(),
    folders: [...new Set([process.cwd(), folder])],
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

interface StageContext extends GraphContext {
  readonly isStreaming: boolean
  readonly delivery: Delivery
  readonly variables: Variables
  /** Puts globals and collections into a stage such as `$match`, an object with its name as key. */
  readonly prepareStage: ReturnType<typeof preparation>
}

async function readStage(
  stage: unknown,
  path: string,
  context: StageContext,
  problems: ConfigProblem[],
  warnings: ConfigProblem[],
): Promise<PlacedNode | undefined> {
  if (!isObject(stage)) {
    problems.push({
      path,
      message: `Cannot read the stage as it must be an object with id and function: found ${describeValue(stage)}`,
    })
    return undefined
  }
  const { type, ...rest } = stage
  const written =
    'function' in stage || type === undefined
      ? stage
      : { ...rest, function: typeof type === 'string' ? fromType(type) : type }
  const parsed = parseOptions({ options: stageFields }, written, path.split('.'))
  problems.push(...parsed.problems.map(toConfigProblem))
  if (parsed.problems.length > 0) return undefined
  const { id, function: name, inputs, config } = parsed.options
  const definition = findDefinition(
    name,
    inputs.length > 0,
    `${path}.${'function' in stage ? 'function' : 'type'}`,
    problems,
  )
  if (definition === undefined) return undefined
  const place = config === undefined ? path : `${path}.config`
  if (isStageName(name)) {
    const spec = readSpec(name, config, place, context, problems)
    const stage = { spec, path: place }
    return { id, kind: 'transform', function: name, inputs, options: stage, endpoints: NO_ENDPOINTS, path }
  }
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
      ? { plan: await readInner(options.options, place, context, problems, warnings) }
      : {}
  return {
    id,
    kind: definition.kind,
    function: definition.name,
    inputs,
    options: { ...bounds, ...options.options, ...inner },
    endpoints: endpointsOf(definition, options.options),
    path,
  }
}

/** What stands below the name of a stage such as `$match` in a linear file. */
function readSpec(
  name: string,
  config: unknown,
  place: string,
  { variables, prepareStage }: StageContext,
  problems: ConfigProblem[],
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
  problems: ConfigProblem[],
  warnings: ConfigProblem[],
): Promise<GraphPlan | undefined> {
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
    const inner = await readStageGraph(value, { ...context, file, name: basename(file, extname(file)), within })
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
