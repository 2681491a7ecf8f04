import { RecordError } from '../../errors/index.ts'
import type { Batch } from '../../records/batch.ts'

/** Number of rows before the record that an error is about; 0 when it is not about a record of the batch. */
export function rowsBeforeFailure(error: unknown, batch: Batch): number {
  if (!(error instanceof RecordError) || error.topic !== batch.topic || error.partition !== batch.partition) return 0
  const { offsets } = batch.records
  for (let row = 0; row < batch.length; row++) if (offsets[batch.recordOf(row)] === Number(error.offset)) return row
  return 0
}
