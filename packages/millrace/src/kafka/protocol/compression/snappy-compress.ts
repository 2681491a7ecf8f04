/**
 * Writes Snappy blocks.
 * @see https://github.com/google/snappy/blob/main/format_description.txt
 */
import { findMatches } from './match-finder.ts'

const COPY_1 = 1
const COPY_2 = 2
/** Longest copy of one element. */
const MAX_COPY = 64
/** Copies of 4 to 11 bytes from less than 2 KiB before take two bytes. */
const SHORT_COPY = 11
const NEAR = 2048

/** Compresses at most 64 KiB, so that every distance fits into two bytes. */
export function compressSnappyBlock(bytes: Buffer): Buffer {
  const { length } = bytes
  // The most that literals and their tags take, as the format's own library reckons.
  const out = Buffer.allocUnsafe(32 + length + Math.ceil(length / 6))
  let to = 0
  let rest = length
  for (; rest > 127; rest >>>= 7) out[to++] = (rest & 127) | 128
  out[to++] = rest
  findMatches(bytes, 0, length, 0, (start, end, distance, copied) => {
    if (end > start) to = writeLiteral(bytes, start, end, out, to)
    if (copied > 0) to = writeCopy(distance, copied, out, to)
  })
  return out.subarray(0, to)
}

function writeLiteral(bytes: Buffer, start: number, end: number, out: Buffer, at: number): number {
  const length = end - start
  let to = at
  if (length <= 60) out[to++] = (length - 1) << 2
  else if (length <= 256) {
    out[to++] = 60 << 2
    out[to++] = length - 1
  } else {
    out[to++] = 61 << 2
    out[to++] = (length - 1) & 255
    out[to++] = (length - 1) >>> 8
  }
  bytes.copy(out, to, start, end)
  return to + length
}

function writeCopy(distance: number, length: number, out: Buffer, at: number): number {
  let to = at
  let left = length
  while (left > 0) {
    // What is left must not be shorter than a copy may be.
    const part = left > MAX_COPY + 3 ? MAX_COPY : left > MAX_COPY ? left - 4 : left
    if (part <= SHORT_COPY && part >= 4 && distance < NEAR) {
      out[to++] = ((distance >>> 8) << 5) | ((part - 4) << 2) | COPY_1
      out[to++] = distance & 255
    } else {
      out[to++] = ((part - 1) << 2) | COPY_2
      out[to++] = distance & 255
      out[to++] = distance >>> 8
    }
    left -= part
  }
  return to
}
