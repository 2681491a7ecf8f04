/** InitProducerId (22): an id for an idempotent producer. */
import { ERROR } from '../../protocol/error-codes.ts'
import {
  initProducerIdApi,
  type InitProducerIdRequest,
  type InitProducerIdResponse,
} from '../../protocol/messages/init-producer-id.ts'
import type { Handler } from './handler.ts'

export const initProducerId: Handler<InitProducerIdRequest, InitProducerIdResponse> = {
  api: initProducerIdApi,
  handle(request, call) {
    if (request.transactionalId !== null) return initProducerId.refuse(request, ERROR.COORDINATOR_NOT_AVAILABLE, call)
    return { throttleTimeMs: 0, errorCode: 0, producerId: call.broker.cluster.allocateProducerId(), producerEpoch: 0 }
  },
  refuse: (_request, errorCode) => ({ throttleTimeMs: 0, errorCode, producerId: -1, producerEpoch: -1 }),
  subjects: ({ transactionalId }) => (transactionalId === null ? {} : { transactionalId }),
}
