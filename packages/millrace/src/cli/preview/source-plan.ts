/**
 * The source that `read` and `discover` look at: that of a pipeline file, or a topic named on the command line.
 */
import { KAFKA_SOURCE, planned } from '../../catalog.ts'
import { NO_ENDPOINTS } from '../../contracts/definitions.ts'
import { readAnyPlan, type ReadingOptions } from '../../dialects/index.ts'
import type { GraphPlan } from '../../engine/graph/plan.ts'
import { type PipelineGroup, type PipelinePlan, FAIL } from '../../engine/plan.ts'
import { ConfigError } from '../../errors/index.ts'
import { parseOptions } from '../../options/parse.ts'
import { didYouMean } from '../../options/suggest.ts'

export interface SourceOptions extends ReadingOptions {
  readonly topic?: string
  readonly bootstrapServers?: string
  /** `name=value` */
  readonly option?: readonly string[]
  /** Which source of a graph; the first one when omitted. */
  readonly stage?: string
  /** Which pipeline of a file of several; the first one when omitted. */
  readonly pipeline?: string
}

/**
 * A plan of which only the source is of importance.
 * @throws {ConfigError} when the file or the options are wrong
 */
export async function sourcePlan(file: string | undefined, options: SourceOptions): Promise<PipelinePlan | GraphPlan> {
  const { topic, bootstrapServers, option = [], stage, pipeline } = options
  if (file === undefined) {
    if (topic === undefined)
      throw new ConfigError('Cannot decide what to read: name a pipeline file, or a topic with --topic')
    return topicPlan(topic, bootstrapServers, option)
  }
  const given = Object.entries({ topic, 'bootstrap-servers': bootstrapServers, option: option[0] }).find(
    ([, value]) => value !== undefined,
  )
  if (given !== undefined)
    throw new ConfigError(
      `Cannot use --${given[0]} together with a pipeline file, which sets what to read: remove one of them`,
    )
  const plan = await readAnyPlan(file, undefined, options)
  if ('nodes' in plan) {
    refuse('--pipeline', pipeline, 'the file is a stage graph', 'name a source with --stage')
    const sources = plan.nodes.filter(({ kind }) => kind === 'source').map(({ id }) => id)
    const id = named('source', stage, sources) ?? sources[0]!
    return (await import('./preview-graph.ts')).sourceOf(plan, id)
  }
  refuse('--stage', stage, 'the file is not a stage graph', 'leave it out')
  if ('pipelines' in plan) return pipelineOf(plan, pipeline)
  refuse('--pipeline', pipeline, 'the file holds one pipeline', 'leave it out')
  return plan
}

/**
 * The pipeline of a name, which may be the one that it has in its file, or the first one.
 * @throws {ConfigError} when there is none of this name, or more than one
 */
export function pipelineOf({ pipelines }: PipelineGroup, name: string | undefined): PipelinePlan {
  if (name === undefined) return pipelines[0]!
  const names = pipelines.map((plan) => plan.name)
  const ending = names.filter((each) => each.endsWith(`-${name}`))
  const chosen = ending.length === 1 ? ending[0] : named('pipeline', name, names)
  return pipelines.find((plan) => plan.name === chosen)!
}

/** @throws {ConfigError} when something else is named than there is */
export function named(what: string, name: string | undefined, names: readonly string[]): string | undefined {
  if (name === undefined || names.includes(name)) return name
  const hint = didYouMean(name, names) ?? `there ${names.length === 1 ? 'is' : 'are'} ${names.join(', ')}`
  throw new ConfigError(`There is no ${what} "${name}": ${hint}`)
}

function refuse(option: string, value: string | undefined, because: string, instead: string): void {
  if (value !== undefined) throw new ConfigError(`Cannot use ${option} as ${because}: ${instead}`)
}

/** @param pairs further options of the kafka source, as `name=value` */
export function topicPlan(topic: string, bootstrapServers: string | undefined, pairs: readonly string[]): PipelinePlan {
  const servers = bootstrapServers ?? (process.env['KAFKA_BOOTSTRAP_SERVERS'] || 'localhost:9092')
  const { options, problems } = parseOptions(KAFKA_SOURCE, {
    topic,
    bootstrapServers: servers,
    ...Object.fromEntries(pairs.map(pairOf)),
  })
  if (problems.length > 0) throw ConfigError.of('Cannot use the options of the command line', problems)
  return {
    name: 'cli',
    file: undefined,
    directory: process.cwd(),
    source: planned(KAFKA_SOURCE, options),
    stages: [],
    sink: { component: 'stdout', options: {}, endpoints: NO_ENDPOINTS },
    delivery: 'at_least_once',
    errorPolicy: FAIL,
    warnings: [],
  }
}

function pairOf(pair: string): [name: string, value: string] {
  const [, name, value] = /^([^=]+)=(.*)$/s.exec(pair) ?? []
  if (name === undefined) throw new ConfigError(`Cannot read the option "${pair}" as it must have the form name=value`)
  return [name.trim(), value!]
}
