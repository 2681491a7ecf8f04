/**
 * Options of a `KafkaSink`, declared once: those of Kafka's producers, and those of the stream processor's `KafkaSinkConfig`,
 * whose names and defaults hold where the two differ (docs/decisions/20261129-kafka-sink.md).
 */
import { CLUSTER_FIELDS } from '../../kafka/properties/cluster-fields.ts'
import { IGNORED_PRODUCER_FIELDS } from '../../kafka/properties/ignored-fields.ts'
import { PRODUCER_FIELDS } from '../../kafka/properties/producer-fields.ts'
import { PRODUCER_LIMITS } from '../../kafka/properties/producer-limits.ts'
import type { AnyField } from '../../options/declaration.ts'
import { field } from '../../options/fields.ts'
import { snakeCase } from '../../options/spellings.ts'

/** How a record gets its partition when it does not name one. */
export const PartitionStrategy = {
  /** By `partitioner`: a hash of the key; records without a key go to one partition after the other, a batch each. */
  KeyHash: 'key_hash',
  /** One record to each partition in turn; keys are ignored. */
  RoundRobin: 'round_robin',
  /** Every record must name its partition. */
  Custom: 'custom',
  /** Partition 0. */
  Single: 'single',
} as const
export type PartitionStrategy = (typeof PartitionStrategy)[keyof typeof PartitionStrategy]

/** What a resolved `send` means. */
export const DeliveryGuarantee = {
  /** Sent once, without an acknowledgement: a record may be lost, and is never duplicated. */
  AtMostOnce: 'at_most_once',
  /** Acknowledged by all in-sync replicas; with idempotence, retries do not duplicate it. */
  AtLeastOnce: 'at_least_once',
  /** Written in transactions: readers of committed records see all of one, or nothing. */
  ExactlyOnce: 'exactly_once',
} as const
export type DeliveryGuarantee = (typeof DeliveryGuarantee)[keyof typeof DeliveryGuarantee]

/** The fields of the stream processor's `KafkaSinkConfig` in camelCase, and the option behind each. `snake_case` is accepted as well. */
export const CONFIG_NAMES = {
  brokers: 'bootstrapServers',
  topic: 'topic',
  clientId: 'clientId',
  batchSize: 'batchSize',
  sendTimeoutMs: 'deliveryTimeoutMs',
  enableIdempotence: 'idempotence',
  enableTransactions: 'enableTransactions',
  transactionalId: 'transactionalId',
  compressionType: 'compression',
  acks: 'acks',
  maxRetries: 'maxRetries',
  baseBackoffMs: 'retryBackoffMs',
  maxInFlightRequests: 'maxInFlight',
  lingerMs: 'lingerMs',
  bufferMemory: 'bufferBytes',
  enableCircuitBreaker: 'enableCircuitBreaker',
  circuitBreakerThreshold: 'circuitBreakerThreshold',
  circuitBreakerTimeoutSecs: 'circuitBreakerTimeoutSecs',
} as const

const BASE_FIELDS = {
  ...PRODUCER_FIELDS,
  topic: field.topic().optional().doc('Topic for records without a topic of their own.').example('orders'),
  batchSize: field
    .int({ min: 1, max: 1_000_000 })
    .default(100)
    .doc(
      'Most records of a batch of one partition. A batch is sent earlier when `batchBytes` are reached or `lingerMs` has passed.',
    ),
  batchBytes: field
    .bytes(PRODUCER_LIMITS.batchBytes)
    .optional()
    .kafka('batch.size')
    .doc(
      'Most bytes of a batch of one partition, before compression. By default 16 KiB, or 128 bytes per record of `batchSize` if that is more. If it is set and `batchSize` is not, only bytes count.',
    ),
  lingerMs: PRODUCER_FIELDS.lingerMs
    .default(0)
    .doc(
      'How long a batch waits for more records before it is sent, unless it is full. With 0, it contains what was written in the same turn of the event loop, and what came while requests were in flight.',
    ),
  compression: PRODUCER_FIELDS.compression.default('snappy'),
  deliveryTimeoutMs: PRODUCER_FIELDS.deliveryTimeoutMs
    .default(30_000)
    .doc('How long to try to write a record, including retries, before it fails.'),
  maxRetries: field
    .int({ min: 0, max: 0x7fffffff })
    .default(5)
    .kafka('retries')
    .doc(
      'How often a batch is sent again after a broker refused it with a retriable error, or did not respond. While no broker can be reached nothing is sent, and `deliveryTimeoutMs` alone counts.',
    ),
  retryBackoffMs: CLUSTER_FIELDS.retryBackoffMs.doc(
    'Base of the wait before a retry. The first wait before a batch is sent again is twice as long, and each further one doubles, up to 60 s.',
  ),
  requestTimeoutMs: field
    .durationMs({ min: 1 })
    .optional()
    .kafka('request.timeout.ms')
    .doc('How long to wait for the response of a broker. By default 30 s, or what `deliveryTimeoutMs` leaves.'),
  maxBlockMs: field
    .durationMs({ min: 1 })
    .optional()
    .kafka('max.block.ms')
    .doc(
      'How long to wait for a connection and for the metadata of a topic. By default `deliveryTimeoutMs`, at most 60 s.',
    ),
  enableTransactions: field
    .boolean()
    .optional()
    .doc(
      'Whether records are written in transactions, which requires `transactionalId`. By default on if there is one; if it is off, `transactionalId` has no effect.',
    ),
  deliveryGuarantee: field
    .oneOf(['at_most_once', 'at_least_once', 'exactly_once'], {
      AtMostOnce: 'at_most_once',
      AtLeastOnce: 'at_least_once',
      ExactlyOnce: 'exactly_once',
    })
    .optional()
    .doc(
      '`at_least_once` is what the other options promise by default. `at_most_once`: acks 0 and no retries. `exactly_once`: requires transactions. By default `exactly_once` with transactions, and `at_least_once` without.',
    ),
  partitionStrategy: field
    .oneOf(['key_hash', 'round_robin', 'custom', 'single'], {
      KeyHash: 'key_hash',
      RoundRobin: 'round_robin',
    })
    .default('key_hash')
    .doc(
      'How records that do not name a partition get one: by `partitioner` (`key_hash`), in turn (`round_robin`), not at all, so that a record must name its own (`custom`), or always partition 0 (`single`).',
    ),
  enableCircuitBreaker: field
    .boolean()
    .default(true)
    .doc(
      'Whether writes fail at once, with `CIRCUIT_OPEN`, after several failures in a row. Records that are rejected for their content do not count.',
    ),
  circuitBreakerThreshold: field
    .int({ min: 1 })
    .default(5)
    .doc('Number of calls that must fail in a row, after all retries, before the circuit breaker opens.'),
  circuitBreakerTimeout: field
    .durationMs({ min: 1 })
    .default(60_000)
    .aliases('circuit_breaker_timeout')
    .doc('How long an open circuit breaker rejects writes before it allows one.')
    .example('PT60S'),
  circuitBreakerTimeoutSecs: field
    .number({ min: 0.001 })
    .optional()
    .doc('The same as `circuitBreakerTimeout`, in seconds; use either.'),
}

export const KAFKA_SINK_FIELDS: typeof BASE_FIELDS = named(BASE_FIELDS)

/** What is accepted without effect; `retries` has one here. */
export const IGNORED_SINK_FIELDS: { readonly [property: string]: AnyField } = Object.fromEntries(
  Object.entries(IGNORED_PRODUCER_FIELDS).filter(([name]) => name !== 'retries'),
)

/** The fields, known under the names of `KafkaSinkConfig` too. */
function named(fields: typeof BASE_FIELDS): typeof BASE_FIELDS {
  const all: { [name: string]: AnyField } = { ...fields }
  for (const [name, option] of Object.entries(CONFIG_NAMES)) {
    const known = [option, ...(all[option]!.meta.aliases ?? [])]
    const added = [name, snakeCase(name)].filter((each) => !known.includes(each))
    all[option] = all[option]!.aliases(...new Set(added))
  }
  return all as typeof BASE_FIELDS
}
