/** Rows that were fetched of a partition and are not delivered yet. */
import type { Batch } from '../../../records/batch.ts'
import { numbersFrom } from '../../../records/rows.ts'

/** The rows of a batch from one on. */
export interface Rest {
  readonly batch: Batch
  readonly row: number
}

/** Those before an offset, as the log is another one from there on; the same list when that is all of them. */
export function restsBefore(rests: readonly Rest[], end: number): Rest[] {
  return rests.flatMap((rest) => {
    const { batch, row } = rest
    if (batch.range.nextOffset <= end) return rest
    let length = row
    while (length < batch.length && batch.records.offsets[batch.recordOf(length)]! < end) length++
    if (length === row) return []
    const rows = batch.rows?.slice(0, length) ?? numbersFrom(0, length)
    const { firstOffset } = batch.range
    return { batch: batch.derive({ rows, range: { firstOffset, lastOffset: end - 1, nextOffset: end } }), row }
  })
}
