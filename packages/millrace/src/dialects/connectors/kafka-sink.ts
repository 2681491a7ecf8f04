/**
 * `config` of a Kafka sink of Rivven, and what it means for our `kafka` sink.
 */
import { createTopic } from '../../kafka/properties/create-topic.ts'
import { field } from '../../options/fields.ts'
import { clusterFields } from './kafka-source.ts'
import { securityOptions } from './security.ts'
import type { Translation } from './translate.ts'

export const kafkaSinkConfig = {
  ...clusterFields,
  topic: field.topic().doc('Kafka topic to write.').example('orders-replica'),
  create_topic: createTopic,
  acks: field
    .oneOf(['none', 'leader', 'all'], { '0': 'none', '1': 'leader', '-1': 'all' })
    .default('all')
    .doc(
      'Which brokers must have a record before it counts as written: `all` in-sync replicas, the `leader`, `none`. With `leader`, acknowledged records are lost if it fails before its followers have them; with `none`, records can be lost without any error.',
    ),
  compression: field
    .oneOf(['none', 'gzip', 'snappy', 'lz4', 'zstd'])
    .default('none')
    .doc('How record batches are compressed.'),
  batch_size_bytes: field.bytes().default(16_384).doc('Size of a record batch of one partition, before compression.'),
  linger_ms: field
    .durationMs()
    .default(5)
    .doc('How long a batch waits for more records before it is sent, unless it is full.'),
  retries: field.int({ min: 0 }).optional().ignored('writes are retried for two minutes (delivery.timeout.ms)'),
  retry_backoff_ms: field
    .durationMs()
    .default(100)
    .doc('First wait before a failed request is retried; doubles up to 10 s.'),
  idempotent: field
    .boolean()
    .optional()
    .doc('Whether retries never duplicate records. By default on with acks all, off otherwise.'),
  transactional_id: field
    .string()
    .optional()
    .doc('Write in transactions, together with the offsets of what was read, so that each record counts once.'),
  key_field: field
    .string()
    .optional()
    .doc(
      'Field of the data to use as the key: text as it is, everything else as JSON. By default the key of the record.',
    ),
  include_headers: field
    .boolean()
    .default(false)
    .doc(
      'Whether records get the headers `rivven_stream`, `rivven_event_type`, `rivven_namespace`, `rivven_position`.',
    ),
  custom_headers: field
    .map(field.string())
    .optional()
    .doc('Headers to add to every record.')
    .example({ source: 'rivven' }),
}

/** As the reference shows it. */
export const kafkaSinkConnector = {
  name: 'kafka-sink',
  summary: 'Writes to a Kafka topic: the data of events from the hub or, in a bridge, the records unchanged.',
  options: kafkaSinkConfig,
  examples: [
    {
      title: 'Compressed, keyed by a field of the data',
      options: { brokers: 'kafka2:9092', topic: 'orders-replica', compression: 'lz4', key_field: 'order_id' },
    },
    {
      title: 'Each record once',
      options: { brokers: 'localhost:9092', topic: 'orders-replica', transactional_id: 'orders-1' },
    },
  ],
} as const

const ACKS = { none: '0', leader: '1', all: 'all' } as const

export const kafkaSinkTranslation: Translation<typeof kafkaSinkConfig> = {
  fields: kafkaSinkConfig,
  names: {
    brokers: 'bootstrapServers',
    topic: 'topic',
    create_topic: 'createTopic',
    acks: 'acks',
    compression: 'compression',
    batch_size_bytes: 'batchBytes',
    linger_ms: 'lingerMs',
    request_timeout_ms: 'requestTimeoutMs',
    retry_backoff_ms: 'retryBackoffMs',
    idempotent: 'idempotence',
    transactional_id: 'transactionalId',
    client_id: 'clientId',
  },
  toOptions: (config) => ({
    retryBackoffMaxMs: Math.max(10_000, config.retry_backoff_ms),
    ...securityOptions(config.security),
    ...config.properties,
    acks: ACKS[config.acks],
  }),
}
