/**
 * The linear shape (seed 000): one source, a list of stages, one sink.
 *
 * ```yaml
 * name: orders
 * source: { type: kafka, options: { topic: orders, bootstrapServers: "localhost:9092" } }
 * stages:
 *   - $match: { amount: { $gte: 100 } }
 * sink: { type: kafka, options: { topic: orders-out, bootstrapServers: "localhost:9092" } }
 * ```
 *
 * Options may also stand beside `type`; `stages` may be called `pipeline`. A file with stages only can be checked but
 * not run.
 */
import { SINKS, SOURCES } from '../catalog.ts'
import type { PipelinePlan, PlannedComponent, PlannedStage, RateLimit } from '../engine/plan.ts'
import type { ConfigProblem } from '../errors/index.ts'
import { deliveryDefaults, deliveryFields, deliveryProblems } from './delivery.ts'
import { field, type Fields, type OptionProblem, type OptionRule } from '../options/fields.ts'
import { parseOptions } from '../options/parse.ts'
import { didYouMean } from '../options/suggest.ts'
import { describeValue, isObject } from '../options/values.ts'
import { lintStages } from '../stages/lint.ts'
import { WHOLE_BATCH_STAGES } from '../stages/names.ts'
import { readConnections, withConnection } from './connections.ts'
import { prepareStages } from './prepare-stages.ts'
import { readCircuitBreaker, readErrorPolicy, type ReportProblem } from './error-policy.ts'

const LATER = 'it is not supported yet'

const runtimeFields = {
  queueCapacity: field.int({ min: 1 }).optional().doc('Batches that may be on their way to the sink at the same time.'),
  sourceQueueCapacity: field
    .int({ min: 1 })
    .optional()
    .doc('Batches that may wait between source and stages; the `queueCapacity` of the source.'),
  microBatchSize: field
    .int({ min: 1 })
    .optional()
    .doc('Most records that stages such as `$group` see at once. Without such stages it has no effect.'),
  workerThreadPoolSize: field.int({ min: 1 }).optional().ignored('a pipeline runs in one thread and keeps the order'),
  directHandoff: field.boolean().optional().ignored('batches always go straight on'),
}

/** The top level of a file. */
export const pipelineFields = {
  name: field
    .string()
    .optional()
    .aliases('pipelineId')
    .doc('Name of the pipeline; by default that of the file. Part of client ids and log lines.'),
  description: field.any().optional().doc('What the pipeline is for; text or a list of lines.'),
  source: field.any().optional().doc('Where records come from: `type`, and its options under `options` or beside it.'),
  stages: field
    .any()
    .optional()
    .aliases('pipeline')
    .doc('Steps in order, each an object with one key such as `$match`; may be empty.'),
  sink: field.any().optional().doc('Where records go: `type`, and its options under `options` or beside it.'),
  ...deliveryFields,
  errorPolicy: field
    .any()
    .optional()
    .aliases('error_handling')
    .doc('What happens when a record fails: `fail` (the default), `skip`, or an object; see docs/error-handling.md.'),
  circuitBreaker: field
    .any()
    .optional()
    .aliases('circuit_breaker')
    .doc('When deliveries pause because the sink keeps failing; also in the sink block.'),
  runtime: field.object(runtimeFields).optional().doc('Limits of the engine.'),
  globals: field.any().optional().doc('Values for `$$GLOBALS`, by name.'),
  collections: field
    .any()
    .optional()
    .doc('Collections for `$lookup`, by name: lists of documents, or paths of files of JSON lines.'),
  connections: field.any().optional().doc('Connections for `connectionRef`: a list of `{connectionRef, config}`.'),
  stateStore: field.any().optional().ignored('offsets are kept by Kafka'),
  metrics: field.any().optional().ignored(LATER),
}

export interface LinearContext {
  readonly file: string
  readonly directory: string
  /** Used when the file names none. */
  readonly name: string
}

export interface LinearResult {
  readonly plan: PipelinePlan | undefined
  readonly problems: readonly ConfigProblem[]
  readonly warnings: readonly ConfigProblem[]
}

/** Makes a plan of the content of a file. */
export function readLinear(value: unknown, context: LinearContext): LinearResult {
  const other = otherShape(value)
  if (other !== undefined) return { plan: undefined, problems: [{ path: '', message: other }], warnings: [] }
  if (!Array.isArray(value)) return readPipeline(value, context)
  // A bare list of stages: the places are those in the list.
  const { problems, warnings } = readPipeline({ stages: value }, context)
  return {
    plan: undefined,
    problems: problems.map((problem) => ({ ...problem, path: problem.path.replace(/^stages\.?/, '') })),
    warnings,
  }
}

function readPipeline(content: unknown, context: LinearContext): LinearResult {
  const { options: top, problems: found, warnings: noted } = parseOptions({ options: pipelineFields }, content)
  const problems: ConfigProblem[] = found.map(toConfigProblem)
  const warnings: ConfigProblem[] = noted.map(toConfigProblem)
  if (!isObject(content)) return { plan: undefined, problems, warnings }

  const stagesKey = 'pipeline' in content && !('stages' in content) ? 'pipeline' : 'stages'
  const prepared = prepareStages(top.stages, stagesKey, {
    globals: top.globals,
    collections: top.collections,
    directory: context.directory,
  })
  problems.push(...prepared.problems)
  const stages = readStages(prepared.stages, stagesKey, problems)
  const connections = readConnections(top.connections, problems)
  const isFragment = top.source === undefined && top.sink === undefined && top.stages !== undefined
  if (isFragment) {
    warnings.push({ path: '', message: 'There is no source and no sink, so this file can be checked but not run' })
    return { plan: undefined, problems, warnings }
  }
  const capacity = top.runtime?.sourceQueueCapacity
  const defaults = deliveryDefaults(top.delivery)
  const source = readComponent('source', SOURCES, top.source, connections, problems, warnings, {
    ...defaults.source,
    ...(capacity === undefined ? {} : { queueCapacity: capacity }),
  })
  const sink = readComponent('sink', SINKS, top.sink, connections, problems, warnings, defaults.sink)
  if (source === undefined || sink === undefined) return { plan: undefined, problems, warnings }
  warnings.push(...loopWarnings(source, sink))
  const report: ReportProblem = (problem) => (problem.warning ? warnings : problems).push(toConfigProblem(problem))
  const plan: PipelinePlan = {
    name: top.name ?? context.name,
    file: context.file,
    directory: context.directory,
    source,
    stages,
    sink,
    delivery: top.delivery,
    commitIntervalMs: top.commitInterval,
    errorPolicy: readErrorPolicy(
      top.errorPolicy,
      'error_handling' in content ? 'error_handling' : 'errorPolicy',
      { source, sink },
      report,
    ),
    circuitBreaker: readBreaker(content, report),
    rateLimit: microBatches(top.runtime?.microBatchSize, stages, warnings),
    maxBatchesInFlight: top.runtime?.queueCapacity,
    warnings,
  }
  problems.push(...deliveryProblems(plan).map((problem) => toConfigProblem(placed(problem, content))))
  return { plan, problems, warnings }
}

/** Batches are cut only for stages that see several records at once: for all others it would only cost time. */
function microBatches(
  size: number | undefined,
  stages: readonly PlannedStage[],
  warnings: ConfigProblem[],
): RateLimit | undefined {
  if (size === undefined) return undefined
  if (stages.some(({ name }) => WHOLE_BATCH_STAGES.has(name)))
    return { pieceRecords: size, recordsPerSecond: undefined, burst: 1, maxInFlight: undefined }
  const message = 'Option "microBatchSize" has no effect: no stage looks at several records at once'
  warnings.push({ path: 'runtime.microBatchSize', message })
  return undefined
}

interface ListedComponent {
  readonly name: string
  readonly options: Fields
  readonly rules?: readonly OptionRule[]
}

/** Keys that stand beside `type` and are no options. */
export const BESIDE_TYPE = ['type', 'options', 'connectionRef', 'connectionScope']

function readComponent(
  kind: 'source' | 'sink',
  entries: readonly ListedComponent[],
  value: unknown,
  connections: ReturnType<typeof readConnections>,
  problems: ConfigProblem[],
  warnings: ConfigProblem[],
  defaults: { readonly [name: string]: unknown } = {},
): PlannedComponent | undefined {
  const names = entries.map(({ name }) => name)
  const choice = `there are ${names.join(', ')}`
  if (value === undefined || value === null) {
    problems.push({
      path: value === undefined ? '' : kind,
      message: `Missing ${kind}`,
      suggestion: `for example ${kind}: {type: ${names[0]!}, options: {...}}`,
    })
    return undefined
  }
  if (!isObject(value)) {
    problems.push({
      path: kind,
      message: `Cannot read ${kind} as it must be an object with type and options: found ${describeValue(value)}`,
    })
    return undefined
  }
  const block = withConnection(value, kind, connections, problems)
  if (block === undefined) return undefined
  const { type, options, ...rest } = block
  // Read beside the top level, where it may stand too.
  const flat =
    kind === 'sink' ? Object.fromEntries(Object.entries(rest).filter(([name]) => !BREAKER_NAMES.includes(name))) : rest
  if ('fanout' in flat) {
    problems.push({
      path: `${kind}.fanout`,
      message: `Cannot use "fanout" as ${LATER}`,
      suggestion: 'write the options here',
    })
    return undefined
  }
  const entry = entries.find(({ name }) => name === type)
  if (entry === undefined) {
    const message = type === undefined ? `Missing type of the ${kind}` : `Unknown ${kind} type ${describeValue(type)}`
    problems.push({
      path: type === undefined ? kind : `${kind}.type`,
      message,
      suggestion: (typeof type === 'string' ? didYouMean(type, names) : undefined) ?? choice,
    })
    return undefined
  }
  const isNested = options !== undefined && options !== null
  if (isNested) {
    for (const name of Object.keys(flat)) {
      problems.push({
        path: `${kind}.${name}`,
        message: `Unknown option "${name}" beside "options"`,
        suggestion:
          name in entry.options ? 'move it into options' : (didYouMean(name, BESIDE_TYPE) ?? 'move it into options'),
      })
    }
  }
  const written = isNested ? options : flat
  const input = isObject(written) ? { ...pick(defaults, entry.options, written), ...written } : written
  const parsed = parseOptions(entry, input, isNested ? [kind, 'options'] : [kind])
  problems.push(...parsed.problems.map(toConfigProblem))
  warnings.push(...parsed.warnings.map(toConfigProblem))
  return { component: entry.name, options: parsed.options }
}

/** Those of some values that a component has an option for and the file does not set. */
function pick(
  values: { readonly [name: string]: unknown },
  fields: Fields,
  written: { readonly [name: string]: unknown },
): { readonly [name: string]: unknown } {
  const isWritten = (name: string): boolean => spellings(name, fields).some((spelling) => spelling in written)
  return Object.fromEntries(Object.entries(values).filter(([name]) => name in fields && !isWritten(name)))
}

function spellings(name: string, fields: Fields): readonly string[] {
  const { kafka, aliases } = fields[name]?.meta ?? {}
  return [name, kafka ?? [], aliases ?? []].flat()
}

/** Finds the place of an option of source or sink, under `options` or beside `type`, and as it is spelled. */
function placed(problem: OptionProblem, content: { readonly [name: string]: unknown }): OptionProblem {
  const [kind, name] = problem.path as [string, string]
  const block = content[kind]
  const fields = (kind === 'source' ? SOURCES : SINKS).find(
    (entry) => isObject(block) && entry.name === block['type'],
  )?.options
  if (fields === undefined || !isObject(block) || !(name in fields)) return problem
  const nested = isObject(block['options']) ? block['options'] : undefined
  const spelling = spellings(name, fields).find((one) => one in (nested ?? block))
  return {
    ...problem,
    path: [kind, ...(nested === undefined ? [] : ['options']), ...(spelling === undefined ? [] : [spelling])],
  }
}

function readStages(value: unknown, key: string, problems: ConfigProblem[]): PlannedStage[] {
  if (value === undefined || value === null) return []
  const found = lintStages(value, key)
  problems.push(...found)
  if (found.length > 0 || !Array.isArray(value)) return []
  return value.map((stage: { readonly [name: string]: unknown }, i) => {
    const [name, spec] = Object.entries(stage)[0]!
    return { name, spec, path: `${key}.${i}.${name}` }
  })
}

/** The circuit breaker, which may stand at the top or in the sink block. */
function readBreaker(
  content: { readonly [name: string]: unknown },
  report: ReportProblem,
): PipelinePlan['circuitBreaker'] {
  const sink = isObject(content['sink']) ? content['sink'] : {}
  const places = [
    ...BREAKER_NAMES.map((name) => [name, content[name]] as const),
    ...BREAKER_NAMES.map((name) => [`sink.${name}`, sink[name]] as const),
  ].filter(([, value]) => value !== undefined)
  const [first, second] = places
  if (first === undefined) return undefined
  if (second !== undefined)
    report({
      path: [second[0]],
      message: `Cannot use both ${first[0]} and ${second[0]} as they set the same`,
      suggestion: 'delete one',
    })
  return readCircuitBreaker(first[1], first[0].split('.'), report)
}

const BREAKER_NAMES = ['circuitBreaker', 'circuit_breaker']

function loopWarnings(source: PlannedComponent, sink: PlannedComponent): ConfigProblem[] {
  if (source.component !== 'kafka' || sink.component !== 'kafka') return []
  const [topics, brokers] = [source.options['topic'], source.options['bootstrapServers']] as (
    | readonly string[]
    | undefined
  )[]
  const [topic, target] = [sink.options['topic'], sink.options['bootstrapServers']] as [
    string,
    readonly string[] | undefined,
  ]
  const isLoop = topics?.includes(topic) === true && brokers?.some((broker) => target?.includes(broker)) === true
  return isLoop
    ? [{ path: 'sink', message: `Source and sink are both topic "${topic}", so the pipeline reads what it writes` }]
    : []
}

/** What the file seems to be when it is not of this shape. */
function otherShape(value: unknown): string | undefined {
  if (!isObject(value)) return undefined
  if ('sources' in value || 'sinks' in value || 'connectors' in value)
    return `This looks like a file of connectors; ${LATER}, only source, stages and sink are`
  return undefined
}

function toConfigProblem({ path, message, suggestion }: OptionProblem): ConfigProblem {
  return { path: path.join('.'), message, ...(suggestion === undefined ? {} : { suggestion }) }
}
