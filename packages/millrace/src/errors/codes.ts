/**
 * The only place where error codes are declared. A class of `errors/index.ts` looks its flags up here, so code, exit
 * status and documentation cannot drift apart; `docs/errors.md` is generated from this table.
 */

/** What is known of an error code. */
export interface ErrorCodeInfo {
  /** Whether the same call may succeed when it is tried again without any change. */
  readonly retriable: boolean
  /** Exit code of the command line: 1 runtime, 2 configuration, 3 environment. */
  readonly exit: 1 | 2 | 3
  /** When it is raised and what the user can do. */
  readonly doc: string
}

/** All error codes, with what each of them means and what to do. */
export const ERROR_CODES = {
  CONFIG_INVALID: {
    retriable: false,
    exit: 2,
    doc: 'A pipeline file or an options object has errors. `problems` lists all of them with their positions; `millrace lint` shows the same list.',
  },
  CONFIG_UNREADABLE: {
    retriable: false,
    exit: 2,
    doc: 'A pipeline file cannot be read, or is not valid YAML, TOML or JSON. Check the path and the syntax.',
  },
  HTTP_UNAVAILABLE: {
    retriable: false,
    exit: 3,
    doc: 'The HTTP server for metrics, health and the dashboard cannot listen at its address, or `millrace top` finds none at the address. The message says why.',
  },
  BROKER_UNREACHABLE: {
    retriable: true,
    exit: 3,
    doc: 'No broker could be reached in time. Check that the brokers are up and `bootstrap.servers` is right; the message names the addresses, how long they were tried, and the likely cause.',
  },
  BROKER_DISCONNECTED: { retriable: true, exit: 3, doc: 'The connection was lost while a request was in flight.' },
  REQUEST_TIMED_OUT: { retriable: true, exit: 3, doc: 'A broker did not answer within `request.timeout.ms`.' },
  AUTHENTICATION_FAILED: {
    retriable: false,
    exit: 3,
    doc: 'The broker rejected the credentials or the SASL mechanism, a token endpoint rejected the client, or a schema registry rejected the credentials. Check user name, password and mechanism; see the security page.',
  },
  NOT_AUTHORIZED: {
    retriable: false,
    exit: 3,
    doc: 'The brokers do not permit something. The message names the operation and the topic, group, transactional id or cluster: grant it to the principal of the client, for example with `kafka-acls.sh`. `millrace check` shows what is missing before a run.',
  },
  TOKEN_UNAVAILABLE: {
    retriable: true,
    exit: 3,
    doc: 'A token for OAUTHBEARER or credentials for AWS_MSK_IAM could not be obtained, because their source is unreachable or returned something unexpected.',
  },
  REGISTRY_UNAVAILABLE: {
    retriable: true,
    exit: 3,
    doc: 'A schema registry could not be reached, or had no answer, within `retryTimeoutMs`. A pipeline waits until it is back; its records are neither skipped nor dead-lettered.',
  },
  SCHEMA_NOT_FOUND: {
    retriable: false,
    exit: 1,
    doc: 'The schema registry does not have the schema, subject or version. Of a record, `errorPolicy` decides what happens to it.',
  },
  SCHEMA_REFUSED: {
    retriable: false,
    exit: 1,
    doc: 'The schema registry did not accept a schema, because it is not valid or not compatible with earlier versions of its subject.',
  },
  REGISTRY_ERROR: {
    retriable: false,
    exit: 3,
    doc: 'The schema registry returned an error or something that is not an answer, for example because the address is that of something else.',
  },
  TLS_FAILED: {
    retriable: false,
    exit: 3,
    doc: 'The TLS handshake with a broker or a schema registry failed permanently: its certificate is not trusted or is for another host name, it requires a client certificate, or one side does not use TLS.',
  },
  UNSUPPORTED_BROKER: {
    retriable: false,
    exit: 3,
    doc: 'The broker does not support any version of a request that Millrace supports. Upgrade the broker.',
  },
  BROKER_ERROR: {
    retriable: false,
    exit: 1,
    doc: 'The broker returned an error of the Kafka protocol. `kafkaName` and `kafkaCode` identify it, and `retriable` follows Kafka’s own table.',
  },
  PROTOCOL_ERROR: {
    retriable: false,
    exit: 1,
    doc: 'The bytes of a Kafka request or response are malformed, or a value cannot be written in the version of it that both sides speak.',
  },
  TOPIC_NOT_FOUND: {
    retriable: false,
    exit: 3,
    doc: 'A topic does not exist, or the principal is not allowed to see it. Create it, set `createTopic: {}`, or check the ACLs.',
  },
  COMMIT_REFUSED: {
    retriable: false,
    exit: 1,
    doc: '`commit()` or `checkpoint()` was refused by the group: the partition belongs to another member, or a rebalance is in progress. Records after the last commit will be read again.',
  },
  OFFSET_OUT_OF_RANGE: {
    retriable: false,
    exit: 1,
    doc: 'The next offset to read is not in the log, for example because retention deleted it or the topic was recreated, and `offsetOutOfRange` is `fail` (the default) or `auto.offset.reset` is `none`. Reset the offsets of the group, or set `offsetOutOfRange: reset`.',
  },
  NO_COMMITTED_OFFSET: {
    retriable: false,
    exit: 1,
    doc: 'The group has no committed offset for a partition, and `auto.offset.reset` is `none`. Commit an offset, or choose `earliest` or `latest`.',
  },
  RECORD_CORRUPT: {
    retriable: false,
    exit: 1,
    doc: 'A record batch is malformed: truncated, wrong CRC, unknown format version or compression codec, or lengths out of range.',
  },
  RECORD_BATCH_TOO_LARGE: {
    retriable: false,
    exit: 1,
    doc: 'A record batch decompresses to more bytes than `maxDecompressedBytes` allows.',
  },
  DECODE_FAILED: {
    retriable: false,
    exit: 1,
    doc: 'A key, value or header cannot be decoded, for example a value that is not JSON where a stage needs a document. `errorPolicy` decides what happens to the record.',
  },
  STAGE_FAILED: {
    retriable: false,
    exit: 1,
    doc: 'A stage failed on a record. `errorPolicy` decides what happens to it.',
  },
  STAGE_MISCONFIGURED: {
    retriable: false,
    exit: 1,
    doc: 'A stage cannot do its work, whatever the record: it would have to keep more rows than its limit allows, or a column that it names is misspelled. `errorPolicy` does not apply, as no record is to blame.',
  },
  ENCODE_FAILED: {
    retriable: false,
    exit: 1,
    doc: 'A record cannot be encoded in the format of its sink. `errorPolicy` decides what happens to it.',
  },
  RECORD_TOO_LARGE: {
    retriable: false,
    exit: 1,
    doc: 'A single record is larger than the broker (`max.message.bytes` of the topic) or `max.request.size` allows.',
  },
  DELIVERY_FAILED: {
    retriable: false,
    exit: 1,
    doc: 'The sink did not acknowledge a record; the message contains the reason.',
  },
  DELIVERY_TIMED_OUT: {
    retriable: true,
    exit: 1,
    doc: 'The sink did not acknowledge a record within `delivery.timeout.ms`, or nothing at all within `flushTimeout`. Check the brokers of the sink and their in-sync replicas.',
  },
  BATCH_FAILED: {
    retriable: false,
    exit: 1,
    doc: 'Some records of a batch failed. `failures` maps the index of each to its error.',
  },
  REFUSED_WITH_BATCH: {
    retriable: true,
    exit: 1,
    doc: 'A record was not written because the broker rejected another record of the same batch, or because an earlier record of its partition was not written. It can be written again after that record, or without it.',
  },
  DEAD_LETTER_FAILED: {
    retriable: false,
    exit: 1,
    doc: 'A dead letter cannot be written. The run stops, and the next run reads the failed record again.',
  },
  CIRCUIT_OPEN: {
    retriable: true,
    exit: 1,
    doc: 'The circuit breaker of a sink is open after repeated failures, so nothing was attempted. Try again after `retryAfterMs`.',
  },
  SEQUENCE_BROKEN: {
    retriable: false,
    exit: 1,
    doc: 'The idempotent producer cannot continue without risking loss or duplicates, for example because the broker no longer has its state. Start the run again, or create a new `KafkaSink`.',
  },
  PRODUCER_FENCED: {
    retriable: false,
    exit: 1,
    doc: 'Another producer with the same `transactional.id` has taken over. Give each instance its own id.',
  },
  TRANSACTION_FAILED: {
    retriable: false,
    exit: 1,
    doc: 'A transaction was aborted, or cannot be used in its current state.',
  },
  TRANSACTION_COMMITTED: {
    retriable: false,
    exit: 1,
    doc: '`abortTransaction` found that the transaction is committed: an earlier `commitTransaction` succeeded, although its response was lost. Do not write the same records again; begin the next transaction.',
  },
  MEMBER_FENCED: {
    retriable: false,
    exit: 1,
    doc: 'Another member with the same `group.instance.id` has taken over. Give each instance its own id.',
  },
  GROUP_FAILED: {
    retriable: false,
    exit: 1,
    doc: 'The consumer group rejected this member, for example because its members have no assignment strategy in common, or refused a change that needs a group without members.',
  },
  PIPELINE_TIMED_OUT: {
    retriable: true,
    exit: 1,
    doc: 'A run took longer than `timeout_seconds` of its file. Everything delivered by then is committed, and the next run continues from there.',
  },
  FILE_UNREADABLE: { retriable: false, exit: 3, doc: 'A file that a source reads cannot be opened or read.' },
  FILE_UNWRITABLE: { retriable: false, exit: 3, doc: 'A file that a sink writes cannot be opened or written.' },
  DATA_DAMAGED: {
    retriable: false,
    exit: 3,
    doc: 'The folder of an embedded broker holds data that is damaged or incomplete. The message names the file and the place. Restore the folder from a copy, or delete it and start with nothing.',
  },
  PROTOCOL_VIOLATED: {
    retriable: false,
    exit: 1,
    doc: 'A message of the materialization protocol cannot be decoded, or is not expected where it is. Both sides may use different codecs: see `FLOW_RUNTIME_CODEC`.',
  },
  CLOSED: { retriable: false, exit: 1, doc: 'A source or sink was used after `close()`.' },
  ABORTED: { retriable: false, exit: 1, doc: 'An `AbortSignal` stopped the operation before it was complete.' },
  UNEXPECTED: {
    retriable: false,
    exit: 1,
    doc: 'A bug in Millrace. Please report it; `MILLRACE_DEBUG=1` prints the stack trace.',
  },
} as const satisfies { readonly [code: string]: ErrorCodeInfo }

/** The `code` of a `MillraceError`: a name of `ERROR_CODES`. */
export type ErrorCode = keyof typeof ERROR_CODES
