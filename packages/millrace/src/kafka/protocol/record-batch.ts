/**
 * The layout of a record batch (magic 2), and a cursor over the batches of a fetch response.
 *
 * A batch is a header of 61 bytes and its records; the records are compressed as one piece. The CRC covers everything
 * from the attributes on, so that a broker can set base offset and leader epoch without computing it anew.
 *
 * @see https://kafka.apache.org/documentation/#recordbatch
 */
import { counted } from '../../options/units.ts'
import type { TimestampType } from '../../records/record.ts'
import { CorruptRecordError } from '../../errors/index.ts'
import { CODECS, type Codec } from './compression/codecs.ts'
import { crc32c } from './crc32c.ts'

/** Position of each field of the header, relative to the start of the batch; all numbers are big endian. */
export const BASE_OFFSET = 0 // int64
export const BATCH_LENGTH = 8 // int32: bytes that follow this field
export const LEADER_EPOCH = 12 // int32
export const MAGIC = 16 // int8
export const CRC = 17 // uint32, of everything from ATTRIBUTES to the end
export const ATTRIBUTES = 21 // int16
export const LAST_OFFSET_DELTA = 23 // int32
export const BASE_TIMESTAMP = 27 // int64
export const MAX_TIMESTAMP = 35 // int64
export const PRODUCER_ID = 43 // int64
export const PRODUCER_EPOCH = 51 // int16
export const BASE_SEQUENCE = 53 // int32
export const RECORD_COUNT = 57 // int32
/** Where the records begin. */
export const HEADER_BYTES = 61
/** Bytes before those that BATCH_LENGTH counts. */
export const LENGTH_OVERHEAD = 12

/** Bits of the attributes. */
export const CODEC_MASK = 0x07
export const LOG_APPEND_TIME_BIT = 0x08
export const TRANSACTIONAL_BIT = 0x10
export const CONTROL_BIT = 0x20
// 0x40 says that BASE_TIMESTAMP is a delete horizon (KIP-534); the deltas of the records still add up with it.

/** Fewest bytes of a record: length, attributes, timestamp delta, offset delta, key length, value length, header count. */
export const MIN_RECORD_BYTES = 7

/** What a cursor over record batches does beyond reading. */
interface RecordBatchReaderOptions {
  /** Whether the CRC of each batch is computed and compared; Kafka's `check.crcs`. Default true. */
  readonly checkCrcs?: boolean
}

const DEFAULTS: RecordBatchReaderOptions = {}
const EMPTY = Buffer.alloc(0)

/**
 * A cursor over the record batches of one partition in a fetch response. One is enough for a whole fetcher: no object
 * is made per batch.
 *
 * ```ts
 * reader.reset(bytes, 'orders', 0)
 * while (reader.next()) use(reader.start, reader.end, reader.lastOffset)
 * ```
 *
 * Fields and getters speak of the batch that `next` moved to; before that, and after it gave false, they mean nothing.
 */
export class RecordBatchReader {
  bytes: Buffer = EMPTY
  topic = ''
  partition = -1
  /** Position of the batch, header included, in `bytes`. */
  start = 0
  /** Position after the batch. */
  end = 0
  baseOffset = -1
  /** Offset of the last record that the batch was written with; compaction may have removed it since. */
  lastOffset = -1
  lastOffsetDelta = -1
  attributes = 0
  /** Number of records. 0 is legal: compaction keeps an emptied batch as long as its producer needs its sequence. */
  count = 0
  /** After `next` gave false: whether a part of a further batch follows, because the broker cut at the byte limit. */
  incomplete = false
  #checkCrcs = true

  /** Begins anew with other bytes. */
  reset(bytes: Buffer, topic: string, partition: number, options: RecordBatchReaderOptions = DEFAULTS): void {
    this.bytes = bytes
    this.topic = topic
    this.partition = partition
    this.start = 0
    this.end = 0
    this.incomplete = false
    this.#checkCrcs = options.checkCrcs ?? true
  }

  /**
   * Moves to the next batch.
   *
   * @returns false at the end, or when only a part of a batch is left (`incomplete`)
   * @throws {CorruptRecordError} wrong CRC, unknown magic or codec, or a header that contradicts itself
   */
  next(): boolean {
    const { bytes } = this
    const start = (this.start = this.end)
    const left = bytes.length - start
    if (left < MAGIC + 1) {
      this.incomplete = left > 0
      return false
    }
    const magic = bytes.readInt8(start + MAGIC)
    if (magic === 0 || magic === 1) {
      throw this.#corrupt(
        `its magic number is ${magic}, a format that Kafka 4 no longer supports: convert the log by setting message.format.version (before Kafka 4), or copy the topic`,
      )
    }
    if (magic !== 2) throw this.#corrupt(`its magic number must be 2: current value is ${magic}`)
    const length = bytes.readInt32BE(start + BATCH_LENGTH)
    if (length < HEADER_BYTES - LENGTH_OVERHEAD)
      throw this.#corrupt(`its length must be at least ${HEADER_BYTES - LENGTH_OVERHEAD}: current value is ${length}`)
    if (length > left - LENGTH_OVERHEAD) {
      this.incomplete = true
      return false
    }
    const end = (this.end = start + LENGTH_OVERHEAD + length)
    if (this.#checkCrcs) this.#checkCrc(end)
    this.attributes = bytes.readInt16BE(start + ATTRIBUTES)
    this.count = bytes.readInt32BE(start + RECORD_COUNT)
    this.lastOffsetDelta = bytes.readInt32BE(start + LAST_OFFSET_DELTA)
    this.baseOffset = readInt64(bytes, start + BASE_OFFSET)
    this.lastOffset = this.baseOffset + this.lastOffsetDelta
    this.#checkHeader()
    return true
  }

  get magic(): number {
    return this.bytes.readInt8(this.start + MAGIC)
  }
  /** Epoch of the leader that appended the batch; -1 when unknown. */
  get leaderEpoch(): number {
    return this.bytes.readInt32BE(this.start + LEADER_EPOCH)
  }
  get codec(): Codec {
    return CODECS[this.attributes & CODEC_MASK]!
  }
  /** Whether it holds a transaction marker instead of records of users. */
  get isControl(): boolean {
    return (this.attributes & CONTROL_BIT) !== 0
  }
  get isTransactional(): boolean {
    return (this.attributes & TRANSACTIONAL_BIT) !== 0
  }
  get timestampType(): TimestampType {
    return (this.attributes & LOG_APPEND_TIME_BIT) === 0 ? 'CreateTime' : 'LogAppendTime'
  }
  /** To which the timestamp deltas of the records are added. */
  get baseTimestampMs(): number {
    return readInt64(this.bytes, this.start + BASE_TIMESTAMP)
  }
  get maxTimestampMs(): number {
    return readInt64(this.bytes, this.start + MAX_TIMESTAMP)
  }
  /** -1 when the producer was neither idempotent nor transactional. */
  get producerId(): number {
    return readInt64(this.bytes, this.start + PRODUCER_ID)
  }
  get producerEpoch(): number {
    return this.bytes.readInt16BE(this.start + PRODUCER_EPOCH)
  }
  get baseSequence(): number {
    return this.bytes.readInt32BE(this.start + BASE_SEQUENCE)
  }

  #checkCrc(end: number): void {
    const stored = this.bytes.readUInt32BE(this.start + CRC)
    const computed = crc32c(this.bytes, this.start + ATTRIBUTES, end)
    if (stored !== computed)
      throw this.#corrupt(
        `its CRC must be ${hex(computed)}, as computed from its bytes: current value is ${hex(stored)}`,
      )
  }

  #checkHeader(): void {
    const { attributes, count, lastOffsetDelta, baseOffset } = this
    const payload = this.end - this.start - HEADER_BYTES
    const codec = attributes & CODEC_MASK
    if (codec >= CODECS.length)
      throw this.#corrupt(`its compression codec must be between 0 and ${CODECS.length - 1}: current value is ${codec}`)
    if (!(baseOffset >= 0 && this.lastOffset <= Number.MAX_SAFE_INTEGER))
      throw this.#corrupt(`its base offset must be between 0 and 2^53: current value is ${baseOffset}`)
    if (count < 0 || (codec === 0 && count * MIN_RECORD_BYTES > payload) || (count > 0 && payload === 0)) {
      throw this.#corrupt(`its record count must fit into ${payload} bytes: current value is ${count}`)
    }
    if (lastOffsetDelta < 0 || lastOffsetDelta < count - 1)
      throw this.#corrupt(
        `its last offset delta must be at least ${Math.max(0, count - 1)} for ${counted(count, 'record')}: current value is ${lastOffsetDelta}`,
      )
  }

  #corrupt(reason: string): CorruptRecordError {
    const { bytes, start, topic, partition } = this
    const offset = readInt64(bytes, start + BASE_OFFSET)
    const delta = bytes.length < start + HEADER_BYTES ? 0 : bytes.readInt32BE(start + LAST_OFFSET_DELTA)
    return corruptRecord(
      `Cannot read the record batch at ${offsetsText(offset, delta)}`,
      reason,
      topic,
      partition,
      offset,
    )
  }
}

/**
 * Error for bytes that are not what Kafka's format says.
 *
 * @param action what was tried, ending with what was read
 */
export function corruptRecord(
  action: string,
  reason: string,
  topic: string,
  partition: number,
  offset: number,
  cause?: unknown,
): CorruptRecordError {
  return new CorruptRecordError(`${action} of topic "${topic}" partition ${partition} as ${reason}`, {
    topic,
    partition,
    offset: BigInt(offset),
    component: 'kafka',
    cause,
  })
}

/** The offsets of a batch, as far as its header can be believed. */
export function offsetsText(first: number, lastOffsetDelta: number): string {
  return lastOffsetDelta > 0 ? `offsets ${first} to ${first + lastOffsetDelta}` : `offset ${first}`
}

/** A 64-bit number as a double: exact up to 2^53, and -1 is -1. */
export function readInt64(bytes: Buffer, position: number): number {
  return bytes.readInt32BE(position) * 2 ** 32 + bytes.readUInt32BE(position + 4)
}

function hex(crc: number): string {
  return `0x${crc.toString(16).padStart(8, '0')}`
}
