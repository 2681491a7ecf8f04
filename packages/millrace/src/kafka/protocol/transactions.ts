/**
 * Requests to coordinators about a transaction: AddPartitionsToTxn (to version 3; the later ones are for brokers and need
 * CLUSTER_ACTION), AddOffsetsToTxn, TxnOffsetCommit and EndTxn.
 *
 * ```
 * EndTxn Response v5 => throttle_time_ms error_code producer_id producer_epoch
 * ```
 *
 * From EndTxn 5 and TxnOffsetCommit 5 on (transactions version 2, KIP-890) every transaction has an epoch of its own: EndTxn
 * gives that of the next one, and what is written or committed adds itself to the transaction. The bytes of TxnOffsetCommit 5
 * are those of 4, and those of EndTxn 5 differ in the response.
 *
 * @see https://kafka.apache.org/protocol#The_Messages_EndTxn
 */
import {
  addOffsetsToTxnV3,
  addOffsetsToTxnV4,
  addPartitionsToTxnV3,
  createAPI,
  endTxnV3,
  endTxnV4,
  type Reader,
  txnOffsetCommitV3,
  txnOffsetCommitV4,
  Writer,
} from '@platformatic/kafka'
import type { ApiCall, ApiVersion } from './api-call.ts'

/** Name of the finalized feature that says which version of transactions a cluster has agreed on. */
export const TRANSACTION_VERSION = 'transaction.version'

/** Highest versions that do not ask for transactions version 2; of Produce, too. */
export const VERSION_1: { readonly produce: number; readonly txnOffsetCommit: number; readonly endTxn: number } = {
  produce: 11,
  txnOffsetCommit: 4,
  endTxn: 4,
}

/** Arguments: a list of one `{ transactionalId, producerId, producerEpoch, topics: [{ name, partitions }] }`. */
export const ADD_PARTITIONS_TO_TXN: ApiCall = {
  name: 'AddPartitionsToTxn',
  key: 24,
  versions: { 3: addPartitionsToTxnV3.api as ApiVersion },
}

export interface AddPartitionsToTxnResponse {
  readonly resultsByTransaction: readonly {
    readonly topicResults: readonly {
      readonly name: string
      readonly resultsByPartition: readonly { readonly partitionIndex: number; readonly partitionErrorCode: number }[]
    }[]
  }[]
}

/** Arguments: transactional id, producer id, epoch, group id. */
export const ADD_OFFSETS_TO_TXN: ApiCall = {
  name: 'AddOffsetsToTxn',
  key: 25,
  versions: { 3: addOffsetsToTxnV3.api as ApiVersion, 4: addOffsetsToTxnV4.api as ApiVersion },
}

/** Arguments: transactional id, group id, producer id, epoch, generation, member id, instance id, `[{ name, partitions: [{ partitionIndex, committedOffset, committedLeaderEpoch, committedMetadata }] }]`. */
export const TXN_OFFSET_COMMIT: ApiCall = {
  name: 'TxnOffsetCommit',
  key: 28,
  versions: {
    3: txnOffsetCommitV3.api as ApiVersion,
    4: txnOffsetCommitV4.api as ApiVersion,
    5: createAPI(28, 5, txnOffsetCommitV4.createRequest, txnOffsetCommitV4.parseResponse) as ApiVersion,
  },
}

export interface TxnOffsetCommitResponse {
  readonly topics: readonly {
    readonly name: string
    readonly partitions: readonly { readonly partitionIndex: number; readonly errorCode: number }[]
  }[]
}

export interface EndTxnResponse {
  readonly errorCode: number
  /** Id and epoch of the next transaction; from version 5 on. */
  readonly producerId?: bigint
  readonly producerEpoch?: number
}

function createEndTxn(transactionalId: string, producerId: bigint, producerEpoch: number, commit: boolean): Writer {
  return Writer.create()
    .appendString(transactionalId, true)
    .appendInt64(producerId)
    .appendInt16(producerEpoch)
    .appendBoolean(commit)
    .appendTaggedFields()
}

function parseEndTxn(_correlationId: number, _key: number, _version: number, reader: Reader): EndTxnResponse {
  reader.skip(4)
  return { errorCode: reader.readInt16(), producerId: reader.readInt64(), producerEpoch: reader.readInt16() }
}

/** Arguments: transactional id, producer id, epoch, whether to commit. */
export const END_TXN: ApiCall = {
  name: 'EndTxn',
  key: 26,
  versions: {
    3: endTxnV3.api as ApiVersion,
    4: endTxnV4.api as ApiVersion,
    5: createAPI(26, 5, createEndTxn, parseEndTxn) as ApiVersion,
  },
}
