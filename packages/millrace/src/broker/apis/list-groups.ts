/** ListGroups (16): the groups that the node coordinates. */
import { listGroupsApi, type ListGroupsRequest, type ListGroupsResponse } from '../../protocol/messages/list-groups.ts'
import type { Handler } from './handler.ts'

const TYPE = 'classic'

export const listGroups: Handler<ListGroupsRequest, ListGroupsResponse> = {
  api: listGroupsApi,
  handle({ statesFilter, typesFilter }, { broker: { groups }, node, version }) {
    const isWanted = (filter: readonly string[], value: string): boolean =>
      filter.length === 0 || filter.some((wanted) => wanted.toLowerCase() === value.toLowerCase())
    const found = groups.all(node).filter(({ state }) => isWanted(statesFilter, state) && isWanted(typesFilter, TYPE))
    return {
      errorCode: 0,
      groups: found.map(({ id, protocolType, state }) => ({
        groupId: id,
        protocolType,
        ...(version >= 4 ? { groupState: state } : {}),
        ...(version >= 5 ? { groupType: TYPE } : {}),
      })),
    }
  },
  refuse: (_request, errorCode) => ({ errorCode, groups: [] }),
}
