/**
 * Requests to the coordinator of a group: membership in the classic protocol and in that of KIP-848, and what
 * administrators ask.
 * @see https://kafka.apache.org/protocol#The_Messages_JoinGroup
 */
import type { Decoded } from '../../protocol/message.ts'
import {
  consumerGroupDescribeApi,
  type ConsumerGroupDescribeResponse,
} from '../../protocol/messages/consumer-group-describe.ts'
import {
  consumerGroupHeartbeatApi,
  type ConsumerGroupHeartbeatResponse,
} from '../../protocol/messages/consumer-group-heartbeat.ts'
import { deleteGroupsApi } from '../../protocol/messages/delete-groups.ts'
import { describeGroupsApi } from '../../protocol/messages/describe-groups.ts'
import { heartbeatApi } from '../../protocol/messages/heartbeat.ts'
import { joinGroupApi, type JoinGroupResponse } from '../../protocol/messages/join-group.ts'
import { leaveGroupApi } from '../../protocol/messages/leave-group.ts'
import { listGroupsApi } from '../../protocol/messages/list-groups.ts'
import { syncGroupApi } from '../../protocol/messages/sync-group.ts'
import { apiCall } from './api-call.ts'

export const JOIN_GROUP = apiCall(joinGroupApi, 6, 9)
export type JoinGroupAnswer = Decoded<JoinGroupResponse>

export const SYNC_GROUP = apiCall(syncGroupApi, 4, 5)

export const HEARTBEAT = apiCall(heartbeatApi, 4, 4)

export const LEAVE_GROUP = apiCall(leaveGroupApi, 4, 5)

export const CONSUMER_GROUP_HEARTBEAT = apiCall(consumerGroupHeartbeatApi, 0, 1)
export type ConsumerGroupHeartbeatAnswer = Decoded<ConsumerGroupHeartbeatResponse>

export interface TopicIdPartitions {
  readonly topicId: string
  readonly partitions: readonly number[]
}

/** Groups of the classic protocol, and of others than consumers. */
export const DESCRIBE_GROUPS = apiCall(describeGroupsApi, 5, 5)

/** Groups of the protocol of KIP-848. */
export const CONSUMER_GROUP_DESCRIBE = apiCall(consumerGroupDescribeApi, 0, 0)
export type ConsumerGroupDescribeAnswer = Decoded<ConsumerGroupDescribeResponse>

/** Groups that a broker coordinates; those of some states or, from version 5 on, types alone when any are named. */
export const LIST_GROUPS = apiCall(listGroupsApi, 4, 5)

export const DELETE_GROUPS = apiCall(deleteGroupsApi, 2, 2)
