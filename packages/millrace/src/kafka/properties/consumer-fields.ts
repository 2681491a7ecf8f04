/**
 * The one table of Kafka client properties: each with its name in Millrace, its name in Kafka, type, default and meaning.
 * Files and programs may use either name, but not both. Defaults are those of the Java clients unless the text says
 * otherwise. What the values mean together (rules, canonical settings) is in `settings.ts`.
 *
 * Loads nothing of the protocol library, so that lint stays fast.
 *
 * @see https://kafka.apache.org/43/configuration/
 */
import type { AnyField } from '../../options/declaration.ts'
import { field } from '../../options/fields.ts'
import { PRODUCER_LIMITS } from './producer-limits.ts'
import { address, assignor, deserializer, offsetReset, partitioner, serializer } from './value-types.ts'
import { SECURITY_FIELDS } from '../security/fields.ts'

export { SECURITY_FIELDS } from '../security/fields.ts'

/** How brokers are reached; the same for consumers and producers. */
export const CLUSTER_FIELDS = {
  bootstrapServers: field
    .list(field.of(address), { commaText: true })
    .kafka('bootstrap.servers')
    .aliases('brokers')
    .doc('Some brokers as `host:port`, with commas or as a list; the others are found through them.')
    .example('localhost:9092'),
  clientId: field
    .string()
    .optional()
    .kafka('client.id')
    .doc('Name that brokers see in logs and quotas. By default `millrace-` and the name of the pipeline.'),
  requestTimeoutMs: field
    .durationMs({ min: 1 })
    .default(30_000)
    .kafka('request.timeout.ms')
    .doc('How long a broker may take to answer.'),
  connectTimeoutMs: field
    .durationMs({ min: 1 })
    .default(10_000)
    .kafka('socket.connection.setup.timeout.ms')
    .doc('How long one attempt to connect may take.'),
  metadataMaxAgeMs: field
    .durationMs()
    .default(300_000)
    .kafka('metadata.max.age.ms')
    .doc('Age at which topics and leaders are asked for again, for instance to find new partitions.'),
  retryBackoffMs: field
    .durationMs()
    .default(100)
    .kafka('retry.backoff.ms')
    .doc('First wait before a failed request is tried again; doubles each time.'),
  retryBackoffMaxMs: field
    .durationMs()
    .default(1000)
    .kafka('retry.backoff.max.ms')
    .doc('Longest wait before a failed request is tried again.'),
  ...SECURITY_FIELDS,
}

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
      'What to do when the position is no longer in the log, for instance because retention deleted records before they were read: fail with the offsets, or go on where `auto.offset.reset` says. Ours: Java always resets, which loses records in silence.',
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
    .bytes()
    .default(1)
    .kafka('fetch.min.bytes')
    .doc('A broker waits until it has so much, or `fetch.max.wait.ms` have passed.'),
  fetchMaxWaitMs: field
    .durationMs()
    .default(500)
    .kafka('fetch.max.wait.ms')
    .doc('How long a broker may wait for `fetch.min.bytes`.'),
  fetchMaxBytes: field
    .bytes({ min: 1 })
    .default(52_428_800)
    .kafka('fetch.max.bytes')
    .doc('Most that one request asks for.'),
  maxPartitionFetchBytes: field
    .bytes({ min: 1 })
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

export const PRODUCER_FIELDS = {
  ...CLUSTER_FIELDS,
  acks: field
    .oneOf(['all', '1', '0'], { '-1': 'all' })
    .default('all')
    .kafka('acks')
    .doc('Who must have a record before it counts as written: all in-sync replicas, the leader (1), nobody (0).'),
  idempotence: field
    .boolean()
    .optional()
    .kafka('enable.idempotence')
    .doc('Whether retries are free of duplicates and keep the order. By default on with acks all, off otherwise.'),
  lingerMs: field
    .durationMs(PRODUCER_LIMITS.lingerMs)
    .default(5)
    .kafka('linger.ms')
    .doc('How long a batch that is not full waits for more records.'),
  batchBytes: field
    .bytes(PRODUCER_LIMITS.batchBytes)
    .default(16_384)
    .kafka('batch.size')
    .doc('Size of a record batch of one partition, before compression.'),
  compression: field
    .oneOf(['none', 'gzip', 'snappy', 'lz4', 'zstd'])
    .default('none')
    .kafka('compression.type')
    .doc('How record batches are compressed.'),
  gzipLevel: field.int({ min: -1, max: 9 }).optional().kafka('compression.gzip.level').doc('1 is fast, 9 is small.'),
  lz4Level: field.int({ min: 1, max: 17 }).optional().kafka('compression.lz4.level').doc('1 is fast, 17 is small.'),
  zstdLevel: field
    .int({ min: -131_072, max: 22 })
    .optional()
    .kafka('compression.zstd.level')
    .doc('Low is fast, 22 is small.'),
  maxInFlight: field
    .int(PRODUCER_LIMITS.maxInFlight)
    .default(5)
    .kafka('max.in.flight.requests.per.connection')
    .doc('Requests to one broker that may wait for their answer; at most 5 with idempotence.'),
  maxRequestBytes: field
    .bytes(PRODUCER_LIMITS.maxRequestBytes)
    .default(1_048_576)
    .kafka('max.request.size')
    .doc('Largest request, and so the largest record.'),
  bufferBytes: field
    .bytes(PRODUCER_LIMITS.bufferBytes)
    .default(33_554_432)
    .kafka('buffer.memory')
    .doc('Bytes that may wait to be acknowledged; a writer waits when they are used up.'),
  deliveryTimeoutMs: field
    .durationMs({ min: 1 })
    .default(120_000)
    .kafka('delivery.timeout.ms')
    .doc('How long to try to write a record, retries included, before it fails.'),
  maxBlockMs: field
    .durationMs({ min: 1 })
    .default(60_000)
    .kafka('max.block.ms')
    .doc('How long to wait for the metadata of a topic.'),
  partitioner: field
    .of(partitioner)
    .default('murmur2')
    .kafka('partitioner.class')
    .doc(
      '`murmur2` puts keys where Java clients put them, `crc32` where librdkafka does; `round_robin` and `sticky` ignore keys. Java classes are understood.',
    ),
  transactionalId: field
    .string()
    .optional()
    .kafka('transactional.id')
    .doc(
      'Name of a transactional producer, which fences every earlier one of the same name. In pipelines with `exactly_once`; by default the name of the pipeline and `group.instance.id`, or something unique without one.',
    ),
  transactionTimeoutMs: field
    .durationMs({ min: 1 })
    .optional()
    .kafka('transaction.timeout.ms')
    .doc(
      'The broker aborts a transaction that is open for so long. By default 60 s, as in Java; in pipelines 10 s where the transactional id is unique to the run, as nobody else will end a transaction that a crash left open, and readers wait behind it.',
    ),
  keySerializer: field
    .of(serializer)
    .default('org.apache.kafka.common.serialization.StringSerializer')
    .kafka('key.serializer')
    .doc('Java class, with or without its package, that says how keys are written.'),
  valueSerializer: field
    .of(serializer)
    .default('org.apache.kafka.common.serialization.StringSerializer')
    .kafka('value.serializer')
    .doc(
      'Java class, with or without its package, that says how values are written. Documents are written as JSON text.',
    ),
}

const NO_JAVA = 'it names or configures a Java class'
const OWN_METRICS = 'Millrace counts in its own way'
const SOCKETS = 'Node.js leaves socket buffers to the operating system'
const ONE_BACKOFF = 'a lost connection is made again after retry.backoff.ms'
const TOKEN_REFRESH = 'a token is fetched anew when a connection needs one and four fifths of its life are over'
const TOKEN_RETRY = 'a token is asked for again after retry.backoff.ms'
const TOKEN_TIME = 'asking for a token may take socket.connection.setup.timeout.ms'
const NO_ASSERTIONS = 'clients show their secret to the token endpoint, not an assertion'
const FOR_BROKERS = 'it is for brokers, which check tokens'
const NO_KERBEROS = 'Kerberos is not supported'

/** Properties that Java knows and that have no meaning here: accepted with a warning that says why. */
const IGNORED_BY_BOTH: { readonly [property: string]: string } = {
  'client.dns.lookup': 'all addresses of a host are tried',
  'config.providers': `${NO_JAVA}; use \${NAME} for environment variables`,
  'connections.max.idle.ms': 'connections stay open until the client is closed',
  'enable.metrics.push': OWN_METRICS,
  'interceptor.classes': NO_JAVA,
  'metadata.recovery.rebootstrap.trigger.ms': 'bootstrap servers are asked as soon as no known broker answers',
  'metadata.recovery.strategy': 'bootstrap servers are asked as soon as no known broker answers',
  'metric.reporters': OWN_METRICS,
  'metrics.num.samples': OWN_METRICS,
  'metrics.recording.level': OWN_METRICS,
  'metrics.sample.window.ms': OWN_METRICS,
  'receive.buffer.bytes': SOCKETS,
  'send.buffer.bytes': SOCKETS,
  'reconnect.backoff.max.ms': ONE_BACKOFF,
  'reconnect.backoff.ms': ONE_BACKOFF,
  'socket.connection.setup.timeout.max.ms': 'every attempt may take socket.connection.setup.timeout.ms',
  'sasl.client.callback.handler.class': NO_JAVA,
  'sasl.login.callback.handler.class': NO_JAVA,
  'sasl.login.class': NO_JAVA,
  'sasl.kerberos.kinit.cmd': NO_KERBEROS,
  'sasl.kerberos.min.time.before.relogin': NO_KERBEROS,
  'sasl.kerberos.service.name': NO_KERBEROS,
  'sasl.kerberos.ticket.renew.jitter': NO_KERBEROS,
  'sasl.kerberos.ticket.renew.window.factor': NO_KERBEROS,
  'sasl.login.connect.timeout.ms': TOKEN_TIME,
  'sasl.login.read.timeout.ms': TOKEN_TIME,
  'sasl.login.refresh.buffer.seconds': TOKEN_REFRESH,
  'sasl.login.refresh.min.period.seconds': TOKEN_REFRESH,
  'sasl.login.refresh.window.factor': TOKEN_REFRESH,
  'sasl.login.refresh.window.jitter': TOKEN_REFRESH,
  'sasl.login.retry.backoff.max.ms': TOKEN_RETRY,
  'sasl.login.retry.backoff.ms': TOKEN_RETRY,
  'sasl.oauthbearer.assertion.algorithm': NO_ASSERTIONS,
  'sasl.oauthbearer.assertion.claim.aud': NO_ASSERTIONS,
  'sasl.oauthbearer.assertion.claim.exp.seconds': NO_ASSERTIONS,
  'sasl.oauthbearer.assertion.claim.iss': NO_ASSERTIONS,
  'sasl.oauthbearer.assertion.claim.jti.include': NO_ASSERTIONS,
  'sasl.oauthbearer.assertion.claim.nbf.seconds': NO_ASSERTIONS,
  'sasl.oauthbearer.assertion.claim.sub': NO_ASSERTIONS,
  'sasl.oauthbearer.assertion.file': NO_ASSERTIONS,
  'sasl.oauthbearer.assertion.private.key.file': NO_ASSERTIONS,
  'sasl.oauthbearer.assertion.private.key.passphrase': NO_ASSERTIONS,
  'sasl.oauthbearer.assertion.template.file': NO_ASSERTIONS,
  'sasl.oauthbearer.clock.skew.seconds': FOR_BROKERS,
  'sasl.oauthbearer.expected.audience': FOR_BROKERS,
  'sasl.oauthbearer.expected.issuer': FOR_BROKERS,
  'sasl.oauthbearer.jwks.endpoint.refresh.ms': FOR_BROKERS,
  'sasl.oauthbearer.jwks.endpoint.retry.backoff.max.ms': FOR_BROKERS,
  'sasl.oauthbearer.jwks.endpoint.retry.backoff.ms': FOR_BROKERS,
  'sasl.oauthbearer.jwks.endpoint.url': FOR_BROKERS,
  'sasl.oauthbearer.jwt.retriever.class': NO_JAVA,
  'sasl.oauthbearer.jwt.validator.class': NO_JAVA,
  'sasl.oauthbearer.scope.claim.name': FOR_BROKERS,
  'sasl.oauthbearer.sub.claim.name': FOR_BROKERS,
  'security.providers': NO_JAVA,
  'ssl.engine.factory.class': NO_JAVA,
  'ssl.keymanager.algorithm': NO_JAVA,
  'ssl.protocol': 'ssl.enabled.protocols says which versions of TLS may be used',
  'ssl.provider': NO_JAVA,
  'ssl.secure.random.implementation': NO_JAVA,
  'ssl.trustmanager.algorithm': NO_JAVA,
}

const IGNORED_BY_CONSUMERS: { readonly [property: string]: string } = {
  'allow.auto.create.topics': 'reading never creates a topic',
  'exclude.internal.topics': 'topics are named one by one',
  'internal.throw.on.fetch.stable.offset.unsupported': 'it is internal to the Java client',
  'share.acknowledgement.mode': 'share groups are not supported',
  'share.acquire.mode': 'share groups are not supported',
}

const IGNORED_BY_PRODUCERS: { readonly [property: string]: string } = {
  'metadata.max.idle.ms': 'the metadata of a topic is kept until the client is closed',
  'partitioner.adaptive.partitioning.enable': 'slow brokers are not avoided',
  'partitioner.availability.timeout.ms': 'slow brokers are not avoided',
  'partitioner.ignore.keys': 'set partitioner.class to "sticky" instead',
  'transaction.two.phase.commit.enable': 'transactions are ended by this producer alone',
  retries: 'attempts go on until delivery.timeout.ms has passed',
}

function ignored(reasons: { readonly [property: string]: string }): { readonly [property: string]: AnyField } {
  return Object.fromEntries(
    Object.entries(reasons).map(([name, reason]) => [name, field.any().optional().ignored(reason)]),
  )
}

/** Fields for what consumers accept without effect. */
export const IGNORED_CONSUMER_FIELDS: { readonly [property: string]: AnyField } = ignored({
  ...IGNORED_BY_BOTH,
  ...IGNORED_BY_CONSUMERS,
})

/** Fields for what producers accept without effect. */
export const IGNORED_PRODUCER_FIELDS: { readonly [property: string]: AnyField } = ignored({
  ...IGNORED_BY_BOTH,
  ...IGNORED_BY_PRODUCERS,
})
