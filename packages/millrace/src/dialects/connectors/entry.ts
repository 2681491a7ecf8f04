/**
 * What sources, sinks and bridges have in common: each is one entry of a file, and becomes one pipeline.
 */
import { KAFKA_SINK, KAFKA_SOURCE, planned, type CatalogEntry } from '../../catalog.ts'
import {
  type PipelinePlan,
  type PlannedComponent,
  type PlannedStage,
  type RateLimit,
  type ErrorPolicy,
  FAIL,
} from '../../engine/plan.ts'
import type { Delivery } from '../../contracts/context.ts'
import type { Fields, OptionProblem, Options } from '../../options/declaration.ts'
import { parseOptions } from '../../options/parse.ts'
import { didYouMean } from '../../options/suggest.ts'
import { deliveryProblems } from '../delivery.ts'
import { readErrorPolicy } from '../error-policy.ts'
import type { LineFunctions } from '../line-functions.ts'
import type { settingsFields } from './fields.ts'
import { ownCluster } from './hub.ts'
import { kafkaSinkTranslation, type kafkaSinkConfig } from './kafka-sink.ts'
import { kafkaSourceTranslation, type kafkaSourceConfig } from './kafka-source.ts'
import { CONNECTORS, namesOf, type Kind } from './kinds.ts'
import { SECURITY_NAMES } from './security.ts'
import { translate, type Report, type Translation } from './translate.ts'

export interface Surroundings extends ConnectorsContext {
  readonly report: Report
  readonly settings: Options<typeof settingsFields> | undefined
  /** How to reach the hub; undefined when the file does not say. */
  readonly hub: { readonly [name: string]: unknown } | undefined
  /** Whether the file is one connector, whose own cluster is the hub then. */
  readonly isSingle?: boolean
}

export type Place = readonly string[]

/** One of the two ends of a pipeline: what Kafka is there, in the words of Rivven and in ours. */
interface End<F extends Fields> {
  readonly kind: Kind
  readonly kafka: CatalogEntry<unknown>
  readonly translation: Translation<F>
}

export const SOURCE: End<typeof kafkaSourceConfig> = {
  kind: 'source',
  kafka: KAFKA_SOURCE,
  translation: kafkaSourceTranslation,
}
export const SINK: End<typeof kafkaSinkConfig> = { kind: 'sink', kafka: KAFKA_SINK, translation: kafkaSinkTranslation }

/** @param end that its connector is at, whose problems are reported even where the entry has some */
export function readEntry<F extends Fields>(
  fields: F,
  value: unknown,
  place: Place,
  around: Surroundings,
  end?: typeof SOURCE | typeof SINK,
): Options<F> | undefined {
  const { options, problems, warnings } = parseOptions({ options: fields }, value, place)
  for (const problem of [...problems, ...warnings]) around.report(problem)
  if (problems.length === 0) return options
  const { connector = '', config } = options as Partial<WrittenConnector>
  if (end !== undefined && connector !== '') readConnector(end as End<Fields>, { connector, config }, place, around)
  return undefined
}

interface WrittenConnector {
  readonly connector: string
  readonly config?: unknown
}

interface Connector<F extends Fields> {
  readonly component: PlannedComponent
  /** Its own options, when it is Kafka. */
  readonly kafka: Options<F> | undefined
}

/** @param more options that do not come from `config` */
export function readConnector<F extends Fields>(
  { kind, kafka, translation }: End<F>,
  { connector: name, config }: WrittenConnector,
  place: Place,
  { report }: Surroundings,
  more: { readonly [name: string]: unknown } = {},
): Connector<F> | undefined {
  const entry = CONNECTORS[kind].find(({ names }) => names.includes(name))?.entry
  if (entry === undefined) {
    const names = namesOf(kind)
    report({
      path: [...place, 'connector'],
      message: `Unknown ${kind} connector "${name}"`,
      suggestion: didYouMean(name, names) ?? `there are ${names.join(', ')}`,
    })
    return undefined
  }
  const at = [...place, 'config']
  if (entry === kafka) {
    const found = translate(translation, kafka, config, at, report, more)
    return found && { component: found.component, kafka: found.config }
  }
  const { options, problems, warnings } = parseOptions(entry, config, at)
  for (const problem of [...problems, ...warnings]) report(problem)
  return problems.length > 0 ? undefined : { component: planned(entry, options), kafka: undefined }
}

/** How to reach the hub. */
export function hubOf(
  component: PlannedComponent,
  { hub, isSingle, report }: Surroundings,
  place: Place,
): Surroundings['hub'] {
  if (hub !== undefined) return hub
  if (isSingle === true && component.endpoints.brokers.length > 0) return ownCluster(component)
  report({
    path: place,
    message: 'Missing broker: the cluster whose topics hold the events',
    suggestion: 'for example broker: {bootstrap_servers: ["localhost:9092"]}',
  })
  return undefined
}

export function hubComponent(
  entry: CatalogEntry<unknown>,
  written: { readonly [name: string]: unknown },
  place: Place,
  { report }: Surroundings,
): PlannedComponent | undefined {
  const set = Object.fromEntries(Object.entries(written).filter(([, option]) => option !== undefined))
  const { options, problems, warnings } = parseOptions(entry, set, ['broker'])
  for (const problem of [...problems, ...warnings])
    report(place.length === 0 ? { ...problem, path: [] } : inBroker(problem))
  return problems.length > 0 ? undefined : planned(entry, options)
}

/** A problem of the hub under the names that the file has. */
function inBroker(problem: OptionProblem): OptionProblem {
  const [broker, option, ...rest] = problem.path
  const name = SECURITY_NAMES[option as keyof typeof SECURITY_NAMES] as string | undefined
  return name === undefined ? problem : { ...problem, path: [broker!, 'security', name, ...rest] }
}

/** Three attempts as on the host, then the dead letter. */
export function deadLetters(
  topic: string | undefined,
  hub: object,
  around: { readonly source: PlannedComponent; readonly sink: PlannedComponent },
  place: Place,
  { report }: Surroundings,
): ErrorPolicy {
  if (topic === undefined) return FAIL
  const set = Object.fromEntries(Object.entries(hub).filter(([, option]) => option !== undefined))
  const deadLetter = { type: 'kafka', options: { ...set, topic, acks: 'all', createTopic: {} } }
  const policy = {
    type: 'retry',
    maxAttempts: 3,
    initialBackoff: 100,
    multiplier: 2,
    jitter: 0,
    onExhausted: 'deadLetter',
    envelope: 'rivven',
    deadLetter,
  }
  return readErrorPolicy(policy, 'dead_letter_topic', around, (problem) =>
    report({ ...problem, path: [...place, 'dead_letter_topic'] }),
  )
}

/** As on the host: a bucket holds the records of one second and the burst. */
export function rateLimit(perSecond: number, burst: number | undefined, maxInFlight: number): RateLimit | undefined {
  if (perSecond === 0 && maxInFlight === 0) return undefined
  return {
    recordsPerSecond: perSecond === 0 ? undefined : perSecond,
    burst: perSecond + (burst ?? Math.max(10, perSecond / 10)),
    maxInFlight: maxInFlight === 0 ? undefined : maxInFlight,
  }
}

interface PlanParts extends Pick<PipelinePlan, 'source' | 'stages' | 'sink' | 'errorPolicy' | 'rateLimit'> {
  readonly delivery?: PipelinePlan['delivery']
}

/** Transactions are the only wish of a guarantee that a file can have. */
export function deliveryOf(sink: PlannedComponent): Delivery {
  return sink.options['transactionalId'] === undefined ? 'at_least_once' : 'exactly_once'
}

/** Why the guarantee cannot hold, in the words and places of the file. */
function reportDelivery({ delivery = 'at_least_once', ...plan }: PlanParts, place: Place, report: Report): void {
  const isBridge = place[0] === 'bridges'
  for (const { path, suggestion, ...problem } of deliveryProblems({ ...plan, delivery })) {
    const [end, option = ''] = path as [string, string?]
    const names: { readonly [theirs: string]: string } = (end === 'source' ? SOURCE : SINK).translation.names
    const name = Object.keys(names).find((theirs) => names[theirs] === option)
    const within = option === 'type' ? ['connector'] : ['config', ...(name === undefined ? ['properties'] : [name])]
    report({
      ...problem,
      path: end === 'errorPolicy' ? [...place, 'dead_letter_topic'] : [...place, ...(isBridge ? [end] : []), ...within],
      suggestion:
        suggestion === 'use at_least_once'
          ? 'delete transactional_id of the sink'
          : suggestion?.replace(/, or commitInterval .*/, ''),
    })
  }
}

export function planOf(
  name: string,
  place: Place,
  { enabled }: { readonly enabled: boolean },
  { file, directory, name: fileName, isSingle, report }: Surroundings,
  parts: PlanParts,
): PipelinePlan | undefined {
  reportDelivery(parts, place, report)
  if (!enabled) return undefined
  const fullName =
    isSingle === true || name === fileName
      ? name
      : `${fileName}-${place[0] === 'sinks' ? 'sink' : place[0] === 'sources' ? 'source' : 'bridge'}-${name}`
  return {
    name: fullName,
    file,
    directory,
    delivery: 'at_least_once',
    warnings: [],
    ...parts,
    errorPolicy: policyOf(parts.errorPolicy, name),
  }
}

/** Letters call the connector as the file does. */
function policyOf(policy: ErrorPolicy, connector: string): ErrorPolicy {
  const { deadLetters } = policy
  return deadLetters === undefined ? policy : { ...policy, deadLetters: { ...deadLetters, connector } }
}

export function stage(name: string, spec: { readonly [name: string]: unknown }, place: Place): PlannedStage {
  return {
    name,
    spec: Object.fromEntries(Object.entries(spec).filter(([, option]) => option !== undefined)),
    path: [...place, 'transforms'].join('.'),
  }
}

/** What the file says, which the stage reads itself. */
export function written(value: unknown, name: string): unknown {
  return (value as { readonly [name: string]: unknown })[name] ?? undefined
}

export interface ConnectorsContext {
  readonly file: string
  readonly directory: string
  /** Used when the file names none. */
  readonly name: string
  /** When the file may name one among its transforms. */
  readonly functions?: LineFunctions | undefined
}
