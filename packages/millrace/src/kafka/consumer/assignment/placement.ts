/** Which partitions a consumer without a group reads, and where each that is assigned is read. */
import { BrokerError } from '../../../errors/index.ts'
import type { Cluster } from '../../cluster/cluster.ts'
import type { AssignedPartition } from '../../group/contract.ts'
import { ERROR } from '../../../protocol/error-codes.ts'
import { brokerError } from '../../protocol/kafka-errors.ts'
import { keyOf, type TopicPartition } from '../../topic-partition.ts'
import type { ReadRange } from '../partitions/consumed-partition.ts'
import { type CommittedOf, type OffsetBounds, refreshGrown } from './offset-bounds.ts'
import type { ConsumerOptions } from '../options.ts'

/** Partitions to read that are not read yet. */
export function unreadPartitions(options: ConsumerOptions, read: readonly TopicPartition[]): TopicPartition[] {
  const { cluster, topics, only, fixed } = options
  const known = new Set(read.map(({ topic, partition }) => keyOf(topic, partition)))
  const wanted = fixed && new Set(fixed.map(({ topic, partition }) => keyOf(topic, partition)))
  return topics
    .flatMap((topic) => (cluster.cachedTopic(topic)?.partitions ?? []).map(({ partition }) => ({ topic, partition })))
    .filter(({ topic, partition }) => {
      const id = keyOf(topic, partition)
      return !known.has(id) && (wanted?.has(id) ?? true) && (only === undefined || partition === only.partition)
    })
}

/** @throws {BrokerError} UNKNOWN_TOPIC_OR_PARTITION for a partition that is named and does not exist: nothing would ever come of it */
export function checkFixed({ cluster, fixed = [] }: Pick<ConsumerOptions, 'cluster' | 'fixed'>): void {
  for (const { topic, partition } of fixed) {
    const count = cluster.cachedTopic(topic)?.partitions.length ?? 0
    if (partition < count) continue
    const action = `Cannot read partition ${partition} of topic "${topic}" as it has partitions 0 to ${count - 1}`
    throw brokerError(ERROR.UNKNOWN_TOPIC_OR_PARTITION, action, { topic, partition, retriable: false })
  }
}

/** The offset that a partition without a group is to be read from; undefined where the reset policy says. */
export function chosenStart({ only, fixed }: ConsumerOptions, place: TopicPartition): number | undefined {
  const found = fixed?.find(({ topic, partition }) => topic === place.topic && partition === place.partition)
  return found?.offset === undefined ? only?.offset : Number(found.offset)
}

export interface PlacementOptions {
  readonly cluster: Cluster
  readonly bounds: OffsetBounds
  readonly untilEnd: boolean
  readonly committedOf: CommittedOf
  /** A topic does not exist any more. Returns whether reading goes on without it. */
  readonly isDropped: (topic: string) => boolean
  readonly signal: AbortSignal
}

/**
 * Where each partition is read, by `keyOf`; without those of topics that were deleted meanwhile and need not be there, or recreated with fewer.
 * @throws {BrokerError} `NO_COMMITTED_OFFSET`, `OFFSET_OUT_OF_RANGE`, `TOPIC_NOT_FOUND`; {ConnectionError} {AbortedError}
 */
export async function rangesOf(
  partitions: readonly AssignedPartition[],
  options: PlacementOptions,
): Promise<ReadonlyMap<string, ReadRange>> {
  for (let there = partitions; ;) {
    try {
      return await rangesOfAll(there, options)
    } catch (error) {
      const gone = there.find((each) => options.bounds.isDropped(error, each))
      if (gone !== undefined) {
        there = there.filter((each) => each !== gone)
        continue
      }
      const isGone = error instanceof BrokerError && error.code === 'TOPIC_NOT_FOUND'
      if (!isGone || error.topic === undefined || !options.isDropped(error.topic)) throw error
      there = there.filter(({ topic }) => topic !== error.topic)
    }
  }
}

async function rangesOfAll(
  partitions: readonly AssignedPartition[],
  { cluster, bounds, untilEnd, committedOf, signal }: PlacementOptions,
): Promise<Map<string, ReadRange>> {
  await refreshGrown(cluster, partitions, signal)
  const starts = await bounds.starts(partitions, committedOf)
  const ends = untilEnd ? await bounds.ends(partitions) : undefined
  if (ends !== undefined) for (const [id, start] of await bounds.startsWithin(partitions, ends)) starts.set(id, start)
  const rangeOf = (assigned: AssignedPartition): [string, ReadRange] => {
    const { topic, partition, committed, leaderEpoch } = assigned
    const id = keyOf(topic, partition)
    const known = cluster.cachedTopic(topic)
    const isCommitted = committed === starts.get(id)
    const range = {
      partitionCount: known?.partitions.length ?? 0,
      position: starts.get(id)!,
      epoch: isCommitted ? (leaderEpoch ?? -1) : -1,
      end: ends?.get(id),
      mustCommit: committed === undefined && bounds.isResetElsewhere,
      // The topic may have been created again since its committed offset was asked for.
      topicId: isCommitted ? (assigned.topicId ?? known?.id) : known?.id,
    }
    return [id, range]
  }
  return new Map(partitions.map(rangeOf))
}
