/** Written by `npm run docs` from the declarations of the options: change those. */
import type { InputOptions } from '../../options/declaration.ts'
import type { KAFKA_SINK_FIELDS } from '../sink/fields.ts'
import type { SharedNames } from './shared.ts'

type Input = InputOptions<typeof KAFKA_SINK_FIELDS>

/** Options of a `KafkaSink` under all their names: in camelCase, and as Kafka spells them. */
export interface SinkNames extends SharedNames {
  /** The same as `clientId`. Client name in the logs and quotas of brokers. By default `millrace-` and the name of the pipeline. */
  readonly client_id?: Input['clientId'] | undefined
  /** How long to wait for the response of a broker. By default 30 s, or what `deliveryTimeoutMs` leaves. */
  readonly requestTimeoutMs?: Input['requestTimeoutMs'] | string | undefined
  /** The same as `requestTimeoutMs`. How long to wait for the response of a broker. By default 30 s, or what `deliveryTimeoutMs` leaves. */
  readonly 'request.timeout.ms'?: Input['requestTimeoutMs'] | string | undefined
  /** Base of the wait before a retry. The first wait before a batch is sent again is twice as long, and each further one doubles, up to 60 s. Default: `100`. */
  readonly retryBackoffMs?: Input['retryBackoffMs'] | string | undefined
  /** The same as `retryBackoffMs`. Base of the wait before a retry. The first wait before a batch is sent again is twice as long, and each further one doubles, up to 60 s. Default: `100`. */
  readonly 'retry.backoff.ms'?: Input['retryBackoffMs'] | string | undefined
  /** The same as `retryBackoffMs`. Base of the wait before a retry. The first wait before a batch is sent again is twice as long, and each further one doubles, up to 60 s. Default: `100`. */
  readonly baseBackoffMs?: Input['retryBackoffMs'] | string | undefined
  /** The same as `retryBackoffMs`. Base of the wait before a retry. The first wait before a batch is sent again is twice as long, and each further one doubles, up to 60 s. Default: `100`. */
  readonly base_backoff_ms?: Input['retryBackoffMs'] | string | undefined
  /** Which brokers must have a record before it counts as written: `all` in-sync replicas, the leader (`1`), none (`0`). With `1`, acknowledged records are lost if the leader fails before its followers have them; with `0`, records can be lost without any error. Default: `all`. */
  readonly acks?: Input['acks'] | -1 | 1 | 0 | undefined
  /** Whether retries never duplicate records. By default on with acks all, off otherwise. If it is off, one request per partition is in flight at a time, so that retries keep the order. */
  readonly idempotence?: Input['idempotence'] | undefined
  /** The same as `idempotence`. Whether retries never duplicate records. By default on with acks all, off otherwise. If it is off, one request per partition is in flight at a time, so that retries keep the order. */
  readonly 'enable.idempotence'?: Input['idempotence'] | undefined
  /** The same as `idempotence`. Whether retries never duplicate records. By default on with acks all, off otherwise. If it is off, one request per partition is in flight at a time, so that retries keep the order. */
  readonly enableIdempotence?: Input['idempotence'] | undefined
  /** The same as `idempotence`. Whether retries never duplicate records. By default on with acks all, off otherwise. If it is off, one request per partition is in flight at a time, so that retries keep the order. */
  readonly enable_idempotence?: Input['idempotence'] | undefined
  /** How long a batch waits for more records before it is sent, unless it is full. With 0, it contains what was written in the same turn of the event loop, and what came while requests were in flight. Default: `0`. */
  readonly lingerMs?: Input['lingerMs'] | string | undefined
  /** The same as `lingerMs`. How long a batch waits for more records before it is sent, unless it is full. With 0, it contains what was written in the same turn of the event loop, and what came while requests were in flight. Default: `0`. */
  readonly 'linger.ms'?: Input['lingerMs'] | string | undefined
  /** The same as `lingerMs`. How long a batch waits for more records before it is sent, unless it is full. With 0, it contains what was written in the same turn of the event loop, and what came while requests were in flight. Default: `0`. */
  readonly linger_ms?: Input['lingerMs'] | string | undefined
  /** Most bytes of a batch of one partition, before compression. By default 16 KiB, or 128 bytes per record of `batchSize` if that is more. If it is set and `batchSize` is not, only bytes count. */
  readonly batchBytes?: Input['batchBytes'] | string | undefined
  /** The same as `batchBytes`. Most bytes of a batch of one partition, before compression. By default 16 KiB, or 128 bytes per record of `batchSize` if that is more. If it is set and `batchSize` is not, only bytes count. */
  readonly 'batch.size'?: Input['batchBytes'] | string | undefined
  /** How record batches are compressed. Default: `snappy`. */
  readonly compression?: Input['compression'] | undefined
  /** The same as `compression`. How record batches are compressed. Default: `snappy`. */
  readonly 'compression.type'?: Input['compression'] | undefined
  /** The same as `compression`. How record batches are compressed. Default: `snappy`. */
  readonly compressionType?: Input['compression'] | undefined
  /** The same as `compression`. How record batches are compressed. Default: `snappy`. */
  readonly compression_type?: Input['compression'] | undefined
  /** From 1 (fast) to 9 (small); -1 is the default of gzip, 6. */
  readonly gzipLevel?: Input['gzipLevel'] | undefined
  /** The same as `gzipLevel`. From 1 (fast) to 9 (small); -1 is the default of gzip, 6. */
  readonly 'compression.gzip.level'?: Input['gzipLevel'] | undefined
  /**  */
  readonly lz4Level?: Input['lz4Level'] | undefined
  /** The same as `lz4Level`. */
  readonly 'compression.lz4.level'?: Input['lz4Level'] | undefined
  /** Low levels are fast; 22 compresses best. */
  readonly zstdLevel?: Input['zstdLevel'] | undefined
  /** The same as `zstdLevel`. Low levels are fast; 22 compresses best. */
  readonly 'compression.zstd.level'?: Input['zstdLevel'] | undefined
  /** Requests that may be in flight to one broker; at most 5 with idempotence. Default: `5`. */
  readonly maxInFlight?: Input['maxInFlight'] | undefined
  /** The same as `maxInFlight`. Requests that may be in flight to one broker; at most 5 with idempotence. Default: `5`. */
  readonly 'max.in.flight.requests.per.connection'?: Input['maxInFlight'] | undefined
  /** The same as `maxInFlight`. Requests that may be in flight to one broker; at most 5 with idempotence. Default: `5`. */
  readonly maxInFlightRequests?: Input['maxInFlight'] | undefined
  /** The same as `maxInFlight`. Requests that may be in flight to one broker; at most 5 with idempotence. Default: `5`. */
  readonly max_in_flight_requests?: Input['maxInFlight'] | undefined
  /** Maximum size of a request, and therefore of a record. Default: `1048576`. */
  readonly maxRequestBytes?: Input['maxRequestBytes'] | string | undefined
  /** The same as `maxRequestBytes`. Maximum size of a request, and therefore of a record. Default: `1048576`. */
  readonly 'max.request.size'?: Input['maxRequestBytes'] | string | undefined
  /** Bytes that may await acknowledgement. When they are used up, writes wait. Default: `33554432`. */
  readonly bufferBytes?: Input['bufferBytes'] | string | undefined
  /** The same as `bufferBytes`. Bytes that may await acknowledgement. When they are used up, writes wait. Default: `33554432`. */
  readonly 'buffer.memory'?: Input['bufferBytes'] | string | undefined
  /** The same as `bufferBytes`. Bytes that may await acknowledgement. When they are used up, writes wait. Default: `33554432`. */
  readonly bufferMemory?: Input['bufferBytes'] | string | undefined
  /** The same as `bufferBytes`. Bytes that may await acknowledgement. When they are used up, writes wait. Default: `33554432`. */
  readonly buffer_memory?: Input['bufferBytes'] | string | undefined
  /** How long to try to write a record, including retries, before it fails. Default: `30000`. */
  readonly deliveryTimeoutMs?: Input['deliveryTimeoutMs'] | string | undefined
  /** The same as `deliveryTimeoutMs`. How long to try to write a record, including retries, before it fails. Default: `30000`. */
  readonly 'delivery.timeout.ms'?: Input['deliveryTimeoutMs'] | string | undefined
  /** The same as `deliveryTimeoutMs`. How long to try to write a record, including retries, before it fails. Default: `30000`. */
  readonly sendTimeoutMs?: Input['deliveryTimeoutMs'] | string | undefined
  /** The same as `deliveryTimeoutMs`. How long to try to write a record, including retries, before it fails. Default: `30000`. */
  readonly send_timeout_ms?: Input['deliveryTimeoutMs'] | string | undefined
  /** How long to wait for a connection and for the metadata of a topic. By default `deliveryTimeoutMs`, at most 60 s. */
  readonly maxBlockMs?: Input['maxBlockMs'] | string | undefined
  /** The same as `maxBlockMs`. How long to wait for a connection and for the metadata of a topic. By default `deliveryTimeoutMs`, at most 60 s. */
  readonly 'max.block.ms'?: Input['maxBlockMs'] | string | undefined
  /** How partitions are chosen. `murmur2` places keys as Java clients do, `crc32` as librdkafka does; `round_robin` and `sticky` ignore keys. Names of Java classes are accepted. Default: `murmur2`. */
  readonly partitioner?: Input['partitioner'] | undefined
  /** The same as `partitioner`. How partitions are chosen. `murmur2` places keys as Java clients do, `crc32` as librdkafka does; `round_robin` and `sticky` ignore keys. Names of Java classes are accepted. Default: `murmur2`. */
  readonly 'partitioner.class'?: Input['partitioner'] | undefined
  /** Name of a transactional producer, which fences every earlier one with the same name. Used in pipelines with `exactly_once`. By default the name of the pipeline and `group.instance.id`, or a unique name without one. */
  readonly transactionalId?: Input['transactionalId'] | undefined
  /** The same as `transactionalId`. Name of a transactional producer, which fences every earlier one with the same name. Used in pipelines with `exactly_once`. By default the name of the pipeline and `group.instance.id`, or a unique name without one. */
  readonly 'transactional.id'?: Input['transactionalId'] | undefined
  /** The same as `transactionalId`. Name of a transactional producer, which fences every earlier one with the same name. Used in pipelines with `exactly_once`. By default the name of the pipeline and `group.instance.id`, or a unique name without one. */
  readonly transactional_id?: Input['transactionalId'] | undefined
  /** How long a transaction may stay open before the broker aborts it. By default 60 s, as in Java. In pipelines whose transactional id is unique to the run, 10 s: after a crash nothing else ends the open transaction, and readers wait behind it. */
  readonly transactionTimeoutMs?: Input['transactionTimeoutMs'] | string | undefined
  /** The same as `transactionTimeoutMs`. How long a transaction may stay open before the broker aborts it. By default 60 s, as in Java. In pipelines whose transactional id is unique to the run, 10 s: after a crash nothing else ends the open transaction, and readers wait behind it. */
  readonly 'transaction.timeout.ms'?: Input['transactionTimeoutMs'] | string | undefined
  /** Java class, with or without its package, that sets how keys from `keyField` or a stage are written. Other keys keep their bytes. Only in pipelines. Default: `org.apache.kafka.common.serialization.StringSerializer`. */
  readonly keySerializer?: Input['keySerializer'] | undefined
  /** The same as `keySerializer`. Java class, with or without its package, that sets how keys from `keyField` or a stage are written. Other keys keep their bytes. Only in pipelines. Default: `org.apache.kafka.common.serialization.StringSerializer`. */
  readonly 'key.serializer'?: Input['keySerializer'] | undefined
  /** Java class, with or without its package, that sets how values are written. Strings and bytes are JSON text; other formats need documents with only the field `value`. Only in pipelines. Default: `org.apache.kafka.common.serialization.StringSerializer`. */
  readonly valueSerializer?: Input['valueSerializer'] | undefined
  /** The same as `valueSerializer`. Java class, with or without its package, that sets how values are written. Strings and bytes are JSON text; other formats need documents with only the field `value`. Only in pipelines. Default: `org.apache.kafka.common.serialization.StringSerializer`. */
  readonly 'value.serializer'?: Input['valueSerializer'] | undefined
  /** Topic for records without a topic of their own. Example: `'orders'`. */
  readonly topic?: Input['topic'] | undefined
  /** Most records of a batch of one partition. A batch is sent earlier when `batchBytes` are reached or `lingerMs` has passed. Default: `100`. */
  readonly batchSize?: Input['batchSize'] | undefined
  /** The same as `batchSize`. Most records of a batch of one partition. A batch is sent earlier when `batchBytes` are reached or `lingerMs` has passed. Default: `100`. */
  readonly batch_size?: Input['batchSize'] | undefined
  /** How often a batch is sent again after a broker refused it with a retriable error, or did not respond. While no broker can be reached nothing is sent, and `deliveryTimeoutMs` alone counts. Default: `5`. */
  readonly maxRetries?: Input['maxRetries'] | undefined
  /** The same as `maxRetries`. How often a batch is sent again after a broker refused it with a retriable error, or did not respond. While no broker can be reached nothing is sent, and `deliveryTimeoutMs` alone counts. Default: `5`. */
  readonly retries?: Input['maxRetries'] | undefined
  /** The same as `maxRetries`. How often a batch is sent again after a broker refused it with a retriable error, or did not respond. While no broker can be reached nothing is sent, and `deliveryTimeoutMs` alone counts. Default: `5`. */
  readonly max_retries?: Input['maxRetries'] | undefined
  /** Whether records are written in transactions, which requires `transactionalId`. By default on if there is one; if it is off, `transactionalId` has no effect. */
  readonly enableTransactions?: Input['enableTransactions'] | undefined
  /** The same as `enableTransactions`. Whether records are written in transactions, which requires `transactionalId`. By default on if there is one; if it is off, `transactionalId` has no effect. */
  readonly enable_transactions?: Input['enableTransactions'] | undefined
  /** `at_least_once` is what the other options promise by default. `at_most_once`: acks 0 and no retries. `exactly_once`: requires transactions. By default `exactly_once` with transactions, and `at_least_once` without. */
  readonly deliveryGuarantee?: Input['deliveryGuarantee'] | undefined
  /** How records that do not name a partition get one: by `partitioner` (`key_hash`), in turn (`round_robin`), not at all, so that a record must name its own (`custom`), or always partition 0 (`single`). Default: `key_hash`. */
  readonly partitionStrategy?: Input['partitionStrategy'] | undefined
  /** Whether writes fail at once, with `CIRCUIT_OPEN`, after several failures in a row. Records that are rejected for their content do not count. Default: `true`. */
  readonly enableCircuitBreaker?: Input['enableCircuitBreaker'] | undefined
  /** The same as `enableCircuitBreaker`. Whether writes fail at once, with `CIRCUIT_OPEN`, after several failures in a row. Records that are rejected for their content do not count. Default: `true`. */
  readonly enable_circuit_breaker?: Input['enableCircuitBreaker'] | undefined
  /** Number of calls that must fail in a row, after all retries, before the circuit breaker opens. Default: `5`. */
  readonly circuitBreakerThreshold?: Input['circuitBreakerThreshold'] | undefined
  /** The same as `circuitBreakerThreshold`. Number of calls that must fail in a row, after all retries, before the circuit breaker opens. Default: `5`. */
  readonly circuit_breaker_threshold?: Input['circuitBreakerThreshold'] | undefined
  /** How long an open circuit breaker rejects writes before it allows one. Default: `60000`. Example: `'PT60S'`. */
  readonly circuitBreakerTimeout?: Input['circuitBreakerTimeout'] | string | undefined
  /** The same as `circuitBreakerTimeout`. How long an open circuit breaker rejects writes before it allows one. Default: `60000`. Example: `'PT60S'`. */
  readonly circuit_breaker_timeout?: Input['circuitBreakerTimeout'] | string | undefined
  /** The same as `circuitBreakerTimeout`, in seconds; use either. */
  readonly circuitBreakerTimeoutSecs?: Input['circuitBreakerTimeoutSecs'] | undefined
  /** The same as `circuitBreakerTimeoutSecs`. The same as `circuitBreakerTimeout`, in seconds; use either. */
  readonly circuit_breaker_timeout_secs?: Input['circuitBreakerTimeoutSecs'] | undefined
  /** Has no effect: the metadata of a topic is kept until the client is closed. */
  readonly 'metadata.max.idle.ms'?: unknown
  /** Has no effect: slow brokers are not avoided. */
  readonly 'partitioner.adaptive.partitioning.enable'?: unknown
  /** Has no effect: slow brokers are not avoided. */
  readonly 'partitioner.availability.timeout.ms'?: unknown
  /** Has no effect: set partitioner.class to "sticky" instead. */
  readonly 'partitioner.ignore.keys'?: unknown
  /** Has no effect: only this producer ends its transactions. */
  readonly 'transaction.two.phase.commit.enable'?: unknown
}
