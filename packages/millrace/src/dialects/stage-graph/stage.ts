/** One stage of a graph: its function, and the options of that. */
import { resolve, dirname, basename, extname } from 'node:path'
import type { Delivery } from '../../contracts/context.ts'
import { endpointsOf, NO_ENDPOINTS } from '../../contracts/definitions.ts'
import type { FunctionDefinition } from '../../contracts/functions.ts'
import type { GraphPlan } from '../../engine/graph/plan.ts'
import { type ConfigProblem, ConfigError } from '../../errors/index.ts'
import { FUNCTIONS, findFunctions, REFUSED_FUNCTIONS, FUNCTION_ALIASES } from '../../functions/index.ts'
import { parseOptions } from '../../options/parse.ts'
import { pickUnwritten } from '../../options/spellings.ts'
import { didYouMean } from '../../options/suggest.ts'
import { isObject, describeValue } from '../../options/values.ts'
import { lintStage } from '../../stages/lint/index.ts'
import { isStageName, STAGE_NAMES } from '../../stages/definitions/index.ts'
import { deliveryDefaults } from '../delivery.ts'
import { readDocument } from '../document.ts'
import { withEnvironment } from '../environment.ts'
import { withoutUnknownGlobals, type PrepareStages } from '../prepare-stages.ts'
import { toConfigProblem, type Findings } from '../problems.ts'
import type { GraphContext, GraphResult } from './context.ts'
import { stageFields } from './fields.ts'
import type { PlacedNode } from './order.ts'
import { type Variables, putVariables, putVariablesInStage } from './variables.ts'

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
  problems.push(...own, ...withoutUnknownGlobals(lintStage(name, prepared[name], place), prepared[name], place))
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
  const { readToml, TomlError } = await import('../toml.ts')
  try {
    return (await readToml(inline)).value
  } catch (error) {
    if (!(error instanceof TomlError)) throw error
    const { line, column } = error.position ?? {}
    const place = line === undefined ? '' : ` (line ${line}, column ${column})`
    throw new ConfigError(`Cannot read the text as TOML: ${error.message}${place}`, [], { cause: error })
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
      ? [`Function "${name}" cannot have inputs as it is a source`, 'delete inputs']
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

export function suggest(name: string, names: readonly string[]): { suggestion?: string } {
  const suggestion = didYouMean(name, names) ?? `there are ${[...new Set(names)].toSorted().join(', ')}`
  return { suggestion }
}
