/**
 * The record batch that ends a transaction in a partition: one control record, whose key says whether it was committed.
 *
 * ```
 * key => version type (0 abort, 1 commit)        value => version coordinator_epoch
 * ```
 *
 * @see https://cwiki.apache.org/confluence/display/KAFKA/KIP-98
 */
import { crc32c } from '../../kafka/protocol/crc32c.ts'
import {
  ATTRIBUTES,
  BASE_SEQUENCE,
  BASE_TIMESTAMP,
  BATCH_LENGTH,
  CONTROL_BIT,
  CRC,
  HEADER_BYTES,
  LENGTH_OVERHEAD,
  MAGIC,
  MAX_TIMESTAMP,
  PRODUCER_EPOCH,
  PRODUCER_ID,
  RECORD_COUNT,
  TRANSACTIONAL_BIT,
} from '../../kafka/protocol/record-batch.ts'

/** Length, attributes, two deltas, lengths of key and value, key of 4 bytes, value of 6, no headers. */
const RECORD = Buffer.from([32, 0, 0, 0, 8, 0, 0, 0, 0, 12, 0, 0, 0, 0, 0, 0, 0])
const TYPE = 8
const COORDINATOR_EPOCH = 12

export function markerBatch(
  producerId: number,
  producerEpoch: number,
  commit: boolean,
  coordinatorEpoch: number,
  nowMs: number,
): Buffer {
  const batch = Buffer.alloc(HEADER_BYTES + RECORD.length)
  batch.writeInt32BE(batch.length - LENGTH_OVERHEAD, BATCH_LENGTH)
  batch[MAGIC] = 2
  batch.writeInt16BE(CONTROL_BIT | TRANSACTIONAL_BIT, ATTRIBUTES)
  batch.writeBigInt64BE(BigInt(nowMs), BASE_TIMESTAMP)
  batch.writeBigInt64BE(BigInt(nowMs), MAX_TIMESTAMP)
  batch.writeBigInt64BE(BigInt(producerId), PRODUCER_ID)
  batch.writeInt16BE(producerEpoch, PRODUCER_EPOCH)
  batch.writeInt32BE(-1, BASE_SEQUENCE)
  batch.writeInt32BE(1, RECORD_COUNT)
  RECORD.copy(batch, HEADER_BYTES)
  batch[HEADER_BYTES + TYPE] = commit ? 1 : 0
  batch.writeInt32BE(coordinatorEpoch, HEADER_BYTES + COORDINATOR_EPOCH)
  batch.writeUInt32BE(crc32c(batch, ATTRIBUTES, batch.length), CRC)
  return batch
}

/** What a marker of `markerBatch` says. */
export function readMarker(batch: Buffer): { readonly commit: boolean; readonly coordinatorEpoch: number } {
  return {
    commit: batch[HEADER_BYTES + TYPE] === 1,
    coordinatorEpoch: batch.readInt32BE(HEADER_BYTES + COORDINATOR_EPOCH),
  }
}
