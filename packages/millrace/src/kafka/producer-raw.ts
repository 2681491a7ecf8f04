/**
 * Forwards whole record batches still compressed: only their headers are rewritten.
 */
import { type Batch, type RawRecordBatches } from '../batch.ts'
import { CONTROL_BIT, ATTRIBUTES, HEADER_BYTES, LAST_OFFSET_DELTA, LOG_APPEND_TIME_BIT, MAGIC, RECORD_COUNT } from './protocol/record-batch.ts'

/** Below this average it is better to gather the records of several batches: a request takes one batch per partition. */
const WORTH_FORWARDING_BYTES = 4096

/**
 * The record batches of a batch when all of them can be forwarded as they are; undefined when the records have to be
 * written one by one.
 *
 * A batch with gaps (compaction leaves them) cannot be: its sequences would not match its offsets. Nor can one with
 * LogAppendTime, whose timestamps are not in the records, one that is larger than a request, and many small ones.
 */
export function forwardable(batch: Batch, maxRequestBytes: number): RawRecordBatches | undefined {
  const { raw } = batch
  if (raw === undefined) return undefined
  const { bytes, ranges } = raw
  let total = 0
  for (let i = 0; i < ranges.length; i += 2) {
    const start = ranges[i]!
    const size = ranges[i + 1]! - start
    if (size < HEADER_BYTES || size > maxRequestBytes || bytes[start + MAGIC] !== 2) return undefined
    const count = bytes.readInt32BE(start + RECORD_COUNT)
    if (count <= 0 || bytes.readInt32BE(start + LAST_OFFSET_DELTA) !== count - 1) return undefined
    if ((bytes[start + ATTRIBUTES + 1]! & (CONTROL_BIT | LOG_APPEND_TIME_BIT)) !== 0) return undefined
    total += size
  }
  return total < WORTH_FORWARDING_BYTES * (ranges.length / 2) ? undefined : raw
}
