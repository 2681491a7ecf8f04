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
import { createAPI, type Reader, Writer } from '@platformatic/kafka'
import type { ApiCall, ApiVersion } from './api-call.ts'

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
  readonly leader: { readonly id: number; readonly epoch: number } | undefined
}

export interface ProduceResponse {
  readonly throttleMs: number
  readonly topics: readonly { readonly name: string; readonly partitions: readonly ProducedPartition[] }[]
}

/** First version with compact lengths and tagged fields. */
const FLEXIBLE = 9

function createRequest(version: number, request: ProduceRequest): Writer {
  const compact = version >= FLEXIBLE
  const writer = Writer.create()
    .appendString(request.transactionalId, compact)
    .appendInt16(request.acks)
    .appendInt32(request.timeoutMs)
    .appendArray(
      [...request.topics],
      (w, topic) => {
        w.appendString(topic.name, compact).appendArray(
          [...topic.partitions],
          (w, { partition, records }) => {
            w.appendInt32(partition)
            if (compact) w.appendUnsignedVarInt(records.length + 1)
            else w.appendInt32(records.length)
            // Kept as a chunk of its own; the connection joins all chunks once, when it sends.
            w.append(records)
          },
          compact,
          compact,
        )
      },
      compact,
      compact,
    )
  if (compact) writer.appendTaggedFields()
  if (request.acks === 0) writer.context['noResponse'] = true
  return writer
}

const NO_RECORD_ERRORS: ProducedPartition['recordErrors'] = []

function readPartition(r: Reader, compact: boolean): ProducedPartition {
  const partition = r.readInt32()
  const errorCode = r.readInt16()
  const baseOffset = Number(r.readInt64())
  r.skip(8)
  const logStartOffset = Number(r.readInt64())
  const recordErrors =
    r.readNullableArray((r) => ({ index: r.readInt32(), message: r.readNullableString(compact) }), compact, compact) ??
    NO_RECORD_ERRORS
  const errorMessage = r.readNullableString(compact)
  let leader: ProducedPartition['leader']
  if (compact) {
    for (let tags = r.readUnsignedVarInt(); tags > 0; tags--) {
      const tag = r.readUnsignedVarInt()
      const length = r.readUnsignedVarInt()
      const next = r.position + length
      if (tag === 0) leader = { id: r.readInt32(), epoch: r.readInt32() }
      r.skip(next - r.position)
    }
  }
  return { partition, errorCode, errorMessage, baseOffset, logStartOffset, recordErrors, leader }
}

function parseResponse(compact: boolean, r: Reader): ProduceResponse {
  const topics = r.readArray(
    (r) => ({
      name: r.readString(compact),
      partitions: r.readArray((r) => readPartition(r, compact), compact, false),
    }),
    compact,
    compact,
  )
  return { throttleMs: r.readInt32(), topics }
}

function produceVersion(version: number): ApiVersion {
  const compact = version >= FLEXIBLE
  return createAPI<[ProduceRequest], ProduceResponse>(
    0,
    version,
    (request) => createRequest(version, request),
    (_correlationId, _key, _version, reader) => parseResponse(compact, reader),
    compact,
    compact,
  ) as ApiVersion
}

/** Arguments: one `ProduceRequest`. Result: `ProduceResponse`, or anything with `acks` 0. */
export const PRODUCE: ApiCall = {
  name: 'Produce',
  key: 0,
  versions: Object.fromEntries([8, 9, 10, 11, 12].map((version) => [version, produceVersion(version)])),
}
