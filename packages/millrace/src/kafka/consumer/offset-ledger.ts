/**
 * Which offsets may be committed: per partition the end of the unbroken run of acknowledged batches.
 *
 * The fetching side calls `assign`, then `track` and `skip` in the order of offsets; batches are acknowledged in any
 * order; the committing side asks for `committable` and reports `committed`. There is no I/O in here, and no work per
 * record: one small object per batch, in a linked list per partition.
 */
import { NO_ACKNOWLEDGEMENT } from '../../records/acknowledgement.ts'
import type { Acknowledgement } from '../../records/batch.ts'
import { AbortedError, UnexpectedError } from '../../errors/index.ts'
import { keyOf, type PartitionOffset, type TopicPartition } from '../topic-partition.ts'

export class OffsetLedger {
  readonly #partitions = new Map<string, TrackedPartition>()
  readonly #waiting = new Set<() => void>()

  /**
   * Begins to follow a partition at a position (the next offset to read). A new call for the same partition starts anew:
   * acknowledgements of batches that were handed out before do nothing.
   *
   * @param isCommitted whether the position counts as committed; otherwise it is committable at once
   */
  assign(topic: string, partition: number, position: number, isCommitted = true): void {
    const key = keyOf(topic, partition)
    this.#partitions.get(key)?.forget()
    const committed = isCommitted ? position : NOTHING
    this.#partitions.set(key, new TrackedPartition(topic, partition, position, committed, this.#onDrained))
    this.#onDrained()
  }

  /**
   * Registers a batch that is handed out, offsets `firstOffset` to `lastOffset` inclusive. Batches of a partition come in
   * order; gaps between them are allowed.
   *
   * @returns marks the batch; does nothing when the partition is not followed (any more) (I3)
   * @throws {UnexpectedError} for offsets before the end of an earlier batch, which would break I2
   */
  track(topic: string, partition: number, firstOffset: number, lastOffset: number): Acknowledgement {
    const tracked = this.#partitions.get(keyOf(topic, partition))
    return tracked === undefined ? NO_ACKNOWLEDGEMENT : tracked.track(firstOffset, lastOffset)
  }

  /**
   * Moves on over offsets that hold nothing to deliver, such as control batches and aborted transactions, so that commits
   * can pass them. Counts once everything before is acknowledged (I2).
   */
  skip(topic: string, partition: number, nextOffset: number): void {
    this.#partitions.get(keyOf(topic, partition))?.skip(nextOffset)
  }

  /** Partitions whose committable offset, the one after the last of the unbroken run of acknowledgements, is ahead of what was committed (I1, I2). */
  committable(partitions?: readonly TopicPartition[]): PartitionOffset[] {
    const offsets: PartitionOffset[] = []
    for (const { topic, partition, acknowledged, committed } of this.#select(partitions)) {
      if (acknowledged > committed) offsets.push({ topic, partition, offset: acknowledged })
    }
    return offsets
  }

  /** Takes note of a successful commit. An offset that this ledger did not give out since `assign` is passed over. */
  committed(offsets: readonly PartitionOffset[]): void {
    for (const { topic, partition, offset } of offsets) {
      const tracked = this.#partitions.get(keyOf(topic, partition))
      if (tracked !== undefined && offset > tracked.committed && offset <= tracked.acknowledged)
        tracked.committed = offset
    }
  }

  /** Where a restart would begin; undefined when the partition is not followed. */
  committedOffset(topic: string, partition: number): number | undefined {
    return this.#partitions.get(keyOf(topic, partition))?.committed
  }

  /** Number of batches that were handed out and are not acknowledged. */
  outstanding(partitions?: readonly TopicPartition[]): number {
    let count = 0
    for (const tracked of this.#select(partitions)) count += tracked.outstanding
    return count
  }

  /**
   * Resolves when no batch of these partitions, or of all, is unacknowledged any more. Partitions that are revoked
   * meanwhile are not waited for.
   * @throws {AbortedError} when the signal fires first
   */
  drained(partitions: readonly TopicPartition[] | undefined, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const check = (): void => {
        if (this.outstanding(partitions) > 0) return
        stop()
        resolve()
      }
      const onAbort = (): void => {
        stop()
        reject(new AbortedError('Waiting for acknowledgements', { cause: signal.reason }))
      }
      const stop = (): void => {
        this.#waiting.delete(check)
        signal.removeEventListener('abort', onAbort)
      }
      if (this.outstanding(partitions) === 0) return resolve()
      if (signal.aborted) return onAbort()
      this.#waiting.add(check)
      signal.addEventListener('abort', onAbort, { once: true })
    })
  }

  /** Forgets partitions: acknowledgements that come later do nothing, and there is nothing of them to commit (I3). */
  revoke(partitions: readonly TopicPartition[]): void {
    this.revocation(partitions)()
  }

  /** As `revoke`, but carried out later, when a partition may have been assigned anew: that assignment stays. */
  revocation(partitions: readonly TopicPartition[]): () => void {
    const going = [...this.#select(partitions)]
    return () => {
      for (const tracked of going) {
        const key = keyOf(tracked.topic, tracked.partition)
        if (this.#partitions.get(key) === tracked) this.#partitions.delete(key)
        tracked.forget()
      }
      this.#onDrained()
    }
  }

  /** Called whenever a partition may have come to have nothing outstanding. */
  readonly #onDrained = (): void => {
    for (const check of this.#waiting) check()
  }

  #select(partitions: readonly TopicPartition[] | undefined): Iterable<TrackedPartition> {
    if (partitions === undefined) return this.#partitions.values()
    return partitions.flatMap(({ topic, partition }) => this.#partitions.get(keyOf(topic, partition)) ?? [])
  }
}

/** Less than any offset. */
const NOTHING = -1

class TrackedPartition {
  readonly topic: string
  readonly partition: number
  /** Offset after the unbroken run of acknowledged batches. */
  acknowledged: number
  committed: number
  outstanding = 0
  /** Offset after everything that was tracked or skipped. */
  #end: number
  /** First batch that is not acknowledged; everything up to `#tail` follows it. */
  #head: TrackedBatch | undefined
  #tail: TrackedBatch | undefined
  #live = true
  readonly #onDrained: () => void

  constructor(topic: string, partition: number, position: number, committed: number, onDrained: () => void) {
    this.topic = topic
    this.partition = partition
    this.acknowledged = position
    this.committed = committed
    this.#end = position
    this.#onDrained = onDrained
  }

  track(firstOffset: number, lastOffset: number): Acknowledgement {
    if (firstOffset < this.#end || lastOffset < firstOffset) {
      throw new UnexpectedError(
        `Cannot track offsets ${firstOffset} to ${lastOffset} of ${this.topic}-${this.partition} as batches must come in order: expected ${this.#end} or later`,
      )
    }
    const batch = new TrackedBatch(this, lastOffset + 1)
    this.#end = lastOffset + 1
    this.outstanding++
    if (this.#tail === undefined) this.#head = batch
    else this.#tail.following = batch
    this.#tail = batch
    return batch
  }

  skip(nextOffset: number): void {
    if (nextOffset <= this.#end) return
    this.#end = nextOffset
    // Behind a batch that is under way the gap becomes part of that batch, and waits with it.
    if (this.#tail === undefined) this.acknowledged = nextOffset
    else this.#tail.nextOffset = nextOffset
  }

  /** Called by a batch when it is acknowledged for the first time. */
  onAcknowledged(): void {
    if (!this.#live) return // I3
    this.outstanding--
    while (this.#head?.isAcknowledged === true) {
      this.acknowledged = this.#head.nextOffset // I2: only from the head, so never past an unacknowledged batch
      this.#head = this.#head.following
    }
    if (this.#head === undefined) this.#tail = undefined
    if (this.outstanding === 0) this.#onDrained()
  }

  forget(): void {
    this.#live = false
    this.outstanding = 0
    this.#head = undefined
    this.#tail = undefined
  }
}

class TrackedBatch implements Acknowledgement {
  isAcknowledged = false
  nextOffset: number
  following: TrackedBatch | undefined
  readonly #partition: TrackedPartition

  constructor(partition: TrackedPartition, nextOffset: number) {
    this.#partition = partition
    this.nextOffset = nextOffset
  }

  ack(): void {
    if (this.isAcknowledged) return
    this.isAcknowledged = true
    this.#partition.onAcknowledged()
  }
}
