/** The errors of records that a broker refuses: of those that it names, and of those beside them. */
import type { BrokerError, MillraceError } from '../../errors/index.ts'
import type { ProducedPartition } from '../protocol/produce.ts'
import type { ProducerBatch } from './partition-queue.ts'
import { deliveryError } from './reports.ts'

/** For the end of a message: what the answers to earlier attempts leave open. */
export function unknownOf({ ambiguous }: Pick<ProducerBatch, 'ambiguous'>): string {
  return ambiguous ? '; it is unknown whether an earlier attempt was written' : ''
}

/** For what is not sent again, because records before it were not written. */
export function refusedBehind(batch: Pick<ProducerBatch, 'queue' | 'ambiguous'>, cause: unknown): MillraceError {
  const text = `earlier records of its partition were not written${unknownOf(batch)}`
  return deliveryError(batch.queue, text, { code: 'REFUSED_WITH_BATCH', cause })
}

/** By index in the batch. */
export type RecordErrors = ReadonlyMap<number, MillraceError>

/**
 * The errors of the records that the broker names, with its words.
 * @param isLeftOut whether their transaction goes on without them
 */
export function refusedRecords(
  batch: ProducerBatch,
  { recordErrors, errorMessage }: ProducedPartition,
  cause: MillraceError,
  isLeftOut: boolean,
): RecordErrors {
  const { queue, count } = batch
  const refused = new Map<number, MillraceError>()
  for (const { index, message } of recordErrors) {
    if (index < 0 || index >= count) continue
    const text = `the broker refused the record: ${message ?? errorMessage ?? 'without a reason'}${unknownOf(batch)}`
    refused.set(index, deliveryError(queue, text, { cause, isLeftOut }))
  }
  return refused
}

/** The error of all other records of the batch. */
export function refusedBeside(
  batch: ProducerBatch,
  { errorMessage }: ProducedPartition,
  cause: MillraceError,
  refused: RecordErrors,
): MillraceError {
  const { queue } = batch
  const unknown = unknownOf(batch)
  return refused.size === 0
    ? deliveryError(queue, `${errorMessage ?? 'the broker refused the record'}${unknown}`, { cause })
    : deliveryError(queue, `other records of the same batch were refused by the broker${unknown}`, {
        code: 'REFUSED_WITH_BATCH',
        cause,
      })
}

/** The error of a record that is too large by itself. */
export function tooLarge(batch: ProducerBatch, cause: BrokerError, isLeftOut: boolean): MillraceError {
  const limit = cause.kafkaName === 'RECORD_LIST_TOO_LARGE' ? 'segment.bytes' : 'max.message.bytes'
  const text = `the broker refused a record batch of ${batch.closed!.end} bytes with one record: raise ${limit} of the topic${unknownOf(batch)}`
  return deliveryError(batch.queue, text, { code: 'RECORD_TOO_LARGE', cause, isLeftOut })
}
