/**
 * Where a log begins, where it ends, and where it was at a time. Asks each leader.
 */
import { type BrokerError, isMillraceError } from '../../errors/index.ts'
import { retry } from '../../resilience/retry.ts'
import { ERROR } from '../../protocol/error-codes.ts'
import { LIST_OFFSETS } from '../protocol/offsets.ts'
import type { Cluster } from './cluster.ts'
import { isStaleMetadata } from './metadata-cache.ts'
import { brokerError } from '../protocol/kafka-errors.ts'
import { byTopic, keyOf, type PartitionOffset, type TopicPartition } from '../topic-partition.ts'

const LATEST = -1
const EARLIEST = -2
const CONSUMER_REPLICA = -1

export interface OffsetQuery extends TopicPartition {
  /** `earliest`, `latest`, or the first record at this time or later (milliseconds since 1970). */
  readonly at: 'earliest' | 'latest' | number
}

export interface ListedOffset extends PartitionOffset {
  /** Epoch of the leader that wrote the record there; -1 when it is not known. */
  readonly leaderEpoch: number
  /** Time of that record for a query by time; -1 otherwise, and when there is no such record. */
  readonly timestampMs: number
}

export interface ListOffsetsOptions {
  /** With `read_committed`, `latest` is the last stable offset: the first one of an open transaction, if any. */
  readonly isolation?: 'read_uncommitted' | 'read_committed'
  readonly signal?: AbortSignal | undefined
}

/**
 * Finds offsets, in the order of the queries. A time after the last record gives the end of the log.
 *
 * Leaders are asked at the same time; partitions whose leader has moved are asked for again.
 * @throws {BrokerError} `TOPIC_NOT_FOUND`; UNKNOWN_TOPIC_OR_PARTITION for a partition that the topic does not have
 * @throws {ConnectionError} after `apiTimeoutMs`; {AbortedError}
 */
export async function listOffsets(
  cluster: Cluster,
  wanted: readonly OffsetQuery[],
  options: ListOffsetsOptions = {},
): Promise<ListedOffset[]> {
  const found = await listOnce(cluster, wanted, options)
  const beyond = wanted.filter(({ topic, partition }) => found.get(keyOf(topic, partition))!.offset < 0)
  const ends =
    beyond.length === 0
      ? undefined
      : await listOnce(
          cluster,
          beyond.map(({ topic, partition }) => ({ topic, partition, at: 'latest' })),
          options,
        )
  return wanted.map(({ topic, partition }) => ends?.get(keyOf(topic, partition)) ?? found.get(keyOf(topic, partition))!)
}

/** As `listOffsets`, with offset -1 where no record is as late as the time asked for. */
async function listOnce(
  cluster: Cluster,
  wanted: readonly OffsetQuery[],
  options: ListOffsetsOptions,
): Promise<Map<string, ListedOffset>> {
  const found = new Map<string, ListedOffset>()
  let open = wanted
  await retry(
    async () => {
      const problems: unknown[] = []
      const leaders = await byLeader(cluster, open, options.signal)
      await Promise.all(
        [...leaders].map(async ([leader, queries]) => {
          try {
            problems.push(...(await askLeader(cluster, leader, queries, options, found)))
          } catch (error) {
            problems.push(error)
          }
        }),
      )
      open = open.filter(({ topic, partition }) => !found.has(keyOf(topic, partition)))
      // The problem that no retry heals is the one to tell.
      if (problems.length > 0) throw problems.find((error) => !isWorthRetrying(error)) ?? problems[0]
    },
    {
      timeoutMs: cluster.apiTimeoutMs,
      backoff: cluster.backoff,
      signal: options.signal,
      isRetriable: isWorthRetrying,
      onRetry: (error) =>
        isStaleMetadata(error)
          ? cluster.refresh([...new Set(open.map(({ topic }) => topic))], options.signal)
          : undefined,
    },
  )
  return found
}

async function byLeader(
  cluster: Cluster,
  queries: readonly OffsetQuery[],
  signal: AbortSignal | undefined,
): Promise<Map<number, OffsetQuery[]>> {
  const leaders = new Map<number, OffsetQuery[]>()
  for (const topic of new Set(queries.map((each) => each.topic))) await cluster.topic(topic, signal)
  for (const query of queries) {
    const { topic, partition } = query
    if (cluster.cachedTopic(topic)?.partitions[partition] === undefined)
      await mustExist(cluster, topic, partition, signal)
    const leader = cluster.leader(topic, partition)
    const known = leaders.get(leader)
    if (known === undefined) leaders.set(leader, [query])
    else known.push(query)
  }
  return leaders
}

/** The cached metadata may be older than the partition. */
async function mustExist(
  cluster: Cluster,
  topic: string,
  partition: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  await cluster.refresh([topic], signal)
  const count = cluster.cachedTopic(topic)?.partitions.length ?? 0
  if (partition >= 0 && partition < count) return
  throw brokerError(
    ERROR.UNKNOWN_TOPIC_OR_PARTITION,
    `Cannot list offsets of ${topic}-${partition} as the topic has partitions 0 to ${count - 1}`,
    { topic, partition, retriable: false },
  )
}

/** @returns what went wrong, per partition */
async function askLeader(
  cluster: Cluster,
  leader: number,
  queries: readonly OffsetQuery[],
  options: ListOffsetsOptions,
  found: Map<string, ListedOffset>,
): Promise<BrokerError[]> {
  if (leader < 0)
    return queries.map(({ topic, partition }) =>
      brokerError(5, `Cannot list offsets of ${topic}-${partition}`, { topic, partition }),
    )
  const topics = [...byTopic(queries)].map(([name, list]) => ({
    name,
    partitions: list.map(({ partition, at }) => ({
      partitionIndex: partition,
      currentLeaderEpoch: -1,
      timestamp: at === 'latest' ? LATEST : at === 'earliest' ? EARLIEST : timestampOf(at),
    })),
  }))
  const isolation = options.isolation === 'read_committed' ? 1 : 0
  const answer = await cluster.request(
    leader,
    LIST_OFFSETS,
    () => ({ replicaId: CONSUMER_REPLICA, isolationLevel: isolation, topics }),
    { signal: options.signal },
  )
  const problems: BrokerError[] = []
  for (const { name: topic, partitions } of answer.topics) {
    for (const { partitionIndex: partition, errorCode, timestamp, offset, leaderEpoch } of partitions) {
      if (errorCode === 0)
        found.set(keyOf(topic, partition), {
          topic,
          partition,
          offset,
          leaderEpoch,
          timestampMs: timestamp,
        })
      else problems.push(brokerError(errorCode, `Cannot list offsets of ${topic}-${partition}`, { topic, partition }))
    }
  }
  return problems
}

/** No record is older than 1970, and numbers below 0 mean something else. */
function timestampOf(timeMs: number): number {
  return Math.max(0, Math.ceil(timeMs))
}

function isWorthRetrying(error: unknown): boolean {
  return isMillraceError(error) && error.code !== 'TOPIC_NOT_FOUND' && error.retriable
}
