/** What happens to a batch before its synchronous steps. */
import type { Batch } from '../records/batch.ts'

/** @returns undefined when there is nothing to wait for, which costs nothing */
export type Prepare = (batch: Batch, signal: AbortSignal) => Promise<void> | undefined

/**
 * What may have to wait for something outside of the process before it can work on a batch: a codec for a schema, for instance.
 *
 * Decoding, stages and encoding are synchronous, so that in a transaction nothing comes between them; whatever they need is
 * fetched here, ahead of them.
 */
export interface Preparing {
  /**
   * Called for every batch before anything else is done with it, one batch after the other. What is wrong with single records is
   * not reported here, but by `decode` and `encode`, as the error policy is about them.
   * @throws {MillraceError} why the run, or the attempt of a transaction, cannot go on
   */
  prepare?: Prepare | undefined
}

/** The preparations of several parts as one; undefined where none of them has any. Each part counts once. */
export function preparing(parts: Iterable<Preparing | undefined>): Prepare | undefined {
  const preparations = [...new Set(parts)].flatMap((part) =>
    part?.prepare === undefined ? [] : (batch: Batch, signal: AbortSignal) => part.prepare!(batch, signal),
  )
  const [only, ...more] = preparations
  if (more.length === 0) return only
  return (batch, signal) => {
    const waits = preparations.flatMap((prepare) => prepare(batch, signal) ?? [])
    return waits.length === 0 ? undefined : Promise.all(waits).then(() => {})
  }
}
