/**
 * Fetch, versions 12 to 17: what the consumer asks and learns, in its words; the bytes are those of `protocol/messages/fetch.ts`.
 *
 * Sessions (KIP-227) are the caller's matter: `../consumer/fetching/fetch-session.ts`.
 * @see https://kafka.apache.org/protocol#The_Messages_Fetch
 */
import { decodeResponse, encodeRequest } from '../../protocol/frames.ts'
import { fetchApi } from '../../protocol/messages/fetch.ts'
import type { ApiCall } from './api-call.ts'
import { type CurrentLeader, leaderOf } from './current-leader.ts'

export interface FetchPartitionRequest {
  readonly partition: number
  /** Epoch of the leader as the client knows it, so that a broker that knows better says so; -1 when it is not known. */
  readonly leaderEpoch: number
  readonly offset: number
  readonly maxBytes: number
}

export interface FetchTopicRequest {
  readonly name: string
  /** UUID; needed from version 13 on. */
  readonly id: string | undefined
  readonly partitions: readonly FetchPartitionRequest[]
}

export interface FetchRequest {
  readonly maxWaitMs: number
  readonly minBytes: number
  readonly maxBytes: number
  /** 0 read_uncommitted, 1 read_committed. */
  readonly isolation: 0 | 1
  /** 0 without a session. */
  readonly sessionId: number
  /** 0 for a full request, which begins a session. */
  readonly sessionEpoch: number
  readonly topics: readonly FetchTopicRequest[]
  /** What the broker is to drop from the session. */
  readonly forgotten: readonly ForgottenTopic[]
  readonly rackId: string
}

export interface ForgottenTopic {
  readonly name: string
  /** As in `FetchTopicRequest`. */
  readonly id: string | undefined
  readonly partitions: readonly number[]
}

/** A transaction that was aborted: everything its producer wrote from `firstOffset` to the abort marker. */
export interface AbortedTransaction {
  readonly producerId: number
  readonly firstOffset: number
}

export interface FetchedPartition {
  readonly partition: number
  readonly errorCode: number
  readonly highWatermark: number
  readonly lastStableOffset: number
  readonly logStartOffset: number
  readonly aborted: readonly AbortedTransaction[]
  /** Broker to read from instead (KIP-392); -1 for the leader. */
  readonly preferredReadReplica: number
  /** Leader that the broker knows of, after NOT_LEADER_OR_FOLLOWER (KIP-951). */
  readonly leader: CurrentLeader | undefined
  /** Record batches; the last one may be cut off. */
  readonly records: Buffer | undefined
}

export interface FetchResponse {
  readonly errorCode: number
  /** 0 when the broker keeps no session. */
  readonly sessionId: number
  readonly topics: readonly {
    /** Name up to version 12, UUID from 13. */ readonly topic: string
    readonly partitions: readonly FetchedPartition[]
  }[]
  /** The whole response, in which the records lie. */
  readonly frame?: Buffer
}

/** First version that names topics by their id. */
const WITH_IDS = 13

export const FETCH: ApiCall<FetchRequest, FetchResponse> = {
  name: fetchApi.name,
  key: fetchApi.key,
  min: 12,
  max: 17,
  encode(version, correlationId, clientId, request) {
    const { maxWaitMs, minBytes, maxBytes, isolation, sessionId, sessionEpoch, topics, forgotten, rackId } = request
    return encodeRequest(fetchApi, version, correlationId, clientId, {
      maxWaitMs,
      minBytes,
      maxBytes,
      isolationLevel: isolation,
      sessionId,
      sessionEpoch,
      topics: topics.map(({ name, id, partitions }) => ({
        ...topicOf(name, id),
        partitions: partitions.map(({ partition, leaderEpoch, offset, maxBytes: partitionMaxBytes }) => ({
          partition,
          currentLeaderEpoch: leaderEpoch,
          fetchOffset: offset,
          partitionMaxBytes,
        })),
      })),
      forgottenTopicsData: forgotten.map(({ name, id, partitions }) => ({ ...topicOf(name, id), partitions })),
      rackId,
    })
  },
  decode(version, bytes) {
    const { errorCode, sessionId, responses } = decodeResponse(fetchApi, version, bytes).response
    return {
      errorCode,
      sessionId,
      frame: bytes,
      topics: responses.map(({ topic, topicId, partitions }) => ({
        topic: version < WITH_IDS ? topic : topicId,
        partitions: partitions.map((answer) => ({
          partition: answer.partitionIndex,
          errorCode: answer.errorCode,
          highWatermark: answer.highWatermark,
          lastStableOffset: answer.lastStableOffset,
          logStartOffset: answer.logStartOffset,
          aborted: answer.abortedTransactions ?? NO_ABORTS,
          preferredReadReplica: answer.preferredReadReplica,
          leader: leaderOf(answer.currentLeader),
          records: answer.records === null || answer.records.length === 0 ? undefined : answer.records,
        })),
      })),
    }
  },
}

const NO_ABORTS: readonly AbortedTransaction[] = []

/** Name and id; a version writes the one that it has. */
function topicOf(name: string, id: string | undefined): { topic: string; topicId?: string } {
  return id === undefined ? { topic: name } : { topic: name, topicId: id }
}
