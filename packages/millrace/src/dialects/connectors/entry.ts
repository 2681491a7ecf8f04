/**
 * One connector, one pipeline: a source of the hub, a sink of the hub, or a bridge past it.
 */
import { KAFKA_SINK, KAFKA_SOURCE, planned, SINKS, SOURCES, type CatalogEntry } from '../../catalog.ts'
import {
  type PipelinePlan,
  type PlannedComponent,
  type PlannedStage,
  type RateLimit,
  type ErrorPolicy,
  FAIL,
} from '../../engine/plan.ts'
import type { Fields, Options } from '../../options/declaration.ts'
import { parseOptions } from '../../options/parse.ts'
import { didYouMean } from '../../options/suggest.ts'
import { readErrorPolicy } from '../error-policy.ts'
import type { ConnectorsContext } from './context.ts'
import { bridgeFields, KAFKA_CONNECTORS, sinkFields, sourceFields, type settingsFields } from './fields.ts'
import { ownCluster } from './hub.ts'
import { kafkaSinkTranslation, type KafkaSinkConfig } from './kafka-sink.ts'
import { sharedTopic } from '../loops.ts'
import { splitTransforms } from './transforms.ts'
import { kafkaSourceTranslation, type KafkaSourceConfig } from './kafka-source.ts'
import { translate, type Report } from './translate.ts'

export interface Surroundings extends ConnectorsContext {
  readonly report: Report
  readonly settings: Options<typeof settingsFields> | undefined
  /** How to reach the hub; undefined when the file does not say. */
  readonly hub: { readonly [name: string]: unknown } | undefined
  /** Whether the file is one connector, whose own cluster is the hub then. */
  readonly isSingle?: boolean
}

type Place = readonly string[]

/** A pipeline from a source to the hub; undefined when it is turned off or has problems. */
export function readSource(value: unknown, place: Place, name: string, around: Surroundings): PipelinePlan | undefined {
  const entry = readEntry(sourceFields, value, place, around, 'source')
  if (entry === undefined) return undefined
  const { connector, config, topic, topic_config: topicConfig, rate_limit: rate } = entry
  const source = readConnector('source', connector, config, place, around)
  const hub = source && hubOf(source.component, around, place)
  if (source === undefined || hub === undefined) return undefined
  const { kafka } = source
  const {
    auto_create: autoCreate = true,
    default_partitions: partitions = 1,
    default_replication_factor: replicas,
  } = around.settings?.topic ?? {}
  const sink = hubComponent(
    KAFKA_SINK,
    {
      ...hub,
      topic,
      acks: 'all',
      createTopic:
        (topicConfig?.auto_create ?? autoCreate)
          ? {
              partitions: topicConfig?.partitions ?? partitions,
              replicationFactor: topicConfig?.replication_factor ?? replicas,
            }
          : undefined,
    },
    place,
    around,
  )
  if (sink === undefined) return undefined
  const { stream_name: stream, namespace } = source.component.options as {
    readonly stream_name?: string
    readonly namespace?: string
  }
  const spec =
    kafka === undefined
      ? { stream: stream ?? name, namespace, includePosition: false }
      : {
          stream: kafka.topic,
          namespace: 'kafka',
          includeKey: kafka.include_key,
          includeHeaders: kafka.include_headers,
        }
  if (sharedTopic(sink.endpoints, source.component.endpoints) !== undefined) {
    around.report({
      path: [...place, 'topic'],
      message: `Cannot write events to topic "${topic}", which the source reads, as each would come back`,
      suggestion: 'use another topic, or another broker for the hub',
    })
    return undefined
  }
  const { stages, events } = splitTransforms(written(value, 'transforms'), place, 'stages first', around)
  return planOf(name, place, entry, around, {
    source: source.component,
    stages: [...stages, stage('$toEvent', { ...spec, transforms: events }, place)],
    sink,
    errorPolicy: deadLetters(entry.dead_letter_topic, hub, { source: source.component, sink }, place, around),
    rateLimit:
      rate &&
      rateLimit(rate.events_per_second, rate.burst_size === 0 ? undefined : rate.burst_size, rate.max_in_flight),
  })
}

/** A pipeline from the hub to a sink; undefined when it is turned off or has problems. */
export function readSink(value: unknown, place: Place, name: string, around: Surroundings): PipelinePlan | undefined {
  const entry = readEntry(sinkFields, value, place, around, 'sink')
  if (entry === undefined) return undefined
  const { connector, config, topics, consumer_group: groupId, start_offset: autoOffsetReset, rate_limit: rate } = entry
  const sink = readConnector('sink', connector, config, place, around)
  const hub = sink && hubOf(sink.component, around, place)
  if (sink === undefined || hub === undefined) return undefined
  const { kafka } = sink
  const delivery = kafka?.transactional_id === undefined ? 'at_least_once' : 'exactly_once'
  const {
    auto_create: autoCreate = true,
    default_partitions: partitions = 1,
    default_replication_factor: replicationFactor,
  } = around.settings?.topic ?? {}
  const source = hubComponent(
    KAFKA_SOURCE,
    {
      ...hub,
      topic: topics,
      groupId,
      autoOffsetReset,
      createTopic: autoCreate ? { partitions, replicationFactor } : undefined,
      ...(delivery === 'exactly_once' ? { isolation: 'read_committed' } : {}),
    },
    place,
    around,
  )
  if (source === undefined) return undefined
  const loop = sharedTopic(sink.component.endpoints, source.endpoints)
  if (loop !== undefined) {
    around.report({
      path: [...place, 'config', 'topic'],
      message: `Cannot write to topic "${loop}" of the hub, which this sink reads, as each record would come back`,
      suggestion: 'use another topic, or another broker for the hub',
    })
    return undefined
  }
  const { events, stages } = splitTransforms(written(value, 'transforms'), place, 'events first', around)
  const spec = {
    keyField: kafka?.key_field,
    customHeaders: kafka?.custom_headers,
    includeHeaders: kafka?.include_headers,
    transforms: events,
  }
  return planOf(name, place, entry, around, {
    source,
    stages: [stage('$fromEvent', spec, place), ...stages],
    sink: sink.component,
    delivery,
    errorPolicy: deadLetters(entry.dead_letter_topic, hub, { source, sink: sink.component }, place, around),
    rateLimit: rate && rateLimit(rate.events_per_second, rate.burst_capacity, 0),
  })
}

/** A pipeline from a source straight to a sink, records as they are; undefined when it is turned off or has problems. */
export function readBridge(value: unknown, place: Place, name: string, around: Surroundings): PipelinePlan | undefined {
  const entry = readEntry(bridgeFields, value, place, around)
  if (entry === undefined) return undefined
  const source = readConnector('source', entry.source.connector, entry.source.config, [...place, 'source'], around)
  const keyField = keyFieldOf(entry.sink.config)
  const sink = readConnector(
    'sink',
    entry.sink.connector,
    entry.sink.config,
    [...place, 'sink'],
    around,
    keyField === undefined ? {} : { keyField },
  )
  if (source === undefined || sink === undefined) return undefined
  for (const option of ['custom_headers', 'include_headers'] as const)
    if (sink.kafka?.[option] !== undefined && sink.kafka[option] !== false)
      around.report({
        path: [...place, 'sink', 'config', option],
        message: `Cannot use ${option} in a bridge, which forwards headers as they are`,
        suggestion: 'go through the hub, with sources and sinks',
      })
  const { stages } = splitTransforms(written(value, 'transforms'), place, 'stages only', around)
  const loop = sharedTopic(sink.component.endpoints, source.component.endpoints)
  if (loop !== undefined)
    around.report({
      path: [...place, 'sink', 'config', 'topic'],
      message: `Source and sink are both topic "${loop}", so the bridge reads what it writes`,
      // Stages may end the circle, for instance with a filter; without any, each record would be copied for ever.
      ...(stages.length > 0 ? { warning: true } : { suggestion: 'use another topic, or another broker' }),
    })
  const rate = entry.rate_limit
  return planOf(name, place, entry, around, {
    source: source.component,
    stages,
    sink: sink.component,
    delivery: sink.kafka?.transactional_id === undefined ? 'at_least_once' : 'exactly_once',
    errorPolicy: FAIL,
    rateLimit:
      rate &&
      rateLimit(rate.events_per_second, rate.burst_size === 0 ? undefined : rate.burst_size, rate.max_in_flight),
  })
}

/** @param kind of its connector, whose problems are told even where the entry has some */
function readEntry<F extends Fields>(
  fields: F,
  value: unknown,
  place: Place,
  around: Surroundings,
  kind?: 'source' | 'sink',
): Options<F> | undefined {
  const { options, problems, warnings } = parseOptions({ options: fields }, value, place)
  for (const problem of [...problems, ...warnings]) around.report(problem)
  if (problems.length === 0) return options
  const { connector = '', config } = options as { readonly connector?: string; readonly config?: unknown }
  if (kind !== undefined && connector !== '') readConnector(kind as 'source', connector, config, place, around)
  return undefined
}

const CATALOGS = { source: SOURCES, sink: SINKS } as const

interface Connector<K> {
  readonly component: PlannedComponent
  /** Its own options, when it is Kafka. */
  readonly kafka: K | undefined
}

function readConnector(
  kind: 'source',
  name: string,
  config: unknown,
  place: Place,
  around: Surroundings,
): Connector<KafkaSourceConfig> | undefined
function readConnector(
  kind: 'sink',
  name: string,
  config: unknown,
  place: Place,
  around: Surroundings,
  more?: object,
): Connector<KafkaSinkConfig> | undefined
function readConnector(
  kind: 'source' | 'sink',
  name: string,
  config: unknown,
  place: Place,
  { report }: Surroundings,
  more: object = {},
): Connector<KafkaSourceConfig & KafkaSinkConfig> | undefined {
  const entries: readonly CatalogEntry<unknown>[] = CATALOGS[kind]
  const at = [...place, 'config']
  if ((KAFKA_CONNECTORS[kind] as readonly string[]).includes(name)) {
    const found =
      kind === 'source'
        ? translate(kafkaSourceTranslation, KAFKA_SOURCE, config, at, report)
        : translate(kafkaSinkTranslation, KAFKA_SINK, config, at, report, more as { readonly [name: string]: unknown })
    return found && { component: found.component, kafka: found.config as KafkaSourceConfig & KafkaSinkConfig }
  }
  const entry = entries.find((one) => one.name === name)
  if (entry === undefined) {
    const names = [...new Set([...KAFKA_CONNECTORS[kind], ...entries.map((one) => one.name)])]
    report({
      path: [...place, 'connector'],
      message: `Unknown ${kind} connector "${name}"`,
      suggestion: didYouMean(name, names) ?? `there are ${names.join(', ')}`,
    })
    return undefined
  }
  const { options, problems, warnings } = parseOptions(entry, config, at)
  for (const problem of [...problems, ...warnings]) report(problem)
  return problems.length > 0 ? undefined : { component: planned(entry, options), kafka: undefined }
}

/** How to reach the hub. */
function hubOf(
  component: PlannedComponent,
  { hub, isSingle, report }: Surroundings,
  place: Place,
): Surroundings['hub'] {
  if (hub !== undefined) return hub
  if (isSingle === true && component.endpoints.brokers.length > 0) return ownCluster(component)
  report({
    path: place,
    message: 'Missing broker, whose topics hold the events',
    suggestion: 'for example broker: {bootstrap_servers: ["localhost:9092"]}',
  })
  return undefined
}

function hubComponent(
  entry: CatalogEntry<unknown>,
  written: { readonly [name: string]: unknown },
  place: Place,
  { report }: Surroundings,
): PlannedComponent | undefined {
  const set = Object.fromEntries(Object.entries(written).filter(([, option]) => option !== undefined))
  const { options, problems, warnings } = parseOptions(entry, set, ['broker'])
  for (const problem of [...problems, ...warnings]) report(place.length === 0 ? { ...problem, path: [] } : problem)
  return problems.length > 0 ? undefined : planned(entry, options)
}

/** Three attempts as on the host, then the dead letter. */
function deadLetters(
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
function rateLimit(perSecond: number, burst: number | undefined, maxInFlight: number): RateLimit | undefined {
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

function planOf(
  name: string,
  place: Place,
  { enabled }: { readonly enabled: boolean },
  { file, directory, name: fileName, isSingle }: Surroundings,
  parts: PlanParts,
): PipelinePlan | undefined {
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
  }
}

function stage(name: string, spec: { readonly [name: string]: unknown }, place: Place): PlannedStage {
  return {
    name,
    spec: Object.fromEntries(Object.entries(spec).filter(([, option]) => option !== undefined)),
    path: [...place, 'transforms'].join('.'),
  }
}

/** What the file says, which the stage reads itself. */
function written(value: unknown, name: string): unknown {
  return (value as { readonly [name: string]: unknown })[name] ?? undefined
}

function keyFieldOf(config: unknown): unknown {
  return typeof config === 'object' && config !== null
    ? ((config as { readonly key_field?: unknown }).key_field ?? undefined)
    : undefined
}
