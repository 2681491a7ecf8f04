/**
 * OffsetFetch (9): the committed offsets of a group, of several groups from version 8 on. What was never committed is -1, also
 * of a group that there is not.
 */
import { ERROR } from '../../protocol/error-codes.ts'
import type { Decoded } from '../../protocol/message.ts'
import {
  offsetFetchApi,
  type OffsetFetchRequest,
  type OffsetFetchResponse,
  type OffsetFetchResponseGroup,
  type OffsetFetchResponsePartition,
} from '../../protocol/messages/offset-fetch.ts'
import { ZERO_UUID } from '../../protocol/reader.ts'
import type { GroupOffsets } from '../groups/offsets.ts'
import type { Call, Handler } from './handler.ts'
import { topicOf } from './topics.ts'

/** First version with several groups, and first that names topics by their id. */
const SEVERAL = 8
const FIRST_WITH_ID = 10

type Request = Decoded<OffsetFetchRequest>

interface AskedTopic {
  readonly name: string
  readonly topicId: string
  readonly partitionIndexes: readonly number[]
}

export const offsetFetch: Handler<OffsetFetchRequest, OffsetFetchResponse> = {
  api: offsetFetchApi,
  handle(request, call) {
    const { groups } = call.broker
    const answer = (
      groupId: string,
      topics: readonly AskedTopic[] | null,
      memberId: string | null = null,
      epoch = -1,
    ): OffsetFetchResponseGroup => {
      const isMember = memberId !== null || epoch >= 0
      // A member of the consumer protocol must not go by what it has lost meanwhile.
      const group = isMember ? groups.findConsumer(groupId) : undefined
      const errorCode =
        (call.permits('Describe', 'Group', groupId) ? 0 : ERROR.GROUP_AUTHORIZATION_FAILED) ||
        groups.refusal(groupId, call.node) ||
        (group?.admitFetch({ memberId: memberId ?? '', generationId: epoch }) ?? 0)
      if (errorCode !== 0) return { groupId, topics: [], errorCode }
      return {
        groupId,
        topics: fetchAll(groups.find(groupId)?.offsets, topics, request.requireStable, call),
        errorCode: 0,
      }
    }
    if (call.version >= SEVERAL)
      return {
        groups: request.groups.map(({ groupId, topics, memberId, memberEpoch }) =>
          answer(groupId, topics, memberId, memberEpoch),
        ),
      }
    const { topics, errorCode = 0 } = answer(request.groupId, namedTopics(request))
    return single(request, topics, errorCode, call)
  },
  refuse(request, errorCode, call) {
    if (call.version >= SEVERAL)
      return { groups: request.groups.map(({ groupId }) => ({ groupId, topics: [], errorCode })) }
    return single(request, [], errorCode, call)
  },
  subjects({ groupId, groups }) {
    const [first] = groups
    return { group: first?.groupId ?? groupId }
  },
}

function namedTopics({ topics }: Request): AskedTopic[] | null {
  return topics === null ? null : topics.map((topic) => ({ ...topic, topicId: ZERO_UUID }))
}

/** Up to version 7. Version 1 has no place for an error of the group: it is reported for each partition. */
function single(
  request: Request,
  topics: OffsetFetchResponseGroup['topics'],
  errorCode: number,
  { version }: Call,
): OffsetFetchResponse {
  const failed = (request.topics ?? []).map(({ name, partitionIndexes }) => ({
    name,
    partitions: partitionIndexes.map((partitionIndex) => ({ ...NOTHING, partitionIndex, errorCode })),
  }))
  const answered = version < 2 && errorCode !== 0 ? failed : topics
  return {
    topics: answered.map(({ name = '', partitions }) => ({
      name,
      partitions: partitions.map(({ committedLeaderEpoch = -1, ...rest }) => ({
        ...rest,
        ...(version >= 5 ? { committedLeaderEpoch } : {}),
      })),
    })),
    ...(version >= 2 ? { errorCode } : {}),
  }
}

const NOTHING = { committedOffset: -1, committedLeaderEpoch: -1, metadata: '' }

function fetchAll(
  offsets: GroupOffsets | undefined,
  asked: readonly AskedTopic[] | null,
  requireStable: boolean,
  call: Call,
): OffsetFetchResponseGroup['topics'] {
  const { cluster } = call.broker
  const topics =
    asked ??
    (offsets?.all() ?? [])
      .filter(({ topic }) => call.permits('Describe', 'Topic', topic))
      .map(({ topic, partitions }) => ({
        name: topic,
        topicId: cluster.topic(topic)?.id ?? ZERO_UUID,
        partitionIndexes: partitions,
      }))
  return topics.map(({ name, topicId, partitionIndexes }) => {
    const byId = call.version >= FIRST_WITH_ID
    const known = byId ? topicOf(cluster, { name, topicId })?.name : name
    const isAllowed = known === undefined || call.permits('Describe', 'Topic', known)
    const partitions = partitionIndexes.map((partitionIndex) =>
      known === undefined || !isAllowed
        ? {
            ...NOTHING,
            partitionIndex,
            errorCode: isAllowed ? ERROR.UNKNOWN_TOPIC_ID : ERROR.TOPIC_AUTHORIZATION_FAILED,
          }
        : fetchOne(offsets, known, partitionIndex, requireStable),
    )
    return { name: byId ? '' : name, topicId, partitions }
  })
}

function fetchOne(
  offsets: GroupOffsets | undefined,
  topic: string,
  partitionIndex: number,
  requireStable: boolean,
): OffsetFetchResponsePartition {
  if (requireStable && offsets?.isUnstable(topic, partitionIndex) === true)
    return { ...NOTHING, partitionIndex, errorCode: ERROR.UNSTABLE_OFFSET_COMMIT }
  const committed = offsets?.get(topic, partitionIndex)
  if (committed === undefined) return { ...NOTHING, partitionIndex, errorCode: 0 }
  const { offset, leaderEpoch, metadata } = committed
  return { partitionIndex, committedOffset: offset, committedLeaderEpoch: leaderEpoch, metadata, errorCode: 0 }
}
