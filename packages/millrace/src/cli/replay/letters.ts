/**
 * Where `deadletter replay` finds dead letters and where it puts their records: from a pipeline file, or named on the
 * command line.
 */
import { resolve } from 'node:path'
import { SINKS, SOURCES } from '../../catalog.ts'
import { connectionOptions } from '../../dialects/dead-letters.ts'
import { readPlan } from '../../dialects/index.ts'
import { type PipelinePlan, type PlannedComponent, FAIL } from '../../engine/plan.ts'
import { ConfigError } from '../../errors/index.ts'
import type { Fields, OptionRule } from '../../options/declaration.ts'
import { parseOptions } from '../../options/parse.ts'
import { topicPlan, type SourceOptions } from '../preview/source-plan.ts'

export interface LettersOptions extends SourceOptions {
  readonly to?: string
  readonly code?: string
  readonly max?: number
}

export interface Letters {
  /** Reads the letters; its sink is to be replaced. */
  readonly plan: PipelinePlan
  /** Absolute path when they are in a file. */
  readonly path: string | undefined
  /** Options of the kafka sink of a topic. */
  readonly target: (topic: string) => PlannedComponent
}

/** @throws {ConfigError} when there is nothing to read letters from, or no way to put them back */
export async function findLetters(file: string | undefined, options: LettersOptions): Promise<Letters> {
  const { topic, bootstrapServers, option = [] } = options
  if (file === undefined && topic === undefined)
    throw new ConfigError(
      'Cannot tell where the dead letters are: name a pipeline file, a file of letters, or a topic with --topic',
    )
  if (file !== undefined && topic !== undefined)
    throw new ConfigError(
      'Cannot use --topic together with a file, which says where the letters are: leave one of them out',
    )
  const named = topicPlan(topic ?? 'letters', bootstrapServers, option).source.options
  if (file === undefined)
    return letters({ component: 'kafka', options: { ...named, topic } }, named, process.cwd(), options)
  if (!/\.(?:ya?ml|json|toml)$/i.test(file))
    return letters({ component: 'file', options: { path: file } }, named, process.cwd(), options)
  const given = bootstrapServers === undefined ? option[0] && 'option' : 'bootstrap-servers'
  if (given !== undefined)
    throw new ConfigError(
      `Cannot use --${given} together with a pipeline file, which says where the brokers are: leave one of them out`,
    )
  const { errorPolicy, source, sink, directory } = await readPlan(file, undefined, options)
  const found = errorPolicy.deadLetters?.sink
  if (found === undefined)
    throw new ConfigError(
      `Cannot replay dead letters of "${file}" as its error policy writes none: name a file or a topic of letters`,
    )
  if (found.component !== 'kafka' && found.component !== 'file')
    throw new ConfigError(
      `Cannot replay dead letters of "${file}" as they go to the sink "${found.component}", which cannot be read: only topics and files can`,
    )
  const target = [source, found, sink].find(({ component }) => component === 'kafka')
  return letters(found, target?.options ?? named, directory, options)
}

function letters(
  { component, options }: PlannedComponent,
  brokers: PlannedComponent['options'],
  directory: string,
  { code, max }: LettersOptions,
): Letters {
  const connection = connectionOptions(brokers)
  const isKafka = component === 'kafka'
  const name = isKafka ? String([options['topic']].flat()[0]) : resolve(directory, String(options['path']))
  const place = isKafka
    ? {
        ...connectionOptions(options),
        topic: name,
        // Each filter has its own place, from which it goes on.
        groupId: `millrace-replay-${name}${code === undefined ? '' : `-${code}`}`,
        'auto.offset.reset': 'earliest',
        'isolation.level': 'read_committed',
        ...(max === undefined ? {} : { maxRecords: max }),
      }
    : { path: name }
  const isOneCluster = isKafka && overlap(options['bootstrapServers'], connection['bootstrapServers'])
  const plan: PipelinePlan = {
    name: `replay-${isKafka ? name : 'file'}`,
    file: undefined,
    directory,
    source: { component, options: parsed(SOURCES, component, place) },
    stages: [],
    sink: { component: 'kafka', options: {} },
    delivery: isOneCluster ? 'exactly_once' : 'at_least_once',
    errorPolicy: FAIL,
    warnings: [],
  }
  return {
    plan,
    path: isKafka ? undefined : name,
    target: (topic) => ({ component: 'kafka', options: parsed(SINKS, 'kafka', { ...connection, topic, acks: 'all' }) }),
  }
}

function parsed(
  entries: readonly { readonly name: string; readonly options: Fields; readonly rules?: readonly OptionRule[] }[],
  name: string,
  input: PlannedComponent['options'],
): PlannedComponent['options'] {
  const { options, problems } = parseOptions(
    entries.find((entry) => entry.name === name)!,
    input,
  )
  if (problems.length > 0) throw ConfigError.of('Cannot read dead letters', problems)
  return options
}

function overlap(one: unknown, other: unknown): boolean {
  return Array.isArray(one) && Array.isArray(other) && one.some((server) => other.includes(server))
}
