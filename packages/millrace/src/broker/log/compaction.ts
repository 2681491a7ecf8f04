/**
 * Compaction: keeps the last record of each key. Offsets stay, so gaps appear; batches from which nothing is taken stay as they
 * are, and the others are written uncompressed.
 */
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

/** Compacts what is stable. Tombstones stay: a consumer may not have seen them. */
export async function compact(log: PartitionLog): Promise<void> {
  const before = log.lastStableOffset
  const stable: { batch: StoredBatch; records: StoredRecord[] | undefined }[] = []
  const last = new Map<string, number>()
  for (const batch of log.batches()) {
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
    const left = records.filter(({ key, offset }) => key === null || last.get(key.toString('latin1')) === offset)
    if (left.length === records.length) kept.push(batch)
    else if (left.length > 0) kept.push({ ...batch, bytes: rewritten(batch.bytes, left) })
  }
  log.replace(kept, before)
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
