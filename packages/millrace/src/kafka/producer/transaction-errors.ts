/**
 * What an error means for a transaction: whether it ends the producer for good, whether nothing was done, or whether it is
 * not known what was.
 */
import {
  AbortedError,
  BrokerError,
  isMillraceError,
  type MillraceError,
  TransactionError,
  UnexpectedError,
} from '../../errors/index.ts'

/** The coordinator is still writing the markers of the transaction before: that takes milliseconds. */
export const CONCURRENT_BACKOFF = { initialMs: 5, maxMs: 200 }

/** Codes of the coordinator that end a producer for good: it was fenced, or may not do this at all. As in Java. */
const FATAL: ReadonlySet<string> = new Set([
  'PRODUCER_FENCED',
  'INVALID_PRODUCER_EPOCH',
  'INVALID_TXN_STATE',
  'TRANSACTIONAL_ID_AUTHORIZATION_FAILED',
  'CLUSTER_AUTHORIZATION_FAILED',
  'INVALID_TRANSACTION_TIMEOUT',
  'UNSUPPORTED_VERSION',
  'UNSUPPORTED_FOR_MESSAGE_FORMAT',
])
/** Codes of a leader that do the same; an old epoch may also mean that the coordinator has aborted what took too long. */
const FATAL_AT_LEADER: ReadonlySet<string> = new Set([
  'PRODUCER_FENCED',
  'TRANSACTIONAL_ID_AUTHORIZATION_FAILED',
  'CLUSTER_AUTHORIZATION_FAILED',
  'UNSUPPORTED_FOR_MESSAGE_FORMAT',
])

const FENCED: ReadonlySet<string> = new Set(['PRODUCER_FENCED', 'INVALID_PRODUCER_EPOCH'])

/** Whether the producer may never write again after this error of the coordinator (I5). */
export function isFatal(error: unknown): boolean {
  return (
    (error instanceof BrokerError && FATAL.has(error.kafkaName)) || (error instanceof TransactionError && error.fatal)
  )
}

/** As `isFatal`, of a leader that refused records. */
export function isFatalAtLeader(error: BrokerError): boolean {
  return FATAL_AT_LEADER.has(error.kafkaName)
}

/**
 * The coordinator has forgotten the name, which nothing was written under for `transactional.id.expiration.ms`: there is no
 * transaction to end, and it gives a new id.
 */
export function isForgotten(error: unknown): boolean {
  return error instanceof BrokerError && error.kafkaName === 'INVALID_PRODUCER_ID_MAPPING'
}

/** Whether the coordinator has refused, so that nothing was done. */
export function isRefusal(error: unknown): boolean {
  return error instanceof BrokerError && !error.retriable
}

/** The coordinator has not finished the transaction before. */
export function isConcurrent(error: unknown): boolean {
  return error instanceof BrokerError && error.kafkaName === 'CONCURRENT_TRANSACTIONS'
}

/** The error for the caller. @param action what was tried, for instance `commit` */
export function describeFailure(error: unknown, action: string, transactionalId: string): MillraceError {
  if (error instanceof AbortedError || (isMillraceError(error) && !(error instanceof BrokerError))) return error
  if (!(error instanceof BrokerError))
    return new UnexpectedError(`Cannot ${action} a transaction of "${transactionalId}"`, { cause: error })
  if (error.retriable) return error
  const hint = FENCED.has(error.kafkaName)
    ? 'another producer with the same transactional id has taken over, or the transaction took longer than transaction.timeout.ms'
    : error.message
  return new TransactionError(`Cannot ${action} a transaction of "${transactionalId}": ${hint} (${error.kafkaName})`, {
    fatal: isFatal(error),
    cause: error,
  })
}
