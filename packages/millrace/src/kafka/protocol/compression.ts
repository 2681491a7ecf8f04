/**
 * Compression of the records of a batch, as Kafka's clients and brokers read and write it.
 *
 * | codec  | bytes on the wire                                                                                  |
 * |--------|----------------------------------------------------------------------------------------------------|
 * | none   | the records                                                                                        |
 * | gzip   | one or several gzip members                                                                        |
 * | snappy | xerial framing (magic, versions, then blocks with their length), as Java writes; raw is read too   |
 * | lz4    | LZ4 frame with independent blocks, without checksums of the content                                |
 * | zstd   | one or several zstd frames (KIP-110)                                                               |
 *
 * Everything here is synchronous: a record batch is small (64 KiB to a few MiB), and the caller slices its work.
 */
import zlib from 'node:zlib'
import { compressionsAlgorithms } from '@platformatic/kafka'
import { CorruptRecordError } from '../../errors/index.ts'

/** Kafka's codecs; the index is the value of the three lowest attribute bits of a record batch. */
export const CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const
export type Codec = (typeof CODECS)[number]

/** Attribute bits of a codec. */
export const CODEC_BITS: { readonly [codec in Codec]: number } = { none: 0, gzip: 1, snappy: 2, lz4: 3, zstd: 4 }

/** Levels that a codec takes: least, most, and what is used when none is given. Those of `snappy` and `lz4` are fixed. */
export const COMPRESSION_LEVELS: { readonly [codec in Codec]?: { readonly min: number; readonly max: number; readonly default: number } } = {
  gzip: { min: 1, max: 9, default: 6 },
  zstd: { min: -131_072, max: 22, default: 3 },
}

/** Most bytes that one record batch may decompress to; guards memory against a batch made to explode. */
export const MAX_DECOMPRESSED_BYTES = 512 * 1024 * 1024

const MAX_CHUNK_BYTES = 4 * 1024 * 1024

/**
 * Compresses records for a batch.
 *
 * @param level of `gzip` and `zstd`, see `COMPRESSION_LEVELS`; ignored by the others
 * @returns new bytes, or `bytes` itself for `none`
 */
export function compress(codec: Codec, bytes: Buffer, level?: number): Buffer {
  switch (codec) {
    case 'none':
      return bytes
    case 'gzip':
      return zlib.gzipSync(bytes, { level: level ?? zlib.constants.Z_DEFAULT_COMPRESSION, chunkSize: chunkSize(bytes.length) })
    case 'snappy':
      return compressSnappy(bytes)
    case 'lz4':
      return bytes.length === 0 ? Buffer.from(EMPTY_LZ4) : compressionsAlgorithms.lz4.compressSync(bytes)
    case 'zstd':
      return zlib.zstdCompressSync(bytes, { params: { [zlib.constants.ZSTD_c_compressionLevel]: level ?? 3 }, chunkSize: chunkSize(bytes.length) })
  }
}

/**
 * Decompresses the records of a batch.
 *
 * @param maxBytes most bytes that may come out
 * @returns new bytes, or `bytes` itself for `none`
 * @throws {CorruptRecordError} without topic, partition and offset, which the caller knows: the bytes are not what the
 *   codec writes, or more than `maxBytes` come out
 */
export function decompress(codec: Codec, bytes: Buffer, maxBytes: number = MAX_DECOMPRESSED_BYTES): Buffer {
  try {
    switch (codec) {
      case 'none':
        return bytes
      case 'gzip':
        return zlib.gunzipSync(bytes, { maxOutputLength: maxBytes, chunkSize: chunkSize(4 * bytes.length) })
      case 'snappy':
        return decompressSnappy(bytes, maxBytes)
      case 'lz4':
        return decompressLz4(bytes, maxBytes)
      case 'zstd':
        return zlib.zstdDecompressSync(bytes, { maxOutputLength: maxBytes, chunkSize: chunkSize(4 * bytes.length) })
    }
  } catch (cause) {
    if (cause instanceof CorruptRecordError) throw cause
    if ((cause as { code?: string }).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(codec, maxBytes, cause)
    throw malformed(codec, (cause as Error).message, cause)
  }
}

/** Few large chunks save zlib most of its work of joining many small ones. */
function chunkSize(expected: number): number {
  return Math.min(MAX_CHUNK_BYTES, Math.max(1024, expected))
}

function malformed(codec: Codec, reason: string, cause?: unknown): CorruptRecordError {
  return new CorruptRecordError(`Cannot decompress ${codec} records as the compressed bytes are malformed: ${reason.replace(/\.$/, '')}`, { cause })
}

function tooLarge(codec: Codec, maxBytes: number, cause?: unknown): CorruptRecordError {
  return new CorruptRecordError(`Cannot decompress ${codec} records as more than ${maxBytes} bytes would come out of one batch`, { cause })
}

// snappy -------------------------------------------------------------------------------------------------------------

/** Magic, version 1, compatible with version 1, as org.xerial.snappy.SnappyOutputStream writes it. */
const XERIAL_HEADER = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0, 0, 0, 0, 1, 0, 0, 0, 1])
const XERIAL_MAGIC = XERIAL_HEADER.subarray(0, 8)
/** Snappy looks back 64 KiB, so larger blocks gain nothing. Java's default of 32 KiB compresses a little less. */
const XERIAL_BLOCK_BYTES = 64 * 1024

function compressSnappy(bytes: Buffer): Buffer {
  const parts: Buffer[] = [XERIAL_HEADER]
  for (let start = 0; start < bytes.length; start += XERIAL_BLOCK_BYTES) {
    const block = compressionsAlgorithms.snappy.compressSync(bytes.subarray(start, start + XERIAL_BLOCK_BYTES))
    const length = Buffer.allocUnsafe(4)
    length.writeInt32BE(block.length)
    parts.push(length, block)
  }
  return Buffer.concat(parts)
}

function decompressSnappy(bytes: Buffer, maxBytes: number): Buffer {
  if (!startsWithXerialMagic(bytes)) return decompressSnappyBlock(bytes, maxBytes)
  const blocks: Buffer[] = []
  let total = 0
  let position = XERIAL_HEADER.length
  while (position < bytes.length) {
    const length = position + 4 <= bytes.length ? bytes.readInt32BE(position) : -1
    position += 4
    if (length < 0 || length > bytes.length - position) throw malformed('snappy', `a block of ${length} bytes does not fit into what is left`)
    const block = decompressSnappyBlock(bytes.subarray(position, position + length), maxBytes - total)
    blocks.push(block)
    total += block.length
    position += length
  }
  if (position > bytes.length) throw malformed('snappy', 'the header is cut off')
  return blocks.length === 1 ? blocks[0]! : Buffer.concat(blocks, total)
}

function decompressSnappyBlock(block: Buffer, maxBytes: number): Buffer {
  // No block begins with the magic (its third byte would be a copy of bytes before the first), but the library would
  // read such a one as framing within framing.
  if (startsWithXerialMagic(block)) throw malformed('snappy', 'a block begins with the magic of the framing')
  const length = snappyLength(block)
  if (length > maxBytes) throw tooLarge('snappy', maxBytes)
  const plain = length === 0 ? Buffer.alloc(0) : compressionsAlgorithms.snappy.decompressSync(block)
  if (plain.length !== length) throw malformed('snappy', `${length} bytes were announced and ${plain.length} came out`)
  return plain
}

/** Length after decompression, which a block begins with as an unsigned varint. */
function snappyLength(block: Buffer): number {
  let length = 0
  for (let i = 0; i < 5 && i < block.length; i++) {
    const byte = block[i]!
    length += (byte & 127) * 2 ** (7 * i)
    if (byte < 128) return length
  }
  throw malformed('snappy', 'a block does not begin with its length')
}

function startsWithXerialMagic(bytes: Buffer): boolean {
  return bytes.length >= XERIAL_MAGIC.length && bytes.compare(XERIAL_MAGIC, 0, XERIAL_MAGIC.length, 0, XERIAL_MAGIC.length) === 0
}

// lz4 ----------------------------------------------------------------------------------------------------------------

/** Frame without a block: magic, descriptor, end mark. */
const EMPTY_LZ4 = [0x04, 0x22, 0x4d, 0x18, 0x60, 0x40, 0x82, 0, 0, 0, 0]

function decompressLz4(bytes: Buffer, maxBytes: number): Buffer {
  const plain = compressionsAlgorithms.lz4.decompressSync(bytes)
  if (plain.length > maxBytes) throw tooLarge('lz4', maxBytes)
  return plain
}
