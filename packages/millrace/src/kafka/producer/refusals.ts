/** The errors of records that a broker refuses: of those that it names, and of those beside them. */
import type { MillraceError } from '../../errors/index.ts'
import type { ProducedPartition } from '../protocol/produce.ts'
import type { ProducerBatch } from './partition-queue.ts'
import { deliveryError } from './reports.ts'

/** By index in the batch. */
export type RecordErrors = ReadonlyMap<number, MillraceError>

/**
 * The errors of the records that the broker names, with its words.
 * @param isLeftOut whether their transaction goes on without them
 */
export function refusedRecords(
  { queue, count }: ProducerBatch,
  { recordErrors, errorMessage }: ProducedPartition,
  cause: MillraceError,
  isLeftOut: boolean,
): RecordErrors {
  const refused = new Map<number, MillraceError>()
  for (const { index, message } of recordErrors) {
    if (index < 0 || index >= count) continue
    const text = `the broker refused the record: ${message ?? errorMessage ?? 'without a reason'}`
    refused.set(index, deliveryError(queue, text, { cause, isLeftOut }))
  }
  return refused
}

/** The error of all other records of the batch. */
export function refusedBeside(
  { queue }: ProducerBatch,
  { errorMessage }: ProducedPartition,
  cause: MillraceError,
  refused: RecordErrors,
): MillraceError {
  return refused.size === 0
    ? deliveryError(queue, errorMessage ?? 'the broker refused the record', { cause })
    : deliveryError(queue, 'other records of the same batch were refused by the broker', {
        code: 'REFUSED_WITH_BATCH',
        cause,
      })
}

/** The error of a record that is too large by itself. */
export function tooLarge({ queue, closed }: ProducerBatch, cause: MillraceError, isLeftOut: boolean): MillraceError {
  const text = `the broker refused a record batch of ${closed!.end} bytes with one record: raise max.message.bytes of the topic`
  return deliveryError(queue, text, { code: 'RECORD_TOO_LARGE', cause, isLeftOut })
}
