/** ListGroups (16): the groups that the node coordinates. */
import { listGroupsApi, type ListGroupsRequest, type ListGroupsResponse } from '../../protocol/messages/list-groups.ts'
import { CLUSTER_NAME } from '../security/authorizer.ts'
import type { Handler } from './handler.ts'

export const listGroups: Handler<ListGroupsRequest, ListGroupsResponse> = {
  api: listGroupsApi,
  handle({ statesFilter, typesFilter }, call) {
    const { broker, node, version } = call
    const seesAll = call.permits('Describe', 'Cluster', CLUSTER_NAME)
    const isWanted = (filter: readonly string[], value: string): boolean =>
      filter.length === 0 || filter.some((wanted) => wanted.toLowerCase() === value.toLowerCase())
    const found = broker.groups
      .all(node)
      .filter(({ id }) => seesAll || call.permits('Describe', 'Group', id))
      .filter(({ state, kind }) => isWanted(statesFilter, state) && isWanted(typesFilter, kind))
    return {
      errorCode: 0,
      groups: found.map((group) => ({
        groupId: group.id,
        protocolType: group.kind === 'classic' ? group.protocolType : 'consumer',
        ...(version >= 4 ? { groupState: group.state } : {}),
        ...(version >= 5 ? { groupType: group.kind } : {}),
      })),
    }
  },
  refuse: (_request, errorCode) => ({ errorCode, groups: [] }),
}
