/** Where records go, and the transactions of a sink that has them. */
import type { Batch } from '../records/batch.ts'
import type { SchemaUse } from './schemas.ts'
import type { Preparing } from './preparing.ts'
import type { GroupOffsets } from './offsets.ts'
import type { Check } from './source.ts'

/** Transactions of a sink. One is always open, and what is written while it is being committed belongs to the next one. */
export interface SinkTransactions {
  /**
   * Whether `abort` goes on as somebody new when this one was fenced. Only where nobody else can have its name: then it was the
   * coordinator that lost patience, and nobody has taken over (I5).
   */
  readonly renewable: boolean
  /** Milliseconds after which the coordinator aborts a transaction. */
  readonly timeoutMs?: number | undefined
  /**
   * Commits everything written so far together with the offsets, which are asked for when all of it is acknowledged (I5).
   * One call at a time. @returns the offsets
   * @throws what failed: abort; {TransactionError} with `fatal` this sink may never write again
   */
  commit(offsets: () => Promise<GroupOffsets>, signal: AbortSignal): Promise<GroupOffsets>
  /**
   * Aborts everything that was written and not committed, and begins a new transaction.
   * @returns `committed` when a commit that was not answered turned out to have happened
   * @throws {TransactionError} with `fatal`; {ConnectionError}
   */
  abort(signal: AbortSignal): Promise<'aborted' | 'committed'>
}

/** What the acknowledgements of a sink do not promise, as sentences without a period. */
export interface Weakness {
  /** How records that it acknowledged can be lost. */
  readonly loss?: string | undefined
  /** How they can be written twice although nothing was restarted. */
  readonly repetition?: string | undefined
}

/** Where records go. */
export interface Sink extends Preparing {
  /** Codec of its values, by name. */
  readonly valueCodec: string
  /** Codec of the keys that stages make, by name; text when omitted. */
  readonly keyCodec?: string | undefined
  /** What their codecs need, where they write schemas. */
  readonly valueSchema?: SchemaUse | undefined
  readonly keySchema?: SchemaUse | undefined
  /** Field of the document, below dots, that becomes the key. The codecs write it. */
  readonly keyField?: string | undefined
  /** Write `_meta` into every document. */
  readonly includeMeta: boolean
  /** Whether it looks at documents itself, for instance to take the key from a field. */
  readonly needsDocuments: boolean
  /** All that it looks at in the outermost object of a value; undefined where that is not known. Then documents may hold no more. */
  readonly fields?: readonly string[] | undefined
  /** Where records go, as a sentence without a period; for `explain`. */
  readonly partitions: string
  /** The same of records to which a stage has given a key; undefined where that makes no difference. */
  readonly partitionsByKey?: string | undefined
  /** Whether it can forward whole record batches of Kafka as they are. */
  readonly writesRecordBatches: boolean
  /** Why it copies records of which it writes no record batches whole, as a sentence without a period; for `explain`. */
  readonly copies?: string | undefined
  /** Which of its options do not apply to record batches that are forwarded, as a sentence without a period; for `explain`. */
  readonly unforwarded?: string | undefined
  /** What its acknowledgements do not promise; undefined where everything that it acknowledged is kept, once and in order. For `explain`. */
  readonly weakness?: Weakness | undefined
  /** Whether all that follows a failed record in its partition fails with it, so that writes may overlap and be tried again in order. */
  readonly failsInOrder?: boolean
  /** Whether nothing of a batch is read any more when `write` has resolved, so that its memory can be freed (`Batch.release`). */
  readonly copiesBatches?: boolean
  /** Only in a pipeline with `exactly_once`. */
  readonly transactions?: SinkTransactions | undefined
  /**
   * Whether what was written counts only after `flush`, as with a file that appears when it is complete. Acknowledgements
   * are then held back until the end (I1); stage graphs only.
   */
  readonly completesAtEnd?: boolean
  /** What `millrace check` asks for, instead of `open`; `close` comes after it. Nothing is written. */
  checks?(): readonly Check[]
  /** Puts into a batch what it writes in place of what was read, for instance keys. `write` does so itself; previews only do this. */
  fill?(batch: Batch): void
  open(signal: AbortSignal): Promise<void>
  /**
   * Writes the rows of a batch and resolves when all of them are acknowledged (I1). May be called again before earlier
   * calls have resolved; order is kept per partition.
   *
   * @throws {BatchError} which rows failed; the others were delivered. Anything else says that the batch may still be under way, where
   *   there is `giveUp`: to write the very same batch again is to wait for it again
   */
  write(batch: Batch, signal: AbortSignal): Promise<void>
  /**
   * Ends what is still under way of a batch, so that none of it is sent any more.
   * @returns whether anything was under way; all of it is written then
   * @throws {BatchError} which rows were not written, or may not have been
   */
  readonly giveUp?: ((batch: Batch) => Promise<boolean>) | undefined
  /** Sends at once what is waiting and resolves when everything written so far is acknowledged. */
  flush(signal: AbortSignal): Promise<void>
  /** Lets go of everything at once; what was not flushed is given up. May be called twice. */
  close(): Promise<void>
  progress(): SinkProgress
}

export interface SinkProgress {
  readonly records: number
  readonly bytes: number
  /** What stands in the way of writing at the moment, as part of a sentence; undefined while nothing does. */
  readonly problem?: string | undefined
}
