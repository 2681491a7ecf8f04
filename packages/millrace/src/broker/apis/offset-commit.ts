/** OffsetCommit (8): offsets of a group, by its members or, as long as it is empty, by anyone. */
import { ERROR } from '../../protocol/error-codes.ts'
import type { Decoded } from '../../protocol/message.ts'
import {
  offsetCommitApi,
  type OffsetCommitRequest,
  type OffsetCommitResponse,
} from '../../protocol/messages/offset-commit.ts'
import type { GroupOffsets } from '../groups/offsets.ts'
import type { Call, Handler } from './handler.ts'
import { topicOf } from './topics.ts'

/** `offset.metadata.max.bytes` */
export const MAX_METADATA_BYTES = 4096
/** First version for members of the consumer protocol (KIP-848), and that says when there is no such group. */
const FIRST_OF_CONSUMERS = 9
/** First version that names topics by their id. */
const FIRST_WITH_ID = 10

export const offsetCommit: Handler<OffsetCommitRequest, OffsetCommitResponse> = {
  api: offsetCommitApi,
  handle(request, call) {
    const { groups } = call.broker
    const refusal = groups.refusal(request.groupId, call.node)
    if (refusal !== 0) return offsetCommit.refuse(request, refusal, call)
    return commit(request, call)
  },
  refuse: ({ topics }, errorCode) => ({
    topics: topics.map(({ name, topicId, partitions }) => ({
      name,
      topicId,
      partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode })),
    })),
  }),
  subjects: ({ groupId, topics }) => ({
    group: groupId,
    topics: topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex }) => partitionIndex),
    })),
  }),
}

/** @returns an error code */
function admitted(request: Decoded<OffsetCommitRequest>, { broker: { groups }, version }: Call): number {
  const { groupId, memberId, groupInstanceId, generationIdOrMemberEpoch: generationId } = request
  const group = groups.find(groupId)
  // A group that only holds offsets need not have had members.
  if (group === undefined && generationId < 0) return ERROR.NONE
  if (group === undefined) return version >= FIRST_OF_CONSUMERS ? ERROR.GROUP_ID_NOT_FOUND : ERROR.ILLEGAL_GENERATION
  const isConsumer = group.kind === 'consumer' && group.members.get(memberId)?.classic === undefined
  if (isConsumer && group.members.has(memberId) && version < FIRST_OF_CONSUMERS) return ERROR.UNSUPPORTED_VERSION
  return group.admitCommit({ memberId, instanceId: groupInstanceId, generationId })
}

function commit(request: Decoded<OffsetCommitRequest>, call: Call): OffsetCommitResponse {
  const { cluster, groups } = call.broker
  const { topics, groupId } = request
  // The group is asked only if there is a topic to commit for, and created only for an offset.
  let refused: number | undefined
  const offsets = (): GroupOffsets => (groups.find(groupId) ?? groups.classicGroup(groupId)!).offsets
  const unknown = call.version >= FIRST_WITH_ID ? ERROR.UNKNOWN_TOPIC_ID : ERROR.UNKNOWN_TOPIC_OR_PARTITION
  return {
    topics: topics.map(({ name, topicId, partitions }) => {
      const topic = topicOf(cluster, { name, topicId })
      const errorCode = topic === undefined ? unknown : (refused ??= admitted(request, call))
      return {
        name,
        topicId,
        partitions: partitions.map(({ partitionIndex, committedOffset, committedLeaderEpoch, committedMetadata }) => {
          if (errorCode !== 0) return { partitionIndex, errorCode }
          const metadata = committedMetadata ?? ''
          if (Buffer.byteLength(metadata) > MAX_METADATA_BYTES)
            return { partitionIndex, errorCode: ERROR.OFFSET_METADATA_TOO_LARGE }
          offsets().set(topic!.name, partitionIndex, {
            offset: committedOffset,
            leaderEpoch: committedLeaderEpoch,
            metadata,
            commitTimeMs: cluster.now(),
          })
          return { partitionIndex, errorCode: 0 }
        }),
      }
    }),
  }
}
