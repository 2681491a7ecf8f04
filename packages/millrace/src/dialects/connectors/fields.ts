/**
 * What a file of connectors may say (Rivven), except for the `config` of each connector.
 */
import { address } from '../../kafka/properties/value-types.ts'
import type { ValueType } from '../../options/declaration.ts'
import { field } from '../../options/fields.ts'
import { isObject } from '../../options/values.ts'
import { securityFields } from './security.ts'
import { transformsAndStages } from './transforms.ts'

const LATER = 'it is not supported yet'

const tlsFields = {
  enabled: field.boolean().default(false).doc('Whether connections to the hub are encrypted.'),
  ca_path: field.string().optional().doc('PEM file with the certificates of trusted authorities.'),
  cert_path: field.string().optional().doc('PEM file with our certificate chain.'),
  key_path: field.string().optional().doc('PEM file with our private key.'),
  insecure: field.boolean().default(false).doc('Refused when it is true: certificates are always verified.'),
  server_name: field.string().optional().ignored('certificates are verified against the name of the broker'),
}

export const brokerFields = {
  bootstrap_servers: field
    .list(field.of(address), { commaText: true })
    .aliases('brokers', 'bootstrapServers')
    .doc('Brokers of the Kafka cluster that holds the topics of the hub.')
    .example(['localhost:9092']),
  metadata_refresh_ms: field.durationMs().default(300_000).doc('Age at which topics and leaders are asked for again.'),
  connection_timeout_ms: field.durationMs({ min: 1 }).default(10_000).doc('How long one attempt to connect may take.'),
  request_timeout_ms: field.durationMs({ min: 1 }).default(30_000).doc('How long a broker may take to answer.'),
  tls: field.object(tlsFields).optional().doc('Encryption of connections to the hub.'),
  security: field
    .object(securityFields)
    .optional()
    .doc('How connections to the hub are secured; instead of `tls`. Ours.'),
}

/** A position that sinks may begin at. */
const startOffset: ValueType<string> = {
  expected: 'latest, earliest or {timestamp: "2026-01-31T00:00:00Z"}',
  schema: {
    anyOf: [
      { enum: ['latest', 'earliest'] },
      { type: 'object', properties: { timestamp: { type: 'string' } }, required: ['timestamp'] },
    ],
  },
  read(value, report) {
    if (value === 'latest' || value === 'earliest') return value
    const time = isObject(value) && Object.keys(value).length === 1 ? value['timestamp'] : undefined
    const ms = time instanceof Date ? time.getTime() : typeof time === 'string' ? Date.parse(time) : Number.NaN
    if (!Number.isNaN(ms)) return `timestamp:${new Date(ms).toISOString()}`
    report({ expected: this.expected, found: value })
    return 'latest'
  },
}

const perSecond = field.number({ min: 0 }).default(0).doc('Records a second; 0 for no limit.')

/** Names of the Kafka connectors. */
export const KAFKA_CONNECTORS = {
  source: ['kafka', 'kafka-source', 'apache-kafka'],
  sink: ['kafka', 'kafka-sink', 'apache-kafka'],
} as const

const connectorFields = {
  connector: field.string().aliases('type').doc('What it connects to.').example('kafka-source'),
  config: field.any().optional().doc('Options of the connector.'),
  enabled: field.boolean().default(true).doc('Whether it runs; it is checked in either case.'),
}

/** What sources and sinks of the hub have in common. */
const hubConnectorFields = {
  ...connectorFields,
  transforms: field
    .of(transformsAndStages)
    .default([])
    .doc('Transforms of the events, in order; in a source behind stages that change values, in a sink before them.'),
  dead_letter_topic: field
    .string()
    .optional()
    .doc('Topic of the hub for records that cannot be written after three attempts; without it the run fails.'),
  schema_registry_url: field.any().optional().ignored(LATER),
}

export const sourceFields = {
  ...hubConnectorFields,
  topic: field.string().doc('Topic of the hub to which events go.').example('kafka-events'),
  topic_config: field
    .object({
      partitions: field.int({ min: 1 }).optional().doc('Number of partitions; by default `settings.topic`.'),
      replication_factor: field
        .int({ min: 1 })
        .optional()
        .doc("Number of replicas; by default `settings.topic`, else the broker's."),
      auto_create: field
        .boolean()
        .optional()
        .doc('Whether the topic is made if it is not there; by default `settings.topic`.'),
    })
    .optional()
    .doc('How the topic of the hub is made if it is not there.'),
  rate_limit: field
    .object({
      events_per_second: perSecond,
      max_in_flight: field
        .int({ min: 0 })
        .default(0)
        .doc('Records that may be on their way to the hub; 0 for no limit.'),
      burst_size: field
        .int({ min: 0 })
        .default(0)
        .doc('Records that may come at once after a pause, beside those of one second.'),
    })
    .optional()
    .doc('How fast the source is read.'),
}

export const sinkFields = {
  ...hubConnectorFields,
  topics: field
    .list(field.string(), { commaText: true })
    .aliases('topic')
    .doc('Topics of the hub from which events come.')
    .example(['events']),
  consumer_group: field
    .string()
    .doc('Consumer group of the hub; its committed offsets are where reading goes on.')
    .example('kafka-producer'),
  start_offset: field
    .of(startOffset)
    .default('latest')
    .doc(
      'Where to begin when the group has no committed offset: `latest`, `earliest`, or `{timestamp: "2026-01-31T00:00:00Z"}`.',
    ),
  rate_limit: field
    .object({
      events_per_second: perSecond,
      burst_capacity: field
        .int({ min: 1 })
        .optional()
        .doc('Records that may come at once after a pause, beside those of one second.'),
    })
    .optional()
    .doc('How fast the topics are read.'),
  offset_commit_interval: field
    .int({ min: 1 })
    .optional()
    .ignored('offsets are committed every 5 s, in the background'),
}

export const bridgeFields = {
  source: field
    .object({ connector: connectorFields.connector, config: connectorFields.config })
    .doc('Where records come from.'),
  sink: field.object({ connector: connectorFields.connector, config: connectorFields.config }).doc('Where they go.'),
  transforms: field.of(transformsAndStages).default([]).doc('Stages such as `$match` or `filter.apply`, in order.'),
  enabled: connectorFields.enabled,
  rate_limit: sourceFields.rate_limit,
}

const feature = field.any().optional()

export const settingsFields = {
  state_dir: feature.ignored('offsets are kept by Kafka'),
  log_level: feature.ignored('everything worth saying is said on standard error'),
  topic: field
    .object({
      auto_create: field.boolean().default(true).doc('Whether topics of the hub are made if they are not there.'),
      default_partitions: field.int({ min: 1 }).default(1).doc('Partitions of topics that are made.'),
      default_replication_factor: field
        .int({ min: 1 })
        .optional()
        .doc("Replicas of topics that are made; by default the broker's."),
      require_topic_exists: field
        .boolean()
        .default(true)
        .always(true, 'a topic that is neither there nor made is an error')
        .doc('Whether it is an error when a topic is neither there nor made; always so.'),
      validate_existing: field
        .boolean()
        .default(false)
        .always(false, 'topics that are there are taken as they are')
        .doc('Whether topics that are there must have the partitions and replicas of `topic_config`; never so.'),
    })
    .optional()
    .doc('Topics of the hub.'),
  retry: field
    .object({
      max_retries: feature.ignored('attempts go on for a minute'),
      initial_backoff_ms: field
        .durationMs()
        .default(100)
        .doc('First wait before a failed request to the hub is tried again.'),
      max_backoff_ms: field.durationMs().default(30_000).doc('Longest wait.'),
      backoff_multiplier: feature.ignored('waits double'),
    })
    .optional()
    .doc('Requests to the hub that fail.'),
  health: feature.doc('Health endpoint.'),
  metrics: feature.doc('Metrics endpoint.'),
  telemetry: feature.doc('Telemetry.'),
}

/** Parts of a file that matter only when they are turned on. */
export const SWITCHED: readonly (readonly string[])[] = [
  ['settings', 'health'],
  ['settings', 'metrics'],
  ['settings', 'telemetry'],
  ['distributed'],
]
export const SWITCHED_ON = `It has no effect: ${LATER}`

/** The top level of a file. */
export const fileFields = {
  version: field.scalar().default('1.0').doc('Version of the format.'),
  name: field.string().optional().doc('Name of the file in logs; by default its own. Ours.'),
  broker: field.object(brokerFields).optional().doc('The hub: a Kafka cluster whose topics hold events.'),
  sources: field.map(field.any()).optional().doc('Connectors that write to topics of the hub, by name.'),
  sinks: field.map(field.any()).optional().doc('Connectors that read from topics of the hub, by name.'),
  bridges: field
    .map(field.any())
    .optional()
    .doc('Sources that go straight into a sink, without the hub, by name. Ours.'),
  settings: field.object(settingsFields).optional().doc('What holds for all connectors.'),
  distributed: feature.doc('Several workers. Members of a consumer group share the work without it.'),
}
