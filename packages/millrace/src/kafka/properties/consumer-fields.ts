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
    .doc('Consumer group; its members share the partitions, and its committed offsets are where reading goes on.'),
  instanceId: field
    .string()
    .optional()
    .kafka('group.instance.id')
    .doc(
      'Name of a static member: after a restart within the session timeout it gets its partitions back without a rebalance.',
    ),
  groupProtocol: field
    .oneOf(['classic', 'consumer'])
    .default('classic')
    .kafka('group.protocol')
    .doc('`consumer` is the protocol of KIP-848, where the broker assigns partitions.'),
  serverAssignor: field
    .oneOf(['uniform', 'range'])
    .optional()
    .kafka('group.remote.assignor')
    .doc('Who gets what, with `group.protocol` consumer.'),
  assignors: field
    .list(field.of(assignor), { commaText: true })
    .default(['range', 'cooperative-sticky'])
    .kafka('partition.assignment.strategy')
    .doc(
      'Who gets what, with `group.protocol` classic: `range`, `roundrobin`, `cooperative-sticky`, or the names of the Java classes.',
    ),
  rackId: field.string().optional().kafka('client.rack').doc('Where we are, to read from the closest replica.'),
  autoOffsetReset: field
    .of(offsetReset)
    .default('latest')
    .kafka('auto.offset.reset')
    .doc(
      'Where to begin without a committed offset: `earliest`, `latest`, `none` (an error), `by_duration:PT1H` (so long ago) or `timestamp:2026-01-31T00:00:00Z`.',
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
    .doc('Whether the checksum of every record batch is verified.'),
  fetchMinBytes: field
    .bytes(IN_REQUEST)
    .default(1)
    .kafka('fetch.min.bytes')
    .doc('A broker waits until it has so much, or `fetch.max.wait.ms` have passed.'),
  fetchMaxWaitMs: field
    .durationMs()
    .default(500)
    .kafka('fetch.max.wait.ms')
    .doc('How long a broker may wait for `fetch.min.bytes`.'),
  fetchMaxBytes: field
    .bytes({ min: 1, ...IN_REQUEST })
    .default(52_428_800)
    .kafka('fetch.max.bytes')
    .doc('Most that one request asks for.'),
  maxPartitionFetchBytes: field
    .bytes({ min: 1, ...IN_REQUEST })
    .default(1_048_576)
    .kafka('max.partition.fetch.bytes')
    .doc('Most that one request asks for of one partition; a larger record still comes through.'),
  fetchBufferBytes: field
    .bytes({ min: 1 })
    .default(33_554_432)
    .doc('Bytes that may be fetched ahead, of all partitions together. Ours: Java has no such limit.'),
  sessionTimeoutMs: field
    .durationMs({ min: 1 })
    .default(45_000)
    .kafka('session.timeout.ms')
    .doc('A member that is silent for so long is taken for dead.'),
  heartbeatIntervalMs: field
    .durationMs({ min: 1 })
    .default(3000)
    .kafka('heartbeat.interval.ms')
    .doc('Time between signs of life; at most a third of the session timeout.'),
  maxPollIntervalMs: field
    .durationMs({ min: 1 })
    .default(300_000)
    .kafka('max.poll.interval.ms')
    .doc('How long members have to hand in their partitions in a rebalance.'),
  maxPollRecords: field
    .int({ min: 1 })
    .optional()
    .kafka('max.poll.records')
    .doc(
      'Most records of a batch. By default as many as `max.partition.fetch.bytes` holds; a limit costs time, and record batches are no longer forwarded whole.',
    ),
  enableAutoCommit: field
    .boolean()
    .default(true)
    .kafka('enable.auto.commit')
    .doc(
      'Whether acknowledged offsets are committed in the background. Offsets that are not acknowledged are never committed, and pipelines always commit what their sink has acknowledged.',
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
    .doc('Java class, with or without its package, that says what keys are.'),
  valueDeserializer: field
    .of(deserializer)
    .default('org.apache.kafka.common.serialization.StringDeserializer')
    .kafka('value.deserializer')
    .doc(
      'Java class, with or without its package, that says what values are. Text and bytes are read as JSON where a stage needs a document.',
    ),
}
