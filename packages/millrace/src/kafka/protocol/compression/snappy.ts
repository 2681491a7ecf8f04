/**
 * Snappy, bare and in the xerial framing that Java's client writes: magic, two version numbers, then blocks, each after
 * its length as an int32. Reads both, as Java's does.
 *
 * @see https://github.com/google/snappy/blob/main/format_description.txt
 * @see https://github.com/xerial/snappy-java (SnappyOutputStream)
 */
import { compressSnappyBlock } from './snappy-compress.ts'
import { BlockDecoder } from './blocks.ts'

/** Magic, version 1, compatible with version 1. */
const HEADER = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0, 0, 0, 0, 1, 0, 0, 0, 1])
const MAGIC_BYTES = 8
/** Snappy looks back 64 KiB, so larger blocks gain nothing. */
const BLOCK_BYTES = 64 * 1024

/** The densest element makes 64 bytes of 3. */
const MAX_RATIO = 22

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
  const total = snappyBytes(bytes)
  if (total > maxBytes) throw new RangeError('more bytes than allowed')
  const decoder = new BlockDecoder(bytes, total)
  if (!hasMagic(bytes)) return decoder.output(decompressBlock(decoder, bytes, 0, bytes.length, decoder.start))
  let written = decoder.start
  for (let position = HEADER.length; position < bytes.length;) {
    const length = bytes.readInt32BE(position)
    position += 4
    written = decompressBlock(decoder, bytes, position, position + length, written)
    position += length
  }
  return decoder.output(written)
}

/** Bytes that come out, as the blocks say. @throws {Error} they are malformed */
export function snappyBytes(bytes: Buffer): number {
  if (!hasMagic(bytes)) return lengthOf(bytes).length
  if (bytes.length < HEADER.length) throw new Error('the header is truncated')
  let total = 0
  for (let position = HEADER.length; position < bytes.length;) {
    const length = bytes.length - position < 4 ? -1 : bytes.readInt32BE(position)
    position += 4
    if (length < 0 || length > bytes.length - position)
      throw new Error(`the block before byte ${position} is longer than the rest of the data`)
    total += lengthOf(bytes.subarray(position, position + length)).length
    position += length
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

/** Decompresses `[at, end)`, which is a block, to a position of the output. @returns the position after it */
function decompressBlock(decoder: BlockDecoder, bytes: Buffer, at: number, end: number, to: number): number {
  const { length, position } = lengthOf(bytes.subarray(at, end))
  const limit = to + length
  if (decoder.snappy(at + position, end, to, to, limit) !== limit) throw new Error('a block cannot be decompressed')
  return limit
}
