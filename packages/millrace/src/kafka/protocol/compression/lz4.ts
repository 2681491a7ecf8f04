/**
 * Reads LZ4 frames, as Kafka uses them since magic 2: one frame of blocks, the last one followed by an end mark.
 *
 * Checksums inside the frame are not verified, like in Java's client: the CRC of the record batch covers them.
 *
 * @see https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md
 * @see https://github.com/lz4/lz4/blob/dev/doc/lz4_Block_format.md
 */
import { BlockDecoder } from './blocks.ts'

const FRAME_MAGIC = 0x184d2204
/** Bits of the first descriptor byte. */
const VERSION_MASK = 0xc0
const VERSION_1 = 0x40
const BLOCK_CHECKSUM_BIT = 0x10
const CONTENT_SIZE_BIT = 0x08
const CONTENT_CHECKSUM_BIT = 0x04
const DICTIONARY_BIT = 0x01
/** Set in the length of a block that is stored as it is. */
const STORED_BIT = 0x80000000
/** No sequence of a block grows to more than this many times its length. */
const MAX_RATIO = 255

/**
 * Reads one frame. Blocks may be dependent or independent, with or without checksums.
 *
 * @throws {RangeError} more than `maxBytes` would come out
 * @throws {Error} the bytes are not exactly one frame
 */
export function decompressLz4(bytes: Buffer, maxBytes: number): Buffer {
  const blockMaxBytes = readBlockMaxBytes(bytes)
  const flags = bytes[4]!
  const checksumBytes = (flags & BLOCK_CHECKSUM_BIT) === 0 ? 0 : 4
  const start = 7 + ((flags & CONTENT_SIZE_BIT) === 0 ? 0 : 8)
  const bound = boundOf(bytes, start, checksumBytes, blockMaxBytes)
  const most = Math.min(bound, maxBytes)
  const decoder = new BlockDecoder(bytes, most)
  const outputEnd = decoder.start + most
  let position = start
  let written = decoder.start
  for (;;) {
    const field = bytes.readUInt32LE(position)
    position += 4
    if (field === 0) break
    const length = field % STORED_BIT
    const limit = Math.min(outputEnd, written + blockMaxBytes)
    let after = -1
    if (field < STORED_BIT) after = decoder.lz4(position, position + length, decoder.start, written, limit)
    else if (length <= limit - written) {
      decoder.store(position, position + length, written)
      after = written + length
    }
    if (after < 0) {
      if (limit < written + blockMaxBytes && bound > maxBytes) throw new RangeError('more bytes than allowed')
      throw new Error(`the block at byte ${position} cannot be decompressed`)
    }
    written = after
    position += length + checksumBytes
  }
  if ((flags & CONTENT_CHECKSUM_BIT) !== 0) position += 4
  if (position !== bytes.length) throw new Error(`the frame ends at byte ${position}`)
  return decoder.output(written)
}

/** Most bytes that can come out of a frame. @throws {Error} it is cut off */
export function mostLz4Bytes(bytes: Buffer): number {
  const blockMaxBytes = readBlockMaxBytes(bytes)
  const flags = bytes[4]!
  const hasSize = (flags & CONTENT_SIZE_BIT) !== 0
  const bound = boundOf(bytes, hasSize ? 15 : 7, (flags & BLOCK_CHECKSUM_BIT) === 0 ? 0 : 4, blockMaxBytes)
  return hasSize ? Math.min(bound, Number(bytes.readBigUInt64LE(6))) : bound
}

/** Checks the frame descriptor and gives the most bytes that a block may hold. */
function readBlockMaxBytes(bytes: Buffer): number {
  if (bytes.length < 11) throw new Error('the frame is truncated')
  if (bytes.readUInt32LE(0) !== FRAME_MAGIC) throw new Error('they do not start with the magic number of an LZ4 frame')
  const flags = bytes[4]!
  if ((flags & VERSION_MASK) !== VERSION_1) throw new Error(`version ${flags >>> 6} of the frame format is unknown`)
  if ((flags & DICTIONARY_BIT) !== 0) throw new Error('they require a dictionary, which Kafka does not use')
  const size = (bytes[5]! >>> 4) & 7
  if (size < 4) throw new Error(`block size ${size} is unknown`)
  return 1 << (8 + 2 * size) // 4 to 7: 64 KiB, 256 KiB, 1 MiB, 4 MiB
}

/** Walks over the blocks: the most bytes that can come out, and proof that every block and the end mark are there. */
function boundOf(bytes: Buffer, start: number, checksumBytes: number, blockMaxBytes: number): number {
  let bound = 0
  for (let position = start; ;) {
    if (position + 4 > bytes.length) throw new Error('the end mark of the frame is missing')
    const field = bytes.readUInt32LE(position)
    position += 4
    if (field === 0) return bound
    const length = field % STORED_BIT
    bound += Math.min(blockMaxBytes, field >= STORED_BIT ? length : length * MAX_RATIO)
    position += length + checksumBytes
  }
}
