/** What says for certain that nothing was written: some answers of a leader, and failures to reach it. */
import type { ErrorCode } from '../../errors/codes.ts'
import type { ProducerOptions } from './options.ts'

/** Whatever `acks` is. */
const NOT_WRITTEN: ReadonlySet<string> = new Set([
  'CORRUPT_MESSAGE',
  'MESSAGE_TOO_LARGE',
  'INVALID_TOPIC_EXCEPTION',
  'RECORD_LIST_TOO_LARGE',
  'NOT_ENOUGH_REPLICAS',
  'INVALID_REQUIRED_ACKS',
  'TOPIC_AUTHORIZATION_FAILED',
  'CLUSTER_AUTHORIZATION_FAILED',
  'INVALID_TIMESTAMP',
  'INVALID_REQUEST',
  'UNSUPPORTED_FOR_MESSAGE_FORMAT',
  'OUT_OF_ORDER_SEQUENCE_NUMBER',
  'INVALID_PRODUCER_EPOCH',
  'CONCURRENT_TRANSACTIONS',
  'UNKNOWN_PRODUCER_ID',
  'UNSUPPORTED_COMPRESSION_TYPE',
  'INVALID_RECORD',
])

/** The same with acks 0 and 1: a leader that knows that it leads no more has not begun. */
const NOT_WRITTEN_BY_LEADER: ReadonlySet<string> = new Set([
  'NOT_LEADER_OR_FOLLOWER',
  'UNKNOWN_TOPIC_OR_PARTITION',
  'LEADER_NOT_AVAILABLE',
  'KAFKA_STORAGE_ERROR',
])

export function isUnwritten(kafkaName: string, acks: ProducerOptions['acks']): boolean {
  return NOT_WRITTEN.has(kafkaName) || (acks !== 'all' && NOT_WRITTEN_BY_LEADER.has(kafkaName))
}

/** Of requests for which there was no connection. */
const UNSENT: ReadonlySet<ErrorCode> = new Set([
  'BROKER_UNREACHABLE',
  'TOKEN_UNAVAILABLE',
  'AUTHENTICATION_FAILED',
  'TLS_FAILED',
  'UNSUPPORTED_BROKER',
])

/** Whether a request that was not answered never left. */
export function isUnsent({ code }: { readonly code: ErrorCode }): boolean {
  return UNSENT.has(code)
}
