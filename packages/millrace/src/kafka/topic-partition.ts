/** Names of partitions, and offsets at them. May import nothing of ours. */

/** A partition of a topic. */
export interface TopicPartition {
  /** Name of the topic. */
  readonly topic: string
  /** Number of the partition, from 0 on. */
  readonly partition: number
}

/** The offset of the next record to read, as Kafka commits it. */
export interface PartitionOffset extends TopicPartition {
  readonly offset: number
}

/** One text per partition, for maps and sets. A slash cannot be part of a topic's name. */
export function keyOf(topic: string, partition: number): string {
  return `${topic}/${partition}`
}

/** Puts partitions of one topic together, topics in the order in which they first appear. */
export function byTopic<P extends TopicPartition>(partitions: Iterable<P>): Map<string, P[]> {
  const topics = new Map<string, P[]>()
  for (const each of partitions) {
    const known = topics.get(each.topic)
    if (known === undefined) topics.set(each.topic, [each])
    else known.push(each)
  }
  return topics
}

/** By topic name, then by partition number. */
export function comparePartitions(a: TopicPartition, b: TopicPartition): number {
  return a.topic < b.topic ? -1 : a.topic > b.topic ? 1 : a.partition - b.partition
}

/** The partitions alone, of objects that know more. */
export function placesOf(partitions: readonly TopicPartition[]): TopicPartition[] {
  return partitions.map(({ topic, partition }) => ({ topic, partition }))
}
