/** Rows that a stage has cut off, as it lets nothing more through: they were delivered nowhere, so they must not be committed. */
import { type Acknowledgement, splitAt } from './acknowledgement.ts'
import type { Batch } from './batch.ts'
import { sourcesOf } from './sources.ts'

/**
 * The acknowledgement of a batch in two parts, before and from the first record that any of the rows was made of. Rows may be in
 * another order than they were read, and made of others, so what was delivered may lie behind that record, too: it is read again.
 *
 * @returns undefined when none of the rows was made of records of the batch
 */
export function splitAtCutOff(
  { topic, partition, acknowledgement, range }: Batch,
  cutOff: readonly Batch[],
): readonly [before: Acknowledgement, from: Acknowledgement] | undefined {
  let first = Infinity
  for (const rows of cutOff)
    for (let row = 0; row < rows.length; row++)
      for (const source of sourcesOf(rows, row)) {
        if (source.batch.topic !== topic || source.batch.partition !== partition) continue
        const offset = source.batch.records.offsets[source.batch.recordOf(source.row)]!
        if (offset >= range.firstOffset && offset <= range.lastOffset) first = Math.min(first, offset)
      }
  return first === Infinity ? undefined : splitAt(acknowledgement, first)
}
