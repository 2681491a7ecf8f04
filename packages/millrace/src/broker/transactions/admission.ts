/**
 * Whether a transactional batch may be appended (KIP-890): its partition must be in the transaction. With TV2, the first batch
 * adds it; before, the client has to.
 */
import {
  ATTRIBUTES,
  HEADER_BYTES,
  PRODUCER_EPOCH,
  PRODUCER_ID,
  readInt64,
  TRANSACTIONAL_BIT,
} from '../../kafka/protocol/record-batch.ts'
import { ERROR } from '../../protocol/error-codes.ts'
import type { Refusal } from '../log/check-batch.ts'
import type { TransactionCoordinator } from './coordinator.ts'

/** First versions of Produce with TRANSACTION_ABORTABLE, and that add partitions by themselves. */
const KNOWS_ABORTABLE = 11
const ADDS_PARTITIONS = 12

export interface TransactionalBatch {
  readonly transactionalId: string | null
  readonly topic: string
  readonly partition: number
  readonly records: Buffer
  /** Of the Produce request. */
  readonly version: number
}

/** @returns `undefined` when it may be appended, also when it is not part of a transaction */
export function admit(transactions: TransactionCoordinator, batch: TransactionalBatch): Refusal | undefined {
  const { transactionalId, topic, partition, records, version } = batch
  // What is too short is refused for that.
  if (records.length < HEADER_BYTES || (records.readInt16BE(ATTRIBUTES) & TRANSACTIONAL_BIT) === 0) return undefined
  if (transactionalId === null)
    return {
      errorCode: ERROR.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
      message: 'Transactional records need a transactional id.',
    }
  const producer = { producerId: readInt64(records, PRODUCER_ID), epoch: records.readInt16BE(PRODUCER_EPOCH) }
  const code =
    version >= ADDS_PARTITIONS
      ? transactions.addPartitions(transactionalId, producer, [[topic, partition]])
      : transactions.verifyPartition(transactionalId, producer, topic, partition)
  if (code === ERROR.NONE) return undefined
  return {
    errorCode: asProduceError(code, version),
    message: 'The transaction of the producer does not have the partition.',
  }
}

function asProduceError(code: number, version: number): number {
  if (code === ERROR.PRODUCER_FENCED) return ERROR.INVALID_PRODUCER_EPOCH
  return code === ERROR.TRANSACTION_ABORTABLE && version < KNOWS_ABORTABLE ? ERROR.INVALID_TXN_STATE : code
}
