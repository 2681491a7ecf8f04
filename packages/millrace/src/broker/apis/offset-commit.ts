/** OffsetCommit (8): offsets of a group, by its members or, as long as it is empty, by anyone. */
import { ERROR } from '../../protocol/error-codes.ts'
import type { Decoded } from '../../protocol/message.ts'
import {
  offsetCommitApi,
  type OffsetCommitRequest,
  type OffsetCommitResponse,
} from '../../protocol/messages/offset-commit.ts'
import type { Group } from '../groups/coordinator.ts'
import type { Call, Handler } from './handler.ts'
import { topicOf } from './topics.ts'

/** `offset.metadata.max.bytes` */
export const MAX_METADATA_BYTES = 4096
/** First version that names topics by their id. */
const FIRST_WITH_ID = 10

export const offsetCommit: Handler<OffsetCommitRequest, OffsetCommitResponse> = {
  api: offsetCommitApi,
  handle(request, call) {
    const { groups } = call.broker
    const { groupId, memberId, groupInstanceId, generationIdOrMemberEpoch: generationId } = request
    const refusal = groups.refusal(groupId, call.node)
    if (refusal !== 0) return offsetCommit.refuse(request, refusal, call)
    // A group that only holds offsets need not have had members.
    const group = groups.find(groupId) ?? (generationId < 0 ? groups.classicGroup(groupId) : undefined)
    if (group === undefined) return offsetCommit.refuse(request, ERROR.ILLEGAL_GENERATION, call)
    const refused = group.admitCommit({ memberId, instanceId: groupInstanceId, generationId })
    if (refused !== 0) return offsetCommit.refuse(request, refused, call)
    return commit(request, group, call)
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

function commit(
  { topics }: Decoded<OffsetCommitRequest>,
  group: Group,
  { broker: { cluster }, version }: Call,
): OffsetCommitResponse {
  return {
    topics: topics.map(({ name, topicId, partitions }) => {
      const topic = topicOf(cluster, { name, topicId })
      return {
        name,
        topicId,
        partitions: partitions.map(({ partitionIndex, committedOffset, committedLeaderEpoch, committedMetadata }) => {
          if (topic === undefined)
            return {
              partitionIndex,
              errorCode: version >= FIRST_WITH_ID ? ERROR.UNKNOWN_TOPIC_ID : ERROR.UNKNOWN_TOPIC_OR_PARTITION,
            }
          if (topic.partitions[partitionIndex] === undefined)
            return { partitionIndex, errorCode: ERROR.UNKNOWN_TOPIC_OR_PARTITION }
          const metadata = committedMetadata ?? ''
          if (Buffer.byteLength(metadata) > MAX_METADATA_BYTES)
            return { partitionIndex, errorCode: ERROR.OFFSET_METADATA_TOO_LARGE }
          const commitTimeMs = cluster.now()
          group.offsets.set(topic.name, partitionIndex, {
            offset: committedOffset,
            leaderEpoch: committedLeaderEpoch,
            metadata,
            commitTimeMs,
          })
          return { partitionIndex, errorCode: 0 }
        }),
      }
    }),
  }
}
