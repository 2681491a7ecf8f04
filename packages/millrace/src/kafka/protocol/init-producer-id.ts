/** InitProducerId, versions 3 to 5: the id and epoch of an idempotent or transactional producer. */
import { initProducerIdApi } from '../../protocol/messages/init-producer-id.ts'
import { apiCall } from './api-call.ts'

/** With the producer id and epoch so far; -1, which is the default, for new ones (KIP-360). */
export const INIT_PRODUCER_ID = apiCall(initProducerIdApi, 3, 5)
