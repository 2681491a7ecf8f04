/**
 * What a failure to deliver means, decided here and nowhere else.
 *
 * | meaning | what follows |
 * |---|---|
 * | `ends-run` | nothing more is written and no record is disposed of: another attempt meets the same, or is not safe |
 * | `sink-down` | the sink may be back later: retries and the circuit breaker decide when, and the error policy after them |
 * | `record` | the record itself is refused, by a sink that is up: the error policy decides |
 * | `says-nothing` | refused only because of another record; it can be written again |
 *
 * Errors are wrapped on their way, so the whole chain of causes is read: credentials that were refused end the run also when they
 * arrive as the cause of a delivery that failed. May import its neighbours only.
 */
import type { ErrorCode } from './codes.ts'
import { BatchError, BrokerError, isMillraceError, type MillraceError } from './index.ts'

export type Meaning = 'ends-run' | 'sink-down' | 'record' | 'says-nothing'

/** `by-cause`: what it wraps decides; a sink that is down when nothing does. `by-kafka-name`: what the broker answered. */
const MEANINGS: { readonly [code in ErrorCode]: Meaning | 'by-cause' | 'by-kafka-name' } = {
  CONFIG_INVALID: 'ends-run',
  CONFIG_UNREADABLE: 'ends-run',
  HTTP_UNAVAILABLE: 'ends-run',
  BROKER_UNREACHABLE: 'by-cause',
  BROKER_DISCONNECTED: 'by-cause',
  REQUEST_TIMED_OUT: 'by-cause',
  AUTHENTICATION_FAILED: 'ends-run',
  NOT_AUTHORIZED: 'ends-run',
  TOKEN_UNAVAILABLE: 'by-cause',
  REGISTRY_UNAVAILABLE: 'by-cause',
  SCHEMA_NOT_FOUND: 'record',
  SCHEMA_REFUSED: 'ends-run',
  REGISTRY_ERROR: 'ends-run',
  TLS_FAILED: 'ends-run',
  UNSUPPORTED_BROKER: 'ends-run',
  BROKER_ERROR: 'by-kafka-name',
  PROTOCOL_ERROR: 'ends-run',
  TOPIC_NOT_FOUND: 'ends-run',
  COMMIT_REFUSED: 'ends-run',
  OFFSET_OUT_OF_RANGE: 'ends-run',
  NO_COMMITTED_OFFSET: 'ends-run',
  RECORD_CORRUPT: 'ends-run',
  RECORD_BATCH_TOO_LARGE: 'ends-run',
  DECODE_FAILED: 'record',
  STAGE_FAILED: 'record',
  STAGE_MISCONFIGURED: 'ends-run',
  ENCODE_FAILED: 'record',
  RECORD_TOO_LARGE: 'record',
  DELIVERY_FAILED: 'by-cause',
  DELIVERY_TIMED_OUT: 'by-cause',
  BATCH_FAILED: 'by-cause',
  REFUSED_WITH_BATCH: 'says-nothing',
  DEAD_LETTER_FAILED: 'ends-run',
  CIRCUIT_OPEN: 'says-nothing',
  SEQUENCE_BROKEN: 'ends-run',
  PRODUCER_FENCED: 'ends-run',
  TRANSACTION_FAILED: 'ends-run',
  TRANSACTION_COMMITTED: 'ends-run',
  MEMBER_FENCED: 'ends-run',
  GROUP_FAILED: 'ends-run',
  PIPELINE_TIMED_OUT: 'ends-run',
  FILE_UNREADABLE: 'ends-run',
  // A full disk may have room again.
  FILE_UNWRITABLE: 'by-cause',
  DATA_DAMAGED: 'ends-run',
  PROTOCOL_VIOLATED: 'ends-run',
  CLOSED: 'ends-run',
  ABORTED: 'ends-run',
  UNEXPECTED: 'ends-run',
}

/** Kafka's names for refusals of a record that no other attempt will change. */
const REFUSED_RECORD: ReadonlySet<string> = new Set([
  'INVALID_RECORD',
  'INVALID_TIMESTAMP',
  'MESSAGE_TOO_LARGE',
  'RECORD_LIST_TOO_LARGE',
])

/**
 * The meaning of one error. Of several links of its chain, one that ends the run counts before all others, then the outermost that
 * says something.
 *
 * @returns `ends-run` for what is not an error of Millrace: a bug must not dispose of records
 */
export function meaningOf(error: unknown): Meaning {
  if (!isMillraceError(error)) return 'ends-run'
  if (error instanceof BatchError) return meaningOfAll(error.failures.values())
  let outermost: Meaning | undefined
  for (let link: unknown = error; isMillraceError(link); link = link.cause) {
    const own = ownMeaning(link)
    if (own === 'ends-run' || (own === 'says-nothing' && link === error)) return own
    outermost ??= own
  }
  return outermost ?? 'sink-down'
}

/** The link of the chain that ends the run: what to report, with its own code. The error itself where none does. */
export function reasonOf(error: MillraceError): MillraceError {
  if (error instanceof BatchError) {
    const failures = [...error.failures.values()]
    return reasonOf(failures.find((failure) => meaningOf(failure) === 'ends-run') ?? failures[0] ?? error)
  }
  let outermost: MillraceError | undefined
  for (let link: unknown = error; isMillraceError(link); link = link.cause) {
    if (OF_ACCESS.has(link.code)) return link
    if (ownMeaning(link) === 'ends-run') outermost ??= link
  }
  return outermost ?? error
}

/** Reasons that say more than what failed because of them, such as a group or a transaction. */
const OF_ACCESS: ReadonlySet<ErrorCode> = new Set(['AUTHENTICATION_FAILED', 'NOT_AUTHORIZED', 'TLS_FAILED'])

/** The meaning of several failures together: the gravest of them. */
export function meaningOfAll(errors: Iterable<unknown>): Meaning {
  const meanings = new Set(Array.from(errors, meaningOf))
  for (const meaning of ['ends-run', 'sink-down', 'record'] as const) if (meanings.has(meaning)) return meaning
  return 'says-nothing'
}

/** Undefined where the cause decides. */
function ownMeaning(error: MillraceError): Meaning | undefined {
  const meaning = MEANINGS[error.code]
  if (meaning === 'by-kafka-name') return error instanceof BrokerError ? meaningOfAnswer(error) : 'ends-run'
  return meaning === 'by-cause' ? undefined : meaning
}

/** What waiting does not heal is a lack of permission, a setting or a bug, and concerns every record. */
function meaningOfAnswer({ kafkaName, retriable }: BrokerError): Meaning {
  if (REFUSED_RECORD.has(kafkaName)) return 'record'
  return retriable ? 'sink-down' : 'ends-run'
}

/** Whether the record itself is what fails, so that another attempt would fail too, and the sink that refuses it is up. */
export function isFaultOfRecord(error: MillraceError): boolean {
  return meaningOf(error) === 'record'
}

/** Fact of an error whose record was refused alone: the transaction in which it was sent goes on without it. */
export const LEFT_OUT = { leftOut: true } as const

/**
 * Whether nothing more can be written in the transaction in which a record failed with this error, neither the same records again
 * nor dead letters of them. A record that was not even sent, or was left out, does not end it.
 */
export function endsTransaction(error: MillraceError): boolean {
  if ('leftOut' in error.context) return false
  return !isFaultOfRecord(error) || error.cause instanceof BrokerError
}
