/** DeleteGroups (42): deletes groups without members, with their offsets. */
import {
  deleteGroupsApi,
  type DeleteGroupsRequest,
  type DeleteGroupsResponse,
} from '../../protocol/messages/delete-groups.ts'
import type { Handler } from './handler.ts'

export const deleteGroups: Handler<DeleteGroupsRequest, DeleteGroupsResponse> = {
  api: deleteGroupsApi,
  handle: ({ groupsNames }, { broker: { groups }, node }) => ({
    throttleTimeMs: 0,
    results: groupsNames.map((groupId) => ({
      groupId,
      errorCode: groups.refusal(groupId, node) || groups.delete(groupId),
    })),
  }),
  refuse: ({ groupsNames }, errorCode) => ({
    throttleTimeMs: 0,
    results: groupsNames.map((groupId) => ({ groupId, errorCode })),
  }),
  subjects({ groupsNames }) {
    const [group] = groupsNames
    return group === undefined ? {} : { group }
  },
}
