/** The committed offsets of a group. */
import type { CommittedOffset } from './committed-offset.ts'
import type { OffsetChange, OffsetsEnded, StoredOffsets } from '../storage/changes.ts'

export class GroupOffsets {
  readonly #topics = new Map<string, Map<number, CommittedOffset>>()
  /** Offsets of transactions that are still open, by their producer. */
  readonly #pending = new Map<
    number,
    { readonly topic: string; readonly partition: number; readonly committed: CommittedOffset }[]
  >()
  readonly #record: (change: OffsetChange | OffsetsEnded) => void

  /** @param record called with each change before it is made; the offsets of a topic that is deleted go with the topic */
  constructor(record: (change: OffsetChange | OffsetsEnded) => void = () => {}) {
    this.#record = record
  }

  /** Takes over what was kept. */
  restore({ committed, held }: StoredOffsets): void {
    for (const { topic, partition, committed: offset } of committed.values())
      if (offset !== null) this.#set(topic, partition, offset)
    for (const { topic, partition, committed: offset, producerId } of held)
      if (offset !== null && producerId !== undefined) this.#hold(producerId, topic, partition, offset)
  }

  get(topic: string, partition: number): CommittedOffset | undefined {
    return this.#topics.get(topic)?.get(partition)
  }

  set(topic: string, partition: number, committed: CommittedOffset): void {
    this.#record({ is: 'offset', topic, partition, committed })
    this.#set(topic, partition, committed)
  }

  #set(topic: string, partition: number, committed: CommittedOffset): void {
    let partitions = this.#topics.get(topic)
    if (partitions === undefined) this.#topics.set(topic, (partitions = new Map()))
    partitions.set(partition, committed)
  }

  /** Holds an offset back until the transaction of a producer ends. */
  hold(producerId: number, topic: string, partition: number, committed: CommittedOffset): void {
    this.#record({ is: 'offset', topic, partition, committed, producerId })
    this.#hold(producerId, topic, partition, committed)
  }

  #hold(producerId: number, topic: string, partition: number, committed: CommittedOffset): void {
    const held = this.#pending.get(producerId)
    if (held === undefined) this.#pending.set(producerId, [{ topic, partition, committed }])
    else held.push({ topic, partition, committed })
  }

  /** Ends the transaction of a producer: what it held back becomes visible, or is dropped. */
  end(producerId: number, commit: boolean): void {
    const held = this.#pending.get(producerId)
    if (held === undefined) return
    this.#record({ is: 'offsets-ended', producerId, commit })
    this.#pending.delete(producerId)
    if (commit) for (const { topic, partition, committed } of held) this.#set(topic, partition, committed)
  }

  /** Whether an open transaction has an offset for a partition. */
  isUnstable(topic: string, partition: number): boolean {
    for (const held of this.#pending.values())
      if (held.some((offset) => offset.topic === topic && offset.partition === partition)) return true
    return false
  }

  delete(topic: string, partition: number): void {
    const partitions = this.#topics.get(topic)
    if (partitions?.has(partition) !== true) return
    this.#record({ is: 'offset', topic, partition, committed: null })
    partitions.delete(partition)
    if (partitions.size === 0) this.#topics.delete(topic)
  }

  deleteTopic(topic: string): void {
    this.#topics.delete(topic)
  }

  get isEmpty(): boolean {
    return this.#topics.size === 0 && this.#pending.size === 0
  }

  /** All offsets, by topic. */
  all(): { readonly topic: string; readonly partitions: readonly number[] }[] {
    return [...this.#topics].map(([topic, partitions]) => ({ topic, partitions: [...partitions.keys()] }))
  }
}
