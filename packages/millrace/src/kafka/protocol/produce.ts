/**
 * Produce, versions 8 to 12: our own request and response, because record batches are made and kept as bytes, and
 * because each partition has its own result.
 *
 * ```
 * Produce Request  => transactional_id acks timeout_ms [topic [partition records]]
 * Produce Response => [topic [partition error_code base_offset log_append_time_ms log_start_offset [batch_index message] error_message <current_leader>]]
 *                     throttle_time_ms <node_endpoints>
 * ```
 *
 * Compact and tagged from version 9 on; the leader (KIP-951) from 10 on; 12 adds partitions to a transaction by
 * itself (KIP-890). A request holds one record batch per partition. With `acks` 0 there is no response: the call then
 * ends when the request was handed to the socket, without a result.
 *
 * @see https://kafka.apache.org/protocol#The_Messages_Produce
 */
import { produceApi } from '../../protocol/messages/produce.ts'
import { decodeResponse, encodeRequest } from '../../protocol/frames.ts'
import type { ApiCall } from './api-call.ts'
import { type CurrentLeader, leaderOf } from './current-leader.ts'

interface ProducePartitionRequest {
  readonly partition: number
  /** One whole record batch. */
  readonly records: Buffer
}

interface ProduceTopicRequest {
  readonly name: string
  readonly partitions: readonly ProducePartitionRequest[]
}

export interface ProduceRequest {
  readonly transactionalId: string | null
  /** 0 none, 1 the leader, -1 all in-sync replicas. */
  readonly acks: 0 | 1 | -1
  /** How long the broker may wait for the replicas. */
  readonly timeoutMs: number
  readonly topics: readonly ProduceTopicRequest[]
}

export interface ProducedPartition {
  readonly partition: number
  readonly errorCode: number
  readonly errorMessage: string | null
  /** -1 when it is not known. */
  readonly baseOffset: number
  readonly logStartOffset: number
  /** Records that made the broker refuse the batch (KIP-467), by index in the batch. */
  readonly recordErrors: readonly { readonly index: number; readonly message: string | null }[]
  /** Leader that the broker knows of, after NOT_LEADER_OR_FOLLOWER (KIP-951). */
  readonly leader: CurrentLeader | undefined
}

export interface ProduceResponse {
  readonly throttleMs: number
  readonly topics: readonly { readonly name: string; readonly partitions: readonly ProducedPartition[] }[]
}

const NO_RECORD_ERRORS: ProducedPartition['recordErrors'] = []

/** Its result says nothing with `acks` 0. */
export const PRODUCE: ApiCall<ProduceRequest, ProduceResponse> = {
  name: produceApi.name,
  key: produceApi.key,
  min: 8,
  max: 12,
  isAnswered: ({ acks }) => acks !== 0,
  encode(version, correlationId, clientId, { transactionalId, acks, timeoutMs, topics }) {
    const topicData = topics.map(({ name, partitions }) => ({
      name,
      partitionData: partitions.map(({ partition, records }) => ({ index: partition, records })),
    }))
    return encodeRequest(produceApi, version, correlationId, clientId, { transactionalId, acks, timeoutMs, topicData })
  },
  decode(version, bytes) {
    const { responses, throttleTimeMs } = decodeResponse(produceApi, version, bytes).response
    return {
      throttleMs: throttleTimeMs,
      topics: responses.map(({ name, partitionResponses }) => ({
        name,
        partitions: partitionResponses.map((answer) => ({
          partition: answer.index,
          errorCode: answer.errorCode,
          errorMessage: answer.errorMessage,
          baseOffset: answer.baseOffset,
          logStartOffset: answer.logStartOffset,
          recordErrors:
            answer.recordErrors.length === 0
              ? NO_RECORD_ERRORS
              : answer.recordErrors.map((error) => ({
                  index: error.batchIndex,
                  message: error.batchIndexErrorMessage,
                })),
          leader: leaderOf(answer.currentLeader),
        })),
      })),
    }
  },
}
