/**
 * Since when a partition has not got past a record that was read: by looking once a second, so that nothing is counted per record.
 */
import type { PartitionStatus } from '../contracts/source.ts'

interface Seen {
  readonly done: number
  /** `performance.now()` */
  readonly since: number
}

export class HeldPartitions {
  #seen = new Map<string, Seen>()

  /** Once a second. @param now as `performance.now` returned it */
  look(partitions: Iterable<PartitionStatus>, now: number): void {
    const seen = new Map<string, Seen>()
    for (const { topic, partition, position, done } of partitions) {
      if (done === undefined || position === undefined || done >= position) continue
      const key = `${partition} ${topic}`
      const before = this.#seen.get(key)
      seen.set(key, before?.done === done ? before : { done, since: now })
    }
    this.#seen = seen
  }

  /** How long the first record that is not done has been waited for; undefined where everything that was read is done. */
  heldMs({ topic, partition }: Pick<PartitionStatus, 'topic' | 'partition'>, now: number): number | undefined {
    const seen = this.#seen.get(`${partition} ${topic}`)
    return seen && now - seen.since
  }
}
