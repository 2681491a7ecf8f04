/**
 * How many partitions each topic had when its group began to read it: those behind them appeared later, and are read from their beginning.
 *
 * The group remembers it in the metadata of its commits, as members come and go: an owner that dies before its first commit leaves no
 * other trace of a partition that appeared.
 */
import type { AssignedPartition } from '../../group/contract.ts'

const METADATA = /^partitions=(\d{1,9})$/

export class PartitionCounts {
  readonly #counts = new Map<string, number>()

  /** The count of a topic; more than any partition when it is not known. */
  of(topic: string): number {
    return this.#counts.get(topic) ?? Infinity
  }

  set(topic: string, count: number): void {
    this.#counts.set(topic, count)
  }

  /** Partitions from this one on are newer than was known. */
  lower(topic: string, count: number): void {
    this.#counts.set(topic, Math.min(count, this.of(topic)))
  }

  /** Takes over what members before have left in their commits. @returns the topics of which they have */
  learn(found: readonly AssignedPartition[]): Set<string> {
    const learnt = new Set<string>()
    for (const { topic, metadata = '' } of found) {
      const count = METADATA.exec(metadata)?.[1]
      if (count === undefined) continue
      this.lower(topic, Number(count))
      learnt.add(topic)
    }
    return learnt
  }

  /** What a commit says of a topic; undefined when nothing is known of it. */
  metadataOf(topic: string): string | undefined {
    const count = this.#counts.get(topic)
    return count === undefined ? undefined : `partitions=${count}`
  }
}
