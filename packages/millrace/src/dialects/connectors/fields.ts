/**
 * What a file of connectors may say (Rivven), except for the `config` of each connector.
 */
import { address } from '../../kafka/properties/value-types.ts'
import type { ValueType } from '../../options/declaration.ts'
import { field } from '../../options/fields.ts'
import { parseInstantMs } from '../../options/units.ts'
import { isObject } from '../../options/values.ts'
import { securityFields } from './security.ts'
import { transformsAndStages } from './transforms.ts'

const LATER = 'it is not supported yet'

const tlsFields = {
  enabled: field.boolean().default(false).doc('Whether connections to the hub are encrypted.'),
  ca_path: field.string().optional().doc('PEM file with the certificates of trusted certificate authorities.'),
  cert_path: field.string().optional().doc('PEM file with the certificate chain of this client.'),
  key_path: field.string().optional().doc('PEM file with the private key of this client.'),
  insecure: field.boolean().default(false).doc('Must not be true: certificates are always verified.'),
  server_name: field.string().optional().ignored('certificates are verified against the name of the broker'),
}

export const brokerFields = {
  bootstrap_servers: field
    .list(field.of(address), { commaText: true })
    .aliases('brokers', 'bootstrapServers')
    .doc('Brokers of the Kafka cluster that holds the topics of the hub.')
    .example(['localhost:9092']),
  metadata_refresh_ms: field
    .durationMs()
    .default(300_000)
    .doc('How long topic metadata is cached before it is refreshed.'),
  connection_timeout_ms: field.durationMs({ min: 1 }).default(10_000).doc('How long one attempt to connect may take.'),
  request_timeout_ms: field
    .durationMs({ min: 1 })
    .default(30_000)
    .doc('How long to wait for the response of a broker.'),
  tls: field.object(tlsFields).optional().doc('Encryption of connections to the hub.'),
  security: field
    .object(securityFields)
    .optional()
    .doc('How connections to the hub are secured; use it instead of `tls`. A Millrace extension.'),
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
    const ms = time instanceof Date ? time.getTime() : typeof time === 'string' ? parseInstantMs(time) : undefined
    if (ms !== undefined && !Number.isNaN(ms)) return `timestamp:${new Date(ms).toISOString()}`
    report({ expected: this.expected, found: value })
    return 'latest'
  },
}

const perSecond = field.number({ min: 0 }).default(0).doc('Records per second; 0 means no limit.')

/** Names of the Kafka connectors. */
export const KAFKA_CONNECTORS = {
  source: ['kafka', 'kafka-source', 'apache-kafka'],
  sink: ['kafka', 'kafka-sink', 'apache-kafka'],
} as const

const connectorFields = {
  connector: field.string().aliases('type').doc('Type of the connector.').example('kafka-source'),
  config: field.any().optional().doc('Options of the connector.'),
  enabled: field.boolean().default(true).doc('Whether it runs. A disabled connector is still checked.'),
}

/** What sources and sinks of the hub have in common. */
const hubConnectorFields = {
  ...connectorFields,
  transforms: field
    .of(transformsAndStages)
    .default([])
    .doc(
      'Transforms of events, in order. In a source they follow the stages, which change values; in a sink they come first.',
    ),
  dead_letter_topic: field
    .string()
    .optional()
    .doc('Topic of the hub for records that still cannot be written after three attempts. Without it the run fails.'),
  schema_registry_url: field.any().optional().ignored(LATER),
}

export const sourceFields = {
  ...hubConnectorFields,
  topic: field.string().doc('Topic of the hub to write events to.').example('kafka-events'),
  topic_config: field
    .object({
      partitions: field.int({ min: 1 }).optional().doc('Number of partitions. By default that of `settings.topic`.'),
      replication_factor: field
        .int({ min: 1 })
        .optional()
        .doc('Number of replicas. By default that of `settings.topic`, or else of the broker.'),
      auto_create: field
        .boolean()
        .optional()
        .doc('Whether to create the topic if it is missing. By default as in `settings.topic`.'),
    })
    .optional()
    .doc('How to create the topic of the hub if it is missing.'),
  rate_limit: field
    .object({
      events_per_second: perSecond,
      max_in_flight: field
        .int({ min: 0 })
        .default(0)
        .doc('Records that may be in flight to the hub; 0 means no limit.'),
      burst_size: field.int({ min: 0 }).default(0).doc('Records allowed in a burst after a pause, on top of the rate.'),
    })
    .optional()
    .doc('Rate limit for reading the source.'),
}

export const sinkFields = {
  ...hubConnectorFields,
  topics: field
    .list(field.string(), { commaText: true })
    .aliases('topic')
    .doc('Topics of the hub to read events from.')
    .example(['events']),
  consumer_group: field
    .string()
    .doc('Consumer group on the hub. Reading resumes at its committed offsets.')
    .example('kafka-producer'),
  start_offset: field
    .of(startOffset)
    .default('latest')
    .doc(
      'Where to start when the group has no committed offset: `latest`, `earliest`, or `{timestamp: "2026-01-31T00:00:00Z"}`.',
    ),
  rate_limit: field
    .object({
      events_per_second: perSecond,
      burst_capacity: field
        .int({ min: 1 })
        .optional()
        .doc('Records allowed in a burst after a pause, on top of the rate.'),
    })
    .optional()
    .doc('Rate limit for reading the topics.'),
  offset_commit_interval: field
    .int({ min: 1 })
    .optional()
    .ignored('offsets are committed every 5 s, in the background'),
}

export const bridgeFields = {
  source: field
    .object({ connector: connectorFields.connector, config: connectorFields.config })
    .doc('Where records come from.'),
  sink: field.object({ connector: connectorFields.connector, config: connectorFields.config }).doc('Where records go.'),
  transforms: field.of(transformsAndStages).default([]).doc('Stages such as `$match` or `filter.apply`, in order.'),
  enabled: connectorFields.enabled,
  rate_limit: sourceFields.rate_limit,
}

const feature = field.any().optional()

const listenAt = field
  .string()
  .default('127.0.0.1')
  .doc('Address to listen at; `0.0.0.0` for all. A Millrace extension.')

export const settingsFields = {
  state_dir: feature.ignored('offsets are kept by Kafka'),
  log_level: feature.ignored('problems are reported on standard error'),
  topic: field
    .object({
      auto_create: field.boolean().default(true).doc('Whether to create topics of the hub that are missing.'),
      default_partitions: field.int({ min: 1 }).default(1).doc('Partitions of created topics.'),
      default_replication_factor: field
        .int({ min: 1 })
        .optional()
        .doc('Replicas of created topics. By default the broker decides.'),
      require_topic_exists: field
        .boolean()
        .default(true)
        .always(true, 'a missing topic that may not be created is an error')
        .doc('Whether a missing topic that may not be created is an error. It always is.'),
      validate_existing: field
        .boolean()
        .default(false)
        .always(false, 'existing topics are used as they are')
        .doc('Whether existing topics must have the partitions and replicas of `topic_config`. They never need to.'),
    })
    .optional()
    .doc('Topics of the hub.'),
  retry: field
    .object({
      max_retries: feature.ignored('requests are retried for a minute'),
      initial_backoff_ms: field
        .durationMs()
        .default(100)
        .doc('First wait before a failed request to the hub is retried.'),
      max_backoff_ms: field.durationMs().default(30_000).doc('Longest wait.'),
      backoff_multiplier: feature.ignored('waits double'),
    })
    .optional()
    .doc('How requests to the hub are retried.'),
  health: field
    .object({
      enabled: field.boolean().default(false).doc('Whether to serve health.'),
      port: field.int({ min: 0, max: 65_535 }).default(8080).doc('Port of the HTTP server.'),
      path: field.string().default('/health').doc('Path of the health document; `/ready` and `/live` are beside it.'),
      host: listenAt,
    })
    .optional()
    .doc('Health over HTTP, as Rivven has it; `http` serves more.'),
  metrics: field
    .object({
      enabled: field.boolean().default(false).doc('Whether to serve metrics.'),
      port: field.int({ min: 0, max: 65_535 }).default(9091).doc('Port of the HTTP server.'),
      host: listenAt,
    })
    .optional()
    .doc('Metrics for Prometheus at `/metrics`: those of Rivven and those of Millrace; `http` serves more.'),
  telemetry: feature.doc('Telemetry.'),
}

/** Parts of a file that matter only when they are turned on. */
export const SWITCHED: readonly (readonly string[])[] = [['settings', 'telemetry'], ['distributed']]
export const SWITCHED_ON = `It has no effect: ${LATER}`

/** The top level of a file. */
export const fileFields = {
  version: field.scalar().default('1.0').doc('Version of the format.'),
  name: field.string().optional().doc('Name of the pipeline in logs. By default the file name. A Millrace extension.'),
  broker: field.object(brokerFields).optional().doc('The hub: a Kafka cluster whose topics hold events.'),
  sources: field.map(field.any()).optional().doc('Connectors that write to topics of the hub, by name.'),
  sinks: field.map(field.any()).optional().doc('Connectors that read from topics of the hub, by name.'),
  bridges: field
    .map(field.any())
    .optional()
    .doc('Sources that write straight to a sink, without the hub, by name. A Millrace extension.'),
  settings: field.object(settingsFields).optional().doc('Settings for all connectors.'),
  distributed: feature.doc('Several workers. Consumer groups share the work without it.'),
}
