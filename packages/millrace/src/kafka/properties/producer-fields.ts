/** Properties of producers; `cluster-fields.ts` says how such a table is read. */
import { field } from '../../options/fields.ts'
import { CLUSTER_FIELDS } from './cluster-fields.ts'
import { PRODUCER_LIMITS } from './producer-limits.ts'
import { partitioner, serializer } from './value-types.ts'
import { CODECS, COMPRESSION_LEVELS } from '../protocol/compression/codecs.ts'

export const PRODUCER_FIELDS = {
  ...CLUSTER_FIELDS,
  acks: field
    .oneOf(['all', '1', '0'], { '-1': 'all' })
    .default('all')
    .kafka('acks')
    .doc(
      'Which brokers must have a record before it counts as written: `all` in-sync replicas, the leader (`1`), none (`0`). With `1`, acknowledged records are lost if the leader fails before its followers have them; with `0`, records can be lost without any error.',
    ),
  idempotence: field
    .boolean()
    .optional()
    .kafka('enable.idempotence')
    .doc(
      'Whether retries are free of duplicates. By default on with acks all, off otherwise; then one request per partition is under way at a time, so that retries keep the order.',
    ),
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
  compression: field.oneOf(CODECS).default('none').kafka('compression.type').doc('How record batches are compressed.'),
  gzipLevel: field
    .int({ min: -1, max: COMPRESSION_LEVELS.gzip.max })
    .optional()
    .kafka('compression.gzip.level')
    .doc('1 is fast, 9 is small; -1 is the default of gzip, 6.'),
  lz4Level: field
    .int({ min: 1, max: 17 })
    .optional()
    .kafka('compression.lz4.level')
    .ignored('the LZ4 writer has one level, which is fast'),
  zstdLevel: field
    .int(COMPRESSION_LEVELS.zstd)
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
      'How long a transaction may stay open before the broker aborts it. By default 60 s, as in Java. In pipelines whose transactional id is unique to the run, 10 s: after a crash nothing else ends the open transaction, and readers wait behind it.',
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
