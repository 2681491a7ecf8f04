/** Rows that a stage has cut off, as it lets nothing more through: they were delivered nowhere, so they must not be committed. */
import { type Acknowledgement, splitAt } from './acknowledgement.ts'
import type { Batch, RowSource } from './batch.ts'
import { sourcesOf } from './sources.ts'

/**
 * The acknowledgement of a batch in two parts, before and from the first record that any of the rows was made of. Rows may be in
 * another order than they were read, and made of others, so what was delivered may lie behind that record, too: it is read again.
 *
 * @returns undefined when none of the rows was made of records of the batch
 */
export function splitAtCutOff(
  batch: Batch,
  cutOff: readonly Batch[],
): readonly [before: Acknowledgement, from: Acknowledgement] | undefined {
  const first = firstCutOff(batch, cutOff)
  return first === Infinity ? undefined : splitAt(batch.acknowledgement, first)
}

/** The offset of the first record that any of the rows was made of: from there on the next run reads. `Infinity` when there is none. */
export function firstCutOff(batch: Batch, cutOff: readonly Batch[]): number {
  return spanOf(batch, cutOff).first
}

/** A part of a batch from its beginning, as it is committed. */
export type CommittablePart = Pick<Batch, 'topic' | 'partition' | 'acknowledgement' | 'nextOffset'>

/**
 * The part that is committed where nothing that was delivered may be read again: up to the last record that any of the delivered rows
 * was made of, and at least up to the first one that was cut off.
 *
 * @returns undefined when that is nothing
 */
export function deliveredPart(
  batch: Batch,
  delivered: readonly Batch[],
  failed: readonly RowSource[],
  cutOff: readonly Batch[],
): CommittablePart | undefined {
  const { first } = spanOf(batch, cutOff)
  if (first === Infinity) return batch
  let { last } = spanOf(batch, delivered)
  for (const source of failed) last = Math.max(last, offsetWithin(batch, source))
  return partBefore(batch, Math.max(first, last + 1))
}

/** The part of a batch before an offset. @returns undefined when there is none */
export function partBefore(batch: Batch, offset: number): CommittablePart | undefined {
  const { topic, partition, acknowledgement, range } = batch
  if (offset <= range.firstOffset) return undefined
  if (offset > range.lastOffset) return batch
  return { topic, partition, acknowledgement: splitAt(acknowledgement, offset)[0], nextOffset: BigInt(offset) }
}

const NOWHERE = -1

/** The first and the last record of a batch that any of some rows was made of. */
function spanOf(batch: Batch, rowsOf: readonly Batch[]): { readonly first: number; readonly last: number } {
  let first = Infinity
  let last = NOWHERE
  for (const rows of rowsOf)
    for (let row = 0; row < rows.length; row++)
      for (const source of sourcesOf(rows, row)) {
        const offset = offsetWithin(batch, source)
        if (offset === NOWHERE) continue
        first = Math.min(first, offset)
        last = Math.max(last, offset)
      }
  return { first, last }
}

/** The offset of a record; `NOWHERE` when it is not of this batch. */
function offsetWithin({ topic, partition, range, origin }: Batch, { batch, row }: RowSource): number {
  if (batch.topic !== topic || batch.partition !== partition || batch.origin.reader !== origin.reader) return NOWHERE
  const offset = batch.records.offsets[batch.recordOf(row)]!
  return offset >= range.firstOffset && offset <= range.lastOffset ? offset : NOWHERE
}
