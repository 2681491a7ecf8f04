/** What the leader of a classic group works on: members, partition counts, and who gets what. */
import { comparePartitions, type TopicPartition } from '../topic-partition.ts'

/** One member as the leader sees it. */
export interface GroupMember {
  readonly memberId: string
  /** Static members keep their place in the order over a restart. */
  readonly instanceId: string | null
  readonly topics: readonly string[]
  /** What it holds on to, and in which generation it got it; -1 when it is not known. */
  readonly owned: readonly TopicPartition[]
  readonly generation: number
}

/** Number of partitions per topic; topics that do not exist are missing. */
export type PartitionCounts = ReadonlyMap<string, number>

/** Partitions per member id; every member is in it. */
export type Assignment = Map<string, TopicPartition[]>

/** Every member with nothing. */
export function emptyAssignment(members: readonly GroupMember[]): Assignment {
  return new Map(members.map(({ memberId }) => [memberId, []]))
}

/** By topic name and partition number. */
export function allPartitions(counts: PartitionCounts): TopicPartition[] {
  const partitions: TopicPartition[] = []
  for (const [topic, count] of counts)
    for (let partition = 0; partition < count; partition++) partitions.push({ topic, partition })
  return partitions.sort(comparePartitions)
}
