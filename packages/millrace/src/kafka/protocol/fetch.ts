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
 * Sessions (KIP-227) are the caller's matter: `../consumer/fetch-session.ts`.
 * @see https://kafka.apache.org/protocol#The_Messages_Fetch
 */
import { framed, requestWriter, responseReader } from '../../protocol/frames.ts'
import { fetchApi } from '../../protocol/messages/fetch.ts'
import type { Reader } from '../../protocol/reader.ts'
import { ZERO_UUID } from '../../protocol/reader.ts'
import type { Writer } from '../../protocol/writer.ts'
import type { ApiCall } from './api-call.ts'

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
  readonly leader: { readonly id: number; readonly epoch: number } | undefined
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
}

const NO_ABORTS: readonly AbortedTransaction[] = []

/** All of our versions are flexible: compact lengths and tagged fields. */
const MIN_VERSION = 12
/** First version that names topics by their id. */
const WITH_IDS = 13
/** First version without the id of a replica. */
const WITHOUT_REPLICA = 15

function writeRequest(writer: Writer, version: number, request: FetchRequest): void {
  if (version < WITHOUT_REPLICA) writer.int32(-1)
  writer.int32(request.maxWaitMs)
  writer.int32(request.minBytes)
  writer.int32(request.maxBytes)
  writer.int8(request.isolation)
  writer.int32(request.sessionId)
  writer.int32(request.sessionEpoch)
  writer.varint(request.topics.length + 1)
  for (const { name, id, partitions } of request.topics) {
    writeTopic(writer, version, name, id)
    writer.varint(partitions.length + 1)
    for (const { partition, leaderEpoch, offset, maxBytes } of partitions) {
      writer.int32(partition)
      writer.int32(leaderEpoch)
      writer.int64(offset)
      writer.int32(-1)
      writer.int64(-1)
      writer.int32(maxBytes)
      writer.varint(NO_TAGS)
    }
    writer.varint(NO_TAGS)
  }
  writer.varint(request.forgotten.length + 1)
  for (const { name, id, partitions } of request.forgotten) {
    writeTopic(writer, version, name, id)
    writer.varint(partitions.length + 1)
    for (const partition of partitions) writer.int32(partition)
    writer.varint(NO_TAGS)
  }
  writeText(writer, request.rackId)
  writer.varint(NO_TAGS)
}

const NO_TAGS = 0

function writeTopic(writer: Writer, version: number, name: string, id: string | undefined): void {
  if (version < WITH_IDS) writeText(writer, name)
  else writer.uuid(id ?? ZERO_UUID)
}

function writeText(writer: Writer, text: string): void {
  const size = Buffer.byteLength(text)
  writer.varint(size + 1)
  writer.utf8(text, size)
}

function readPartition(reader: Reader): FetchedPartition {
  const partition = reader.int32()
  const errorCode = reader.int16()
  const highWatermark = reader.int64()
  const lastStableOffset = reader.int64()
  const logStartOffset = reader.int64()
  const aborted = readAborted(reader)
  const preferredReadReplica = reader.int32()
  const size = reader.varint() - 1
  const records = size > 0 ? reader.view(size) : undefined
  let leader: FetchedPartition['leader']
  for (let tags = reader.varint(); tags > 0; tags--) {
    const tag = reader.varint()
    const next = reader.varint() + reader.position
    if (tag === 1) leader = { id: reader.int32(), epoch: reader.int32() }
    reader.skip(next - reader.position)
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

function readAborted(reader: Reader): readonly AbortedTransaction[] {
  const count = reader.varint() - 1
  if (count <= 0) return NO_ABORTS
  const aborted: AbortedTransaction[] = []
  for (let i = 0; i < count; i++) {
    aborted.push({ producerId: reader.int64(), firstOffset: reader.int64() })
    skipTags(reader)
  }
  return aborted
}

function skipTags(reader: Reader): void {
  for (let tags = reader.varint(); tags > 0; tags--) {
    reader.varint()
    reader.skip(reader.varint())
  }
}

function readResponse(version: number, reader: Reader): FetchResponse {
  reader.int32() // throttle time
  const errorCode = reader.int16()
  const sessionId = reader.int32()
  const topics: FetchResponse['topics'][number][] = []
  for (let left = reader.varint() - 1; left > 0; left--) {
    const topic = version < WITH_IDS ? reader.utf8(reader.varint() - 1) : reader.uuid()
    const partitions: FetchedPartition[] = []
    for (let count = reader.varint() - 1; count > 0; count--) partitions.push(readPartition(reader))
    skipTags(reader)
    topics.push({ topic, partitions })
  }
  return { errorCode, sessionId, topics }
}

export const FETCH: ApiCall<FetchRequest, FetchResponse> = {
  name: fetchApi.name,
  key: fetchApi.key,
  min: MIN_VERSION,
  max: 17,
  encode(version, correlationId, clientId, request) {
    const writer = requestWriter({ apiKey: fetchApi.key, version, correlationId }, clientId, true)
    writeRequest(writer, version, request)
    return framed(writer)
  },
  decode: (version, bytes) => readResponse(version, responseReader(bytes, true)),
}
