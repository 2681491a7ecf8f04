import type { ProducerEntry } from './producer-state.ts'

/** A file of record batches, and what is in it. */
export interface StoredSegment {
  readonly baseOffset: number
  readonly bytes: Buffer
}

/** What the batches that are left no longer show of a log, because compaction removed others. */
export interface LogHistory {
  /** Offset up to which it is about. */
  readonly endOffset: number
  readonly producers: readonly ProducerEntry[]
  readonly aborted: readonly AbortedTransaction[]
  readonly tombstones: readonly (readonly [offset: number, untilMs: number])[]
}

/** A transaction that was aborted: its first record, and its marker. */
export interface AbortedTransaction {
  readonly producerId: number
  readonly firstOffset: number
  readonly lastOffset: number
}

/**
 * The files of a partition, for brokers with a `directory`: one for each segment, in the same order. Every call has been given to the
 * operating system when it returns.
 */
export interface LogFiles {
  /** Begins the next file. */
  roll(baseOffset: number): void
  append(batch: Buffer): void
  dropOldest(): void
  /** Replaces all files. Either all of them are replaced, or none. */
  replace(segments: readonly StoredSegment[], history: LogHistory): void
  /** Records where the log begins, when that is not where its first file does. */
  startMoved(offset: number): void
}

/** What was found of a partition. */
export interface StoredLog {
  readonly segments: readonly StoredSegment[]
  readonly startOffset: number
  readonly history: LogHistory | undefined
}
