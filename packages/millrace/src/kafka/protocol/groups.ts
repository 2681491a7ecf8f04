/**
 * Requests to the coordinator of a group: membership in the classic protocol and in that of KIP-848, and what
 * administrators ask.
 * @see https://kafka.apache.org/protocol#The_Messages_JoinGroup
 */
import {
  joinGroupV6,
  joinGroupV7,
  joinGroupV8,
  joinGroupV9,
  syncGroupV4,
  syncGroupV5,
  heartbeatV4,
  leaveGroupV4,
  leaveGroupV5,
  consumerGroupDescribeV0,
  consumerGroupHeartbeatV0,
  consumerGroupHeartbeatV1,
  describeGroupsV5,
  listGroupsV4,
  listGroupsV5,
  deleteGroupsV2,
} from '@platformatic/kafka'
import type { ApiCall, ApiVersion } from './api-call.ts'

export const JOIN_GROUP: ApiCall = {
  name: 'JoinGroup',
  key: 11,
  versions: {
    6: joinGroupV6.api as ApiVersion,
    7: joinGroupV7.api as ApiVersion,
    8: joinGroupV8.api as ApiVersion,
    9: joinGroupV9.api as ApiVersion,
  },
}

export interface JoinGroupAnswer {
  readonly errorCode: number
  readonly generationId: number
  readonly protocolName: string | null
  readonly leader: string
  /** The leader of static members that came back need not assign again (KIP-814). */
  readonly skipAssignment: boolean
  readonly memberId: string
  readonly members: readonly {
    readonly memberId: string
    readonly groupInstanceId?: string | null
    readonly metadata: Buffer
  }[]
}

export const SYNC_GROUP: ApiCall = {
  name: 'SyncGroup',
  key: 14,
  versions: { 4: syncGroupV4.api as ApiVersion, 5: syncGroupV5.api as ApiVersion },
}

export interface SyncGroupAnswer {
  readonly errorCode: number
  readonly assignment: Buffer
}

export const HEARTBEAT: ApiCall = { name: 'Heartbeat', key: 12, versions: { 4: heartbeatV4.api as ApiVersion } }

export const LEAVE_GROUP: ApiCall = {
  name: 'LeaveGroup',
  key: 13,
  versions: { 4: leaveGroupV4.api as ApiVersion, 5: leaveGroupV5.api as ApiVersion },
}

export const CONSUMER_GROUP_HEARTBEAT: ApiCall = {
  name: 'ConsumerGroupHeartbeat',
  key: 68,
  versions: { 0: consumerGroupHeartbeatV0.api as ApiVersion, 1: consumerGroupHeartbeatV1.api as ApiVersion },
}

export interface ConsumerGroupHeartbeatAnswer {
  readonly errorCode: number
  readonly errorMessage: string | null
  readonly memberId: string | null
  readonly memberEpoch: number
  readonly heartbeatIntervalMs: number
  /** null when it is what the last answer said. */
  readonly assignment: { readonly topicPartitions: readonly TopicIdPartitions[] } | null
}

export interface TopicIdPartitions {
  readonly topicId: string
  readonly partitions: readonly number[]
}

/** Groups of the classic protocol, and of others than consumers. Arguments: ids, whether to say what is permitted. */
export const DESCRIBE_GROUPS: ApiCall = {
  name: 'DescribeGroups',
  key: 15,
  versions: { 5: describeGroupsV5.api as ApiVersion },
}

export interface DescribeGroupsAnswer {
  readonly groups: readonly {
    readonly errorCode: number
    readonly groupState: string
    readonly protocolType: string
    readonly protocolData: string
    readonly members: readonly {
      readonly memberId: string
      readonly groupInstanceId: string | null
      readonly clientId: string
      readonly clientHost: string
      readonly memberAssignment: Buffer
    }[]
  }[]
}

/** Groups of the protocol of KIP-848. Arguments: ids, whether to say what is permitted. */
export const CONSUMER_GROUP_DESCRIBE: ApiCall = {
  name: 'ConsumerGroupDescribe',
  key: 69,
  versions: { 0: consumerGroupDescribeV0.api as ApiVersion },
}

export interface ConsumerGroupDescribeAnswer {
  readonly groups: readonly {
    readonly errorCode: number
    readonly errorMessage: string | null
    readonly groupState: string
    readonly assignorName: string
    readonly members: readonly {
      readonly memberId: string
      readonly instanceId: string | null
      readonly clientId: string
      readonly clientHost: string
      readonly assignment: {
        readonly topicPartitions: readonly { readonly topicName: string; readonly partitions: readonly number[] }[]
      }
    }[]
  }[]
}

/** Groups that a broker coordinates. Arguments: states and, from version 5 on, types to list; all when empty. */
export const LIST_GROUPS: ApiCall = {
  name: 'ListGroups',
  key: 16,
  versions: { 4: listGroupsV4.api as ApiVersion, 5: listGroupsV5.api as ApiVersion },
}

export interface ListGroupsAnswer {
  readonly errorCode: number
  readonly groups: readonly {
    readonly groupId: string
    readonly protocolType: string
    readonly groupState: string
    /** From version 5 on. */
    readonly groupType?: string
  }[]
}

export const DELETE_GROUPS: ApiCall = {
  name: 'DeleteGroups',
  key: 42,
  versions: { 2: deleteGroupsV2.api as ApiVersion },
}

export interface DeleteGroupsAnswer {
  readonly results: readonly { readonly errorCode: number }[]
}
