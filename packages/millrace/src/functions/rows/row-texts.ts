/** The rows of a batch as sinks write them that write text: one that cannot be written leaves the others alone. */
import { BatchError, EncodeError, type MillraceError } from '../../errors/index.ts'
import { counted } from '../../options/units.ts'
import type { Batch } from '../../records/batch.ts'
import { rowText } from './kafka-rows.ts'

/** Rows that cannot be written, by their index. */
export type FailedRows = Map<number, MillraceError>

/**
 * Passes the JSON of each row of a batch to a function, until that wants no more.
 *
 * @param failures takes the rows that JSON cannot hold; undefined where the first one is thrown
 * @throws {EncodeError} without `failures`, before anything else of the batch is written
 */
export function eachRowText(
  batch: Batch,
  failures: FailedRows | undefined,
  take: (text: string, row: number) => boolean,
): void {
  for (let row = 0; row < batch.length; row++) {
    let text: string
    try {
      text = rowText(batch, row)
    } catch (error) {
      if (failures === undefined || !(error instanceof EncodeError)) throw error
      failures.set(row, error)
      continue
    }
    if (!take(text, row)) return
  }
}

/** After the others were written. @throws {BatchError} where there are some */
export function throwFailed({ length }: Batch, failures: FailedRows | undefined): void {
  if (failures !== undefined && failures.size > 0)
    throw new BatchError(`Cannot write ${failures.size} of ${counted(length, 'row')}`, failures)
}
