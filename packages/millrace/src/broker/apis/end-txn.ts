/** EndTxn (26): commits or aborts. From version 5 on the epoch grows with it, and the answer has the new one (KIP-890). */
import { endTxnApi, type EndTxnRequest, type EndTxnResponse } from '../../protocol/messages/end-txn.ts'
import type { Handler } from './handler.ts'
import { fencedError } from './transactions.ts'

/** First versions with PRODUCER_FENCED, and with a growing epoch. */
const KNOWS_FENCED = 2
const BUMPS = 5

export const endTxn: Handler<EndTxnRequest, EndTxnResponse> = {
  api: endTxnApi,
  handle(request, call) {
    const { transactions } = call.broker
    const { transactionalId, producerId, producerEpoch, committed } = request
    const refusal = transactions.refusal(transactionalId, call.node)
    if (refusal !== 0) return endTxn.refuse(request, refusal, call)
    const bumps = call.version >= BUMPS
    const { errorCode, producer } = transactions.end(
      transactionalId,
      { producerId, epoch: producerEpoch },
      committed,
      bumps,
    )
    return {
      throttleTimeMs: 0,
      errorCode: fencedError(errorCode, call.version, KNOWS_FENCED),
      ...(bumps ? { producerId: producer.producerId, producerEpoch: producer.epoch } : {}),
    }
  },
  refuse: (_request, errorCode) => ({ throttleTimeMs: 0, errorCode }),
  subjects: ({ transactionalId }) => ({ transactionalId }),
}
