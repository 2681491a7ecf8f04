/** DescribeGroups (15): members and assignments of classic groups. A group that there is not is dead, up to version 5. */
import { ERROR } from '../../protocol/error-codes.ts'
import type {
  DescribedGroup,
  DescribeGroupsRequest,
  DescribeGroupsResponse,
} from '../../protocol/messages/describe-groups.ts'
import { describeGroupsApi } from '../../protocol/messages/describe-groups.ts'
import type { ClassicGroup } from '../groups/classic-group.ts'
import { type Member, NO_ASSIGNMENT } from '../groups/member.ts'
import type { Call, Handler } from './handler.ts'
import { authorizedOperations } from './topics.ts'

/** First version that reports a missing group as an error. */
const REPORTS_MISSING = 6

export const describeGroups: Handler<DescribeGroupsRequest, DescribeGroupsResponse> = {
  api: describeGroupsApi,
  handle({ groups: ids, includeAuthorizedOperations }, call) {
    const operations = (groupId: string): { authorizedOperations?: number } =>
      call.version >= 3
        ? { authorizedOperations: authorizedOperations(includeAuthorizedOperations, 'Group', groupId, call) }
        : {}
    return { groups: ids.map((groupId) => ({ ...describe(groupId, call), ...operations(groupId) })) }
  },
  refuse: ({ groups }, errorCode) => ({ groups: groups.map((groupId) => empty(groupId, errorCode)) }),
  subjects({ groups }) {
    const [group] = groups
    return group === undefined ? {} : { group }
  },
}

function empty(groupId: string, errorCode: number, groupState = ''): DescribedGroup {
  return { errorCode, groupId, groupState, protocolType: '', protocolData: '', members: [] }
}

function describe(groupId: string, { broker: { groups }, node, version }: Call): DescribedGroup {
  const refusal = groups.refusal(groupId, node)
  if (refusal !== 0) return empty(groupId, refusal)
  const group = groups.findClassic(groupId)
  if (group !== undefined) return described(group, version)
  if (version < REPORTS_MISSING) return empty(groupId, 0, 'Dead')
  return { ...empty(groupId, ERROR.GROUP_ID_NOT_FOUND, 'Dead'), errorMessage: `Group ${groupId} not found.` }
}

function described({ id, state, protocolType, protocolName, members }: ClassicGroup, version: number): DescribedGroup {
  const isStable = state === 'Stable'
  const describeMember = (member: Member) => ({
    memberId: member.id,
    ...(version >= 4 ? { groupInstanceId: member.instanceId } : {}),
    clientId: member.clientId,
    clientHost: member.clientHost,
    memberMetadata: isStable ? member.metadataOf(protocolName ?? '') : NO_ASSIGNMENT,
    memberAssignment: member.assignment,
  })
  return {
    errorCode: 0,
    groupId: id,
    groupState: state,
    protocolType,
    protocolData: isStable ? (protocolName ?? '') : '',
    members: [...members.values()].map(describeMember),
  }
}
