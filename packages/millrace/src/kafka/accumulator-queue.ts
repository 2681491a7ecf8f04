/**
 * The batches of one partition in their order: one is being filled, others wait, others have been sent.
 *
 * Order is kept like this: batches are sent in the order in which they were closed, several at a time. As soon as one
 * of those that were sent has to be sent again, nothing new goes out; when no request with this partition is under way
 * any more, what was sent and not acknowledged is sent again one by one, oldest first.
 */
import type { ProducerBatch } from './producer-batch.ts'
import type { Destination } from './producer-reports.ts'
import type { IdentityOwner } from './sequences.ts'
import { NO_IDENTITY, PartitionSequence } from './sequences.ts'

export class PartitionQueue implements Destination {
  readonly index: number
  readonly topic: string
  readonly partition: number
  readonly sequence: PartitionSequence = new PartitionSequence()
  /** The batch that is being filled. */
  open: ProducerBatch | undefined
  /** Closed and not yet sent. */
  readonly waiting: ProducerBatch[] = []
  /** Sent and not yet settled, in order of their sequences; those that are not in flight have to be sent again. */
  readonly sent: ProducerBatch[] = []
  inFlight = 0
  readonly #owner: IdentityOwner | undefined

  /** @param owner of the identities; undefined without idempotence */
  constructor(index: number, topic: string, partition: number, owner: IdentityOwner | undefined) {
    this.index = index
    this.topic = topic
    this.partition = partition
    this.#owner = owner
    if (owner === undefined) {
      this.sequence.begin(NO_IDENTITY)
      this.sequence.established = true
    }
  }

  get isIdempotent(): boolean {
    return this.#owner !== undefined
  }

  /** The batch that may be sent now, if there is one. */
  get sendable(): ProducerBatch | undefined {
    if (this.sent.length > this.inFlight) return this.inFlight === 0 ? this.sent[0] : undefined
    if (this.inFlight > 0 && (this.sequence.broken || !this.sequence.established)) return undefined
    return this.waiting[0]
  }

  /**
   * Marks the sendable batch as sent and gives it its sequence.
   * @returns false when an identity is still being asked for
   */
  send(batch: ProducerBatch): boolean {
    const { sequence } = this
    const isRetry = this.sent[0] === batch
    // After a gap: what may have been written is tried once more under its old sequence, as only the leader knows.
    // Everything behind a batch that was certainly not written was not written either.
    const { identity: known } = sequence
    if (
      known === undefined ||
      this.#owner?.isCurrent(known) === false ||
      (sequence.broken && !(isRetry && batch.ambiguous))
    ) {
      const identity = this.#owner!.identityAfter(known)
      if (identity === undefined) return false
      sequence.begin(identity)
      for (const each of this.sent) {
        each.sequence = sequence.take(each.count)
        each.ambiguous = false
      }
    }
    if (!isRetry) {
      this.waiting.shift()
      batch.sequence = sequence.take(batch.count)
      this.sent.push(batch)
    }
    batch.inFlight = true
    batch.attempts++
    this.inFlight++
    return true
  }

  /** The answer to a batch has come, or will never come. */
  answered(batch: ProducerBatch): void {
    batch.inFlight = false
    this.inFlight--
  }

  /** Forgets a batch that is settled. */
  remove(batch: ProducerBatch): void {
    const list = this.sent.includes(batch) ? this.sent : this.waiting
    const at = list.indexOf(batch)
    if (at >= 0) list.splice(at, 1)
  }

  /** Forgets a batch that will never be written; those behind it start a new epoch. */
  lose(batch: ProducerBatch): void {
    if (batch.sequence >= 0 && this.isIdempotent) this.sequence.broken = true
    this.remove(batch)
  }

  /** Puts the parts of a batch that was too large in its place; they use up its sequences. */
  replace(batch: ProducerBatch, parts: readonly ProducerBatch[]): void {
    let { sequence } = batch
    for (const part of parts) {
      part.sequence = sequence
      sequence = (sequence + part.count) & 0x7fffffff
    }
    this.sent.splice(this.sent.indexOf(batch), 1, ...parts)
  }
}
