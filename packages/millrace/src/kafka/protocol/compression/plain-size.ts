/**
 * How many bytes the records of a batch may decompress to, found without decompressing them: exact where the codec says it, else
 * the most that its blocks can hold.
 *
 * @see https://www.rfc-editor.org/rfc/rfc1952 (gzip) and https://www.rfc-editor.org/rfc/rfc8878 (zstd)
 */
import type { Codec } from './codecs.ts'
import { mostLz4Bytes } from './lz4.ts'
import { snappyBytes } from './snappy.ts'

/** Bytes of the size, at the end of a gzip member. */
const GZIP_TRAILER = 4
const ZSTD_MAGIC = 0xfd2fb528
const ZSTD_BLOCK_HEADER = 3
const ZSTD_BLOCK_BYTES = 128 * 1024
const ZSTD_RAW = 0
const ZSTD_RLE = 1

/** Most bytes that come out. Bytes that are malformed count as themselves: to decompress them is to find out. */
export function mostPlainBytes(codec: Codec, bytes: Buffer): number {
  try {
    switch (codec) {
      case 'none':
        return bytes.length
      case 'gzip':
        return bytes.readUInt32LE(bytes.length - GZIP_TRAILER)
      case 'snappy':
        return snappyBytes(bytes)
      case 'lz4':
        return mostLz4Bytes(bytes)
      case 'zstd':
        return mostZstdBytes(bytes)
    }
  } catch {
    return bytes.length
  }
}

function mostZstdBytes(bytes: Buffer): number {
  let most = 0
  let position = 0
  while (position < bytes.length) {
    if (bytes.readUInt32LE(position) !== ZSTD_MAGIC) return bytes.length
    const descriptor = bytes[position + 4]!
    const isSingleSegment = (descriptor & 0x20) !== 0
    const sizeFlag = descriptor >>> 6
    const sizeBytes = sizeFlag === 0 ? (isSingleSegment ? 1 : 0) : 1 << sizeFlag
    position += 5 + (isSingleSegment ? 0 : 1) + [0, 1, 2, 4][descriptor & 3]!
    const told = sizeBytes === 0 ? Infinity : readSize(bytes, position, sizeBytes)
    position += sizeBytes
    let held = 0
    for (let isLast = false; !isLast;) {
      const header = bytes.readUIntLE(position, ZSTD_BLOCK_HEADER)
      const type = (header >>> 1) & 3
      const size = header >>> 3
      isLast = (header & 1) !== 0
      held += type === ZSTD_RAW || type === ZSTD_RLE ? size : ZSTD_BLOCK_BYTES
      position += ZSTD_BLOCK_HEADER + (type === ZSTD_RLE ? 1 : size)
    }
    if ((descriptor & 4) !== 0) position += 4
    // What the frame says of itself, as long as its blocks can hold it.
    most += Math.min(held, told)
  }
  return most
}

function readSize(bytes: Buffer, position: number, size: number): number {
  if (size === 8) return Number(bytes.readBigUInt64LE(position))
  return bytes.readUIntLE(position, size) + (size === 2 ? 256 : 0)
}
