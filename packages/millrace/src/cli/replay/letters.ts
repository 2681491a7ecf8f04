/**
 * Where `deadletter replay` finds dead letters and where it puts their records: from a pipeline file, or named on the
 * command line.
 */
import { resolve } from 'node:path'
import { nameTable } from '../../options/spellings.ts'
import { FILE_SINK, KAFKA_SINK, KAFKA_SOURCE, planned, SOURCES, type CatalogEntry } from '../../catalog.ts'
import { connectionOptions } from '../../dialects/dead-letters.ts'
import { sharesCluster } from '../../dialects/loops.ts'
import { readPlan } from '../../dialects/index.ts'
import { type PipelinePlan, type PlannedComponent, FAIL } from '../../engine/plan.ts'
import { ConfigError } from '../../errors/index.ts'
import { parseOptions } from '../../options/parse.ts'
import { replayGroup } from './replayed-offsets.ts'
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
      'Cannot decide where the dead letters are: name a pipeline file, a file of dead letters, or a topic with --topic',
    )
  if (file !== undefined && topic !== undefined)
    throw new ConfigError(
      'Cannot use --topic together with a file, which sets where the dead letters are: remove one of them',
    )
  refuseDropped(option)
  const named = topicPlan(topic ?? 'letters', bootstrapServers, option).source
  if (file === undefined) return letters(named, named, process.cwd(), options)
  if (!/\.(?:ya?ml|json|toml)$/i.test(file))
    return letters(planned(FILE_SINK, { path: file }), named, process.cwd(), options)
  const given = bootstrapServers === undefined ? option[0] && 'option' : 'bootstrap-servers'
  if (given !== undefined)
    throw new ConfigError(
      `Cannot use --${given} together with a pipeline file, which sets the brokers: remove one of them`,
    )
  const { errorPolicy, source, sink, directory } = await readPlan(file, undefined, options)
  const found = errorPolicy.deadLetters?.sink
  if (found === undefined)
    throw new ConfigError(
      `Cannot replay dead letters of "${file}" as its error policy writes none: name a file or a topic of dead letters`,
    )
  if (!SOURCES.some(({ name }) => name === found.component))
    throw new ConfigError(
      `Cannot replay dead letters of "${file}" as they go to the sink "${found.component}", which cannot be read: only topics and files can be`,
    )
  const target = [source, found, sink].find(({ endpoints }) => endpoints.brokers.length > 0)
  return letters(found, target ?? named, directory, options)
}

/** Options that would have no effect, as only the connection is taken from them. */
function refuseDropped(pairs: readonly string[]): void {
  const { option } = { option: topicPlan('letters', undefined, pairs).source.options }
  const kept = connectionOptions(option)
  const names = nameTable(KAFKA_SOURCE.options)
  const dropped = pairs
    .map((pair) => pair.slice(0, pair.indexOf('=')).trim())
    .find((name) => !((names.get(name) ?? name) in kept))
  if (dropped !== undefined)
    throw new ConfigError(
      `Cannot use -o ${dropped} here: replay takes only options for the connection to the brokers, such as security.protocol`,
    )
}

/**
 * @param found component that holds the letters, as a source or a sink
 * @param target component whose cluster the records go back to
 */
function letters(
  found: PlannedComponent,
  target: PlannedComponent,
  directory: string,
  { code, max }: LettersOptions,
): Letters {
  const connection = connectionOptions(target.options)
  const [topic] = found.endpoints.topics
  const path = topic === undefined ? resolve(directory, String(found.options['path'])) : undefined
  const place =
    topic === undefined
      ? { path }
      : {
          ...connectionOptions(found.options),
          topic,
          // Each filter has its own place, from which it goes on.
          groupId: replayGroup(topic, code),
          'auto.offset.reset': 'earliest',
          'isolation.level': 'read_committed',
          // Letters that retention has deleted can't be replayed; the others can.
          offsetOutOfRange: 'reset',
          ...(max === undefined ? {} : { maxRecords: max }),
        }
  const plan: PipelinePlan = {
    name: `replay-${topic ?? 'file'}`,
    file: undefined,
    directory,
    source: parsed(
      SOURCES.find(({ name }) => name === found.component)!,
      place,
    ),
    stages: [],
    sink: planned(KAFKA_SINK, {}),
    delivery: sharesCluster(found.endpoints, target.endpoints) ? 'exactly_once' : 'at_least_once',
    errorPolicy: FAIL,
    warnings: [],
  }
  return { plan, path, target: (topic) => parsed(KAFKA_SINK, { ...connection, topic, acks: 'all' }) }
}

function parsed(entry: CatalogEntry<unknown>, input: PlannedComponent['options']): PlannedComponent {
  const { options, problems } = parseOptions(entry, input)
  if (problems.length > 0) throw ConfigError.of('Cannot read dead letters', problems)
  return planned(entry, options)
}
