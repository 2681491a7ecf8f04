/**
 * The error of a delivery that ends a run names the record as it was read: a sink knows only what it was given.
 */
import { counted } from '../../options/units.ts'
import { BatchError, DeliveryError, RecordError, type MillraceError } from '../../errors/index.ts'
import { isFaultOfRecord } from '../../errors/meaning.ts'
import type { Batch } from '../../records/batch.ts'
import { sourcesOf } from '../../records/sources.ts'

/**
 * Names the first record that a sink refused for its own sake.
 *
 * @param error what the sink threw for this batch
 * @returns the same error where no single record is to blame
 */
export function namingRecord(error: unknown, batch: Batch): unknown {
  if (!(error instanceof BatchError)) return error
  const refused = [...error.failures].find(([, reason]) => isFaultOfRecord(reason))
  if (refused === undefined) return error
  const [row, reason] = refused
  const [source] = sourcesOf(batch, row)
  const { topic, partition } = source!.batch
  const offset = source!.batch.offset(source!.row)
  const named = nameOf(reason, { topic, partition, offset })
  // The one that is reported comes first.
  const failures = new Map<number, MillraceError>([[row, named], ...error.failures, [row, named]])
  const where = `offset ${offset} of partition ${partition} of "${topic}"`
  const first = failures.size === 1 ? where : `the first is ${where}`
  return new BatchError(`Cannot write ${failures.size} of ${counted(batch.length, 'record')}: ${first}`, failures, {
    cause: error,
  })
}

function nameOf(
  reason: MillraceError,
  place: { readonly topic: string; readonly partition: number; readonly offset: bigint },
): MillraceError {
  const { message, code } = reason
  const component = reason instanceof RecordError ? reason.component : undefined
  const details = { ...place, component, cause: reason }
  return reason instanceof DeliveryError
    ? new DeliveryError(message, { ...details, code: code as 'RECORD_TOO_LARGE' })
    : new RecordError(code, message, details)
}
