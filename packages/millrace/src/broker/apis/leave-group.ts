/** LeaveGroup (13): members leave a classic group; several at once from version 3 on. */
import { ERROR } from '../../protocol/error-codes.ts'
import { leaveGroupApi, type LeaveGroupRequest, type LeaveGroupResponse } from '../../protocol/messages/leave-group.ts'
import type { Handler } from './handler.ts'

/** First version with several members. */
const SEVERAL = 3

export const leaveGroup: Handler<LeaveGroupRequest, LeaveGroupResponse> = {
  api: leaveGroupApi,
  handle(request, call) {
    const { groups } = call.broker
    const { groupId, memberId, members } = request
    const refusal = groups.refusal(groupId, call.node)
    if (refusal !== 0) return leaveGroup.refuse(request, refusal, call)
    const group = groups.findClassic(groupId) ?? groups.classicMembers(groupId)
    const leave = (id: string, instanceId: string | null): number =>
      group?.leave({ memberId: id, instanceId }) ?? ERROR.UNKNOWN_MEMBER_ID
    if (call.version < SEVERAL) return { errorCode: leave(memberId, null) }
    return {
      errorCode: 0,
      members: members.map((member) => ({
        memberId: member.memberId,
        groupInstanceId: member.groupInstanceId,
        errorCode: leave(member.memberId, member.groupInstanceId),
      })),
    }
  },
  refuse: (_request, errorCode) => ({ errorCode }),
  subjects: ({ groupId }) => ({ group: groupId }),
}
