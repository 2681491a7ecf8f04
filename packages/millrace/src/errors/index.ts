/**
 * Errors of Millrace: one class tree over one table of codes (`codes.ts`).
 *
 * Texts name the action first, quote values, give the desired and the current state, and end without a period. Every
 * wrapped error keeps its `cause`. Test with `isMillraceError` or `error.code`, not with `instanceof`, when two copies
 * of the package may be loaded. May import nothing of ours.
 */
import { ERROR_CODES, type ErrorCode } from './codes.ts'

export { ERROR_CODES, type ErrorCode, type ErrorCodeInfo } from './codes.ts'

const BRAND = Symbol.for('millrace.error')

/** What an error may carry beside its message. */
export interface ErrorDetails {
  /** What led to it, as a rule another error. */
  readonly cause?: unknown
  /** Facts for logs and dead letters. Never a secret (I8). */
  readonly context?: Readonly<{ [name: string]: unknown }>
}

/** Base of every error that Millrace raises on purpose. */
export abstract class MillraceError extends Error {
  /** By which programs distinguish errors; all are in `ERROR_CODES`. */
  readonly code: ErrorCode
  /** Whether the same call may succeed when it is tried again without any change. */
  readonly retriable: boolean
  /** Facts for logs and dead letters. Never a secret (I8). */
  readonly context: Readonly<{ [name: string]: unknown }>
  readonly [BRAND] = true as const

  /** @param code by which programs distinguish errors @param message what failed, why, and what to do @param details its cause, and facts for logs */
  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.name = new.target.name
    this.code = code
    this.retriable = ERROR_CODES[code].retriable
    this.context = details.context ?? {}
  }
}

/** Whether a value is an error of Millrace, of this or another loaded copy of the package. */
export function isMillraceError(error: unknown): error is MillraceError {
  return typeof error === 'object' && error !== null && (error as { [BRAND]?: unknown })[BRAND] === true
}

/** One problem of a configuration, at one place. */
export interface ConfigProblem {
  /** Dotted path of the option, for instance `sink.options.acks`; empty for the whole file. */
  readonly path: string
  /** File in which it is, when that is another one than was asked for. */
  readonly file?: string
  /** 1-based line and column where the format gives them (YAML, JSON). */
  readonly line?: number
  /** See `line`. */
  readonly column?: number
  /** What is wrong, as a sentence without a period. */
  readonly message: string
  /** What to do, for instance the name that was probably meant. */
  readonly suggestion?: string
}

/** A configuration cannot be used; all problems are reported at once. */
export class ConfigError extends MillraceError {
  /** All that is wrong, each with its place. */
  readonly problems: readonly ConfigProblem[]
  /** @param message what failed, why, and what to do @param problems all that is wrong @param details its cause, and facts for logs */
  constructor(
    message: string,
    problems: readonly ConfigProblem[] = [],
    details: ErrorDetails & { code?: 'CONFIG_INVALID' | 'CONFIG_UNREADABLE' } = {},
  ) {
    super(details.code ?? 'CONFIG_INVALID', message, details)
    this.problems = problems
  }

  /** Problems with places as lists of names, all in one message: for options that were given by a program. */
  static of(
    action: string,
    problems: readonly {
      readonly path: readonly (string | number)[]
      readonly message: string
      readonly suggestion?: string | undefined
    }[],
  ): ConfigError {
    const lines = problems.map(({ message, suggestion }) =>
      suggestion === undefined ? message : `${message} (${suggestion})`,
    )
    const found = problems.map(({ path, message, suggestion }) => ({
      path: path.join('.'),
      message,
      ...(suggestion === undefined ? {} : { suggestion }),
    }))
    return new ConfigError(`${action}: ${lines.join('; ')}`, found)
  }
}

/** A broker or a schema registry cannot be reached, the connection broke, or no server can be started. */
export class ConnectionError extends MillraceError {
  /** @param code what became of the connection @param message what failed, why, and what to do @param details its cause, and facts for logs */
  constructor(
    code:
      | 'BROKER_UNREACHABLE'
      | 'BROKER_DISCONNECTED'
      | 'REQUEST_TIMED_OUT'
      | 'AUTHENTICATION_FAILED'
      | 'TOKEN_UNAVAILABLE'
      | 'TLS_FAILED'
      | 'UNSUPPORTED_BROKER'
      | 'REGISTRY_UNAVAILABLE'
      | 'HTTP_UNAVAILABLE',
    message: string,
    details?: ErrorDetails,
  ) {
    super(code, message, details)
  }
}

/** The broker or a schema registry refused the credentials, or a token endpoint the client. */
export class AuthenticationError extends ConnectionError {
  /** @param message what failed, why, and what to do @param details its cause, and facts for logs */
  constructor(message: string, details?: ErrorDetails) {
    super('AUTHENTICATION_FAILED', message, details)
  }
}

/** A schema registry answered with an error, or with what is no answer. */
export class RegistryError extends MillraceError {
  /** Of HTTP. */
  readonly status: number
  /** The registry's own code, for instance 40403; undefined where it gave none. */
  readonly registryCode: number | undefined
  /** @param code what the registry said @param message what failed, why, and what to do @param details its cause, and facts for logs */
  constructor(
    code: 'SCHEMA_NOT_FOUND' | 'SCHEMA_REFUSED' | 'REGISTRY_ERROR',
    message: string,
    details: ErrorDetails & { readonly status: number; readonly registryCode?: number | undefined },
  ) {
    super(code, message, details)
    this.status = details.status
    this.registryCode = details.registryCode
  }
}

/** What a broker answered, and about what. */
export interface BrokerErrorDetails extends ErrorDetails {
  /** Number of the error in Kafka's protocol. */
  readonly kafkaCode: number
  /** Kafka's name of the error, such as `NOT_LEADER_OR_FOLLOWER`. */
  readonly kafkaName: string
  /** Whether Kafka says that trying again may help. */
  readonly retriable: boolean
  /** Topic that it is about. */
  readonly topic?: string
  /** Partition that it is about. */
  readonly partition?: number
  /** `BROKER_ERROR` when omitted. */
  readonly code?:
    | 'BROKER_ERROR'
    | 'NOT_AUTHORIZED'
    | 'TOPIC_NOT_FOUND'
    | 'OFFSET_OUT_OF_RANGE'
    | 'NO_COMMITTED_OFFSET'
    | 'COMMIT_REFUSED'
    | 'GROUP_FAILED'
    | 'MEMBER_FENCED'
    | 'PRODUCER_FENCED'
    | 'SEQUENCE_BROKEN'
}

/** A broker answered with an error of the Kafka protocol. */
export class BrokerError extends MillraceError {
  /** Number of the error in Kafka's protocol. */
  readonly kafkaCode: number
  /** Kafka's own name, for instance `NOT_LEADER_OR_FOLLOWER`. */
  readonly kafkaName: string
  /** Whether Kafka says that trying again may help. */
  override readonly retriable: boolean
  /** Topic that it is about; undefined where it is about none. */
  readonly topic: string | undefined
  /** Partition that it is about; undefined where it is about none. */
  readonly partition: number | undefined
  /** @param message what failed, why, and what to do @param details what the broker answered, and about what */
  constructor(message: string, details: BrokerErrorDetails) {
    super(details.code ?? 'BROKER_ERROR', message, details)
    this.kafkaCode = details.kafkaCode
    this.kafkaName = details.kafkaName
    this.retriable = details.retriable
    this.topic = details.topic
    this.partition = details.partition
  }
}

/** The record that an error is about, and the component that failed on it. */
export interface RecordErrorDetails extends ErrorDetails {
  /** Topic of the record. */
  readonly topic?: string | undefined
  /** Partition of the record. */
  readonly partition?: number | undefined
  /** Offset of the record. */
  readonly offset?: bigint | undefined
  /** Name of the component that failed, for instance `$match` or `kafka`. */
  readonly component?: string | undefined
}

/** One record failed; enough is kept to skip it or to write it to a dead letter. */
export class RecordError extends MillraceError {
  /** Topic of the record; undefined where it is not known. */
  readonly topic: string | undefined
  /** Partition of the record; undefined where it is not known. */
  readonly partition: number | undefined
  /** Offset of the record; undefined where it has none yet. */
  readonly offset: bigint | undefined
  /** Part of the pipeline, or of the program, that failed. */
  readonly component: string | undefined
  /** @param code by which programs distinguish errors @param message what failed, why, and what to do @param details its cause, and the record that it is about */
  constructor(code: ErrorCode, message: string, details: RecordErrorDetails = {}) {
    super(code, message, details)
    this.topic = details.topic
    this.partition = details.partition
    this.offset = details.offset
    this.component = details.component
  }
}

/** Bytes of a record batch are malformed. */
export class CorruptRecordError extends RecordError {
  /** @param message what failed, why, and what to do @param details its cause, and the record that it is about */
  constructor(message: string, details?: RecordErrorDetails) {
    super('RECORD_CORRUPT', message, details)
  }
}

/** A record batch decompresses to more bytes than `maxDecompressedBytes`. */
export class BatchTooLargeError extends RecordError {
  /** @param message what failed, why, and what to do @param details its cause, and the record that it is about */
  constructor(message: string, details?: RecordErrorDetails) {
    super('RECORD_BATCH_TOO_LARGE', message, details)
  }
}

/** A key, value or header cannot be decoded. */
export class DecodeError extends RecordError {
  /** What could not be decoded. */
  readonly part: 'key' | 'value' | 'header'
  /** @param part that could not be decoded @param message what failed, why, and what to do @param details its cause, and the record that it is about */
  constructor(part: 'key' | 'value' | 'header', message: string, details?: RecordErrorDetails) {
    super('DECODE_FAILED', message, details)
    this.part = part
  }
}

/** A stage failed on a record. */
export class StageError extends RecordError {
  /** @param message what failed, why, and what to do @param details its cause, and the record that it is about */
  constructor(message: string, details?: RecordErrorDetails) {
    super('STAGE_FAILED', message, details)
  }
}

/** A stage cannot do its work, whatever the record: a limit is too low, or a column is misspelled. The place is where that was noticed. */
export class StageMisconfiguredError extends RecordError {
  /** @param message what failed, why, and what to do @param details its cause, and the record that it is about */
  constructor(message: string, details?: RecordErrorDetails) {
    super('STAGE_MISCONFIGURED', message, details)
  }
}

/** A record cannot be encoded for its sink. */
export class EncodeError extends RecordError {
  /** @param message what failed, why, and what to do @param details its cause, and the record that it is about */
  constructor(message: string, details?: RecordErrorDetails) {
    super('ENCODE_FAILED', message, details)
  }
}

/** A record was not acknowledged by its sink. */
export class DeliveryError extends RecordError {
  /** @param message what failed, why, and what to do @param details its cause, and the record that it is about */
  constructor(
    message: string,
    details: RecordErrorDetails & {
      code?:
        | 'DELIVERY_FAILED'
        | 'DELIVERY_TIMED_OUT'
        | 'RECORD_TOO_LARGE'
        | 'REFUSED_WITH_BATCH'
        | 'DEAD_LETTER_FAILED'
        | 'SEQUENCE_BROKEN'
    } = {},
  ) {
    super(details.code ?? 'DELIVERY_FAILED', message, details)
  }
}

/** Some records of a batch failed; the others were delivered. */
export class BatchError extends MillraceError {
  /** Failed rows of the batch that was written, by row index. */
  readonly failures: ReadonlyMap<number, MillraceError>
  /** @param message what failed, why, and what to do @param failures the error of each record that failed, by its index @param details its cause, and facts for logs */
  constructor(message: string, failures: ReadonlyMap<number, MillraceError>, details?: ErrorDetails) {
    super('BATCH_FAILED', message, details ?? { cause: failures.values().next().value })
    this.failures = failures
  }
}

/** Nothing was tried, because the circuit breaker is open. */
export class CircuitOpenError extends MillraceError {
  /** Milliseconds after which another call makes sense. */
  readonly retryAfterMs: number
  /** @param what was not attempted @param retryAfterMs milliseconds until something is let through @param details its cause, and facts for logs */
  constructor(what: string, retryAfterMs: number, details?: ErrorDetails) {
    super(
      'CIRCUIT_OPEN',
      `${what} was not attempted as its circuit breaker is open after repeated failures: try again in ${Math.ceil(retryAfterMs / 1000)} s`,
      details,
    )
    this.retryAfterMs = retryAfterMs
  }
}

/**
 * A transaction cannot go on. `fatal` means that this producer may never write again (I5); the code `TRANSACTION_COMMITTED` that it was
 * to be aborted and is committed.
 */
export class TransactionError extends MillraceError {
  /** Whether another producer has taken over, so that this one may not write any more. */
  readonly fatal: boolean
  /** @param message what failed, why, and what to do @param details its cause, and facts for logs */
  constructor(message: string, details: ErrorDetails & { fatal: boolean; code?: 'TRANSACTION_COMMITTED' }) {
    super(details.code ?? (details.fatal ? 'PRODUCER_FENCED' : 'TRANSACTION_FAILED'), message, details)
    this.fatal = details.fatal
  }
}

/** A run took longer than its file allows. */
export class PipelineTimeoutError extends MillraceError {
  /** @param pipeline its name @param timeoutMs how long it was allowed to take @param details its cause, and facts for logs */
  constructor(pipeline: string, timeoutMs: number, details?: ErrorDetails) {
    super(
      'PIPELINE_TIMED_OUT',
      `Pipeline "${pipeline}" timed out after ${timeoutMs / 1000} seconds: raise timeout_seconds in [global], or lower max_messages or timeout_ms of its consumers`,
      details,
    )
  }
}

/** A file cannot be read or written. */
export class FileError extends MillraceError {
  /** @param code what became of the file @param message what failed, why, and what to do @param details its cause, and facts for logs */
  constructor(code: 'FILE_UNREADABLE' | 'FILE_UNWRITABLE' | 'DATA_DAMAGED', message: string, details?: ErrorDetails) {
    super(code, message, details)
  }
}

/** Bytes are not what a version of a Kafka request or response is, or a value cannot be written in it. */
export class ProtocolError extends MillraceError {
  /** @param message what failed, why, and what to do @param details its cause, and facts for logs */
  constructor(message: string, details?: ErrorDetails) {
    super('PROTOCOL_ERROR', message, details)
  }
}

/** A message of the materialization protocol that cannot be decoded, or is not expected where it is. */
export class ProtocolViolationError extends MillraceError {
  /** @param message what failed, why, and what to do @param details its cause, and facts for logs */
  constructor(message: string, details?: ErrorDetails) {
    super('PROTOCOL_VIOLATED', message, details)
  }
}

/** Used after `close()`. */
export class ClosedError extends MillraceError {
  /** @param what was closed */
  constructor(what: string) {
    super('CLOSED', `Cannot use ${what} as it is closed`)
  }
}

/** Stopped by an `AbortSignal`. */
export class AbortedError extends MillraceError {
  /** @param what was given up @param details its cause, and facts for logs */
  constructor(what: string, details?: ErrorDetails) {
    super('ABORTED', `${what} was stopped before it was complete`, details)
  }
}

/** A fault of Millrace itself. */
export class UnexpectedError extends MillraceError {
  /** @param message what failed, why, and what to do @param details its cause, and facts for logs */
  constructor(message: string, details?: ErrorDetails) {
    super('UNEXPECTED', message, details)
  }
}
