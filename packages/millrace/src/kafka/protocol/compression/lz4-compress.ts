/**
 * Writes LZ4 frames: independent blocks of 64 KiB, without checksums, as Kafka's other clients do.
 *
 * @see https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md
 * @see https://github.com/lz4/lz4/blob/dev/doc/lz4_Block_format.md
 */
import { findMatches, MIN_MATCH } from './match-finder.ts'

/** Magic, version 1 with independent blocks, blocks of 64 KiB, and the checksum of these two bytes. */
const HEADER = Buffer.from([0x04, 0x22, 0x4d, 0x18, 0x60, 0x40, 0x82])
const BLOCK_BYTES = 64 * 1024
const LENGTH_BYTES = 4
/** Set in the length of a block that is stored as it is. */
const STORED_BIT = 0x80000000
/** The last bytes of a block are literals, and no copy starts in the last twelve. */
const TAIL = 12
/** From this count on it takes more bytes than the half of a token. */
const LONG = 15

/** One frame. */
export function compressLz4(bytes: Buffer): Buffer {
  const blocks = Math.ceil(bytes.length / BLOCK_BYTES)
  const out = Buffer.allocUnsafe(HEADER.length + (blocks + 1) * LENGTH_BYTES + bytes.length)
  HEADER.copy(out)
  let at = HEADER.length
  for (let start = 0; start < bytes.length; start += BLOCK_BYTES) {
    const end = Math.min(bytes.length, start + BLOCK_BYTES)
    const size = compressBlock(bytes, start, end, out, at + LENGTH_BYTES)
    if (size < 0) {
      bytes.copy(out, at + LENGTH_BYTES, start, end)
      out.writeUInt32LE(end - start + STORED_BIT, at)
      at += LENGTH_BYTES + end - start
    } else {
      out.writeUInt32LE(size, at)
      at += LENGTH_BYTES + size
    }
  }
  out.writeUInt32LE(0, at)
  return out.subarray(0, at + LENGTH_BYTES)
}

/** Compresses `bytes[start, end)` to `out[at, ...)`. @returns its size; -1 when it would not be smaller */
function compressBlock(bytes: Buffer, start: number, end: number, out: Buffer, at: number): number {
  const limit = at + end - start
  let to = at
  findMatches(bytes, start, end, TAIL, (literalStart, literalEnd, distance, length) => {
    const literals = literalEnd - literalStart
    const copied = length - MIN_MATCH
    // Token, both counts, distance. Once it does not fit, it never will.
    if (to < 0 || to + literals + literals / 255 + copied / 255 + 6 > limit) {
      to = -1
      return
    }
    out[to++] = (Math.min(literals, LONG) << 4) | (length === 0 ? 0 : Math.min(copied, LONG))
    if (literals >= LONG) to = writeCount(out, to, literals - LONG)
    if (literals > 64) bytes.copy(out, to, literalStart, literalEnd)
    else for (let i = 0; i < literals; i++) out[to + i] = bytes[literalStart + i]!
    to += literals
    if (length === 0) return
    out[to++] = distance & 255
    out[to++] = distance >>> 8
    if (copied >= LONG) to = writeCount(out, to, copied - LONG)
  })
  return to < 0 ? -1 : to - at
}

function writeCount(out: Buffer, at: number, count: number): number {
  let to = at
  for (let rest = count; ; rest -= 255) {
    if (rest < 255) {
      out[to++] = rest
      return to
    }
    out[to++] = 255
  }
}
