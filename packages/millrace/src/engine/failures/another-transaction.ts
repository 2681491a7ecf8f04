import {
  AbortedError,
  BatchError,
  BrokerError,
  DeliveryError,
  isMillraceError,
  type MillraceError,
  TransactionError,
} from '../../errors/index.ts'
import { meaningOf } from '../../errors/meaning.ts'

/**
 * Whether the same records may go through in another transaction.
 * @param renewable whether a producer that was fenced can be replaced
 */
export function isWorthAnotherTransaction(error: unknown, renewable: boolean): boolean {
  if (!isMillraceError(error)) return false
  if (error instanceof TransactionError) return !error.fatal || renewable
  if (error instanceof BatchError)
    return [...error.failures.values()].every((reason) => isWorthAnotherTransaction(reason, renewable))
  const { cause, code } = error
  if (error instanceof AbortedError || code === 'DEAD_LETTER_FAILED') return isWorthAnotherTransaction(cause, renewable)
  // What it was refused with will be refused again.
  if (code === 'REFUSED_WITH_BATCH' && cause !== undefined) return isWorthAnotherTransaction(cause, renewable)
  if (error instanceof DeliveryError && cause instanceof BrokerError && ENDS_TRANSACTION.has(cause.kafkaName))
    return true
  const meaning = meaningOf(error)
  return meaning === 'sink-down' || meaning === 'says-nothing'
}

/** The error of a run that ends after its transaction was open for too long. */
export function tookTooLong(ms: number, timeoutMs: number, cause: MillraceError): TransactionError {
  const [took, limit] = [ms, timeoutMs].map((each) => Math.round(each / 100) / 10)
  return new TransactionError(
    `The transaction was open for ${took} s, and the coordinator aborts it after ${limit} s: raise transaction.timeout.ms of the sink, or make the work on each record shorter (${cause.message})`,
    { fatal: cause instanceof TransactionError && cause.fatal, cause },
  )
}

/** Kafka's names for what the next transaction of the same producer is not touched by. */
const ENDS_TRANSACTION: ReadonlySet<string> = new Set([
  'INVALID_PRODUCER_EPOCH',
  'UNKNOWN_PRODUCER_ID',
  'OUT_OF_ORDER_SEQUENCE_NUMBER',
  'INVALID_TXN_STATE',
  'TRANSACTION_ABORTABLE',
  'INVALID_PRODUCER_ID_MAPPING',
])
