/** ListPartitionReassignments (46): none, as each is over with the answer to its request. */
import {
  listPartitionReassignmentsApi,
  type ListPartitionReassignmentsRequest,
  type ListPartitionReassignmentsResponse,
} from '../../protocol/messages/list-partition-reassignments.ts'
import type { Handler } from './handler.ts'

export const listPartitionReassignments: Handler<
  ListPartitionReassignmentsRequest,
  ListPartitionReassignmentsResponse
> = {
  api: listPartitionReassignmentsApi,
  handle: () => answer(0),
  refuse: (_request, errorCode) => answer(errorCode),
}

function answer(errorCode: number): ListPartitionReassignmentsResponse {
  return { throttleTimeMs: 0, errorCode, errorMessage: errorCode === 0 ? null : '', topics: [] }
}
