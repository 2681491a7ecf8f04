/** Heartbeat (12): a member of a classic group lives, and learns of a rebalance. */
import { ERROR } from '../../protocol/error-codes.ts'
import { heartbeatApi, type HeartbeatRequest, type HeartbeatResponse } from '../../protocol/messages/heartbeat.ts'
import type { Handler } from './handler.ts'

export const heartbeat: Handler<HeartbeatRequest, HeartbeatResponse> = {
  api: heartbeatApi,
  handle({ groupId, memberId, groupInstanceId, generationId }, { broker: { groups }, node }) {
    const refusal = groups.refusal(groupId, node)
    const group = groups.findClassic(groupId) ?? groups.classicMembers(groupId)
    const errorCode =
      refusal || (group?.heartbeat({ memberId, instanceId: groupInstanceId, generationId }) ?? ERROR.UNKNOWN_MEMBER_ID)
    return { errorCode }
  },
  refuse: (_request, errorCode) => ({ errorCode }),
  subjects: ({ groupId }) => ({ group: groupId }),
}
