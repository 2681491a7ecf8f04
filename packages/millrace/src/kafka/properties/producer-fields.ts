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
      'Whether retries never duplicate records. By default on with acks all, off otherwise. If it is off, one request per partition is in flight at a time, so that retries keep the order.',
    ),
  lingerMs: field
    .durationMs(PRODUCER_LIMITS.lingerMs)
    .default(5)
    .kafka('linger.ms')
    .doc(
      'How long a batch waits for more records before it is sent, unless it is full. Up to 5 ms, it waits only while another request is in flight.',
    ),
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
    .doc('From 1 (fast) to 9 (small); -1 is the default of gzip, 6.'),
  lz4Level: field
    .int({ min: 1, max: 17 })
    .optional()
    .kafka('compression.lz4.level')
    .ignored('the LZ4 writer has one level, which is fast'),
  zstdLevel: field
    .int(COMPRESSION_LEVELS.zstd)
    .optional()
    .kafka('compression.zstd.level')
    .doc('Low levels are fast; 22 compresses best.'),
  maxInFlight: field
    .int(PRODUCER_LIMITS.maxInFlight)
    .default(5)
    .kafka('max.in.flight.requests.per.connection')
    .doc('Requests that may be in flight to one broker; at most 5 with idempotence.'),
  maxRequestBytes: field
    .bytes(PRODUCER_LIMITS.maxRequestBytes)
    .default(1_048_576)
    .kafka('max.request.size')
    .doc('Maximum size of a request, and therefore of a record.'),
  bufferBytes: field
    .bytes(PRODUCER_LIMITS.bufferBytes)
    .default(33_554_432)
    .kafka('buffer.memory')
    .doc('Bytes that may await acknowledgement. When they are used up, writes wait.'),
  deliveryTimeoutMs: field
    .durationMs({ min: 1 })
    .default(120_000)
    .kafka('delivery.timeout.ms')
    .doc('How long to try to write a record, including retries, before it fails.'),
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
      'How partitions are chosen. `murmur2` places keys as Java clients do, `crc32` as librdkafka does; `round_robin` and `sticky` ignore keys. Names of Java classes are accepted.',
    ),
  transactionalId: field
    .string()
    .optional()
    .kafka('transactional.id')
    .doc(
      'Name of a transactional producer, which fences every earlier one with the same name. Used in pipelines with `exactly_once`. By default the name of the pipeline and `group.instance.id`, or a unique name without one.',
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
    .doc(
      'Java class, with or without its package, that sets how keys from `keyField` or a stage are written. Other keys keep their bytes. Only in pipelines.',
    ),
  valueSerializer: field
    .of(serializer)
    .default('org.apache.kafka.common.serialization.StringSerializer')
    .kafka('value.serializer')
    .doc(
      'Java class, with or without its package, that sets how values are written. Strings and bytes are JSON text; other formats need documents with only the field `value`. Only in pipelines.',
    ),
}
