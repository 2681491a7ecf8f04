/** Written by `npm run docs` from the declarations of the options: change those. */
import type { InputOptions } from '../../options/declaration.ts'
import type { KAFKA_SOURCE_FIELDS } from '../source/fields.ts'
import type { SharedNames } from './shared.ts'

type Input = InputOptions<typeof KAFKA_SOURCE_FIELDS>

/** Options of a `KafkaSource` under all their names: in camelCase, and as Kafka spells them. */
export interface SourceNames extends SharedNames {
  /** How long to wait for the response of a broker. Default: `30000`. */
  readonly requestTimeoutMs?: Input['requestTimeoutMs'] | string | undefined
  /** The same as `requestTimeoutMs`. How long to wait for the response of a broker. Default: `30000`. */
  readonly 'request.timeout.ms'?: Input['requestTimeoutMs'] | string | undefined
  /** First wait before a failed request is retried; doubles each time. Default: `100`. */
  readonly retryBackoffMs?: Input['retryBackoffMs'] | string | undefined
  /** The same as `retryBackoffMs`. First wait before a failed request is retried; doubles each time. Default: `100`. */
  readonly 'retry.backoff.ms'?: Input['retryBackoffMs'] | string | undefined
  /** Consumer group. Its members share the partitions, and reading resumes at its committed offsets. */
  readonly groupId?: Input['groupId'] | undefined
  /** The same as `groupId`. Consumer group. Its members share the partitions, and reading resumes at its committed offsets. */
  readonly 'group.id'?: Input['groupId'] | undefined
  /** Name of a static member. After a restart within the session timeout, it gets its partitions back without a rebalance. */
  readonly instanceId?: Input['instanceId'] | undefined
  /** The same as `instanceId`. Name of a static member. After a restart within the session timeout, it gets its partitions back without a rebalance. */
  readonly 'group.instance.id'?: Input['instanceId'] | undefined
  /** Protocol of the consumer group. With `consumer` (KIP-848), the broker assigns partitions. Default: `classic`. */
  readonly groupProtocol?: Input['groupProtocol'] | undefined
  /** The same as `groupProtocol`. Protocol of the consumer group. With `consumer` (KIP-848), the broker assigns partitions. Default: `classic`. */
  readonly 'group.protocol'?: Input['groupProtocol'] | undefined
  /** Assignor on the broker, with `group.protocol` consumer. */
  readonly serverAssignor?: Input['serverAssignor'] | undefined
  /** The same as `serverAssignor`. Assignor on the broker, with `group.protocol` consumer. */
  readonly 'group.remote.assignor'?: Input['serverAssignor'] | undefined
  /** Assignors, in order of preference, with `group.protocol` classic: `range`, `roundrobin`, `cooperative-sticky`, or the names of the Java classes. */
  readonly assignors?: Input['assignors'] | undefined
  /** The same as `assignors`. Assignors, in order of preference, with `group.protocol` classic: `range`, `roundrobin`, `cooperative-sticky`, or the names of the Java classes. */
  readonly 'partition.assignment.strategy'?: Input['assignors'] | undefined
  /** Rack of this client, to read from the closest replica. */
  readonly rackId?: Input['rackId'] | undefined
  /** The same as `rackId`. Rack of this client, to read from the closest replica. */
  readonly 'client.rack'?: Input['rackId'] | undefined
  /** Where to start without a committed offset: `earliest`, `latest`, `none` (an error), `by_duration:PT1H` (an hour ago) or `timestamp:2026-01-31T00:00:00Z`. Default: `earliest`. */
  readonly autoOffsetReset?: Input['autoOffsetReset'] | `timestamp:${string}` | `by_duration:${string}` | undefined
  /** The same as `autoOffsetReset`. Where to start without a committed offset: `earliest`, `latest`, `none` (an error), `by_duration:PT1H` (an hour ago) or `timestamp:2026-01-31T00:00:00Z`. Default: `earliest`. */
  readonly 'auto.offset.reset'?: Input['autoOffsetReset'] | `timestamp:${string}` | `by_duration:${string}` | undefined
  /** What to do when the position is no longer in the log, for instance because retention deleted records before they were read: fail and report the offsets, or continue where `auto.offset.reset` says. Only Millrace has this option: the Java client always resets, which loses records silently. Default: `fail`. */
  readonly offsetOutOfRange?: Input['offsetOutOfRange'] | undefined
  /** `read_committed` hides records of aborted and open transactions. Default: `read_uncommitted`. */
  readonly isolation?: Input['isolation'] | undefined
  /** The same as `isolation`. `read_committed` hides records of aborted and open transactions. Default: `read_uncommitted`. */
  readonly 'isolation.level'?: Input['isolation'] | undefined
  /** Whether to verify the checksum of every record batch. Default: `true`. */
  readonly checkCrcs?: Input['checkCrcs'] | undefined
  /** The same as `checkCrcs`. Whether to verify the checksum of every record batch. Default: `true`. */
  readonly 'check.crcs'?: Input['checkCrcs'] | undefined
  /** Bytes that a broker waits for before it responds, for at most `fetch.max.wait.ms`. Default: `1`. */
  readonly fetchMinBytes?: Input['fetchMinBytes'] | string | undefined
  /** The same as `fetchMinBytes`. Bytes that a broker waits for before it responds, for at most `fetch.max.wait.ms`. Default: `1`. */
  readonly 'fetch.min.bytes'?: Input['fetchMinBytes'] | string | undefined
  /** How long a broker may wait for `fetch.min.bytes`. Default: `500`. */
  readonly fetchMaxWaitMs?: Input['fetchMaxWaitMs'] | string | undefined
  /** The same as `fetchMaxWaitMs`. How long a broker may wait for `fetch.min.bytes`. Default: `500`. */
  readonly 'fetch.max.wait.ms'?: Input['fetchMaxWaitMs'] | string | undefined
  /** Maximum size of the response to one fetch request. Default: `52428800`. */
  readonly fetchMaxBytes?: Input['fetchMaxBytes'] | string | undefined
  /** The same as `fetchMaxBytes`. Maximum size of the response to one fetch request. Default: `52428800`. */
  readonly 'fetch.max.bytes'?: Input['fetchMaxBytes'] | string | undefined
  /** Maximum bytes that one request fetches per partition. A record batch that is larger is still read. Default: `1048576`. */
  readonly maxPartitionFetchBytes?: Input['maxPartitionFetchBytes'] | string | undefined
  /** The same as `maxPartitionFetchBytes`. Maximum bytes that one request fetches per partition. A record batch that is larger is still read. Default: `1048576`. */
  readonly 'max.partition.fetch.bytes'?: Input['maxPartitionFetchBytes'] | string | undefined
  /** Bytes that may be fetched ahead, for all partitions together. Each broker may fill an equal share, and paused partitions may hold an extra quarter. Only Millrace has this option. Default: `33554432`. */
  readonly fetchBufferBytes?: Input['fetchBufferBytes'] | string | undefined
  /** Most bytes that one record batch may decompress to; a larger one is an error that reports its offset. It protects memory from topics that compress extremely well. Only Millrace has this option. Default: `134217728`. */
  readonly maxDecompressedBytes?: Input['maxDecompressedBytes'] | string | undefined
  /** A member that sends no heartbeat for this long is removed from the group. Default: `45000`. */
  readonly sessionTimeoutMs?: Input['sessionTimeoutMs'] | string | undefined
  /** The same as `sessionTimeoutMs`. A member that sends no heartbeat for this long is removed from the group. Default: `45000`. */
  readonly 'session.timeout.ms'?: Input['sessionTimeoutMs'] | string | undefined
  /** Time between heartbeats; at most a third of the session timeout. Default: `3000`. */
  readonly heartbeatIntervalMs?: Input['heartbeatIntervalMs'] | string | undefined
  /** The same as `heartbeatIntervalMs`. Time between heartbeats; at most a third of the session timeout. Default: `3000`. */
  readonly 'heartbeat.interval.ms'?: Input['heartbeatIntervalMs'] | string | undefined
  /** How long members may take to give up their partitions in a rebalance. A slow sink does not count: heartbeats continue. Default: `300000`. */
  readonly maxPollIntervalMs?: Input['maxPollIntervalMs'] | string | undefined
  /** The same as `maxPollIntervalMs`. How long members may take to give up their partitions in a rebalance. A slow sink does not count: heartbeats continue. Default: `300000`. */
  readonly 'max.poll.interval.ms'?: Input['maxPollIntervalMs'] | string | undefined
  /** Maximum records per batch. By default as many as `max.partition.fetch.bytes` holds. A limit costs throughput, because record batches are no longer forwarded whole. */
  readonly maxPollRecords?: Input['maxPollRecords'] | undefined
  /** The same as `maxPollRecords`. Maximum records per batch. By default as many as `max.partition.fetch.bytes` holds. A limit costs throughput, because record batches are no longer forwarded whole. */
  readonly 'max.poll.records'?: Input['maxPollRecords'] | undefined
  /** Whether acknowledged offsets are committed in the background. Unacknowledged offsets are never committed, and pipelines always commit what their sink has acknowledged. Default: `true`. */
  readonly enableAutoCommit?: Input['enableAutoCommit'] | undefined
  /** The same as `enableAutoCommit`. Whether acknowledged offsets are committed in the background. Unacknowledged offsets are never committed, and pipelines always commit what their sink has acknowledged. Default: `true`. */
  readonly 'enable.auto.commit'?: Input['enableAutoCommit'] | undefined
  /** Time between commits. Default: `5000`. */
  readonly autoCommitIntervalMs?: Input['autoCommitIntervalMs'] | string | undefined
  /** The same as `autoCommitIntervalMs`. Time between commits. Default: `5000`. */
  readonly 'auto.commit.interval.ms'?: Input['autoCommitIntervalMs'] | string | undefined
  /** How long to keep trying before an operation fails. Default: `60000`. */
  readonly apiTimeoutMs?: Input['apiTimeoutMs'] | string | undefined
  /** The same as `apiTimeoutMs`. How long to keep trying before an operation fails. Default: `60000`. */
  readonly 'default.api.timeout.ms'?: Input['apiTimeoutMs'] | string | undefined
  /** Java class, with or without its package, that sets how keys are read, for `_meta.key`. Only in pipelines. Default: `org.apache.kafka.common.serialization.StringDeserializer`. */
  readonly keyDeserializer?: Input['keyDeserializer'] | undefined
  /** The same as `keyDeserializer`. Java class, with or without its package, that sets how keys are read, for `_meta.key`. Only in pipelines. Default: `org.apache.kafka.common.serialization.StringDeserializer`. */
  readonly 'key.deserializer'?: Input['keyDeserializer'] | undefined
  /** Java class, with or without its package, that sets how values are read. Strings and bytes are parsed as JSON where a stage needs a document. Other bytes are base64 text in the field `value`, other formats a number or text there. Only in pipelines. Default: `org.apache.kafka.common.serialization.StringDeserializer`. */
  readonly valueDeserializer?: Input['valueDeserializer'] | undefined
  /** The same as `valueDeserializer`. Java class, with or without its package, that sets how values are read. Strings and bytes are parsed as JSON where a stage needs a document. Other bytes are base64 text in the field `value`, other formats a number or text there. Only in pipelines. Default: `org.apache.kafka.common.serialization.StringDeserializer`. */
  readonly 'value.deserializer'?: Input['valueDeserializer'] | undefined
  /** Topics to read: names, and in programs regular expressions, of which new matches are looked for every `metadataMaxAgeMs` and read from their beginning. Or name `partitions`. Example: `['orders']`. */
  readonly topics?: Input['topics'] | undefined
  /** The same as `topics`. Topics to read: names, and in programs regular expressions, of which new matches are looked for every `metadataMaxAgeMs` and read from their beginning. Or name `partitions`. Example: `['orders']`. */
  readonly topic?: Input['topics'] | undefined
  /** Partitions to read, and no others, without a group. In place of `topics`. Example: `[{'topic':'orders','partition':0}]`. */
  readonly partitions?: Input['partitions'] | undefined
  /** Stop at the end that each partition has when it is first assigned. Default: `false`. */
  readonly untilEnd?: Input['untilEnd'] | undefined
  /** When acknowledged offsets are committed. By default `auto`, or `manual` if `enable.auto.commit` is false. */
  readonly commit?: { readonly strategy: NonNullable<Input['commit']>['strategy']; readonly interval?: NonNullable<Input['commit']>['interval'] | string | undefined } | undefined
  /** Has no effect: reading never creates a topic. */
  readonly 'allow.auto.create.topics'?: unknown
  /** Has no effect: topics are listed by name. */
  readonly 'exclude.internal.topics'?: unknown
  /** Has no effect: it is internal to the Java client. */
  readonly 'internal.throw.on.fetch.stable.offset.unsupported'?: unknown
  /** Has no effect: share groups are not supported. */
  readonly 'share.acknowledgement.mode'?: unknown
  /** Has no effect: share groups are not supported. */
  readonly 'share.acquire.mode'?: unknown
}
