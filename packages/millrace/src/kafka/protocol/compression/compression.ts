/**
 * Compression of the records of a batch, as Kafka's clients and brokers read and write it.
 *
 * | codec  | bytes on the wire                                                                                |
 * |--------|--------------------------------------------------------------------------------------------------|
 * | none   | the records                                                                                      |
 * | gzip   | one or several gzip members                                                                      |
 * | snappy | xerial framing, as Java writes it; a bare block is read too (`snappy.ts`)                        |
 * | lz4    | one LZ4 frame of independent blocks, as Java writes it (`lz4.ts`)                                |
 * | zstd   | one or several zstd frames (KIP-110)                                                             |
 *
 * Everything here is synchronous: a record batch is small (64 KiB to a few MiB), and the caller slices its work.
 */
import { constants, gunzipSync, gzipSync, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { BatchTooLargeError, CorruptRecordError } from '../../../errors/index.ts'
import { type Codec, COMPRESSION_LEVELS } from './codecs.ts'
import { compressLz4 } from './lz4-compress.ts'
import { decompressLz4 } from './lz4.ts'
import { mostPlainBytes } from './plain-size.ts'
import { compressSnappy, decompressSnappy } from './snappy.ts'

/** Least and most bytes of a chunk in which zlib returns its result. */
const MIN_CHUNK_BYTES = 1024
const MAX_CHUNK_BYTES = 8 * 1024 * 1024
/** Records hardly shrink to less than one part of so many. */
const LIKELY_RATIO = 16

/** Most bytes that a batch of ours may have been made of. */
const MAX_DECOMPRESSED_BYTES = 2 ** 31 - 1

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
      return gzipSync(bytes, { level: level ?? COMPRESSION_LEVELS.gzip.default, chunkSize: chunkSize(bytes.length) })
    case 'snappy':
      return compressSnappy(bytes)
    case 'lz4':
      return compressLz4(bytes)
    case 'zstd':
      return zstdCompressSync(bytes, {
        params: { [constants.ZSTD_c_compressionLevel]: level ?? COMPRESSION_LEVELS.zstd.default },
        chunkSize: chunkSize(bytes.length),
      })
  }
}

/**
 * Decompresses the records of a batch.
 *
 * @param maxBytes most bytes that may come out
 * @returns new bytes, or `bytes` itself for `none`
 * @throws {CorruptRecordError} {BatchTooLargeError} without topic, partition and offset, which the caller knows: the bytes are
 *   not what the codec writes, or more than `maxBytes` would come out
 */
export function decompress(codec: Codec, bytes: Buffer, maxBytes: number = MAX_DECOMPRESSED_BYTES): Buffer {
  try {
    switch (codec) {
      case 'none':
        return bytes
      case 'gzip':
        return trimmed(gunzipSync(bytes, { maxOutputLength: maxBytes, chunkSize: outputSize(codec, bytes, maxBytes) }))
      case 'snappy':
        return decompressSnappy(bytes, maxBytes)
      case 'lz4':
        return decompressLz4(bytes, maxBytes)
      case 'zstd':
        return decompressZstd(bytes, maxBytes)
    }
  } catch (cause) {
    // node:zlib and our own codecs report a limit that is exceeded as a RangeError, malformed bytes as an Error.
    const action = `Cannot decompress ${bytes.length} bytes of ${codec} records`
    if (cause instanceof RangeError)
      throw new BatchTooLargeError(`${action} as one batch would decompress to more than ${maxBytes} bytes`, { cause })
    throw new CorruptRecordError(`${action} as they are malformed: ${(cause as Error).message}`, { cause })
  }
}

/** Reads one frame after the other: `zstdDecompressSync` stops after the first without a word. */
function decompressZstd(bytes: Buffer, maxBytes: number): Buffer {
  const frames: Buffer[] = []
  let total = 0
  for (let rest = bytes; ;) {
    const options = {
      maxOutputLength: maxBytes - total,
      chunkSize: outputSize('zstd', rest, maxBytes - total),
      info: true,
    }
    const { buffer, engine } = zstdDecompressSync(rest, options) as unknown as {
      buffer: Buffer
      engine: { bytesWritten: number }
    }
    frames.push(buffer)
    total += buffer.length
    if (engine.bytesWritten >= rest.length) return frames.length === 1 ? trimmed(buffer) : Buffer.concat(frames, total)
    // A frame that takes no bytes cannot be; without this a change of Node could make us turn in circles.
    if (engine.bytesWritten === 0) throw new Error('a frame is empty')
    rest = rest.subarray(engine.bytesWritten)
  }
}

/**
 * One chunk that holds all that comes out, as joining chunks takes as long as decompressing them. What the bytes claim to hold is
 * believed up to `LIKELY_RATIO` times their length.
 */
function outputSize(codec: Codec, bytes: Buffer, maxBytes: number): number {
  const most = Math.min(mostPlainBytes(codec, bytes) + 1, LIKELY_RATIO * bytes.length, maxBytes, MAX_CHUNK_BYTES)
  return Math.max(MIN_CHUNK_BYTES, most)
}

/** Keeps no memory that was hardly used. */
function trimmed(bytes: Buffer): Buffer {
  return bytes.length * 2 < bytes.buffer.byteLength ? Buffer.from(bytes) : bytes
}

/** Chunks in which zlib returns its result: few of them save joining, and large ones cost more than they save. */
function chunkSize(expected: number): number {
  return Math.min(256 * 1024, Math.max(MIN_CHUNK_BYTES, expected))
}
