import {
  AbortedError,
  BatchError,
  BrokerError,
  DeliveryError,
  isMillraceError,
  TransactionError,
} from '../../errors/index.ts'
import { meaningOf } from '../../errors/meaning.ts'

/**
 * Whether the same records may go through in another transaction.
 * @param renewable whether a producer that was fenced can be replaced
 * @param leavesOut whether records that were refused are left out of the next one
 */
export function isWorthAnotherTransaction(error: unknown, renewable: boolean, leavesOut: boolean): boolean {
  if (!isMillraceError(error)) return false
  if (error instanceof TransactionError) return !error.fatal || renewable
  if (error instanceof BatchError)
    return [...error.failures.values()].every((reason) => isWorthAnotherTransaction(reason, renewable, leavesOut))
  const { cause, code } = error
  if (error instanceof AbortedError || code === 'DEAD_LETTER_FAILED')
    return isWorthAnotherTransaction(cause, renewable, leavesOut)
  // What it was refused with will be refused again, unless it is left out.
  if (code === 'REFUSED_WITH_BATCH' && cause !== undefined)
    return (leavesOut && meaningOf(cause) === 'record') || isWorthAnotherTransaction(cause, renewable, leavesOut)
  if (error instanceof DeliveryError && cause instanceof BrokerError && ENDS_TRANSACTION.has(cause.kafkaName))
    return true
  const meaning = meaningOf(error)
  return meaning === 'sink-down' || meaning === 'says-nothing'
}

/** Whether it is what the brokers say of a transaction that was open for too long, among others. */
function isOfTransaction(error: unknown): boolean {
  if (error instanceof TransactionError) return true
  if (error instanceof BatchError) return [...error.failures.values()].every(isOfTransaction)
  if (error instanceof AbortedError) return isOfTransaction(error.cause)
  return (
    error instanceof DeliveryError && error.cause instanceof BrokerError && ENDS_TRANSACTION.has(error.cause.kafkaName)
  )
}

/** The error of a run that ends after its transaction was open for too long; `cause` itself where that is not the reason. */
export function tookTooLong(ms: number, timeoutMs: number, cause: unknown): unknown {
  if (!isMillraceError(cause) || !isOfTransaction(cause)) return cause
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
