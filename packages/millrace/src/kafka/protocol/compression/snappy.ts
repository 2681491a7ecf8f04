/**
 * Snappy, bare and in the xerial framing that Java's client writes: magic, two version numbers, then blocks, each after
 * its length as an int32. Reads both, as Java's does.
 *
 * @see https://github.com/google/snappy/blob/main/format_description.txt
 * @see https://github.com/xerial/snappy-java (SnappyOutputStream)
 */
import { compressSnappyBlock } from './snappy-compress.ts'

/** Magic, version 1, compatible with version 1. */
const HEADER = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0, 0, 0, 0, 1, 0, 0, 0, 1])
const MAGIC_BYTES = 8
/** Snappy looks back 64 KiB, so larger blocks gain nothing. */
const BLOCK_BYTES = 64 * 1024

/** The densest element makes 64 bytes of 3. */
const MAX_RATIO = 22

const NOTHING = Buffer.alloc(0)

/** Xerial framing with blocks of 64 KiB. */
export function compressSnappy(bytes: Buffer): Buffer {
  const parts: Buffer[] = [HEADER]
  for (let start = 0; start < bytes.length; start += BLOCK_BYTES) {
    const block = compressSnappyBlock(bytes.subarray(start, start + BLOCK_BYTES))
    const length = Buffer.allocUnsafe(4)
    length.writeInt32BE(block.length)
    parts.push(length, block)
  }
  return Buffer.concat(parts)
}

/**
 * Reads xerial framing or one bare block.
 *
 * @throws {RangeError} more than `maxBytes` would come out
 * @throws {Error} the bytes are malformed
 */
export function decompressSnappy(bytes: Buffer, maxBytes: number): Buffer {
  if (!hasMagic(bytes)) return decompressBlock(bytes, maxBytes)
  if (bytes.length < HEADER.length) throw new Error('the header is truncated')
  const blocks: Buffer[] = []
  let total = 0
  for (let position = HEADER.length; position < bytes.length;) {
    const length = bytes.length - position < 4 ? -1 : bytes.readInt32BE(position)
    position += 4
    if (length < 0 || length > bytes.length - position)
      throw new Error(`the block before byte ${position} is longer than the rest of the data`)
    const block = decompressBlock(bytes.subarray(position, position + length), maxBytes - total)
    blocks.push(block)
    total += block.length
    position += length
  }
  return blocks.length === 1 ? blocks[0]! : Buffer.concat(blocks, total)
}

/** Bytes that come out, as the blocks say. @throws {Error} they are malformed */
export function snappyBytes(bytes: Buffer): number {
  if (!hasMagic(bytes)) return lengthOf(bytes).length
  let total = 0
  for (let position = HEADER.length; position < bytes.length;) {
    const size = bytes.readInt32BE(position)
    position += 4
    total += lengthOf(bytes.subarray(position, position + size)).length
    position += size
  }
  return total
}

function hasMagic(bytes: Buffer): boolean {
  return bytes.length >= MAGIC_BYTES && bytes.compare(HEADER, 0, MAGIC_BYTES, 0, MAGIC_BYTES) === 0
}

/** Length of a block when it is decompressed, and where its elements begin. */
function lengthOf(block: Buffer): { readonly length: number; readonly position: number } {
  let length = 0
  let position = 0
  for (let byte = 128; byte >= 128; position++) {
    if (position === block.length || position === 5) throw new Error('a block does not start with its length')
    byte = block[position]!
    length += (byte & 127) * 2 ** (7 * position)
  }
  if (length > MAX_RATIO * block.length) throw new Error('a block claims more bytes than it can hold')
  return { length, position }
}

function decompressBlock(block: Buffer, maxBytes: number): Buffer {
  const { length, position } = lengthOf(block)
  if (length > maxBytes) throw new RangeError('more bytes than allowed')
  if (length === 0 && position === block.length) return NOTHING
  const out = Buffer.allocUnsafe(length)
  if (!decompressElements(block, position, out)) throw new Error('a block cannot be decompressed')
  return out
}

/** From this length on, the built-in copy is faster than a loop. */
const LONG_COPY = 48

/** Decompresses the elements of a block from a position on. @returns whether they stay within the block and fill `out` */
function decompressElements(block: Buffer, start: number, out: Buffer): boolean {
  const end = block.length
  const limit = out.length
  let position = start
  let written = 0
  while (position < end) {
    const tag = block[position++]!
    const kind = tag & 3
    if (kind === 0) {
      let length = (tag >>> 2) + 1
      if (length > 60) {
        // The length less one follows in 1 to 4 bytes.
        const lengthBytes = length - 60
        if (end - position < lengthBytes) return false
        length = block.readUIntLE(position, lengthBytes) + 1
        position += lengthBytes
      }
      if (length > end - position || length > limit - written) return false
      if (length >= LONG_COPY) {
        block.copy(out, written, position, position + length)
        written += length
        position += length
      } else for (const stop = written + length; written < stop;) out[written++] = block[position++]!
      continue
    }
    const distanceBytes = kind === 3 ? 4 : kind
    if (distanceBytes > end - position) return false
    let distance: number
    if (kind === 1) distance = ((tag & 0xe0) << 3) | block[position]!
    else if (kind === 2) distance = block[position]! | (block[position + 1]! << 8)
    else distance = block.readUInt32LE(position)
    position += distanceBytes
    const length = kind === 1 ? ((tag >>> 2) & 7) + 4 : (tag >>> 2) + 1
    if (distance === 0 || distance > written || length > limit - written) return false
    let from = written - distance
    if (length >= LONG_COPY && distance >= length) {
      out.copyWithin(written, from, from + length)
      written += length
    } else for (const stop = written + length; written < stop;) out[written++] = out[from++]!
  }
  return written === limit
}
