/**
 * Which offsets may be committed: per partition the end of the unbroken run of acknowledged batches.
 *
 * The fetching side calls `assign`, then `track` and `skip` in the order of offsets; batches are acknowledged in any
 * order; the committing side asks for `committable` and reports `committed`. There is no I/O in here, and no work per
 * record: a small object per batch, or per part of one that was split, in a linked list per partition.
 */
import {
  type Acknowledgement,
  type AcknowledgementParts,
  DivisibleAcknowledgement,
  NO_ACKNOWLEDGEMENT,
} from '../../../records/acknowledgement.ts'
import { AbortedError, UnexpectedError } from '../../../errors/index.ts'
import { keyOf, type PartitionOffset, type TopicPartition } from '../../topic-partition.ts'
import type { FollowedPartition } from './followed-partition.ts'

export interface CommittableOffset extends PartitionOffset {
  /** Id of the topic that was read: the offset means nothing in another one of the same name. */
  readonly topicId?: string
  /** Epoch of the leader that wrote the record before, as far as it is known. */
  readonly leaderEpoch?: number
  /** What is committed with the offset. */
  readonly metadata?: string
}

export class OffsetLedger {
  /** Called when a committable offset has moved: by acknowledgements, over offsets that hold nothing behind them, or to another position. */
  onAdvance: () => void = () => {}
  readonly #partitions = new Map<string, TrackedPartition>()
  /** By the objects that `committable` returned. */
  readonly #givenBy = new WeakMap<PartitionOffset, TrackedPartition>()
  readonly #waiting = new Set<() => void>()
  readonly metadataOf: (topic: string) => string | undefined

  /** @param metadataOf what is committed with the offsets of a topic */
  constructor(metadataOf: (topic: string) => string | undefined = () => undefined) {
    this.metadataOf = metadataOf
  }

  /**
   * Begins to follow a partition at a position (the next offset to read). A new call for the same partition starts anew:
   * acknowledgements of batches that were delivered before do nothing.
   *
   * @param isCommitted whether the position counts as committed; otherwise it is committable at once
   * @param topicId of the topic, where it is known
   */
  assign(topic: string, partition: number, position: number, isCommitted = true, topicId?: string): void {
    const key = keyOf(topic, partition)
    const before = this.#partitions.get(key)
    before?.forget()
    const committed = isCommitted ? position : NOTHING
    const tracked = new TrackedPartition(topic, partition, position, committed, topicId, this)
    tracked.isRecreated = before?.isRecreated === true || (before?.topicId ?? topicId) !== topicId
    this.#partitions.set(key, tracked)
    this.onDrained()
    if (!isCommitted) this.onAdvance()
  }

  /**
   * Registers a batch that is delivered, offsets `firstOffset` to `lastOffset` inclusive. Batches of a partition come in
   * order; gaps between them are allowed.
   *
   * @returns marks the batch, or parts of it; does nothing when the partition is not followed (any more) (I3)
   * @throws {UnexpectedError} for offsets before the end of an earlier batch, which would break I2
   */
  track(topic: string, partition: number, firstOffset: number, lastOffset: number): Acknowledgement {
    const tracked = this.#partitions.get(keyOf(topic, partition))
    return tracked === undefined ? VOID : tracked.track(firstOffset, lastOffset)
  }

  /** Takes back what was tracked from an offset on, as it is to be delivered later; `track` goes on there. An acknowledgement that covers it must be split there. */
  untrack(topic: string, partition: number, offset: number): void {
    this.#partitions.get(keyOf(topic, partition))?.untrack(offset)
  }

  /**
   * Goes back to an offset from which on the log is another one: what was tracked behind it does not count any more, and what lies
   * before it is waited for as before (I2).
   */
  goBack(topic: string, partition: number, offset: number): void {
    this.#partitions.get(keyOf(topic, partition))?.goBack(offset)
  }

  /**
   * Moves on over offsets that hold nothing to deliver, such as control batches and aborted transactions, so that commits
   * can pass them. Counts once everything before is acknowledged (I2).
   */
  skip(topic: string, partition: number, nextOffset: number): void {
    this.#partitions.get(keyOf(topic, partition))?.skip(nextOffset)
  }

  /** What lies at an offset and behind it was written by a leader of this epoch; -1 when it is not known. */
  reachEpoch(topic: string, partition: number, from: number, epoch: number): void {
    this.#partitions.get(keyOf(topic, partition))?.reachEpoch(from, epoch)
  }

  /** Partitions whose committable offset, the one after the last of the unbroken run of acknowledgements, is ahead of what was committed (I1, I2). */
  committable(partitions?: readonly TopicPartition[]): CommittableOffset[] {
    const offsets: CommittableOffset[] = []
    for (const tracked of this.#select(partitions)) {
      const { topic, partition, acknowledged, topicId } = tracked
      if (acknowledged <= tracked.committed) continue
      const leaderEpoch = tracked.epochBefore(acknowledged)
      const metadata = this.metadataOf(topic)
      const offset = {
        topic,
        partition,
        offset: acknowledged,
        ...(leaderEpoch < 0 ? {} : { leaderEpoch }),
        ...(topicId === undefined ? {} : { topicId }),
        ...(metadata === undefined ? {} : { metadata }),
      }
      this.#givenBy.set(offset, tracked)
      offsets.push(offset)
    }
    return offsets
  }

  /**
   * Records a successful commit. An offset that this ledger did not give out since `assign` is passed over; one that comes from
   * `committable` counts for the assignment that it is of, even when that has ended meanwhile.
   */
  committed(offsets: readonly PartitionOffset[]): void {
    for (const each of offsets) {
      const { topic, partition, offset } = each
      const tracked = this.#givenBy.get(each) ?? this.#partitions.get(keyOf(topic, partition))
      if (tracked !== undefined && offset > tracked.committed && offset <= tracked.acknowledged)
        tracked.committed = offset
    }
  }

  /** What is known of a partition; undefined when it is not followed. Says how far it was committed even after it was forgotten. */
  followed(topic: string, partition: number): FollowedPartition | undefined {
    return this.#partitions.get(keyOf(topic, partition))
  }

  /** Number of batches, or parts of batches, that were delivered and are not acknowledged. */
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

  /** Forgets partitions, or all: acknowledgements that come later do nothing, and there is nothing of them to commit (I3). */
  revoke(partitions?: readonly TopicPartition[]): void {
    this.revocation(partitions)()
  }

  /** As `revoke`, but carried out later, when a partition may have been assigned anew: that assignment stays. */
  revocation(partitions: readonly TopicPartition[] | undefined): () => void {
    const going = [...this.#select(partitions)]
    return () => {
      for (const tracked of going) {
        const key = keyOf(tracked.topic, tracked.partition)
        if (this.#partitions.get(key) === tracked) this.#partitions.delete(key)
        tracked.forget()
      }
      this.onDrained()
    }
  }

  /** Called whenever a partition may have come to have nothing outstanding. */
  onDrained(): void {
    for (const check of this.#waiting) check()
  }

  #select(partitions: readonly TopicPartition[] | undefined): Iterable<TrackedPartition> {
    if (partitions === undefined) return this.#partitions.values()
    return partitions.flatMap(({ topic, partition }) => this.#partitions.get(keyOf(topic, partition)) ?? [])
  }
}

/** Less than any offset. */
const NOTHING = -1

/** Of a partition that is not followed. */
const VOID: Acknowledgement = { ack() {}, split: () => [VOID, VOID], isVoid: true }

/** A run of offsets that is acknowledged as one. */
class Span {
  /** The offset after what was tracked. */
  end: number
  /** The offset after the gap that follows it. */
  nextOffset: number
  isAcknowledged = false
  following: Span | undefined

  constructor(end: number, nextOffset: number, following: Span | undefined) {
    this.end = end
    this.nextOffset = nextOffset
    this.following = following
  }
}

class TrackedPartition implements FollowedPartition {
  readonly topic: string
  readonly partition: number
  readonly topicId: string | undefined
  /** Offset after the unbroken run of acknowledged batches. */
  acknowledged: number
  committed: number
  outstanding = 0
  isRecreated = false
  /** Offset after everything that was tracked or skipped. */
  end: number
  /** First span that is not acknowledged; everything up to `#tail` follows it. */
  #head: Span | undefined
  #tail: Span | undefined
  #isLive = true
  /** Epochs of leaders, and the offset from which on each of them wrote; nearly always one. */
  readonly #epochs: { readonly from: number; readonly epoch: number }[] = []
  readonly #ledger: Pick<OffsetLedger, 'onAdvance' | 'onDrained'>

  constructor(
    topic: string,
    partition: number,
    position: number,
    committed: number,
    topicId: string | undefined,
    ledger: Pick<OffsetLedger, 'onAdvance' | 'onDrained'>,
  ) {
    this.topic = topic
    this.partition = partition
    this.topicId = topicId
    this.acknowledged = position
    this.committed = committed
    this.end = position
    this.#ledger = ledger
  }

  get isLive(): boolean {
    return this.#isLive
  }

  reachEpoch(from: number, epoch: number): void {
    if (this.#epochs.at(-1)?.epoch === epoch) return
    // Those before the last that ended within what is acknowledged are not asked for any more.
    while (this.#epochs.length > 1 && this.#epochs[1]!.from < this.acknowledged) this.#epochs.shift()
    this.#epochs.push({ from, epoch })
  }

  /** Epoch of the leader that wrote the record before an offset; -1 when it is not known. */
  epochBefore(offset: number): number {
    return this.#epochs.findLast(({ from }) => from < offset)?.epoch ?? -1
  }

  track(firstOffset: number, lastOffset: number): Acknowledgement {
    if (firstOffset < this.end || lastOffset < firstOffset) {
      throw new UnexpectedError(
        `Cannot track offsets ${firstOffset} to ${lastOffset} of ${this.topic}-${this.partition} as batches must come in order: expected ${this.end} or later`,
      )
    }
    const span = new Span(lastOffset + 1, lastOffset + 1, undefined)
    this.end = lastOffset + 1
    this.outstanding++
    if (this.#tail === undefined) this.#head = span
    else this.#tail.following = span
    this.#tail = span
    return new TrackedRange(this, span, firstOffset)
  }

  untrack(offset: number): void {
    let last: Span | undefined
    let span = this.#head
    for (; span !== undefined && span.end <= offset; span = span.following) last = span
    for (; span !== undefined; span = span.following) {
      if (!span.isAcknowledged) this.outstanding--
      span.isAcknowledged = true // so that its acknowledgement does nothing
    }
    if (last === undefined) this.#head = undefined
    else last.following = undefined
    this.#tail = last
    this.end = offset
    if (this.outstanding === 0) this.#ledger.onDrained()
  }

  goBack(offset: number): void {
    if (offset >= this.end) return
    let span = this.#head
    for (; span !== undefined && span.end <= offset; span = span.following)
      span.nextOffset = Math.min(span.nextOffset, offset)
    if (span !== undefined) this.cut(span, offset)
    this.untrack(offset)
    if (this.acknowledged <= offset) return
    this.acknowledged = offset
    this.committed = NOTHING
    this.#ledger.onAdvance()
  }

  skip(nextOffset: number): void {
    if (nextOffset <= this.end) return
    this.end = nextOffset
    // Behind a batch that is under way the gap becomes part of that batch, and waits with it.
    if (this.#tail !== undefined) this.#tail.nextOffset = nextOffset
    else {
      this.acknowledged = nextOffset
      this.#ledger.onAdvance()
    }
  }

  acknowledge(span: Span): void {
    if (span.isAcknowledged) return
    span.isAcknowledged = true
    if (!this.#isLive) return // I3
    this.outstanding--
    const isFirst = this.#head === span
    while (this.#head?.isAcknowledged === true) {
      this.acknowledged = this.#head.nextOffset // I2: only from the head, so never past an unacknowledged span
      this.#head = this.#head.following
    }
    if (this.#head === undefined) this.#tail = undefined
    if (isFirst) this.#ledger.onAdvance()
    if (this.outstanding === 0) this.#ledger.onDrained()
  }

  /** Cuts a span before an offset: the span keeps what lies before. @returns the rest */
  cut(span: Span, offset: number): Span {
    const rest = new Span(span.end, span.nextOffset, span.following)
    span.end = span.nextOffset = offset
    span.following = rest
    this.outstanding++
    if (this.#tail === span) this.#tail = rest
    return rest
  }

  forget(): void {
    this.#isLive = false
    this.outstanding = 0
    this.#head = undefined
    this.#tail = undefined
  }
}

/** The acknowledgement of a span. */
class TrackedRange extends DivisibleAcknowledgement {
  readonly #partition: TrackedPartition
  readonly #span: Span
  readonly #firstOffset: number

  constructor(partition: TrackedPartition, span: Span, firstOffset: number) {
    super()
    this.#partition = partition
    this.#span = span
    this.#firstOffset = firstOffset
  }

  get isVoid(): boolean {
    return !this.#partition.isLive
  }

  protected acknowledge(): void {
    this.#partition.acknowledge(this.#span)
  }

  protected divide(offset: number): AcknowledgementParts {
    if (this.isVoid) return [VOID, VOID]
    if (this.#span.isAcknowledged) return [NO_ACKNOWLEDGEMENT, NO_ACKNOWLEDGEMENT]
    const whole = new TrackedRange(this.#partition, this.#span, this.#firstOffset)
    if (offset <= this.#firstOffset) return [NO_ACKNOWLEDGEMENT, whole]
    if (offset >= this.#span.end) return [whole, NO_ACKNOWLEDGEMENT]
    const rest = this.#partition.cut(this.#span, offset)
    return [whole, new TrackedRange(this.#partition, rest, offset)]
  }
}
