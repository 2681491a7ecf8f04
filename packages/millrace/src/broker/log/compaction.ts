/**
 * Compaction: keeps the last record of each key. Offsets stay, so gaps appear; batches from which nothing is taken stay as they
 * are, and the others are written uncompressed.
 */
import { setImmediate } from 'node:timers/promises'
import { crc32c } from '../../kafka/protocol/crc32c.ts'
import {
  ATTRIBUTES,
  BATCH_LENGTH,
  CODEC_MASK,
  CONTROL_BIT,
  CRC,
  HEADER_BYTES,
  LENGTH_OVERHEAD,
  PRODUCER_ID,
  readInt64,
  RECORD_COUNT,
  TRANSACTIONAL_BIT,
} from '../../kafka/protocol/record-batch.ts'
import type { PartitionLog } from './partition-log.ts'
import { readRecords, type StoredRecord } from './records.ts'
import type { StoredBatch } from './segments.ts'

/** So many bytes are read in one go. */
const SLICE_BYTES = 1024 * 1024

/**
 * Compacts the stable records before an offset. A record without a value stays until consumers have had `delete.retention.ms` to see
 * it.
 *
 * @param upTo records from it on stay as they are
 */
export async function compact(log: PartitionLog, nowMs: number, upTo = Infinity): Promise<void> {
  const before = Math.min(log.lastStableOffset, upTo)
  const stable: { batch: StoredBatch; records: StoredRecord[] | undefined }[] = []
  const last = new Map<string, number>()
  let bytes = 0
  for (const batch of log.batches()) {
    bytes += batch.bytes.length
    // Clients are served meanwhile.
    if (bytes > SLICE_BYTES) bytes = await setImmediate(0)
    const readable = batch.lastOffset < before && !isControl(batch.bytes) && !isAborted(log, batch)
    const records = readable ? await readRecords(batch.bytes) : undefined
    stable.push({ batch, records })
    for (const { key, offset } of records ?? []) if (key !== null) last.set(key.toString('latin1'), offset)
  }
  const kept: StoredBatch[] = []
  for (const { batch, records } of stable) {
    if (records === undefined) {
      kept.push(batch)
      continue
    }
    const left = records.filter(
      (record) =>
        record.key === null ||
        (last.get(record.key.toString('latin1')) === record.offset && !isOver(record, log, nowMs)),
    )
    if (left.length === records.length) kept.push(batch)
    else if (left.length > 0) kept.push({ ...batch, bytes: rewritten(batch.bytes, left) })
  }
  log.replace(kept, before)
}

/** Whether a record without a value has been there long enough. The time begins when compaction first meets it. */
function isOver({ value, offset }: StoredRecord, log: PartitionLog, nowMs: number): boolean {
  if (value !== null) return false
  const untilMs = log.tombstones.get(offset)
  if (untilMs === undefined) log.tombstones.set(offset, nowMs + log.settings.cleaning.deleteRetentionMs)
  return untilMs !== undefined && nowMs >= untilMs
}

export function isControl(batch: Buffer): boolean {
  return (batch.readInt16BE(ATTRIBUTES) & CONTROL_BIT) !== 0
}

/** Whether a batch belongs to a transaction that was aborted. */
export function isAborted(log: PartitionLog, { bytes, baseOffset }: StoredBatch): boolean {
  if ((bytes.readInt16BE(ATTRIBUTES) & TRANSACTIONAL_BIT) === 0) return false
  const producer = readInt64(bytes, PRODUCER_ID)
  return log
    .abortedIn(baseOffset, baseOffset + 1)
    .some(
      ({ producerId, firstOffset, lastOffset }) =>
        producerId === producer && firstOffset <= baseOffset && baseOffset < lastOffset,
    )
}

function rewritten(batch: Buffer, records: readonly StoredRecord[]): Buffer {
  const bytes = Buffer.concat([batch.subarray(0, HEADER_BYTES), ...records.map((record) => record.bytes)])
  bytes.writeInt32BE(bytes.length - LENGTH_OVERHEAD, BATCH_LENGTH)
  bytes.writeInt16BE(bytes.readInt16BE(ATTRIBUTES) & ~CODEC_MASK, ATTRIBUTES)
  bytes.writeInt32BE(records.length, RECORD_COUNT)
  bytes.writeUInt32BE(crc32c(bytes, ATTRIBUTES, bytes.length), CRC)
  return bytes
}
