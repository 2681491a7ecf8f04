/**
 * Transaction markers: a control batch holds one record, whose key says how the transaction of the batch's producer
 * ended.
 *
 * Key, version 0: `version: int16, type: int16`; later versions may only add fields.
 *
 * @see https://kafka.apache.org/documentation/#controlbatch
 */
import { KEY, KEY_LENGTH } from '../../records/batch.ts'
import { FetchedRecords } from './locate-records.ts'
import { corruptRecord, type RecordBatchReader } from './record-batch.ts'

export const ABORT_MARKER = 0
export const COMMIT_MARKER = 1

/**
 * Type of the control batch that a reader stands on: `ABORT_MARKER`, `COMMIT_MARKER`, or a type that clients ignore.
 *
 * @returns undefined for a batch that compaction has emptied
 * @throws {CorruptRecordError}
 */
export function readControlType(reader: RecordBatchReader): number | undefined {
  if (reader.count === 0) return undefined
  const { bytes, topic, partition, baseOffset } = reader
  const records = new FetchedRecords({
    topic,
    partition,
    bytes,
    ranges: Int32Array.of(reader.start, reader.end),
    fromOffset: 0,
  }).locate()
  const key = records.fields[KEY]!
  const length = records.fields[KEY_LENGTH]!
  const version = length < 4 ? -1 : records.bytes.readInt16BE(key)
  if (version < 0)
    throw corruptRecord(
      `Cannot read the transaction marker at offset ${baseOffset}`,
      `its key must hold a version and a type: current length is ${length}`,
      topic,
      partition,
      baseOffset,
    )
  return records.bytes.readInt16BE(key + 2)
}
