/** A partition that a consumer reads, and how far it is. */
import { UnexpectedError } from '../../../errors/index.ts'
import type { BatchOrigin } from '../../../records/batch.ts'
import type { TopicTotals } from '../../../contracts/source.ts'
import type { TopicPartition } from '../../topic-partition.ts'
import { PARTITION_TRANSITIONS, type PartitionEvent, type PartitionState } from './partition-states.ts'
import type { Rest } from './rests.ts'

/** Where a partition is read. */
export interface ReadRange {
  /** How many partitions the topic has. */
  readonly partitionCount: number
  readonly position: number
  /** Epoch of the leader that wrote the record before; -1 when it is not known. */
  readonly epoch: number
  /** Where a bounded run stops; undefined in an endless one. */
  readonly end: number | undefined
  /** Whether the position is to be committed before anything was read, as nothing else says where the next owner has to begin. */
  readonly mustCommit: boolean
  /** Id of the topic in whose log the position is; undefined where it is not known. */
  readonly topicId: string | undefined
}

export class ConsumedPartition implements TopicPartition {
  readonly topic: string
  readonly partition: number
  /** What its batches say of themselves. */
  origin!: { readonly CreateTime: BatchOrigin; readonly LogAppendTime: BatchOrigin }
  /** Where reading began: the place to go back to while nothing is committed. */
  start = -1
  /** Whether that place is to be committed while nothing is. */
  mustCommit = false
  /** The offset after the last record handed out. */
  delivered = -1
  /** Where a bounded run stops; undefined in an endless one. */
  end: number | undefined
  /** Id of the topic that is read: one that is deleted and created again has another one. */
  topicId: string | undefined
  /** Whether the program has paused it. */
  isPaused = false
  /** Whether its reader has enough of it for the moment. */
  isHeld = false
  /** Timestamp of the newest record that was delivered; undefined before there was one. */
  newest: number | undefined
  /** What was read of its topic, in this partition and in others. */
  readonly totals: TopicTotals
  /** Where a program wants to read, while the partition is not positioned yet. */
  sought: number | undefined
  /** Rows that were fetched and are not delivered yet, as far as they are no longer with the fetcher; in order. */
  rests: readonly Rest[] = []
  /** Where their number is bounded: batches handed out that a transaction may give back, as the offset behind each and its records. */
  uncommitted: { readonly nextOffset: number; readonly records: number }[] = []
  #state: PartitionState = 'assigned'

  constructor(topic: string, partition: number, totals: TopicTotals) {
    this.topic = topic
    this.partition = partition
    this.totals = totals
  }

  /** Whether it is to be delivered at the moment. */
  get isServed(): boolean {
    return !this.isPaused && !this.isHeld
  }

  /** The offset after what was taken from the fetcher. */
  get taken(): number {
    return this.rests.at(-1)?.batch.range.nextOffset ?? this.delivered
  }

  get state(): PartitionState {
    return this.#state
  }

  /** @returns the state afterwards */
  on(event: PartitionEvent): PartitionState {
    const next = PARTITION_TRANSITIONS[this.#state][event]
    if (next === 'refused')
      throw new UnexpectedError(
        `Partition ${this.partition} of topic "${this.topic}" cannot be ${event} while it is ${this.#state}`,
      )
    return (this.#state = next)
  }
}
