/**
 * Requests to coordinators about a transaction: AddPartitionsToTxn (to version 3; the later ones are for brokers and need
 * CLUSTER_ACTION), AddOffsetsToTxn, TxnOffsetCommit and EndTxn.
 *
 * From EndTxn 5 and TxnOffsetCommit 5 on (transactions version 2, KIP-890) every transaction has an epoch of its own: EndTxn
 * returns that of the next one, and what is written or committed adds itself to the transaction.
 *
 * @see https://kafka.apache.org/protocol#The_Messages_EndTxn
 */
import type { Decoded } from '../../protocol/message.ts'
import { addOffsetsToTxnApi } from '../../protocol/messages/add-offsets-to-txn.ts'
import {
  addPartitionsToTxnApi,
  type AddPartitionsToTxnResponse,
} from '../../protocol/messages/add-partitions-to-txn.ts'
import { endTxnApi } from '../../protocol/messages/end-txn.ts'
import { txnOffsetCommitApi, type TxnOffsetCommitResponse } from '../../protocol/messages/txn-offset-commit.ts'
import { apiCall } from './api-call.ts'

/** Name of the finalized feature that says which version of transactions a cluster has agreed on. */
export const TRANSACTION_VERSION = 'transaction.version'

/** Highest versions that do not ask for transactions version 2; of Produce, too. */
export const VERSION_1: { readonly produce: number; readonly txnOffsetCommit: number; readonly endTxn: number } = {
  produce: 11,
  txnOffsetCommit: 4,
  endTxn: 4,
}

export const ADD_PARTITIONS_TO_TXN = apiCall(addPartitionsToTxnApi, 3, 3)
export type AddPartitionsToTxnAnswer = Decoded<AddPartitionsToTxnResponse>

export const ADD_OFFSETS_TO_TXN = apiCall(addOffsetsToTxnApi, 3, 4)

export const TXN_OFFSET_COMMIT = apiCall(txnOffsetCommitApi, 3, 5)
export type TxnOffsetCommitAnswer = Decoded<TxnOffsetCommitResponse>

export const END_TXN = apiCall(endTxnApi, 3, 5)
