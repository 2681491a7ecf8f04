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
    .doc('Some brokers as `host:port`, with commas or as a list; the others are found through them.')
    .example('kafka1:9092,kafka2:9092'),
  request_timeout_ms: field.durationMs({ min: 1 }).default(30_000).doc('How long a broker may take to answer.'),
  client_id: field.string().optional().doc('Name that brokers see in logs and quotas.'),
  security: field.object(securityFields).optional().doc('How connections are secured; in clear text by default.'),
  properties: field
    .map(field.scalar())
    .optional()
    .doc('Further properties of Kafka clients, by their Kafka names. Ours.')
    .example({ 'fetch.max.wait.ms': 100 }),
}

export const kafkaSourceConfig = {
  ...clusterFields,
  topic: field.topic().doc('Kafka topic to read.').example('orders'),
  consumer_group: field
    .string()
    .default('rivven-connect')
    .aliases('group_id')
    .doc('Consumer group; its committed offsets are where reading goes on.'),
  start_offset: field
    .oneOf(['earliest', 'latest'])
    .default('earliest')
    .doc('Where to begin when the group has no committed offset.'),
  max_poll_records: field
    .int({ min: 1 })
    .optional()
    .doc('Most records of a batch. By default as many as were fetched; a limit costs time.'),
  max_poll_interval_ms: field
    .durationMs({ min: 1 })
    .default(300_000)
    .doc('How long members have to hand in their partitions in a rebalance.'),
  session_timeout_ms: field
    .durationMs({ min: 1 })
    .default(30_000)
    .doc('A member that is silent for so long is taken for dead.'),
  heartbeat_interval_ms: field.durationMs({ min: 1 }).default(3000).doc('Time between signs of life.'),
  fetch_min_bytes: field.bytes().default(1).doc('A broker waits until it has so much, or half a second has passed.'),
  fetch_max_bytes: field.bytes({ min: 1 }).default(52_428_800).doc('Most that one request asks for.'),
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
    .always(true, 'offsets are committed when the record is in its topic, never before')
    .doc('Whether offsets are committed; always so, and only when the record is in its topic.'),
  auto_commit_interval_ms: field.durationMs({ min: 1 }).default(5000).doc('Time between commits.'),
  include_headers: field.boolean().default(false).doc('Whether the metadata of an event repeats the headers.'),
  include_key: field.boolean().default(false).doc('Whether the metadata of an event repeats the key.'),
}

/** As the reference shows it. */
export const kafkaSourceConnector = {
  name: 'kafka-source',
  summary:
    'Reads a Kafka topic; as a source its records become events in a topic of the hub, in a bridge they go on as they are.',
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
  toOptions: (config) => ({ ...securityOptions(config.security), ...config.properties, topic: [config.topic] }),
}
