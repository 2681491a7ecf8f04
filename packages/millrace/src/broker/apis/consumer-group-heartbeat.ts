/**
 * ConsumerGroupHeartbeat (68): a member joins, stays in, or leaves a group of the consumer protocol (KIP-848), and learns what
 * it is to read.
 */
import { ERROR } from '../../protocol/error-codes.ts'
import type { Decoded } from '../../protocol/message.ts'
import {
  consumerGroupHeartbeatApi,
  type ConsumerGroupHeartbeatRequest,
  type ConsumerGroupHeartbeatResponse,
} from '../../protocol/messages/consumer-group-heartbeat.ts'
import { randomUuid } from '../cluster/topic.ts'
import { ASSIGNORS, type Partitions } from '../groups/assignors.ts'
import { JOIN_EPOCH, STATIC_LEAVE_EPOCH } from '../groups/consumer-member.ts'
import { problemOfPattern } from '../groups/patterns.ts'
import type { Refusal } from '../log/check-batch.ts'
import type { Call, Handler } from './handler.ts'

type Request = Decoded<ConsumerGroupHeartbeatRequest>

export const consumerGroupHeartbeat: Handler<ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse> = {
  api: consumerGroupHeartbeatApi,

  handle(request, call) {
    const { groups } = call.broker
    const { groupId, memberEpoch, topicPartitions } = request
    const refused = refusal(request, call)
    if (refused !== undefined) return failed(refused)
    // In version 0 a member gets its id from the coordinator.
    const memberId = request.memberId === '' ? randomUuid() : request.memberId
    const beat = {
      memberId,
      epoch: memberEpoch,
      instanceId: request.instanceId,
      rackId: request.rackId,
      clientId: call.clientId,
      clientHost: `/${call.clientHost}`,
      rebalanceTimeoutMs: request.rebalanceTimeoutMs,
      topics: request.subscribedTopicNames,
      pattern: request.subscribedTopicRegex,
      maySee: (topic: string) => call.permits('Describe', 'Topic', topic),
      assignor: request.serverAssignor,
      owned:
        topicPartitions === null
          ? null
          : new Map(topicPartitions.map(({ topicId, partitions }) => [topicId, new Set(partitions)])),
    }
    const known = groups.findConsumer(groupId)
    // A group is not created for a pattern that cannot be read.
    const unread = known?.refusal(beat) === undefined ? patternProblem(request) : undefined
    const isJoining = memberEpoch === JOIN_EPOCH
    if (unread !== undefined && (isJoining || known !== undefined)) return failed(unread)
    const group = isJoining ? groups.consumerGroup(groupId) : known
    if (group === undefined)
      return failed({ errorCode: ERROR.GROUP_ID_NOT_FOUND, message: `Group ${groupId} not found.` })
    const { errorCode, message, epoch, assignment } = group.heartbeat(beat)
    if (errorCode !== 0) return failed({ errorCode, message: message ?? '' })
    return {
      throttleTimeMs: 0,
      errorCode: 0,
      memberId,
      memberEpoch: epoch,
      heartbeatIntervalMs: epoch < 0 ? 0 : groups.heartbeatIntervalMs(groupId),
      ...(assignment === undefined ? {} : { assignment: { topicPartitions: listOf(assignment) } }),
    }
  },

  refuse: (_request, errorCode) => failed({ errorCode, message: '' }),
  subjects: ({ groupId }) => ({ group: groupId }),
}

function listOf(assignment: Partitions): { topicId: string; partitions: number[] }[] {
  return [...assignment].map(([topicId, partitions]) => ({ topicId, partitions: [...partitions] }))
}

function failed({ errorCode, message }: Refusal): ConsumerGroupHeartbeatResponse {
  return {
    throttleTimeMs: 0,
    errorCode,
    errorMessage: message === '' ? null : message,
    memberEpoch: 0,
    heartbeatIntervalMs: 0,
  }
}

function refusal(request: Request, call: Call): Refusal | undefined {
  const { groupId, serverAssignor } = request
  if (groupId === '') return invalid("GroupId can't be empty.")
  const elsewhere = call.broker.groups.refusal(groupId, call.node)
  if (elsewhere !== 0) return { errorCode: elsewhere, message: '' }
  const malformed = problemOf(request, call.version)
  if (malformed !== undefined) return invalid(malformed)
  if (serverAssignor !== null && !Object.hasOwn(ASSIGNORS, serverAssignor)) {
    const message = `ServerAssignor ${serverAssignor} is not supported. Supported assignors: ${Object.keys(ASSIGNORS).join(', ')}.`
    return { errorCode: ERROR.UNSUPPORTED_ASSIGNOR, message }
  }
  return undefined
}

function patternProblem({ memberEpoch, subscribedTopicRegex }: Request): Refusal | undefined {
  if (memberEpoch < JOIN_EPOCH || subscribedTopicRegex === null) return undefined
  const problem = problemOfPattern(subscribedTopicRegex)
  if (problem === undefined) return undefined
  return {
    errorCode: ERROR.INVALID_REGULAR_EXPRESSION,
    message: `SubscribedTopicRegex \`${subscribedTopicRegex}\` is not a valid regular expression: ${problem}.`,
  }
}

function problemOf(request: Request, version: number): string | undefined {
  const {
    memberId,
    memberEpoch,
    instanceId,
    rackId,
    rebalanceTimeoutMs,
    topicPartitions,
    subscribedTopicNames,
    subscribedTopicRegex,
  } = request
  if (memberId === '' && (version >= 1 || memberEpoch !== JOIN_EPOCH)) return "MemberId can't be empty."
  if (instanceId === '') return "InstanceId can't be empty."
  if (rackId === '') return "RackId can't be empty."
  if (memberEpoch < STATIC_LEAVE_EPOCH) return 'MemberEpoch is invalid.'
  if (memberEpoch === STATIC_LEAVE_EPOCH && instanceId === null) return "InstanceId can't be null."
  if (memberEpoch !== JOIN_EPOCH) return undefined
  if (rebalanceTimeoutMs === -1) return 'RebalanceTimeoutMs must be provided in first request.'
  if (topicPartitions === null || topicPartitions.length > 0) return 'TopicPartitions must be empty when (re-)joining.'
  // Members may join without any topic.
  if (subscribedTopicNames === null && subscribedTopicRegex === null)
    return 'Either SubscribedTopicNames or SubscribedTopicRegex must be non-null when (re-)joining.'
  return undefined
}

function invalid(message: string): Refusal {
  return { errorCode: ERROR.INVALID_REQUEST, message }
}
