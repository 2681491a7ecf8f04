/** AddOffsetsToTxn (25): a transaction is going to commit offsets of a group. */
import {
  addOffsetsToTxnApi,
  type AddOffsetsToTxnRequest,
  type AddOffsetsToTxnResponse,
} from '../../protocol/messages/add-offsets-to-txn.ts'
import type { Handler } from './handler.ts'
import { fencedError } from './transactions.ts'

/** First version with PRODUCER_FENCED. */
const KNOWS_FENCED = 2

export const addOffsetsToTxn: Handler<AddOffsetsToTxnRequest, AddOffsetsToTxnResponse> = {
  api: addOffsetsToTxnApi,
  handle({ transactionalId, producerId, producerEpoch, groupId }, { broker: { transactions }, node, version }) {
    const refusal = transactions.refusal(transactionalId, node)
    const code = refusal || transactions.addGroup(transactionalId, { producerId, epoch: producerEpoch }, groupId)
    return { throttleTimeMs: 0, errorCode: fencedError(code, version, KNOWS_FENCED) }
  },
  refuse: (_request, errorCode) => ({ throttleTimeMs: 0, errorCode }),
  subjects: ({ transactionalId, groupId }) => ({ transactionalId, group: groupId }),
}
