/**
 * Records of stored batches, one object each: for compaction, times, and what tests read. Produce and Fetch never come here.
 */
import { type Codec, CODECS } from '../../kafka/protocol/compression/codecs.ts'
import {
  ATTRIBUTES,
  BASE_OFFSET,
  BASE_TIMESTAMP,
  CODEC_MASK,
  HEADER_BYTES,
  LOG_APPEND_TIME_BIT,
  MAX_TIMESTAMP,
  readInt64,
  RECORD_COUNT,
} from '../../kafka/protocol/record-batch.ts'
import { ProtocolError } from '../../errors/index.ts'
import { Reader } from '../../protocol/reader.ts'
import { varintAt, varlongAt } from '../../records/varint.ts'

export interface StoredRecord {
  readonly offset: number
  readonly timestampMs: number
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: readonly (readonly [name: string, value: Buffer | null])[]
  /** The whole record as it is in the batch. */
  readonly bytes: Buffer
}

/** @throws {ProtocolError} the records are not what the header says */
export async function readRecords(batch: Buffer): Promise<StoredRecord[]> {
  const attributes = batch.readInt16BE(ATTRIBUTES)
  const records = await plain(CODECS[attributes & CODEC_MASK]!, batch.subarray(HEADER_BYTES))
  const reader = new RecordReader(records)
  const baseOffset = readInt64(batch, BASE_OFFSET)
  const baseTimestampMs = readInt64(batch, BASE_TIMESTAMP)
  const appendTimeMs = (attributes & LOG_APPEND_TIME_BIT) === 0 ? undefined : readInt64(batch, MAX_TIMESTAMP)
  const list: StoredRecord[] = []
  for (let i = batch.readInt32BE(RECORD_COUNT); i > 0; i--)
    list.push(reader.record(baseOffset, baseTimestampMs, appendTimeMs))
  return list
}

async function plain(codec: Codec, bytes: Buffer): Promise<Buffer> {
  if (codec === 'none') return bytes
  if (codec === 'gzip' || codec === 'zstd') {
    const { gunzipSync, zstdDecompressSync } = await import('node:zlib')
    return codec === 'gzip' ? gunzipSync(bytes) : zstdDecompressSync(bytes)
  }
  // Theirs come with the client, which takes long to load.
  const { decompress } = await import('../../kafka/protocol/compression/compression.ts')
  return decompress(codec, bytes)
}

/** Reads the fields of records, whose varints are of another kind than those of messages. */
class RecordReader {
  readonly #reader: Reader

  constructor(bytes: Buffer) {
    this.#reader = new Reader(bytes)
  }

  record(baseOffset: number, baseTimestampMs: number, appendTimeMs: number | undefined): StoredRecord {
    const reader = this.#reader
    const start = reader.position
    const size = this.#varint()
    const end = reader.position + size
    reader.skip(1)
    const timestampMs = baseTimestampMs + this.#varlong()
    const offset = baseOffset + this.#varint()
    const key = this.#bytes()
    const value = this.#bytes()
    const headers: [string, Buffer | null][] = []
    for (let i = this.#varint(); i > 0; i--) headers.push([this.#bytes()?.toString() ?? '', this.#bytes()])
    if (reader.position !== end)
      throw new ProtocolError(`A record must take ${size} bytes: it takes ${reader.position - end + size}`)
    return {
      offset,
      timestampMs: appendTimeMs ?? timestampMs,
      key,
      value,
      headers,
      bytes: reader.bytes.subarray(start, end),
    }
  }

  #bytes(): Buffer | null {
    const size = this.#varint()
    return size < 0 ? null : this.#reader.view(size)
  }

  #varint(): number {
    return varintAt(this.#reader.bytes, this.#skipVarint(5))
  }

  #varlong(): number {
    return varlongAt(this.#reader.bytes, this.#skipVarint(10))
  }

  /** @returns where it begins */
  #skipVarint(maxBytes: number): number {
    const { bytes, position } = this.#reader
    for (let i = 0; i < maxBytes; i++) if (bytes[this.#reader.skip(1)]! < 128) return position
    throw new ProtocolError(`A varint is longer than ${maxBytes} bytes`)
  }
}
