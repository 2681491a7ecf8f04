/** InitProducerId, versions 2 to 5: the id and epoch of an idempotent or transactional producer. */
import { initProducerIdV2, initProducerIdV3, initProducerIdV4, initProducerIdV5 } from '@platformatic/kafka'
import type { ApiCall, ApiVersion } from './api-call.ts'

export interface InitProducerIdResponse {
  readonly errorCode: number
  readonly producerId: bigint
  readonly producerEpoch: number
}

/** Arguments: transactional id, transaction timeout, and from version 3 on the producer id and epoch so far (-1n, -1 for new ones; KIP-360). */
export const INIT_PRODUCER_ID: ApiCall = {
  name: 'InitProducerId',
  key: 22,
  versions: {
    2: initProducerIdV2.api as ApiVersion,
    3: initProducerIdV3.api as ApiVersion,
    4: initProducerIdV4.api as ApiVersion,
    5: initProducerIdV5.api as ApiVersion,
  },
}
