/** JoinGroup (11): a member joins a classic group, or joins it again. Answered when all members have joined, or the time is over. */
import { ERROR } from '../../protocol/error-codes.ts'
import { joinGroupApi, type JoinGroupRequest, type JoinGroupResponse } from '../../protocol/messages/join-group.ts'
import { type Joined, type JoinRequest, notJoined } from '../groups/member.ts'
import type { Call, Handler } from './handler.ts'

/** First versions in which a new member needs an id, and in which a leader may be told not to assign. */
const REQUIRES_MEMBER_ID = 4
const CAN_SKIP_ASSIGNMENT = 9

export const joinGroup: Handler<JoinGroupRequest, JoinGroupResponse> = {
  api: joinGroupApi,

  async handle(request, call) {
    const { groups } = call.broker
    const { groupId, memberId, sessionTimeoutMs } = request
    const refusal = groups.refusal(groupId, call.node)
    if (refusal !== 0) return joinGroup.refuse(request, refusal, call)
    const { minSessionTimeoutMs, maxSessionTimeoutMs } = groups.settings
    if (sessionTimeoutMs < minSessionTimeoutMs || sessionTimeoutMs > maxSessionTimeoutMs)
      return joinGroup.refuse(request, ERROR.INVALID_SESSION_TIMEOUT, call)
    const known = groups.find(groupId)
    if (memberId !== '' && known === undefined) return joinGroup.refuse(request, ERROR.UNKNOWN_MEMBER_ID, call)
    const joining: JoinRequest = {
      memberId,
      instanceId: request.groupInstanceId,
      clientId: call.clientId,
      clientHost: `/${call.clientHost}`,
      sessionTimeoutMs,
      // Version 0 has only one timeout.
      rebalanceTimeoutMs: call.version === 0 ? sessionTimeoutMs : request.rebalanceTimeoutMs,
      protocolType: request.protocolType,
      // Views of the request would keep it in memory.
      protocols: request.protocols.map(({ name, metadata }) => ({ name, metadata: Buffer.from(metadata) })),
      requiresMemberId: call.version >= REQUIRES_MEMBER_ID,
      canSkipAssignment: call.version >= CAN_SKIP_ASSIGNMENT,
    }
    const group = groups.classicGroup(groupId)
    // A group of the consumer protocol has room for members of the other one.
    if (group === undefined) return respond(groups.classicMembers(groupId)!.join(joining), call)
    if (memberId !== '' && group !== known) return joinGroup.refuse(request, ERROR.UNKNOWN_MEMBER_ID, call)
    return respond(await group.join(joining), call)
  },

  refuse: ({ memberId }, errorCode, call) => respond(notJoined(memberId, errorCode), call),
  subjects: ({ groupId }) => ({ group: groupId }),
}

function respond(joined: Joined, { version }: Call): JoinGroupResponse {
  const { errorCode, generationId, protocolType, protocolName, leader, memberId, skipAssignment, members } = joined
  return {
    errorCode,
    generationId,
    // It may be null from version 7 on.
    protocolName: version >= 7 ? protocolName : (protocolName ?? ''),
    leader,
    memberId,
    members: members.map((member) => ({
      memberId: member.memberId,
      metadata: member.metadata,
      ...(version >= 5 ? { groupInstanceId: member.groupInstanceId } : {}),
    })),
    ...(version >= 7 ? { protocolType } : {}),
    ...(version >= CAN_SKIP_ASSIGNMENT ? { skipAssignment } : {}),
  }
}
