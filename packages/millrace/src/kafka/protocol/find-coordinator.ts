/**
 * FindCoordinator, versions 3 and 4: which broker coordinates a group or a transactional id.
 * @see https://kafka.apache.org/protocol#The_Messages_FindCoordinator
 */
import { findCoordinatorV3, findCoordinatorV4 } from '@platformatic/kafka'
import type { ApiCall, ApiVersion } from './api-call.ts'

/** Arguments: type of the key (0 group, 1 transactional id), the keys. */
export const FIND_COORDINATOR: ApiCall = {
  name: 'FindCoordinator',
  key: 10,
  versions: { 3: findCoordinatorV3.api as ApiVersion, 4: findCoordinatorV4.api as ApiVersion },
}

export interface FindCoordinatorAnswer {
  readonly coordinators: readonly {
    readonly nodeId: number
    readonly host: string
    readonly port: number
    readonly errorCode: number
    readonly errorMessage: string | null
  }[]
}
