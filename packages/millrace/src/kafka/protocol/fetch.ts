/**
 * Fetch, versions 12 to 17: our own request and response, because record batches are kept as bytes.
 *
 * ```
 * Fetch Request  => replica_id (to v14) max_wait_ms min_bytes max_bytes isolation_level session_id session_epoch
 *                   [topic (name to v12, id from v13) [partition leader_epoch offset last_epoch log_start max_bytes]] [forgotten] rack_id
 * Fetch Response => throttle_time_ms error_code session_id
 *                   [topic [partition error_code high_watermark last_stable_offset log_start_offset [aborted] preferred_read_replica records]]
 * ```
 *
 * Sessions (KIP-227) are not used: `session_id` 0, `session_epoch` -1.
 * @see https://kafka.apache.org/protocol#The_Messages_Fetch
 */
import { createAPI, type Reader, Writer } from '@platformatic/kafka'
import type { ApiCall, ApiVersion } from './api-call.ts'

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
  readonly topics: readonly FetchTopicRequest[]
  readonly rackId: string
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
  readonly leader: { readonly id: number; readonly epoch: number } | undefined
  /** Record batches; the last one may be cut off. */
  readonly records: Buffer | undefined
}

export interface FetchResponse {
  readonly errorCode: number
  readonly topics: readonly {
    /** Name up to version 12, UUID from 13. */ readonly topic: string
    readonly partitions: readonly FetchedPartition[]
  }[]
}

const NO_ABORTS: readonly AbortedTransaction[] = []

function createRequest(version: number, request: FetchRequest): Writer {
  const writer = Writer.create()
  if (version < 15) writer.appendInt32(-1)
  return writer
    .appendInt32(request.maxWaitMs)
    .appendInt32(request.minBytes)
    .appendInt32(request.maxBytes)
    .appendInt8(request.isolation)
    .appendInt32(0)
    .appendInt32(-1)
    .appendArray([...request.topics], (w, topic) => {
      if (version < 13) w.appendString(topic.name)
      else w.appendUUID(topic.id ?? null)
      w.appendArray([...topic.partitions], (w, { partition, leaderEpoch, offset, maxBytes }) => {
        w.appendInt32(partition)
          .appendInt32(leaderEpoch)
          .appendInt64(BigInt(offset))
          .appendInt32(-1)
          .appendInt64(-1n)
          .appendInt32(maxBytes)
      })
    })
    .appendArray([], () => {})
    .appendString(request.rackId)
    .appendTaggedFields()
}

function readPartition(r: Reader): FetchedPartition {
  const partition = r.readInt32()
  const errorCode = r.readInt16()
  const highWatermark = Number(r.readInt64())
  const lastStableOffset = Number(r.readInt64())
  const logStartOffset = Number(r.readInt64())
  const aborted =
    r.readNullableArray((r) => ({ producerId: Number(r.readInt64()), firstOffset: Number(r.readInt64()) })) ?? NO_ABORTS
  const preferredReadReplica = r.readInt32()
  const size = r.readUnsignedVarInt() - 1
  let records: Buffer | undefined
  if (size > 0) {
    records = r.buffer.slice(r.position, r.position + size)
    r.skip(size)
  }
  let leader: FetchedPartition['leader']
  for (let tags = r.readUnsignedVarInt(); tags > 0; tags--) {
    const tag = r.readUnsignedVarInt()
    const length = r.readUnsignedVarInt()
    const next = r.position + length
    if (tag === 1) leader = { id: r.readInt32(), epoch: r.readInt32() }
    r.skip(next - r.position)
  }
  return {
    partition,
    errorCode,
    highWatermark,
    lastStableOffset,
    logStartOffset,
    aborted,
    preferredReadReplica,
    leader,
    records,
  }
}

function parseResponse(version: number, r: Reader): FetchResponse {
  r.readInt32()
  const errorCode = r.readInt16()
  r.readInt32()
  const topics = r.readArray((r) => {
    const topic = version < 13 ? r.readString() : r.readUUID()
    return { topic, partitions: r.readArray((r) => readPartition(r), true, false) }
  })
  return { errorCode, topics }
}

function fetchVersion(version: number): ApiVersion {
  return createAPI<[FetchRequest], FetchResponse>(
    1,
    version,
    (request) => createRequest(version, request),
    (_correlationId, _key, _version, reader) => parseResponse(version, reader),
  ) as ApiVersion
}

export const FETCH: ApiCall = {
  name: 'Fetch',
  key: 1,
  versions: Object.fromEntries([12, 13, 14, 15, 16, 17].map((version) => [version, fetchVersion(version)])),
}
