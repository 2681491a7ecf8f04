/**
 * The shape of seed 002: stages that name their inputs, in TOML first of all.
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
import type { ErrorPolicy } from '../engine/error-policy.ts'
import type { GraphPlan } from '../engine/graph/plan.ts'
import type { ConfigProblem } from '../errors/index.ts'
import { FUNCTION_ALIASES, FUNCTIONS, REFUSED_FUNCTIONS } from '../functions/index.ts'
import { field, type OptionProblem, type Options } from '../options/fields.ts'
import { parseOptions } from '../options/parse.ts'
import { didYouMean } from '../options/suggest.ts'
import { describeValue, isObject } from '../options/values.ts'
import type { Environment } from './environment.ts'
import { inOrder, type PlacedNode } from './stage-order.ts'
import { putVariables, readVariables } from './variables.ts'

export const pipelineFields = {
  name: field.string().doc('Name of the pipeline; part of client ids and log lines.').example('kafka-etl'),
  version: field.any().optional().doc('Version of the file; for people.'),
  description: field.any().optional().doc('What the pipeline is for.'),
}

export const globalFields = {
  log_level: field
    .oneOf(['trace', 'debug', 'info', 'warn', 'error'])
    .default('info')
    .doc('Accepted; this version logs warnings and progress.'),
  timeout_seconds: field
    .number({ min: 1 })
    .default(300)
    .doc('How long a run may take; not with `execution_mode = "streaming"`.'),
  execution_mode: field
    .oneOf(['batch', 'streaming'])
    .default('batch')
    .doc(
      '`batch` ends when its sources do; with `streaming` consumers have no default bounds and a run goes on until it is stopped.',
    ),
  variables: field
    .any()
    .optional()
    .doc('Texts that stand for `{{name}}` in the configuration of stages, with `${ENVIRONMENT}` inside.'),
  plugins: field.any().optional().doc('Accepted: everything is built in.'),
  wasm_plugins: field.any().optional().ignored('there are no plug-ins, everything is built in'),
  max_parallel_tasks: field.any().optional().doc('Accepted: stages run in one thread, batch by batch.'),
  stream_batch_size: field.any().optional().doc('Accepted: batches are as the source gives them.'),
  checkpoint_interval: field.any().optional().doc('Accepted: offsets are committed every `auto.commit.interval.ms`.'),
  executor: field.any().optional().doc('Accepted: there is one.'),
  channel_buffer_size: field.any().optional().doc('Accepted: what waits is bounded in bytes.'),
  concurrency: field.any().optional().doc('Accepted: stages run in one thread, batch by batch.'),
}

export const errorFields = {
  strategy: field
    .oneOf(['stop', 'continue', 'retry'])
    .default('stop')
    .doc(
      'What happens to a row that fails: end the run, leave it out, or try its delivery again and end the run then.',
    ),
  max_retries: field.int({ min: 0 }).default(3).doc('With `retry`: attempts after the first one.'),
  retry_delay_seconds: field.number({ min: 0 }).default(5).unit('s').doc('With `retry`: wait before each of them.'),
  dead_letter_queue: field
    .object({
      enabled: field.boolean().default(true).doc('Whether rows that failed for good are kept, and the run goes on.'),
      path: field
        .string()
        .doc('File of JSON lines with record, error, stage_id and timestamp.')
        .example('errors/dead-letters.jsonl'),
    })
    .optional()
    .doc('Where rows that failed for good are kept; with `stop` there are none.'),
}

export const stageFields = {
  id: field.string().doc('Name of the stage, by which others take its rows.').example('filter'),
  function: field.string().doc('What it does.').example('filter.apply'),
  inputs: field
    .of<readonly string[]>({
      expected: 'a list of stage ids',
      schema: { type: 'array', items: { type: 'string' } },
      read(value, report) {
        const list: unknown = typeof value === 'string' ? [value] : value
        if (Array.isArray(list) && list.every((one) => typeof one === 'string')) return list
        report({ expected: this.expected, found: value })
        return []
      },
    })
    .default([])
    .doc('Stages whose rows it takes; none for a source.'),
  config: field.any().optional().doc('Options of the function.'),
}

export interface GraphContext {
  readonly file: string
  /** Used when the file names none. */
  readonly name: string
  readonly environment: Environment
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
    if (!SECTIONS.includes(name))
      warnings.push({ path: name, message: `Unknown section "${name}" has no effect`, ...suggest(name, SECTIONS) })
  const { name } = section(
    { ...pipelineFields, name: pipelineFields.name.default(context.name) },
    content['pipeline'],
    ['pipeline'],
  )
  const settings = section(globalFields, content['global'], ['global'])
  const policy = errorPolicy(section(errorFields, content['error_handling'], ['error_handling']), warnings)
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
  const nodes: PlacedNode[] = []
  for (const [i, stage] of stages.entries()) {
    const node = await readStage(stage, `stages.${i}`, { ...context, isStreaming, variables }, problems, warnings)
    if (node !== undefined) nodes.push(node)
  }
  const ordered = inOrder(nodes, problems)
  if (problems.length > 0) return { plan: undefined, graph: undefined, problems, warnings }
  for (const node of nodes)
    if (node.kind !== 'sink' && !nodes.some(({ inputs }) => inputs.includes(node.id)))
      warnings.push({
        path: node.path,
        message: `Nobody takes the rows of stage "${node.id}", so they are dropped`,
        suggestion: 'add a sink, for instance stdout.write',
      })
  const folder = dirname(resolve(context.file))
  const graph: GraphPlan = {
    name,
    file: context.file,
    directory: process.cwd(),
    folders: [...new Set([process.cwd(), folder])],
    nodes: ordered,
    errorPolicy: policy,
    timeoutMs: isStreaming ? undefined : settings.timeout_seconds * 1000,
    warnings,
  }
  return { plan: undefined, graph, problems, warnings }
}

const SECTIONS = ['pipeline', 'global', 'stages', 'error_handling']

function errorPolicy(
  { strategy, max_retries, retry_delay_seconds, dead_letter_queue: letters }: Options<typeof errorFields>,
  warnings: ConfigProblem[],
): ErrorPolicy {
  const delayMs = retry_delay_seconds * 1000
  const retry =
    strategy === 'retry' && max_retries > 0
      ? { maxRetries: max_retries, backoff: { initialMs: delayMs, maxMs: delayMs, multiplier: 1, jitter: 0 } }
      : undefined
  if (letters === undefined || !letters.enabled)
    return { retry, fate: strategy === 'continue' ? 'skip' : 'fail', deadLetters: undefined }
  if (strategy === 'stop') {
    warnings.push({
      path: 'error_handling.dead_letter_queue',
      message: 'The dead-letter queue has no effect, as with strategy "stop" the run ends before the row that fails',
      suggestion: 'use strategy = "continue" or "retry"',
    })
    return { retry, fate: 'fail', deadLetters: undefined }
  }
  return {
    retry,
    fate: 'deadLetter',
    deadLetters: {
      sink: { component: 'file', options: { path: letters.path, format: 'jsonl', mode: 'append', includeMeta: false } },
      envelope: 'conveyor',
    },
  }
}

interface StageContext extends GraphContext {
  readonly isStreaming: boolean
  readonly variables: ReadonlyMap<string, string>
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
  const settings = putVariables(config ?? {}, context.variables, definition.templates ?? [], place, problems)
  const options = parseOptions(definition, settings, place.split('.'))
  problems.push(...options.problems.map(toConfigProblem))
  warnings.push(...options.warnings.map(toConfigProblem))
  const isConsumer = definition.kind === 'source' && definition.name === 'kafka'
  const bounds = isConsumer && !context.isStreaming ? { max_messages: 1000, timeout_ms: 30_000 } : {}
  return {
    id,
    kind: definition.kind,
    function: definition.name,
    inputs,
    options: { ...bounds, ...options.options },
    path,
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
  const canonical = FUNCTION_ALIASES[name] ?? name
  const named = FUNCTIONS.filter((definition) => definition.name === canonical)
  const found = named.find(({ kind }) => (kind === 'source') === !hasInputs)
  if (found !== undefined) return found
  if (named.length > 0) {
    const [message, suggestion] = hasInputs
      ? [`Function "${name}" takes no inputs as it is a source`, 'delete inputs']
      : [`Function "${name}" needs inputs: the stages whose rows it takes`, 'for example inputs = ["consume"]']
    problems.push({ path: path.replace(/\.\w+$/, '.inputs'), message, suggestion })
  } else if (REFUSED_FUNCTIONS[name] !== undefined) {
    problems.push({ path, message: `Cannot use function "${name}": ${REFUSED_FUNCTIONS[name]}` })
  } else {
    problems.push({
      path,
      message: `Function "${name}" not found`,
      ...suggest(name, [...FUNCTIONS.map((definition) => definition.name), ...Object.keys(FUNCTION_ALIASES)]),
    })
  }
  return undefined
}

function suggest(name: string, names: readonly string[]): { suggestion?: string } {
  const suggestion = didYouMean(name, names) ?? `there are ${[...new Set(names)].toSorted().join(', ')}`
  return { suggestion }
}

function toConfigProblem({ path, message, suggestion }: OptionProblem): ConfigProblem {
  return { path: path.join('.'), message, ...(suggestion === undefined ? {} : { suggestion }) }
}
