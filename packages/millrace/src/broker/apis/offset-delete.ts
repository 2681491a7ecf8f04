/** OffsetDelete (47): removes committed offsets of topics that no member of the group reads. */
import { ERROR } from '../../protocol/error-codes.ts'
import { ProtocolError } from '../../errors/index.ts'
import { consumerProtocolSubscription } from '../../protocol/messages/consumer-protocol.ts'
import {
  offsetDeleteApi,
  type OffsetDeleteRequest,
  type OffsetDeleteResponse,
} from '../../protocol/messages/offset-delete.ts'
import { Reader } from '../../protocol/reader.ts'
import type { Group } from '../groups/coordinator.ts'
import type { Handler } from './handler.ts'

export const offsetDelete: Handler<OffsetDeleteRequest, OffsetDeleteResponse> = {
  api: offsetDeleteApi,
  handle(request, call) {
    const { cluster, groups } = call.broker
    const { groupId, topics } = request
    const refusal = groups.refusal(groupId, call.node)
    const group = groups.find(groupId)
    if (refusal !== 0 || group === undefined)
      return offsetDelete.refuse(request, refusal || ERROR.GROUP_ID_NOT_FOUND, call)
    // Without knowing what members read, nothing can be said to be unread.
    const read = group.state === 'Empty' ? new Set<string>() : subscribedTopics(group)
    if (read === undefined) return offsetDelete.refuse(request, ERROR.NON_EMPTY_GROUP, call)
    return {
      errorCode: 0,
      throttleTimeMs: 0,
      topics: topics.map(({ name, partitions }) => ({
        name,
        partitions: partitions.map(({ partitionIndex }) => {
          if (cluster.topic(name) === undefined) return { partitionIndex, errorCode: ERROR.UNKNOWN_TOPIC_OR_PARTITION }
          if (read.has(name)) return { partitionIndex, errorCode: ERROR.GROUP_SUBSCRIBED_TO_TOPIC }
          group.offsets.delete(name, partitionIndex)
          return { partitionIndex, errorCode: 0 }
        }),
      })),
    }
  },
  refuse: (_request, errorCode) => ({ errorCode, throttleTimeMs: 0, topics: [] }),
  subjects: ({ groupId }) => ({ group: groupId }),
}

/** Topics that members of a group of consumers read; `undefined` when they cannot be known. */
function subscribedTopics(group: Group): Set<string> | undefined {
  if (group.kind === 'consumer') return new Set([...group.members.values()].flatMap(({ topics }) => topics))
  const { protocolType, protocolName, members } = group
  if (protocolType !== 'consumer' || protocolName === null) return undefined
  try {
    return new Set([...members.values()].flatMap((member) => topicsIn(member.metadataOf(protocolName))))
  } catch (error) {
    if (error instanceof ProtocolError) return undefined
    throw error
  }
}

/** A subscription begins with its version. Later versions only add to what the newest one here has. */
function topicsIn(metadata: Buffer): string[] {
  const reader = new Reader(metadata)
  const version = Math.min(reader.int16(), consumerProtocolSubscription.versions.max)
  return consumerProtocolSubscription.read(reader, version).topics
}
