/**
 * `config` of a Kafka source of Rivven, and what it means for our `kafka` source.
 */
import { address } from '../../kafka/properties/value-types.ts'
import { field } from '../../options/fields.ts'
import { securityFields, securityOptions } from './security.ts'
import type { Translation } from './translate.ts'

/** Options that sources and sinks have in common. */
export const clusterFields = {
  brokers: field
    .list(field.of(address), { commaText: true })
    .aliases('bootstrap_servers', 'bootstrapServers', 'bootstrap.servers')
    .doc(
      'Addresses of some brokers as `host:port`, separated by commas or as a list. The other brokers are found through them.',
    )
    .example('kafka1:9092,kafka2:9092'),
  request_timeout_ms: field
    .durationMs({ min: 1 })
    .default(30_000)
    .doc('How long to wait for the response of a broker.'),
  client_id: field.string().optional().doc('Client name in the logs and quotas of brokers.'),
  security: field.object(securityFields).optional().doc('How connections are secured. By default they are not.'),
  properties: field
    .map(field.any())
    .optional()
    .doc(
      'Other Kafka client properties, by their Kafka names, and options for schemas such as `schemaRegistry`. A Millrace extension.',
    )
    .example({ 'fetch.max.wait.ms': 100 }),
}

export const kafkaSourceConfig = {
  ...clusterFields,
  topic: field.topic().doc('Kafka topic to read.').example('orders'),
  consumer_group: field
    .string()
    .default('rivven-connect')
    .aliases('group_id')
    .doc('Consumer group. Reading resumes at its committed offsets.'),
  start_offset: field
    .oneOf(['earliest', 'latest'])
    .default('earliest')
    .doc('Where to start when the group has no committed offset.'),
  max_poll_records: field
    .int({ min: 1 })
    .optional()
    .doc('Maximum records per batch. By default as many as were fetched; a limit costs throughput.'),
  max_poll_interval_ms: field
    .durationMs({ min: 1 })
    .default(300_000)
    .doc('How long members may take to give up their partitions in a rebalance.'),
  session_timeout_ms: field
    .durationMs({ min: 1 })
    .default(30_000)
    .doc('A member that sends no heartbeat for this long is removed from the group.'),
  heartbeat_interval_ms: field.durationMs({ min: 1 }).default(3000).doc('Time between heartbeats.'),
  fetch_min_bytes: field
    .bytes()
    .default(1)
    .doc('Bytes that a broker waits for before it responds, for at most half a second.'),
  fetch_max_bytes: field
    .bytes({ min: 1 })
    .default(52_428_800)
    .doc('Maximum size of the response to one fetch request.'),
  empty_poll_delay_ms: field
    .durationMs()
    .optional()
    .ignored('brokers respond as soon as there are records, so there is no wait between polls'),
  isolation_level: field
    .oneOf(['read_uncommitted', 'read_committed'])
    .default('read_uncommitted')
    .doc('`read_committed` hides records of aborted and open transactions.'),
  enable_auto_commit: field
    .boolean()
    .default(true)
    .always(true, 'offsets are committed once the record is written, never before')
    .doc('Whether offsets are committed. They always are, once the record is written.'),
  auto_commit_interval_ms: field.durationMs({ min: 1 }).default(5000).doc('Time between commits.'),
  include_headers: field.boolean().default(false).doc('Whether event metadata includes the headers.'),
  include_key: field.boolean().default(false).doc('Whether event metadata includes the key.'),
}

/** As the reference shows it. */
export const kafkaSourceConnector = {
  name: 'kafka-source',
  summary:
    'Reads a Kafka topic. In a source, its records become events in a topic of the hub; in a bridge, they pass unchanged.',
  options: kafkaSourceConfig,
  examples: [
    {
      title: 'Committed records only, with their keys in the metadata',
      options: { brokers: 'kafka1:9092', topic: 'orders', isolation_level: 'read_committed', include_key: true },
    },
  ],
} as const

export const kafkaSourceTranslation: Translation<typeof kafkaSourceConfig> = {
  fields: kafkaSourceConfig,
  names: {
    brokers: 'bootstrapServers',
    topic: 'topic',
    consumer_group: 'groupId',
    start_offset: 'autoOffsetReset',
    max_poll_interval_ms: 'maxPollIntervalMs',
    max_poll_records: 'maxPollRecords',
    session_timeout_ms: 'sessionTimeoutMs',
    heartbeat_interval_ms: 'heartbeatIntervalMs',
    fetch_min_bytes: 'fetchMinBytes',
    fetch_max_bytes: 'fetchMaxBytes',
    request_timeout_ms: 'requestTimeoutMs',
    isolation_level: 'isolation',
    auto_commit_interval_ms: 'autoCommitIntervalMs',
    client_id: 'clientId',
  },
  // The broker decides then, and a default of Rivven is no wish of the user.
  withoutDefaults: (config) =>
    config.properties?.['group.protocol'] === 'consumer' ? ['session_timeout_ms', 'heartbeat_interval_ms'] : [],
  toOptions: (config) => ({ ...securityOptions(config.security), ...config.properties, topic: [config.topic] }),
}
