/** What is checked of a file of record batches when it is opened. */
import { crc32c } from '../../kafka/protocol/crc32c.ts'
import {
  ATTRIBUTES,
  BASE_OFFSET,
  BATCH_LENGTH,
  CRC,
  HEADER_BYTES,
  LAST_OFFSET_DELTA,
  LENGTH_OVERHEAD,
  MAGIC,
  readInt64,
} from '../../kafka/protocol/record-batch.ts'

export interface CheckedSegment {
  /** Length of the batches that are whole; the file may be longer. */
  readonly length: number
  /** Offset after the last record. */
  readonly endOffset: number
  /** Whether there is another batch behind what is not one: the file was damaged, and not just cut off. */
  readonly isDamaged: boolean
}

/** @param baseOffset of the first batch, at least */
export function checkSegment(bytes: Buffer, baseOffset: number): CheckedSegment {
  let position = 0
  let endOffset = baseOffset
  for (;;) {
    const size = batchAt(bytes, position, endOffset)
    if (size === undefined) break
    endOffset = readInt64(bytes, position + BASE_OFFSET) + bytes.readInt32BE(position + LAST_OFFSET_DELTA) + 1
    position += size
  }
  return { length: position, endOffset, isDamaged: hasBatchAfter(bytes, position, endOffset) }
}

/** @returns the size of the batch at a position; `undefined` when there is no whole one of these offsets */
function batchAt(bytes: Buffer, position: number, minOffset: number): number | undefined {
  if (bytes.length - position < HEADER_BYTES || bytes[position + MAGIC] !== 2) return undefined
  const size = LENGTH_OVERHEAD + bytes.readInt32BE(position + BATCH_LENGTH)
  if (size < HEADER_BYTES || size > bytes.length - position) return undefined
  if (readInt64(bytes, position + BASE_OFFSET) < minOffset || bytes.readInt32BE(position + LAST_OFFSET_DELTA) < 0)
    return undefined
  return bytes.readUInt32BE(position + CRC) === crc32c(bytes, position + ATTRIBUTES, position + size) ? size : undefined
}

function hasBatchAfter(bytes: Buffer, position: number, minOffset: number): boolean {
  for (let i = bytes.indexOf(2, position + MAGIC + 1); i !== -1; i = bytes.indexOf(2, i + 1))
    if (batchAt(bytes, i - MAGIC, minOffset) !== undefined) return true
  return false
}
