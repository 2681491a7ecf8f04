/**
 * The source that `read` and `discover` look at: that of a pipeline file, or a topic named on the command line.
 */
import { SOURCES } from '../catalog.ts'
import { readPlan } from '../dialects/index.ts'
import { FAIL } from '../engine/error-policy.ts'
import type { PipelinePlan } from '../engine/plan.ts'
import { ConfigError } from '../errors/index.ts'
import { parseOptions } from '../options/parse.ts'

export interface SourceOptions {
  readonly topic?: string
  readonly bootstrapServers?: string
  /** `name=value` */
  readonly option?: readonly string[]
}

/**
 * A plan of which only the source is of importance.
 * @throws {ConfigError} when the file or the options are wrong
 */
export async function sourcePlan(file: string | undefined, options: SourceOptions): Promise<PipelinePlan> {
  const { topic, bootstrapServers, option = [] } = options
  if (file === undefined) {
    if (topic === undefined)
      throw new ConfigError('Cannot tell what to read: name a pipeline file, or a topic with --topic')
    return topicPlan(topic, bootstrapServers, option)
  }
  const given = Object.entries({ topic, 'bootstrap-servers': bootstrapServers, option: option[0] }).find(
    ([, value]) => value !== undefined,
  )
  if (given !== undefined)
    throw new ConfigError(
      `Cannot use --${given[0]} together with a pipeline file, which says what to read: leave one of them out`,
    )
  return readPlan(file)
}

/** @param pairs further options of the kafka source, as `name=value` */
export function topicPlan(topic: string, bootstrapServers: string | undefined, pairs: readonly string[]): PipelinePlan {
  const kafka = SOURCES.find(({ name }) => name === 'kafka')!
  const servers = bootstrapServers ?? (process.env['KAFKA_BOOTSTRAP_SERVERS'] || 'localhost:9092')
  const { options, problems } = parseOptions(kafka, {
    topic,
    bootstrapServers: servers,
    ...Object.fromEntries(pairs.map(pairOf)),
  })
  if (problems.length > 0) throw ConfigError.of('Cannot use the options of the command line', problems)
  return {
    name: 'cli',
    file: undefined,
    directory: process.cwd(),
    source: { component: kafka.name, options },
    stages: [],
    sink: { component: 'stdout', options: {} },
    delivery: 'at_least_once',
    errorPolicy: FAIL,
    maxBatchesInFlight: undefined,
    warnings: [],
  }
}

function pairOf(pair: string): [name: string, value: string] {
  const [, name, value] = /^([^=]+)=(.*)$/s.exec(pair) ?? []
  if (name === undefined) throw new ConfigError(`Cannot read the option "${pair}" as it must have the form name=value`)
  return [name.trim(), value!]
}
