/** InitProducerId (22): an id and epoch for an idempotent producer, or for one with a transactional id, which fences the one before. */
import {
  initProducerIdApi,
  type InitProducerIdRequest,
  type InitProducerIdResponse,
} from '../../protocol/messages/init-producer-id.ts'
import { NO_PRODUCER } from '../transactions/transaction.ts'
import type { Handler } from './handler.ts'
import { fencedError } from './transactions.ts'

/** First version with PRODUCER_FENCED. */
const KNOWS_FENCED = 4

export const initProducerId: Handler<InitProducerIdRequest, InitProducerIdResponse> = {
  api: initProducerIdApi,
  handle(request, call) {
    const { transactions } = call.broker
    const { transactionalId: id, transactionTimeoutMs, producerId, producerEpoch } = request
    const refusal = id === null ? 0 : transactions.refusal(id, call.node)
    if (refusal !== 0) return initProducerId.refuse(request, refusal, call)
    const expected = producerId < 0 ? NO_PRODUCER : { producerId, epoch: producerEpoch }
    const found = id === null ? transactions.newProducer() : transactions.initialize(id, transactionTimeoutMs, expected)
    if (typeof found === 'number')
      return initProducerId.refuse(request, fencedError(found, call.version, KNOWS_FENCED), call)
    return { throttleTimeMs: 0, errorCode: 0, producerId: found.producerId, producerEpoch: found.epoch }
  },
  refuse: (_request, errorCode) => ({ throttleTimeMs: 0, errorCode, producerId: -1, producerEpoch: -1 }),
  subjects: ({ transactionalId }) => (transactionalId === null ? {} : { transactionalId }),
}
