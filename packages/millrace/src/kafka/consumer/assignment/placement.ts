/** Which partitions a consumer without a group reads, and where each that is assigned is read. */
import type { Cluster } from '../../cluster/cluster.ts'
import type { AssignedPartition } from '../../group/contract.ts'
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
    .flatMap((topic) => cluster.cachedTopic(topic)!.partitions.map(({ partition }) => ({ topic, partition })))
    .filter(({ topic, partition }) => {
      const id = keyOf(topic, partition)
      return !known.has(id) && (wanted?.has(id) ?? true) && (only === undefined || partition === only.partition)
    })
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
  readonly signal: AbortSignal
}

/** Where each partition is read, in their order. @throws {BrokerError} `NO_COMMITTED_OFFSET`, `OFFSET_OUT_OF_RANGE`; {ConnectionError} {AbortedError} */
export async function rangesOf(
  partitions: readonly AssignedPartition[],
  { cluster, bounds, untilEnd, committedOf, signal }: PlacementOptions,
): Promise<ReadRange[]> {
  await refreshGrown(cluster, partitions, signal)
  const starts = await bounds.starts(partitions, committedOf)
  const ends = untilEnd ? await bounds.ends(partitions) : undefined
  if (ends !== undefined) for (const [id, start] of await bounds.startsWithin(partitions, ends)) starts.set(id, start)
  return partitions.map(({ topic, partition, committed, leaderEpoch }) => {
    const id = keyOf(topic, partition)
    return {
      partitionCount: cluster.cachedTopic(topic)?.partitions.length ?? 0,
      position: starts.get(id)!,
      epoch: committed === starts.get(id) ? (leaderEpoch ?? -1) : -1,
      end: ends?.get(id),
      mustCommit: committed === undefined && bounds.isResetElsewhere,
    }
  })
}
