/** Offsets of a source that somebody else commits, in a transaction of a sink for instance. */
import type { CommittablePart } from '../records/cut-off.ts'

/** Offsets of a consumer group, on their way into a transaction of the sink. */
export interface GroupOffsets {
  readonly groupId: string
  /** The offsets after what was taken, per partition. */
  readonly offsets: readonly {
    readonly topic: string
    readonly partition: number
    readonly offset: number
    /** Epoch of the leader that wrote the record before, as far as it is known. */
    readonly leaderEpoch?: number
    /** What is committed with the offset. */
    readonly metadata?: string
  }[]
  /** As whom they are committed, asked anew for each attempt; undefined as soon as one of the partitions is no longer owned (I3). */
  member():
    | { readonly memberId: string; readonly generation: number; readonly instanceId: string | undefined }
    | undefined
  /** Waits a moment for a generation after this one, which the broker has come to already. */
  awaitGeneration(generation: number): Promise<void>
  /** Called when the broker does not know one of the topics: looks whether they are still the same, which `member` says afterwards. */
  lookForTopics?(): Promise<void>
}

/** Asked by a source that does not commit by itself when partitions go. Neither may throw. */
export interface ReleaseListener {
  /** Everything read from them was acknowledged: commit it before they are given back (I3). @returns when nothing more is to be done about it */
  commit(signal: AbortSignal): Promise<void>
  /** What was read from them and not committed must not be committed any more (I3). */
  lost(): void
}

/** Offsets of a source that others can commit. In a pipeline with `exactly_once` it commits none by itself. */
export interface SourceOffsets {
  /** Name that this member of the group keeps over a restart; undefined when it has none. */
  readonly member: string | undefined
  /** Offsets of everything acknowledged and not committed yet. */
  taken(): GroupOffsets
  /** Takes note that these were committed. */
  committed(offsets: GroupOffsets): void
  /** Goes back to the committed offsets of what is owned; acknowledgements of what was delivered do nothing any more. */
  rewind(signal: AbortSignal): Promise<void>
  onRelease(listener: ReleaseListener): void
  /** Acknowledges a batch, or its first part, and commits it before it is written (`at_most_once`). @returns whether that succeeded; else somebody else may get it */
  commitBefore(part: CommittablePart): Promise<boolean>
}
