/**
 * FindCoordinator, versions 3 and 4: which broker coordinates a group or a transactional id.
 * @see https://kafka.apache.org/protocol#The_Messages_FindCoordinator
 */
import { findCoordinatorApi, type FindCoordinatorRequest } from '../../protocol/messages/find-coordinator.ts'
import { apiCall } from './api-call.ts'

export const FIND_COORDINATOR = apiCall(findCoordinatorApi, 3, 4)

const KEY_TYPES = { group: 0, transaction: 1 } as const

/** From version 4 on a request may ask for several keys. */
export function findCoordinatorOf(version: number, type: 'group' | 'transaction', key: string): FindCoordinatorRequest {
  const keyType = KEY_TYPES[type]
  return version < 4 ? { key, keyType } : { keyType, coordinatorKeys: [key] }
}
