/**
 * The linear shape (Fluxion): one source, a list of stages, one sink.
 *
 * ```yaml
 * name: orders
 * source: { type: kafka, options: { topic: orders, bootstrapServers: "localhost:9092" } }
 * stages:
 *   - $match: { amount: { $gte: 100 } }           # or a function of stage graphs: { filter.apply: {...} }
 * sink: { type: kafka, options: { topic: orders-out, bootstrapServers: "localhost:9092" } }
 * ```
 *
 * Options may also stand beside `type`; `stages` may be called `pipeline`. A file with stages only can be checked but
 * not run.
 */
import type { PipelinePlan, PlannedComponent, PlannedStage } from '../../engine/plan.ts'
import type { ConfigProblem } from '../../errors/index.ts'
import type { OptionProblem, Options } from '../../options/declaration.ts'
import { deliveryDefaults, deliveryProblems, fanoutProblems, forwardingWarning } from '../delivery.ts'
import { describeValue, isObject } from '../../options/values.ts'
import { lintStages } from '../../stages/lint/index.ts'
import { isStageName, STAGES } from '../../stages/definitions/index.ts'
import { placeProblem, readBlock, type Block } from './blocks.ts'
import { readConnections, type Connection } from './connections.ts'
import type { LineFunctions } from '../line-functions.ts'
import { fileProblems } from '../files.ts'
import { sharedTopic } from '../loops.ts'
import { pipelineFields } from './fields.ts'
import { readSinkBlocks, type LinearSinks } from './sinks.ts'
import { preparation, withoutUnknownGlobals } from '../prepare-stages.ts'
import { stageWarnings } from '../stage-warnings.ts'
import { Findings, type ReportProblem } from '../problems.ts'
import { readErrorPolicy } from '../error-policy.ts'
import { readResilience, withRetry } from './resilience.ts'

export interface LinearContext {
  readonly file: string
  readonly directory: string
  /** Used when the file names none. */
  readonly name: string
  /** When the file may name one among its stages. */
  readonly functions?: LineFunctions | undefined
}

export interface LinearResult {
  readonly plan: PipelinePlan | undefined
  readonly problems: readonly ConfigProblem[]
  readonly warnings: readonly ConfigProblem[]
}

/** Makes a plan of the content of a file. */
export function readLinear(value: unknown, context: LinearContext): LinearResult {
  if (isFileOfCases(value)) {
    const message = 'This looks like a file of test cases: run millrace test with the pipeline file beside it'
    return { plan: undefined, problems: [{ path: '', message }], warnings: [] }
  }
  if (!Array.isArray(value)) return readPipeline(value, context)
  if (value.length === 0) return noObject(value)
  // A bare list of stages: the places are those in the list.
  const { problems, warnings } = readPipeline({ stages: value }, context)
  return {
    plan: undefined,
    problems: problems.map((problem) => ({ ...problem, path: problem.path.replace(/^stages\.?/, '') })),
    warnings,
  }
}

type Top = Options<typeof pipelineFields>

function readPipeline(content: unknown, context: LinearContext): LinearResult {
  if (!isObject(content)) return noObject(content)
  const manifest = manifestProblem(content)
  if (manifest !== undefined) return { plan: undefined, problems: [manifest], warnings: [] }
  const findings = new Findings()
  const { problems, warnings, report } = findings
  const top = findings.parse({ options: pipelineFields }, content)
  const blocks = readSinkBlocks(top.sink, top.sink === undefined ? () => {} : report)
  const stages = readAllStages(content, top, blocks, context, problems)
  const connections = readConnections(top.connections, problems)
  if (top.source === undefined && top.sink === undefined && top.stages !== undefined) {
    warnings.push({ path: '', message: 'It has no source and no sink, so it can be checked but not run' })
    return { plan: undefined, problems, warnings }
  }
  const ends = readEnds(top, blocks, connections, report)
  if (ends === undefined) return { plan: undefined, problems, warnings }
  for (const { planned, block } of ends.sinks) loopProblem(ends.source.planned, planned, block).forEach(report)
  const plan: PipelinePlan = {
    ...ends.plan,
    ...readPolicies(content, top, blocks, ends, report),
    name: top.name ?? context.name,
    file: context.file,
    directory: context.directory,
    stages,
    delivery: top.delivery,
    commitIntervalMs: top.commitInterval,
    maxBatchRecords: microBatches(top.runtime?.microBatchSize, stages, warnings),
    maxBatchesInFlight: top.runtime?.queueCapacity,
    warnings,
  }
  warnings.push(...stageWarnings(stages, [plan.sink, ...(plan.fanout ?? [])]))
  for (const name of ['commitInterval', 'commit_interval'])
    if (name in content && top.delivery !== 'exactly_once')
      report({
        path: [name],
        message: `${name} has no effect with delivery ${top.delivery}: it is the time between transactions`,
        suggestion: 'delete it, or set delivery to exactly_once',
        warning: true,
      })
  reportBrokenPromises(plan, ends, report)
  reportFiles(plan, ends, 'error_handling' in content ? 'error_handling' : 'errorPolicy', report)
  return { plan, problems, warnings }
}

/** What Fluxion's control plane takes, of which a pipeline file is a part. */
function manifestProblem(content: { readonly [name: string]: unknown }): ConfigProblem | undefined {
  if ('operationDefs' in content || 'operations' in content)
    return {
      path: 'operationDefs' in content ? 'operationDefs' : 'operations',
      message: 'This is a manifest of Fluxion, which describes several operations: a pipeline file is one of them',
      suggestion: 'write a file for each with its source, stages and sink at the top',
    }
  if ('process' in content)
    return {
      path: 'process',
      message: 'Cannot use "process": its pipeline is the list of stages here',
      suggestion: 'write stages: [...], or stages: [{$subPipeline: [name@version]}] with that pipeline under pipelines',
    }
  return undefined
}

function noObject(content: unknown): LinearResult {
  const message = `A pipeline file must be an object with source, stages and sink: found ${describeValue(content)}`
  const suggestion = 'run millrace new to print a starter file'
  return { plan: undefined, problems: [{ path: '', message, suggestion }], warnings: [] }
}

/** The stages of the file and those of sinks of type `pipeline`, in order. */
function readAllStages(
  content: { readonly [name: string]: unknown },
  { stages, globals, collections, pipelines }: Top,
  blocks: LinearSinks,
  { directory, functions }: LinearContext,
  problems: ConfigProblem[],
): readonly PlannedStage[] {
  const prepare = preparation({ globals, collections, pipelines, directory }, problems)
  const key = 'pipeline' in content && !('stages' in content) ? 'pipeline' : 'stages'
  return [{ value: stages, place: [key] }, ...blocks.stages].flatMap(({ value, place }) => {
    const path = place.join('.')
    return readStages(prepare(value, path), path, functions, problems)
  })
}

interface PlacedEnd {
  readonly planned: PlannedComponent
  readonly block: Block
}

/** Source and sinks. */
interface Ends {
  readonly source: PlacedEnd
  readonly sinks: readonly PlacedEnd[]
  readonly plan: Pick<PipelinePlan, 'source' | 'sink' | 'fanout'>
}

/** @returns undefined when one of them names no component */
function readEnds(
  { source: written, delivery, runtime }: Top,
  blocks: LinearSinks,
  connections: readonly Connection[],
  report: ReportProblem,
): Ends | undefined {
  const defaults = deliveryDefaults(delivery)
  const capacity = runtime?.sourceQueueCapacity
  const sourceBlock: Block = { value: written, place: ['source'] }
  const ofSource = { ...defaults.source, ...(capacity === undefined ? {} : { queueCapacity: capacity }) }
  const source = readBlock('source', sourceBlock, { connections, defaults: ofSource }, report)
  const sinks = blocks.sinks.flatMap((block) => {
    const planned = readBlock('sink', block, { connections }, report)
    return planned === undefined ? [] : [{ planned, block }]
  })
  const [sink, ...others] = sinks
  if (source === undefined || sink === undefined || sinks.length < blocks.sinks.length) return undefined
  const fanout = others.length === 0 ? {} : { fanout: others.map(({ planned }) => planned) }
  return { source: { planned: source, block: sourceBlock }, sinks, plan: { source, sink: sink.planned, ...fanout } }
}

/** What happens to records that fail, and when deliveries pause. */
function readPolicies(
  content: { readonly [name: string]: unknown },
  { errorPolicy }: Top,
  blocks: LinearSinks,
  { plan, sinks }: Ends,
  report: ReportProblem,
): Pick<PipelinePlan, 'errorPolicy' | 'circuitBreaker'> {
  const { retry, circuitBreaker } = readResilience(content, blocks.resilience, sinks.length > 1, report)
  const place = 'error_handling' in content ? 'error_handling' : 'errorPolicy'
  return { errorPolicy: withRetry(readErrorPolicy(errorPolicy, place, plan, report), retry, report), circuitBreaker }
}

/** Why the delivery guarantee cannot hold, and what has no effect, where it is written. */
function reportBrokenPromises(
  plan: PipelinePlan,
  { source, sinks: [sink, ...others] }: Ends,
  report: ReportProblem,
): void {
  for (const problem of [...deliveryProblems(plan), forwardingWarning(plan) ?? []].flat()) {
    const end = problem.path[0] === 'source' ? source : problem.path[0] === 'sink' ? sink! : undefined
    report(end === undefined ? problem : placeProblem(problem, end.block, end.planned))
  }
  for (const { planned, block } of others)
    for (const problem of fanoutProblems(plan, planned)) report(placeProblem(problem, block, planned))
}

/** Which files cannot be written, where they are named. */
function reportFiles(
  { directory, errorPolicy }: PipelinePlan,
  { source, sinks }: Ends,
  place: string,
  report: ReportProblem,
): void {
  const around = { source: source.planned, directory }
  for (const [i, { planned, block }] of sinks.entries()) {
    const others = sinks.slice(0, i).map((other) => other.planned)
    for (const problem of fileProblems(planned, { ...around, others }))
      report(placeProblem({ ...problem, path: ['sink', ...problem.path] }, block, planned))
  }
  const letters = errorPolicy.deadLetters?.sink
  if (letters === undefined) return
  for (const problem of fileProblems(letters, { ...around, others: sinks.map(({ planned }) => planned) }))
    report({ ...problem, path: [place, 'deadLetter'] })
}

/** Batches are cut only for stages that see several records at once: for all others it would only cost time. */
function microBatches(
  size: number | undefined,
  stages: readonly PlannedStage[],
  warnings: ConfigProblem[],
): number | undefined {
  const seesBatch = ({ name }: PlannedStage): boolean => isStageName(name) && STAGES[name].wholeBatch === true
  if (size === undefined || stages.some(seesBatch)) return size
  const message = 'Option "microBatchSize" has no effect: no stage looks at several records at once'
  warnings.push({ path: 'runtime.microBatchSize', message })
  return undefined
}

function readStages(
  written: unknown,
  key: string,
  functions: LineFunctions | undefined,
  problems: ConfigProblem[],
): PlannedStage[] {
  if (written === undefined || written === null) return []
  const value: unknown =
    functions === undefined || !Array.isArray(written) ? written : written.map(functions.withWholeName)
  const found = lintStages(value, key, functions?.lintFunctionStage)
  problems.push(...withoutUnknownGlobals(found, value, key))
  if (found.length > 0 || !Array.isArray(value)) return []
  return value.map((stage: { readonly [name: string]: unknown }, i) => {
    const [name, spec] = Object.entries(stage)[0]!
    return { name, spec, path: `${key}.${i}.${name}` }
  })
}

function loopProblem(source: PlannedComponent, sink: PlannedComponent, { place }: Block): OptionProblem[] {
  const topic = sharedTopic(sink.endpoints, source.endpoints)
  if (topic === undefined) return []
  const message = `Source and sink are both topic "${topic}", so the pipeline reads what it writes`
  return [{ path: place, message, warning: true }]
}

/** Files of cases stand beside pipeline files, and are easily taken for one. */
function isFileOfCases(value: unknown): boolean {
  return isObject(value) && 'cases' in value && !('source' in value)
}
