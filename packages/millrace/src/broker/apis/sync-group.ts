/** SyncGroup (14): the leader of a classic group sends all assignments, every member gets its own. */
import { ERROR } from '../../protocol/error-codes.ts'
import { syncGroupApi, type SyncGroupRequest, type SyncGroupResponse } from '../../protocol/messages/sync-group.ts'
import { notSynced, type Synced } from '../groups/member.ts'
import type { Call, Handler } from './handler.ts'

/** First version that names the protocol. */
const NAMES_PROTOCOL = 5

export const syncGroup: Handler<SyncGroupRequest, SyncGroupResponse> = {
  api: syncGroupApi,

  async handle(request, call) {
    const { groups } = call.broker
    const { groupId, memberId, groupInstanceId, generationId, protocolType, protocolName, assignments } = request
    const refusal = groups.refusal(groupId, call.node)
    if (refusal !== 0) return syncGroup.refuse(request, refusal, call)
    if (call.version >= NAMES_PROTOCOL && (protocolType === null || protocolName === null))
      return syncGroup.refuse(request, ERROR.INCONSISTENT_GROUP_PROTOCOL, call)
    const group = groups.findClassic(groupId) ?? groups.classicMembers(groupId)
    if (group === undefined) return syncGroup.refuse(request, ERROR.UNKNOWN_MEMBER_ID, call)
    const byMember = new Map(assignments.map((each) => [each.memberId, Buffer.from(each.assignment)]))
    return respond(
      await group.sync({ memberId, instanceId: groupInstanceId, generationId }, protocolType, protocolName, byMember),
      call,
    )
  },

  refuse: (_request, errorCode, call) => respond(notSynced(errorCode), call),
  subjects: ({ groupId }) => ({ group: groupId }),
}

function respond({ errorCode, protocolType, protocolName, assignment }: Synced, { version }: Call): SyncGroupResponse {
  return { errorCode, assignment, ...(version >= NAMES_PROTOCOL ? { protocolType, protocolName } : {}) }
}
