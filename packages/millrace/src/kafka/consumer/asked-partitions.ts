/**
 * The partitions that one fetch request names, and how its answer names them.
 */
import type { FetchPartitionRequest, FetchTopicRequest } from '../protocol/fetch.ts'
import type { PartitionFetch } from './partition-fetch.ts'

interface AskedTopic extends FetchTopicRequest {
  readonly partitions: FetchPartitionRequest[]
  readonly fetches: Map<number, PartitionFetch>
}

export class AskedPartitions {
  readonly all: readonly PartitionFetch[]
  readonly #topics = new Map<string, AskedTopic>()
  /** By name and, as answers name them from version 13 on, by id. */
  readonly #named = new Map<string, AskedTopic>()

  /**
   * @param topicId id of a topic, where it has one
   * @param leaderEpoch epoch of a partition's leader; -1 when it is not known
   * @param maxBytes most that is asked for of each partition
   */
  constructor(
    all: readonly PartitionFetch[],
    topicId: (topic: string) => string | undefined,
    leaderEpoch: (topic: string, partition: number) => number,
    maxBytes: number,
  ) {
    this.all = all
    for (const fetch of all) {
      const { topic, partition, position } = fetch
      let asked = this.#topics.get(topic)
      if (asked === undefined) {
        asked = { name: topic, id: topicId(topic), partitions: [], fetches: new Map() }
        this.#topics.set(topic, asked)
        this.#named.set(topic, asked)
        if (asked.id !== undefined) this.#named.set(asked.id, asked)
      }
      const epoch = leaderEpoch(topic, partition)
      fetch.asked = position
      fetch.validatedEpoch = Math.max(fetch.validatedEpoch, epoch)
      asked.partitions.push({ partition, leaderEpoch: epoch, offset: position, maxBytes })
      asked.fetches.set(partition, fetch)
    }
  }

  get topics(): readonly FetchTopicRequest[] {
    return [...this.#topics.values()]
  }

  /** The partition that an answer names so. */
  get(topic: string, partition: number): PartitionFetch | undefined {
    return this.#named.get(topic)?.fetches.get(partition)
  }
}
