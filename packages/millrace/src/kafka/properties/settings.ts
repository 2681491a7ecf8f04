/**
 * The settings that the clients of `kafka/` take, from options that passed the rules. A setting has one unit, no default
 * and no second spelling left.
 */
import type { Options } from '../../options/declaration.ts'
import type { ClusterOptions } from '../cluster/cluster.ts'
import type { ADMIN_FIELDS } from './admin-fields.ts'
import type { CLUSTER_FIELDS } from './cluster-fields.ts'
import type { CONSUMER_FIELDS } from './consumer-fields.ts'
import type { PRODUCER_FIELDS } from './producer-fields.ts'
import { MAX_IN_FLIGHT_IDEMPOTENT } from './producer-limits.ts'
import type { Codec } from '../protocol/compression/codecs.ts'
import type { AssignorName, OffsetReset, PartitionerName } from './value-types.ts'
import type { SaslMechanism } from '../security/conversation.ts'
import { type SaslSettings, securitySettings, type SecuritySettings } from '../security/settings.ts'

/** How to reach a cluster, before files are read. `clusterOptions` makes of it what `Cluster` takes. */
export interface ClusterSettings {
  readonly bootstrapServers: readonly string[]
  readonly clientId: string | undefined
  readonly connectTimeoutMs: number
  readonly requestTimeoutMs: number
  /** `default.api.timeout.ms` of consumers and administrators, `max.block.ms` of producers. */
  readonly apiTimeoutMs: number
  readonly metadataMaxAgeMs: number
  readonly retryBackoffMs: number
  readonly retryBackoffMaxMs: number
  readonly security: SecuritySettings
}

/** See `CONSUMER_FIELDS` for what each means. */
export interface ConsumerSettings {
  readonly groupId: string | undefined
  readonly instanceId: string | undefined
  readonly groupProtocol: 'classic' | 'consumer'
  readonly serverAssignor: 'uniform' | 'range' | undefined
  readonly assignors: readonly AssignorName[]
  readonly rackId: string | undefined
  readonly autoOffsetReset: OffsetReset
  readonly offsetOutOfRange: 'fail' | 'reset'
  readonly isolation: 'read_uncommitted' | 'read_committed'
  readonly checkCrcs: boolean
  readonly fetchMinBytes: number
  readonly fetchMaxWaitMs: number
  readonly fetchMaxBytes: number
  readonly maxPartitionFetchBytes: number
  readonly fetchBufferBytes: number
  readonly maxDecompressedBytes: number
  readonly sessionTimeoutMs: number
  readonly heartbeatIntervalMs: number
  readonly maxPollIntervalMs: number
  /** Undefined for no limit; whoever hands out batches cuts them. */
  readonly maxPollRecords: number | undefined
  readonly enableAutoCommit: boolean
  readonly autoCommitIntervalMs: number
  /** Full names of Java classes. */
  readonly keyDeserializer: string
  readonly valueDeserializer: string
}

/** See `PRODUCER_FIELDS` for what each means. */
export interface ProducerSettings {
  readonly acks: 'all' | 1 | 0
  readonly idempotence: boolean
  readonly lingerMs: number
  /** At most `maxRequestBytes` and `bufferBytes`. */
  readonly batchBytes: number
  readonly compression: Codec
  /** Level of the codec in use; undefined for its own default. */
  readonly compressionLevel: number | undefined
  /** At most 5 with idempotence. */
  readonly maxInFlight: number
  readonly maxRequestBytes: number
  readonly bufferBytes: number
  readonly deliveryTimeoutMs: number
  readonly requestTimeoutMs: number
  readonly partitioner: PartitionerName
  readonly transactionalId: string | undefined
  readonly transactionTimeoutMs: number | undefined
  /** Full names of Java classes. */
  readonly keySerializer: string
  readonly valueSerializer: string
}

/** Settings of an administrator from options that passed `ADMIN_RULES`. */
export function adminSettings(options: Options<typeof ADMIN_FIELDS>): ClusterSettings {
  return clusterSettings(options, options.apiTimeoutMs)
}

/** Settings of a consumer from options that passed `CONSUMER_RULES`. */
export function consumerSettings(options: Options<typeof CONSUMER_FIELDS>): {
  readonly cluster: ClusterSettings
  readonly consumer: ConsumerSettings
} {
  return {
    cluster: clusterSettings(options, options.apiTimeoutMs),
    consumer: {
      groupId: options.groupId,
      instanceId: options.instanceId,
      groupProtocol: options.groupProtocol,
      serverAssignor: options.serverAssignor,
      assignors: [...new Set(options.assignors)],
      rackId: options.rackId,
      autoOffsetReset: options.autoOffsetReset,
      offsetOutOfRange: options.offsetOutOfRange,
      isolation: options.isolation,
      checkCrcs: options.checkCrcs,
      fetchMinBytes: options.fetchMinBytes,
      fetchMaxWaitMs: options.fetchMaxWaitMs,
      fetchMaxBytes: options.fetchMaxBytes,
      maxPartitionFetchBytes: options.maxPartitionFetchBytes,
      fetchBufferBytes: options.fetchBufferBytes,
      maxDecompressedBytes: options.maxDecompressedBytes,
      sessionTimeoutMs: options.sessionTimeoutMs,
      heartbeatIntervalMs: options.heartbeatIntervalMs,
      maxPollIntervalMs: options.maxPollIntervalMs,
      maxPollRecords: options.maxPollRecords,
      enableAutoCommit: options.enableAutoCommit,
      autoCommitIntervalMs: options.autoCommitIntervalMs,
      keyDeserializer: options.keyDeserializer,
      valueDeserializer: options.valueDeserializer,
    },
  }
}

type Acks = Pick<Options<typeof PRODUCER_FIELDS>, 'acks' | 'idempotence'>

export function acksOf({ acks }: Pick<Acks, 'acks'>): ProducerSettings['acks'] {
  return acks === 'all' ? 'all' : acks === '1' ? 1 : 0
}

/** On with acks all, unless it was turned off. */
export function isIdempotent({ acks, idempotence }: Acks): boolean {
  return idempotence ?? acks === 'all'
}

/** Settings of a producer from options that passed `PRODUCER_RULES`. */
export function producerSettings(options: Options<typeof PRODUCER_FIELDS>): {
  readonly cluster: ClusterSettings
  readonly producer: ProducerSettings
} {
  const idempotence = isIdempotent(options)
  const levels = {
    none: undefined,
    snappy: undefined,
    // Kafka's -1 for the default.
    gzip: options.gzipLevel === -1 ? undefined : options.gzipLevel,
    lz4: undefined,
    zstd: options.zstdLevel,
  }
  return {
    cluster: clusterSettings(options, options.maxBlockMs),
    producer: {
      acks: acksOf(options),
      idempotence,
      lingerMs: options.lingerMs,
      // A batch is never larger than the request or the memory that has to hold it.
      batchBytes: Math.min(options.batchBytes, options.maxRequestBytes, options.bufferBytes),
      compression: options.compression,
      compressionLevel: levels[options.compression],
      maxInFlight: idempotence ? Math.min(MAX_IN_FLIGHT_IDEMPOTENT, options.maxInFlight) : options.maxInFlight,
      maxRequestBytes: options.maxRequestBytes,
      bufferBytes: options.bufferBytes,
      deliveryTimeoutMs: options.deliveryTimeoutMs,
      requestTimeoutMs: options.requestTimeoutMs,
      partitioner: options.partitioner,
      transactionalId: options.transactionalId,
      transactionTimeoutMs: options.transactionTimeoutMs,
      keySerializer: options.keySerializer,
      valueSerializer: options.valueSerializer,
    },
  }
}

function clusterSettings(options: Options<typeof CLUSTER_FIELDS>, apiTimeoutMs: number): ClusterSettings {
  return {
    bootstrapServers: options.bootstrapServers,
    clientId: options.clientId,
    connectTimeoutMs: options.connectTimeoutMs,
    requestTimeoutMs: options.requestTimeoutMs,
    apiTimeoutMs,
    metadataMaxAgeMs: options.metadataMaxAgeMs,
    retryBackoffMs: options.retryBackoffMs,
    retryBackoffMaxMs: options.retryBackoffMaxMs,
    security: securitySettings(options),
  }
}

/**
 * Options of a `Cluster`: reads the files that the security settings name.
 *
 * @param context.directory against which relative paths are resolved
 * @param context.clientId used when the settings name none
 * @throws {FileError} {ConfigError} see `readTls`
 */
export async function clusterOptions(
  settings: ClusterSettings,
  context: { readonly directory: string; readonly clientId: string },
): Promise<ClusterOptions> {
  const { security, clientId, ...rest } = settings
  const tls =
    security.tls === undefined
      ? undefined
      : await (await import('../../security/tls.ts')).readTls(security.tls, context.directory)
  return {
    ...rest,
    clientId: clientId ?? context.clientId,
    ...(security.sasl === undefined ? {} : { sasl: await sasl(security.sasl, settings.connectTimeoutMs) }),
    ...(tls === undefined ? {} : { tls }),
  }
}

async function sasl(settings: SaslSettings, timeoutMs: number): Promise<SaslMechanism> {
  const { openMechanism } = await import('../security/mechanism.ts')
  return openMechanism(settings, { timeoutMs, environment: process.env })
}
