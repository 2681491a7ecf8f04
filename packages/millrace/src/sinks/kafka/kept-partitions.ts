/**
 * Whether records keep the partition that they came from: when both topics have equally many. That is decided once per source
 * topic, as records of one key must not change their partition in the middle of a run.
 */
import type { BatchOrigin } from '../../records/batch.ts'

export class KeptPartitions {
  readonly #topic: string
  readonly #count: number
  readonly #warn: (message: string, facts: { readonly [name: string]: unknown }) => void
  /** By reader and topic. */
  readonly #isKept = new Map<symbol | undefined, Map<string, boolean>>()
  readonly #grown = new Set<string>()

  /** @param count partitions of the topic that is written to */
  constructor(
    topic: string,
    count: number,
    warn: (message: string, facts: { readonly [name: string]: unknown }) => void,
  ) {
    this.#topic = topic
    this.#count = count
    this.#warn = warn
  }

  /** Whether the records of a batch are written to the partition that they were read from. */
  keeps({ topic, partition, partitionCount, reader }: BatchOrigin): boolean {
    let topics = this.#isKept.get(reader)
    if (topics === undefined) this.#isKept.set(reader, (topics = new Map()))
    let isKept = topics.get(topic)
    if (isKept === undefined) topics.set(topic, (isKept = partitionCount === this.#count))
    if (!isKept) return false
    if (partition < this.#count) return true
    if (!this.#grown.has(topic)) {
      this.#grown.add(topic)
      this.#warn(
        `Add partitions to topic "${this.#topic}" and restart the run: topic "${topic}" has grown, and records of its partitions from ${this.#count} on cannot keep their partition. They are distributed by key, so records with the same key may end up in two partitions`,
        { topic, partition, partitions: this.#count },
      )
    }
    return false
  }
}
