/** What a run in transactions is given to do, and what with; see `transactional-run.ts`. */
import type { Sink } from '../contracts/sink.ts'
import type { Source } from '../contracts/source.ts'
import type { Stage } from '../contracts/stage.ts'
import type { Meter } from '../metrics/counters.ts'
import type { Batch } from '../records/batch.ts'
import type { Pace } from '../resilience/pace.ts'
import type { ErrorHandling } from './failures/error-handling.ts'
import type { ActivityOfReader } from './watching/activity.ts'
import type { ReadingTime } from './watching/part-times.ts'

/** What is done with a batch. */
export interface Work {
  /**
   * Decode, stages, encode.
   * @param attemptEnded fires when the attempt is over: what is still under way must write nothing more, as it would become part of
   *   the next transaction, for which the batch is read again. Another one for each attempt
   * @returns writes what is left and resolves when it is acknowledged; undefined when nothing is left
   */
  begin(batch: Batch, attemptEnded: AbortSignal): (() => Promise<void>) | undefined
  /** Whether a batch may be written in several steps, for instance with dead letters: no commit may come between them. */
  readonly inSteps: boolean
  /** Whether what is begun waits for something, a service or a program, so that a transaction must not take much of it; with `inSteps`. */
  readonly waits?: boolean
  /** Rows that are begun together: of a larger batch slice by slice. */
  readonly pace: Pick<Pace, 'rows' | 'worked'>
  /** Whether the records of each batch are looked at, as is so unless they are forwarded. */
  readonly isLocated?: boolean
  /** What the error policy has disposed of counts when it is committed. */
  readonly errors?: Pick<ErrorHandling, 'committing' | 'aborted'>
}

/** What it needs of a pipeline: a source whose offsets others can commit, and a sink with transactions, both open. */
export interface TransactionalPipeline {
  readonly source: Pick<Source, 'batches' | 'offsets'>
  readonly sink: Pick<Sink, 'transactions'>
  readonly stages: { readonly list: readonly Pick<Stage, 'mark' | 'cutOff'>[]; readonly exhausted: boolean }
  /** Counts transactions. */
  readonly meter?: Meter | undefined
  /** Learns what the run waits for. */
  readonly activity?: ActivityOfReader | undefined
  /** Counts how long the source works. */
  readonly reading?: ReadingTime | undefined
}

/**
 * What is begun during a commit belongs to the next transaction. Writes wait for that by themselves; rows that are only skipped would be
 * acknowledged at once, and their offsets committed by a transaction that does not count them (I7).
 */
export function afterCommit(write: () => Promise<void>, committing: Promise<void> | undefined): () => Promise<void> {
  if (committing === undefined) return write
  return async () => {
    await write()
    await committing
  }
}
