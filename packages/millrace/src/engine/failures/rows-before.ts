import { RecordError } from '../../errors/index.ts'
import type { Batch } from '../../records/batch.ts'

/**
 * The rows of a batch, as they were read, before the record that an error is about: they are delivered before the run ends, so that
 * the next run begins with that record.
 * @returns undefined when there are none, or the error is not about a record of the batch
 */
export function partBeforeFailure(error: unknown, batch: Batch): Batch | undefined {
  const rows = rowsBeforeFailure(error, batch)
  return rows === undefined || rows === 0 ? undefined : batch.derive({ rows: batch.rows }).cut(rows)[0]
}

/** Number of rows before the record that an error is about; undefined when it is not about a record of the batch. */
export function rowsBeforeFailure(error: unknown, batch: Batch): number | undefined {
  if (!(error instanceof RecordError) || error.topic !== batch.topic || error.partition !== batch.partition)
    return undefined
  const { offsets } = batch.records
  for (let row = 0; row < batch.length; row++) if (offsets[batch.recordOf(row)] === Number(error.offset)) return row
  return undefined
}
