/**
 * What this member owns, and the talk with the listener about it. Both protocols go through here, so that the order of
 * revoking, losing and assigning is the same whoever decides on the assignment.
 */
import { sleep } from '../../resilience/retry.ts'
import { keyOf, type TopicPartition } from '../topic-partition.ts'
import type { AssignedPartition, GroupListener } from './contract.ts'

interface OwnedPartition extends TopicPartition {
  /** Counts assignments, so that a partition that went and came back is not taken for one that stayed. */
  readonly tenure: number
}

export class Ownership {
  readonly #listener: GroupListener
  readonly #drainMs: number
  readonly #owned = new Map<string, OwnedPartition>()
  #tenures = 0

  /** @param drainMs how long the listener has to drain revoked partitions */
  constructor(listener: GroupListener, drainMs: number) {
    this.#listener = listener
    this.#drainMs = drainMs
  }

  get partitions(): readonly TopicPartition[] {
    return [...this.#owned.values()].map(({ topic, partition }) => ({ topic, partition }))
  }

  /** Which assignment of a partition this is; undefined when it is not owned. */
  tenure(topic: string, partition: number): number | undefined {
    return this.#owned.get(keyOf(topic, partition))?.tenure
  }

  /** What has to go and what is new when `target` is to be owned. */
  compare(target: readonly TopicPartition[]): { revoked: TopicPartition[]; added: TopicPartition[] } {
    const wanted = new Set(target.map(({ topic, partition }) => keyOf(topic, partition)))
    return {
      revoked: this.partitions.filter(({ topic, partition }) => !wanted.has(keyOf(topic, partition))),
      added: target.filter(({ topic, partition }) => !this.#owned.has(keyOf(topic, partition))),
    }
  }

  /** Has partitions drained and committed, then lets go of them, whatever the listener does (I3). @throws what the listener throws */
  async revoke(partitions: readonly TopicPartition[]): Promise<void> {
    if (partitions.length === 0) return
    const going = partitions.map(({ topic, partition }) => this.#owned.get(keyOf(topic, partition)))
    const late = new AbortController()
    try {
      // Rejects or resolves for the listener; the sleep ends with it and only bounds it.
      await Promise.race([
        this.#listener.onRevoked(partitions, this.#drainMs),
        sleep(this.#drainMs * 1.5, late.signal).catch(() => {}),
      ])
    } finally {
      late.abort()
      for (const each of going) {
        if (each !== undefined && this.tenure(each.topic, each.partition) === each.tenure)
          this.#owned.delete(keyOf(each.topic, each.partition))
      }
    }
  }

  /** @throws what the listener throws */
  async assign(partitions: readonly AssignedPartition[]): Promise<void> {
    this.#tenures++
    for (const { topic, partition } of partitions)
      this.#owned.set(keyOf(topic, partition), { topic, partition, tenure: this.#tenures })
    await this.#listener.onAssigned(partitions)
  }

  /** Everything is gone already: nothing may be committed any more (I3). */
  lose(): void {
    const lost = this.partitions
    this.#owned.clear()
    if (lost.length > 0) this.#listener.onLost(lost)
  }
}
