/** Properties of consumers; `cluster-fields.ts` says how such a table is read. */
import { field } from '../../options/fields.ts'
import { CLUSTER_FIELDS } from './cluster-fields.ts'
import { assignor, deserializer, offsetReset } from './value-types.ts'

/** Fetch requests hold them as 32 bits. */
const IN_REQUEST = { max: 0x7fffffff } as const

export const CONSUMER_FIELDS = {
  ...CLUSTER_FIELDS,
  groupId: field
    .string()
    .optional()
    .kafka('group.id')
    .doc('Consumer group. Its members share the partitions, and reading resumes at its committed offsets.'),
  instanceId: field
    .string()
    .optional()
    .kafka('group.instance.id')
    .doc(
      'Name of a static member. After a restart within the session timeout, it gets its partitions back without a rebalance.',
    ),
  groupProtocol: field
    .oneOf(['classic', 'consumer'])
    .default('classic')
    .kafka('group.protocol')
    .doc('Protocol of the consumer group. With `consumer` (KIP-848), the broker assigns partitions.'),
  serverAssignor: field
    .oneOf(['uniform', 'range'])
    .optional()
    .kafka('group.remote.assignor')
    .doc('Assignor on the broker, with `group.protocol` consumer.'),
  assignors: field
    .list(field.of(assignor), { commaText: true })
    .default(['range', 'cooperative-sticky'])
    .kafka('partition.assignment.strategy')
    .doc(
      'Assignors, in order of preference, with `group.protocol` classic: `range`, `roundrobin`, `cooperative-sticky`, or the names of the Java classes.',
    ),
  rackId: field.string().optional().kafka('client.rack').doc('Rack of this client, to read from the closest replica.'),
  autoOffsetReset: field
    .of(offsetReset)
    .default('latest')
    .kafka('auto.offset.reset')
    .doc(
      'Where to start without a committed offset: `earliest`, `latest`, `none` (an error), `by_duration:PT1H` (an hour ago) or `timestamp:2026-01-31T00:00:00Z`.',
    ),
  offsetOutOfRange: field
    .oneOf(['fail', 'reset'])
    .default('fail')
    .doc(
      'What to do when the position is no longer in the log, for instance because retention deleted records before they were read: fail and report the offsets, or continue where `auto.offset.reset` says. Only Millrace has this option: the Java client always resets, which loses records silently.',
    ),
  isolation: field
    .oneOf(['read_uncommitted', 'read_committed'])
    .default('read_uncommitted')
    .kafka('isolation.level')
    .doc('`read_committed` hides records of aborted and open transactions.'),
  checkCrcs: field
    .boolean()
    .default(true)
    .kafka('check.crcs')
    .doc('Whether to verify the checksum of every record batch.'),
  fetchMinBytes: field
    .bytes(IN_REQUEST)
    .default(1)
    .kafka('fetch.min.bytes')
    .doc('Bytes that a broker waits for before it responds, for at most `fetch.max.wait.ms`.'),
  fetchMaxWaitMs: field
    .durationMs()
    .default(500)
    .kafka('fetch.max.wait.ms')
    .doc('How long a broker may wait for `fetch.min.bytes`.'),
  fetchMaxBytes: field
    .bytes({ min: 1, ...IN_REQUEST })
    .default(52_428_800)
    .kafka('fetch.max.bytes')
    .doc('Maximum size of the response to one fetch request.'),
  maxPartitionFetchBytes: field
    .bytes({ min: 1, ...IN_REQUEST })
    .default(1_048_576)
    .kafka('max.partition.fetch.bytes')
    .doc('Maximum bytes that one request fetches per partition. A record batch that is larger is still read.'),
  fetchBufferBytes: field
    .bytes({ min: 1 })
    .default(33_554_432)
    .doc(
      'Bytes that may be fetched ahead, for all partitions together. Each broker may fill an equal share, and paused partitions may hold an extra quarter. Only Millrace has this option.',
    ),
  maxDecompressedBytes: field
    .bytes({ min: 1, max: 2 ** 31 - 1 })
    .default(134_217_728)
    .doc(
      'Most bytes that one record batch may decompress to; a larger one is an error that reports its offset. It protects memory from topics that compress extremely well. Only Millrace has this option.',
    ),
  sessionTimeoutMs: field
    .durationMs({ min: 1 })
    .default(45_000)
    .kafka('session.timeout.ms')
    .doc('A member that sends no heartbeat for this long is removed from the group.'),
  heartbeatIntervalMs: field
    .durationMs({ min: 1 })
    .default(3000)
    .kafka('heartbeat.interval.ms')
    .doc('Time between heartbeats; at most a third of the session timeout.'),
  maxPollIntervalMs: field
    .durationMs({ min: 1 })
    .default(300_000)
    .kafka('max.poll.interval.ms')
    .doc(
      'How long members may take to give up their partitions in a rebalance. A slow sink does not count: heartbeats continue.',
    ),
  maxPollRecords: field
    .int({ min: 1 })
    .optional()
    .kafka('max.poll.records')
    .doc(
      'Maximum records per batch. By default as many as `max.partition.fetch.bytes` holds. A limit costs throughput, because record batches are no longer forwarded whole.',
    ),
  enableAutoCommit: field
    .boolean()
    .default(true)
    .kafka('enable.auto.commit')
    .doc(
      'Whether acknowledged offsets are committed in the background. Unacknowledged offsets are never committed, and pipelines always commit what their sink has acknowledged.',
    ),
  autoCommitIntervalMs: field
    .durationMs({ min: 1 })
    .default(5000)
    .kafka('auto.commit.interval.ms')
    .doc('Time between commits.'),
  apiTimeoutMs: field
    .durationMs({ min: 1 })
    .default(60_000)
    .kafka('default.api.timeout.ms')
    .doc('How long to keep trying before an operation fails.'),
  keyDeserializer: field
    .of(deserializer)
    .default('org.apache.kafka.common.serialization.StringDeserializer')
    .kafka('key.deserializer')
    .doc('Java class, with or without its package, that sets how keys are read, for `_meta.key`. Only in pipelines.'),
  valueDeserializer: field
    .of(deserializer)
    .default('org.apache.kafka.common.serialization.StringDeserializer')
    .kafka('value.deserializer')
    .doc(
      'Java class, with or without its package, that sets how values are read. Strings and bytes are parsed as JSON where a stage needs a document. Other bytes are base64 text in the field `value`, other formats a number or text there. Only in pipelines.',
    ),
}
