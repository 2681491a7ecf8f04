/** ConsumerGroupDescribe (69): members and assignments of groups of the consumer protocol (KIP-848). */
import { ERROR } from '../../protocol/error-codes.ts'
import {
  type Assignment,
  consumerGroupDescribeApi,
  type ConsumerGroupDescribeRequest,
  type ConsumerGroupDescribeResponse,
  type DescribedGroup,
} from '../../protocol/messages/consumer-group-describe.ts'
import type { Cluster } from '../cluster/cluster.ts'
import type { Partitions } from '../groups/assignors.ts'
import { epochOf } from '../groups/consumer-member.ts'
import { joined } from '../groups/partition-sets.ts'
import type { Call, Handler } from './handler.ts'
import { authorizedOperations } from './topics.ts'

/** Numbers of members that speak the classic and the consumer protocol. */
const CLASSIC_MEMBER = 0
const CONSUMER_MEMBER = 1

export const consumerGroupDescribe: Handler<ConsumerGroupDescribeRequest, ConsumerGroupDescribeResponse> = {
  api: consumerGroupDescribeApi,
  handle: ({ groupIds, includeAuthorizedOperations }, call) => ({
    throttleTimeMs: 0,
    groups: groupIds.map((groupId) => ({
      ...describe(groupId, call),
      authorizedOperations: authorizedOperations(includeAuthorizedOperations, 'Group', groupId, call),
    })),
  }),
  refuse: ({ groupIds }, errorCode) => ({
    throttleTimeMs: 0,
    groups: groupIds.map((groupId) => empty(groupId, errorCode)),
  }),
  subjects({ groupIds }) {
    const [group] = groupIds
    return group === undefined ? {} : { group }
  },
}

function empty(groupId: string, errorCode: number, errorMessage: string | null = null): DescribedGroup {
  return {
    errorCode,
    errorMessage,
    groupId,
    groupState: '',
    groupEpoch: 0,
    assignmentEpoch: 0,
    assignorName: '',
    members: [],
  }
}

function describe(groupId: string, { broker: { cluster, groups }, node, version }: Call): DescribedGroup {
  const refusal = groups.refusal(groupId, node)
  if (refusal !== 0) return empty(groupId, refusal)
  const group = groups.findConsumer(groupId)
  if (group === undefined) return empty(groupId, ERROR.GROUP_ID_NOT_FOUND, `Group ${groupId} not found.`)
  return {
    errorCode: 0,
    groupId,
    groupState: group.state,
    groupEpoch: group.epoch,
    assignmentEpoch: group.assignmentEpoch,
    assignorName: group.assignor,
    members: [...group.members.values()].map((member) => ({
      memberId: member.memberId,
      instanceId: member.instanceId,
      rackId: member.rackId,
      memberEpoch: epochOf(member),
      clientId: member.clientId,
      clientHost: member.clientHost,
      subscribedTopicNames: member.topics,
      subscribedTopicRegex: member.pattern ?? '',
      // What it has to give up is its own until it has.
      assignment: named(joined(member.current.assigned, member.current.revoking), cluster),
      targetAssignment: named(member.target, cluster),
      ...(version >= 1 ? { memberType: member.classic === undefined ? CONSUMER_MEMBER : CLASSIC_MEMBER } : {}),
    })),
  }
}

function named(partitions: Partitions, cluster: Cluster): Assignment {
  const topicPartitions = [...partitions].flatMap(([topicId, list]) => {
    const topic = cluster.topicById(topicId)
    return topic === undefined ? [] : [{ topicId, topicName: topic.name, partitions: [...list] }]
  })
  return { topicPartitions }
}
