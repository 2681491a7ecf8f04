/**
 * Fetch (1): record batches of partitions, whole ones, from the offset that is asked for.
 *
 * - The answer waits until there are `min_bytes`, or `max_wait_ms` have passed; whatever is appended wakes it.
 * - At least one batch is sent, even if it is larger than `max_bytes`.
 * - With `read_committed`, only up to the last stable offset, with a list of the aborted transactions in between.
 * - Sessions (KIP-227) are in `cluster/fetch-sessions.ts`.
 */
import { ERROR } from '../../protocol/error-codes.ts'
import type { Decoded } from '../../protocol/message.ts'
import { fetchApi, type FetchRequest, type FetchResponse, type PartitionData } from '../../protocol/messages/fetch.ts'
import { ledPartition } from '../cluster/cluster.ts'
import { type FetchedPartition, INITIAL_EPOCH } from '../cluster/fetch-sessions.ts'
import type { Partition } from '../cluster/topic.ts'
import { isRefusal } from '../log/check-batch.ts'
import type { PartitionLog } from '../log/partition-log.ts'
import type { Call, Handler } from './handler.ts'
import { endpointsOf, topicOf } from './topics.ts'

const READ_COMMITTED = 1
/** First version that names topics by their id. */
const FIRST_WITH_ID = 13

type Request = Decoded<FetchRequest>

export const fetch: Handler<FetchRequest, FetchResponse> = {
  api: fetchApi,

  handle(request, call) {
    const sessions = call.broker.fetchSessions(call.node)
    const session = call.version >= 7 ? sessions.resume(request.sessionId, request.sessionEpoch) : undefined
    if (typeof session === 'number') return { throttleTimeMs: 0, errorCode: session, responses: [] }
    const named = partitionsOf(request)
    session?.update(named, forgottenBy(request))
    const partitions = session?.partitions() ?? named
    const answer = (reads: readonly Read[]): FetchResponse => {
      if (session !== undefined) {
        const news = reads.filter(({ partition, data }) =>
          session.isNews(partition, { ...data, bytes: data.records?.length ?? 0 }),
        )
        return response(news, session.id, call)
      }
      const begun = call.version >= 7 && request.sessionEpoch === INITIAL_EPOCH ? sessions.create() : undefined
      begun?.update(named, [])
      for (const { partition, data } of reads) begun?.isNews(partition, { ...data, bytes: data.records?.length ?? 0 })
      return response(reads, begun?.id ?? 0, call)
    }
    const reads = readAll(partitions, request, call)
    if (isEnough(reads, request)) return answer(reads)
    return waitForMore(partitions, reads, request, call).then(() => answer(readAll(partitions, request, call)))
  },

  refuse: (request, errorCode, call) =>
    response(
      partitionsOf(request).map((partition) => ({ partition, data: failed(partition.partition, errorCode) })),
      0,
      call,
      errorCode,
    ),

  subjects: (request, { broker }) => ({
    topics: request.topics.map(({ topic, topicId, partitions }) => ({
      name: topicOf(broker.cluster, { name: topic, topicId })?.name ?? topic,
      partitions: partitions.map(({ partition }) => partition),
    })),
  }),
}

function partitionsOf({ topics }: Request): FetchedPartition[] {
  return topics.flatMap(({ topic, topicId, partitions }) =>
    partitions.map(({ partition, fetchOffset, partitionMaxBytes, currentLeaderEpoch, lastFetchedEpoch }) => ({
      topic,
      topicId,
      partition,
      fetchOffset,
      maxBytes: partitionMaxBytes,
      currentLeaderEpoch,
      lastFetchedEpoch,
    })),
  )
}

const FORGOTTEN = { fetchOffset: 0, maxBytes: 0, currentLeaderEpoch: -1, lastFetchedEpoch: -1 }

function forgottenBy({ forgottenTopicsData }: Request): FetchedPartition[] {
  return forgottenTopicsData.flatMap(({ topic, topicId, partitions }) =>
    partitions.map((partition) => ({ topic, topicId, partition, ...FORGOTTEN })),
  )
}

/** What was found for a partition. */
interface Read {
  readonly partition: FetchedPartition
  readonly data: PartitionData
}

function readAll(partitions: readonly FetchedPartition[], request: Request, call: Call): Read[] {
  let left = request.maxBytes
  let isEmpty = true
  return partitions.map((partition) => {
    const data = readOne(partition, request, left, isEmpty, call)
    const bytes = data.records?.length ?? 0
    left = Math.max(0, left - bytes)
    if (bytes > 0) isEmpty = false
    return { partition, data }
  })
}

const NO_RECORDS = Buffer.alloc(0)

function readOne(asked: FetchedPartition, request: Request, left: number, isEmpty: boolean, call: Call): PartitionData {
  const found = find(asked, call)
  if (typeof found === 'number') return failed(asked.partition, found, asked, call)
  const { log } = found
  const { fetchOffset, maxBytes, partition: partitionIndex } = asked
  const committed = request.isolationLevel === READ_COMMITTED
  const diverging = divergence(asked, found)
  const data = {
    partitionIndex,
    errorCode: 0,
    highWatermark: log.highWatermark,
    lastStableOffset: log.lastStableOffset,
    logStartOffset: log.logStartOffset,
    abortedTransactions: committed ? [] : null,
    records: NO_RECORDS,
  }
  if (diverging !== undefined) return { ...data, divergingEpoch: diverging }
  if (fetchOffset < log.logStartOffset || fetchOffset > log.endOffset)
    return failed(partitionIndex, ERROR.OFFSET_OUT_OF_RANGE)
  const slice = log.read(fetchOffset, Math.min(maxBytes, left), committed, isEmpty)
  if (slice === undefined) {
    if (fetchOffset >= (committed ? log.lastStableOffset : log.highWatermark)) return data
    // There are records, but no room: not for the first batch, or not for anything, and then all aborted transactions are listed.
    const isFull = Math.min(maxBytes, left) === 0
    return { ...data, abortedTransactions: isFull && committed ? abortedIn(log, fetchOffset, log.endOffset) : null }
  }
  if (!committed) return { ...data, records: slice.bytes }
  const abortedTransactions = abortedIn(log, slice.firstOffset, slice.endOffset)
  return { ...data, records: slice.bytes, abortedTransactions }
}

function abortedIn(log: PartitionLog, from: number, before: number): { producerId: number; firstOffset: number }[] {
  return log.abortedIn(from, before).map(({ producerId, firstOffset }) => ({ producerId, firstOffset }))
}

/** @returns an error code when this node does not have it */
function find({ topic, topicId, partition, currentLeaderEpoch }: FetchedPartition, call: Call): Partition | number {
  const known = topicOf(call.broker.cluster, { name: topic, topicId })
  if (known === undefined && call.version >= FIRST_WITH_ID) return ERROR.UNKNOWN_TOPIC_ID
  if (!call.permits('Read', 'Topic', known?.name ?? topic)) return ERROR.TOPIC_AUTHORIZATION_FAILED
  const led = ledPartition(known, partition, call.node, currentLeaderEpoch)
  return isRefusal(led) ? led.errorCode : led
}

/** Where the log of a client that followed another leader parts from this one (KIP-595). */
function divergence(
  { lastFetchedEpoch, fetchOffset }: FetchedPartition,
  { log }: Partition,
): { epoch: number; endOffset: number } | undefined {
  if (lastFetchedEpoch < 0) return undefined
  const end = log.epochs.endOf(lastFetchedEpoch, log.endOffset)
  return end.epoch >= 0 && (end.epoch < lastFetchedEpoch || end.endOffset < fetchOffset) ? end : undefined
}

function failed(partitionIndex: number, errorCode: number, asked?: FetchedPartition, call?: Call): PartitionData {
  const moved = errorCode === ERROR.NOT_LEADER_OR_FOLLOWER || errorCode === ERROR.FENCED_LEADER_EPOCH
  const known =
    asked !== undefined && call !== undefined && moved && call.version >= 12
      ? topicOf(call.broker.cluster, { name: asked.topic, topicId: asked.topicId })?.partitions[partitionIndex]
      : undefined
  return {
    partitionIndex,
    errorCode,
    highWatermark: -1,
    // What is not hosted here is refused before a log is asked.
    abortedTransactions:
      errorCode === ERROR.UNKNOWN_TOPIC_OR_PARTITION || errorCode === ERROR.UNKNOWN_TOPIC_ID ? [] : null,
    records: NO_RECORDS,
    ...(known === undefined ? {} : { currentLeader: { leaderId: known.leader, leaderEpoch: known.leaderEpoch } }),
  }
}

function isEnough(reads: readonly Read[], { minBytes, maxWaitMs }: Request): boolean {
  if (maxWaitMs <= 0 || reads.length === 0) return true
  let bytes = 0
  for (const { data } of reads) {
    if (data.errorCode !== 0 || data.divergingEpoch !== undefined) return true
    bytes += data.records?.length ?? 0
  }
  return bytes >= minBytes
}

/** Waits until enough has been appended, something else has changed, the time is over, or the client has gone. */
function waitForMore(
  partitions: readonly FetchedPartition[],
  reads: readonly Read[],
  request: Request,
  call: Call,
): Promise<void> {
  const logs = partitions.map((partition) => find(partition, call)).filter((found) => typeof found !== 'number')
  let missing = request.minBytes - reads.reduce((sum, { data }) => sum + (data.records?.length ?? 0), 0)
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer)
      forgetClient()
      for (const { log } of logs) log.forget(grown)
      resolve()
    }
    const grown = (bytes: number): void => {
      // What is appended may not be stable yet, or end a transaction: the next reading shows it.
      missing -= bytes
      if (missing <= 0 || bytes === 0) done()
    }
    const timer = setTimeout(done, request.maxWaitMs)
    const forgetClient = call.onGone(done)
    for (const { log } of logs) log.watch(grown)
  })
}

function response(reads: readonly Read[], sessionId: number, call: Call, errorCode = 0): FetchResponse {
  const topics: { topic: string; topicId: string; partitions: PartitionData[] }[] = []
  for (const { partition, data } of reads) {
    const last = topics.at(-1)
    if (last !== undefined && last.topic === partition.topic && last.topicId === partition.topicId)
      last.partitions.push(data)
    else topics.push({ topic: partition.topic, topicId: partition.topicId, partitions: [data] })
  }
  const isMoved = call.version >= 16 && reads.some(({ data }) => data.currentLeader !== undefined)
  return {
    throttleTimeMs: 0,
    errorCode: call.version >= 7 ? errorCode : 0,
    sessionId,
    responses: topics,
    ...(isMoved ? { nodeEndpoints: endpointsOf(call.broker.cluster) } : {}),
  }
}
