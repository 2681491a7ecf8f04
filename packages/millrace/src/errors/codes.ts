/**
 * The only place where error codes are declared. A class of `errors/index.ts` looks its flags up here, so code, exit
 * status and documentation cannot drift apart; `docs/errors.md` is generated from this table.
 */
export interface ErrorCodeInfo {
  /** Whether the same call may succeed when it is tried again without any change. */
  readonly retriable: boolean
  /** Exit code of the command line: 1 runtime, 2 configuration, 3 environment. */
  readonly exit: 1 | 2 | 3
  /** When it is raised and what the user can do. */
  readonly doc: string
}

export const ERROR_CODES = {
  CONFIG_INVALID: {
    retriable: false,
    exit: 2,
    doc: 'A pipeline file or an options object has problems; `problems` lists all of them with their places.',
  },
  CONFIG_UNREADABLE: {
    retriable: false,
    exit: 2,
    doc: 'A pipeline file cannot be read, or is not valid YAML, TOML or JSON.',
  },
  BROKER_UNREACHABLE: {
    retriable: true,
    exit: 3,
    doc: 'No connection to a broker within the time allowed. The message names the address, how long it was tried and the likely cause.',
  },
  BROKER_DISCONNECTED: { retriable: true, exit: 3, doc: 'The connection broke while a request was under way.' },
  REQUEST_TIMED_OUT: { retriable: true, exit: 3, doc: 'A broker did not answer a request in time.' },
  AUTHENTICATION_FAILED: {
    retriable: false,
    exit: 3,
    doc: 'The broker refused the credentials or the SASL mechanism, or a token endpoint refused the client.',
  },
  TOKEN_UNAVAILABLE: {
    retriable: true,
    exit: 3,
    doc: 'No token for OAUTHBEARER, or no credentials for AWS_MSK_IAM, could be had: what gives them does not answer, or answers with something else.',
  },
  TLS_FAILED: {
    retriable: false,
    exit: 3,
    doc: 'The TLS handshake with a broker failed for good: its certificate is not trusted or for another host, it wants a certificate of ours, or one side speaks clear text.',
  },
  UNSUPPORTED_BROKER: {
    retriable: false,
    exit: 3,
    doc: 'The broker does not offer a version of a request that Millrace can speak.',
  },
  BROKER_ERROR: {
    retriable: false,
    exit: 1,
    doc: 'The broker answered with a Kafka error; `kafkaName` and `kafkaCode` say which, and `retriable` follows Kafka’s own table.',
  },
  TOPIC_NOT_FOUND: {
    retriable: false,
    exit: 3,
    doc: 'A topic does not exist on the cluster, or the principal may not see it.',
  },
  OFFSET_OUT_OF_RANGE: {
    retriable: false,
    exit: 1,
    doc: 'The position is not in the log: retention deleted records before they were read, or the topic lost its end or was created again. Happens unless `offsetOutOfRange` is `reset` and `auto.offset.reset` is not `none`.',
  },
  NO_COMMITTED_OFFSET: {
    retriable: false,
    exit: 1,
    doc: 'The group has no committed offset for a partition and the reset policy is `none`.',
  },
  RECORD_CORRUPT: {
    retriable: false,
    exit: 1,
    doc: 'Bytes of a record batch are malformed: truncated, wrong CRC, unknown magic or codec, lengths out of range.',
  },
  DECODE_FAILED: {
    retriable: false,
    exit: 1,
    doc: 'A key, value or header cannot be decoded, for instance a value that is not JSON where a document is needed.',
  },
  STAGE_FAILED: { retriable: false, exit: 1, doc: 'A stage failed on a record.' },
  ENCODE_FAILED: { retriable: false, exit: 1, doc: 'A record cannot be encoded for its sink.' },
  RECORD_TOO_LARGE: {
    retriable: false,
    exit: 1,
    doc: 'A single record is larger than the broker or `max.request.size` allows.',
  },
  DELIVERY_FAILED: { retriable: false, exit: 1, doc: 'A record was not acknowledged by its sink.' },
  DELIVERY_TIMED_OUT: { retriable: true, exit: 1, doc: 'A record was not acknowledged within `delivery.timeout.ms`.' },
  BATCH_FAILED: {
    retriable: false,
    exit: 1,
    doc: 'Some records of a batch failed; `failures` maps each index to its error.',
  },
  REFUSED_WITH_BATCH: {
    retriable: true,
    exit: 1,
    doc: 'A record was not written because the broker refused others of the same record batch, or because records before it in its partition were not written; it may be written after them or without them.',
  },
  DEAD_LETTER_FAILED: {
    retriable: false,
    exit: 1,
    doc: 'A dead letter cannot be written. The run stops, and the record that it is about is read again by the next one.',
  },
  CIRCUIT_OPEN: {
    retriable: true,
    exit: 1,
    doc: 'The circuit breaker of a sink is open after repeated failures, so nothing was tried; `retryAfterMs` says when it will be.',
  },
  SEQUENCE_BROKEN: {
    retriable: false,
    exit: 1,
    doc: 'The idempotent producer cannot go on without the risk of loss or duplicates, for instance because the broker forgot its state.',
  },
  PRODUCER_FENCED: {
    retriable: false,
    exit: 1,
    doc: 'Another producer with the same transactional id has taken over.',
  },
  TRANSACTION_FAILED: {
    retriable: false,
    exit: 1,
    doc: 'A transaction was aborted or cannot be used in its present state.',
  },
  MEMBER_FENCED: { retriable: false, exit: 1, doc: 'Another member with the same `group.instance.id` has taken over.' },
  GROUP_FAILED: {
    retriable: false,
    exit: 1,
    doc: 'The consumer group refused this member, for instance because no assignment protocol is shared by all members, or it refused a change that needs a group without members.',
  },
  PIPELINE_TIMED_OUT: {
    retriable: true,
    exit: 1,
    doc: 'A run took longer than `timeout_seconds` of its file. What was delivered by then is committed; the next run goes on from there.',
  },
  FILE_UNREADABLE: { retriable: false, exit: 3, doc: 'A file that a source reads cannot be opened or read.' },
  FILE_UNWRITABLE: { retriable: false, exit: 3, doc: 'A file that a sink writes cannot be opened or written.' },
  CLOSED: { retriable: false, exit: 1, doc: 'Used after `close()`.' },
  ABORTED: { retriable: false, exit: 1, doc: 'Stopped by an `AbortSignal` before it was done.' },
  UNEXPECTED: { retriable: false, exit: 1, doc: 'A fault of Millrace itself; please report it.' },
} as const satisfies { readonly [code: string]: ErrorCodeInfo }

export type ErrorCode = keyof typeof ERROR_CODES
