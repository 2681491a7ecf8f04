/**
 * Options of the `kafka` sink of pipelines: the names of Fluxion, and every Kafka producer property.
 *
 * Loads no client, so that lint stays fast.
 */
import { createTopic } from '../../kafka/properties/create-topic.ts'
import { IGNORED_PRODUCER_FIELDS } from '../../kafka/properties/ignored-fields.ts'
import { PRODUCER_FIELDS } from '../../kafka/properties/producer-fields.ts'
import { PRODUCER_RULES } from '../../kafka/properties/rules.ts'
import { producerSettings, type ClusterSettings, type ProducerSettings } from '../../kafka/properties/settings.ts'
import { schemaProblems, SINK_SCHEMA_FIELDS, type SinkSchemaOptions } from '../../schema-registry/format-fields.ts'
import type { OptionRule, Options } from '../../options/declaration.ts'
import { field } from '../../options/fields.ts'

export const kafkaSinkFields = {
  topic: field.topic().doc('Topic to write.').example('orders-out'),
  batchSize: field
    .int({ min: 1 })
    .optional()
    .doc(
      'Maximum documents per new record batch. Record batches that are forwarded whole are not split. By default as many as fit into `batch.size`, which counts bytes.',
    ),
  flushTimeout: field
    .durationMs({ min: 1 })
    .optional()
    .doc(
      'How long nothing may be acknowledged before the error policy or the circuit breaker decides. By default PT10S with retries or a circuit breaker; without them a write waits until `delivery.timeout.ms`, two minutes, so that a broker can restart meanwhile. The producer continues with what it has until then, so that a retry does not write it twice.',
    )
    .example('PT10S'),
  keyField: field
    .path()
    .optional()
    .doc('Field of the document to use as the key. By default the key of the record that was read.')
    .example('customer.id'),
  // Off by default, because an unchanged value then keeps the bytes that came in.
  includeMeta: field
    .boolean()
    .default(false)
    .doc('Whether to write `_meta` (topic, partition, offset, timestamp, key) into values. Stages can always read it.'),
  keepPartition: field
    .boolean()
    .optional()
    .doc(
      'Whether records keep their partition number. By default they do when both topics have the same number of partitions, the key is that of the record read, and `partitioner.class` is `murmur2`. Record batches that no stage changes are then forwarded whole. Rows that a stage builds from records of several partitions have none to keep: the partitioner decides.',
    ),
  createTopic,
  ...SINK_SCHEMA_FIELDS,
  ...PRODUCER_FIELDS,
  ...IGNORED_PRODUCER_FIELDS,
}

export type KafkaSinkOptions = Options<typeof kafkaSinkFields>

export const kafkaSinkRules: readonly OptionRule<typeof kafkaSinkFields>[] = [
  ...PRODUCER_RULES,
  (options) => schemaProblems(options, { key: options.keySerializer, value: options.valueSerializer }, 'serializer'),
]

export interface KafkaSinkSettings {
  readonly topic: string
  readonly batchSize: number | undefined
  /** How to make the topic when it is missing; undefined leaves it missing. */
  readonly createTopic: KafkaSinkOptions['createTopic']
  /** Undefined for the default, which depends on the error policy. */
  readonly flushTimeoutMs: number | undefined
  /** Dotted path; undefined keeps the key of the record. */
  readonly keyField: string | undefined
  readonly includeMeta: boolean
  /** Always, never, or (undefined) when both topics have as many partitions. */
  readonly keepPartition: boolean | undefined
  readonly cluster: ClusterSettings
  readonly producer: ProducerSettings
  readonly schemas: SinkSchemaOptions
}

/** Settings from options that passed `kafkaSinkRules`. */
export function kafkaSinkSettings(options: KafkaSinkOptions): KafkaSinkSettings {
  return {
    topic: options.topic,
    batchSize: options.batchSize,
    createTopic: options.createTopic,
    flushTimeoutMs: options.flushTimeout,
    keyField: options.keyField,
    includeMeta: options.includeMeta,
    keepPartition:
      options.keepPartition ??
      (options.partitioner === 'murmur2' && options.keyField === undefined ? undefined : false),
    schemas: options,
    ...producerSettings(options),
  }
}
