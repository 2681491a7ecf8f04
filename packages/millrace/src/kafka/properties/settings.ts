/**
 * What the properties of `properties.ts` mean together: rules across them, and the canonical settings that the clients
 * of this folder take. A setting has one unit, no default and no second spelling left.
 */
import { problem, warning, type OptionRule, type Options } from '../../options/declaration.ts'
import type { ClusterOptions } from '../cluster/cluster.ts'
import type { CLUSTER_FIELDS, CONSUMER_FIELDS, PRODUCER_FIELDS } from './consumer-fields.ts'
import type { Assignor, OffsetReset, PartitionerName } from './value-types.ts'
import type { SaslMechanism } from '../security/conversation.ts'
import { securityRule } from '../security/rules.ts'
import { type SaslSettings, securitySettings, type SecuritySettings } from '../security/settings.ts'

/** How to reach a cluster, before files are read. `clusterOptions` makes of it what `Cluster` takes. */
export interface ClusterSettings {
  readonly bootstrapServers: readonly string[]
  readonly clientId: string | undefined
  readonly connectTimeoutMs: number
  readonly requestTimeoutMs: number
  /** `default.api.timeout.ms` of consumers, `max.block.ms` of producers. */
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
  readonly assignors: readonly Assignor[]
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
  readonly batchBytes: number
  readonly compression: 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd'
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

/** Settings of a producer from options that passed `PRODUCER_RULES`. */
export function producerSettings(options: Options<typeof PRODUCER_FIELDS>): {
  readonly cluster: ClusterSettings
  readonly producer: ProducerSettings
} {
  const idempotence = options.idempotence ?? options.acks === 'all'
  const levels = {
    none: undefined,
    snappy: undefined,
    gzip: options.gzipLevel,
    lz4: options.lz4Level,
    zstd: options.zstdLevel,
  }
  return {
    cluster: clusterSettings(options, options.maxBlockMs),
    producer: {
      acks: options.acks === 'all' ? 'all' : options.acks === '1' ? 1 : 0,
      idempotence,
      lingerMs: options.lingerMs,
      batchBytes: options.batchBytes,
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
      : await (await import('../security/tls.ts')).readTls(security.tls, context.directory)
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

const MAX_IN_FLIGHT_IDEMPOTENT = 5

/** Rules of consumers. */
export const CONSUMER_RULES: readonly OptionRule<typeof CONSUMER_FIELDS>[] = [
  securityRule,
  ({ heartbeatIntervalMs, sessionTimeoutMs, groupProtocol }) =>
    groupProtocol === 'classic' && heartbeatIntervalMs >= sessionTimeoutMs
      ? problem(
          'heartbeatIntervalMs',
          `heartbeat.interval.ms (${heartbeatIntervalMs}) must be less than session.timeout.ms (${sessionTimeoutMs}), or the member is taken for dead`,
          'a third of it is usual',
        )
      : undefined,
  ({ fetchMaxWaitMs, requestTimeoutMs }) =>
    fetchMaxWaitMs >= requestTimeoutMs
      ? problem(
          'fetchMaxWaitMs',
          `fetch.max.wait.ms (${fetchMaxWaitMs}) must be less than request.timeout.ms (${requestTimeoutMs}), or waiting looks like a lost broker`,
        )
      : undefined,
  ({ groupProtocol }, isSet) =>
    groupProtocol === 'consumer'
      ? (['sessionTimeoutMs', 'heartbeatIntervalMs', 'assignors'] as const)
          .filter(isSet)
          .map((name) =>
            problem(
              name,
              'It is for the broker to decide with group.protocol consumer',
              name === 'assignors' ? 'use group.remote.assignor' : 'delete it',
            ),
          )
      : isSet('serverAssignor')
        ? problem(
            'serverAssignor',
            'group.remote.assignor needs group.protocol consumer',
            'use partition.assignment.strategy',
          )
        : undefined,
  ({ instanceId, groupId }) =>
    instanceId !== undefined && groupId === undefined
      ? problem('instanceId', 'group.instance.id needs group.id')
      : undefined,
]

/** Rules of producers; the reasons are those of the Java client. */
export const PRODUCER_RULES: readonly OptionRule<typeof PRODUCER_FIELDS>[] = [
  securityRule,
  ({ acks, idempotence }) =>
    idempotence === true && acks !== 'all'
      ? problem(
          'idempotence',
          `enable.idempotence needs acks "all", as a record that only the leader has can be lost and a retry cannot be told from a repetition: acks is "${acks}"`,
          'set acks to all, or leave enable.idempotence out',
        )
      : undefined,
  ({ maxInFlight, idempotence, acks }) => {
    if (maxInFlight <= MAX_IN_FLIGHT_IDEMPOTENT || idempotence === false || acks !== 'all') return undefined
    const text = `max.in.flight.requests.per.connection is ${maxInFlight}, but a broker remembers only the last ${MAX_IN_FLIGHT_IDEMPOTENT} batches of an idempotent producer`
    return idempotence === true
      ? problem('maxInFlight', text, 'set it to 5 or less')
      : warning('maxInFlight', `${text}, so 5 is used`, 'set it to 5 or less, or enable.idempotence to false')
  },
  ({ deliveryTimeoutMs, lingerMs, requestTimeoutMs }) =>
    deliveryTimeoutMs < lingerMs + requestTimeoutMs
      ? problem(
          'deliveryTimeoutMs',
          `delivery.timeout.ms (${deliveryTimeoutMs}) must be at least linger.ms + request.timeout.ms (${lingerMs + requestTimeoutMs}), or a record fails before its first answer can arrive`,
        )
      : undefined,
  ({ transactionalId, acks, idempotence }) =>
    transactionalId !== undefined && (acks !== 'all' || idempotence === false)
      ? problem(
          'transactionalId',
          'transactional.id needs acks "all" and enable.idempotence, as a transaction is lost with any of its records',
          acks === 'all' ? 'leave enable.idempotence out' : 'set acks to all',
        )
      : undefined,
  ({ gzipLevel }) =>
    gzipLevel === 0
      ? problem(
          'gzipLevel',
          'compression.gzip.level must be between 1 and 9, or -1 for the default: current value is 0',
        )
      : undefined,
]
