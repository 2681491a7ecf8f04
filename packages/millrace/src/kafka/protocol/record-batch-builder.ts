/**
 * Writes record batches (magic 2): records one after the other into one buffer, the header at the end.
 *
 * ```
 * record => length attributes timestamp_delta offset_delta | key_length key value_length value header_count [header]
 * ```
 *
 * What stands right of the bar does not depend on the place of the record in its batch, so `appendWire` takes it over
 * from another batch in one piece. Lengths and deltas are zigzag varints.
 *
 * @see https://kafka.apache.org/documentation/#record
 */
import { writeUtf8 } from '../../records/header-writer.ts'
import { changedCrc32c, crc32c } from './crc32c.ts'
import {
  ATTRIBUTES,
  BASE_OFFSET,
  BASE_SEQUENCE,
  BASE_TIMESTAMP,
  BATCH_LENGTH,
  CODEC_MASK,
  CRC,
  HEADER_BYTES,
  LAST_OFFSET_DELTA,
  LEADER_EPOCH,
  LENGTH_OVERHEAD,
  MAGIC,
  MAX_TIMESTAMP,
  PRODUCER_EPOCH,
  PRODUCER_ID,
  RECORD_COUNT,
  TRANSACTIONAL_BIT,
} from './record-batch.ts'
import { putVarint, putVarlong, sizeOfVarint, sizeOfVarlong } from '../../records/varint.ts'

/** Most bytes that stand left of the bar: length, attributes, two deltas. */
const FRONT_OVERHEAD = 5 + 1 + 10 + 5

/** Most bytes that a record takes beside key, value and headers: those, and the two lengths. */
export const RECORD_OVERHEAD = FRONT_OVERHEAD + 5 + 5

/** `header_count` of a record without headers. */
export const NO_HEADERS: Uint8Array = Uint8Array.of(0)

/** Bytes together with the view through which short stretches are copied fastest; see `copyBytes`. */
export interface ByteSource {
  readonly bytes: Buffer
  readonly view: DataView
}

/** Prepares bytes for `RecordBatchBuilder.appendWire`; once per buffer, not per record. */
export function byteSource(bytes: Buffer): ByteSource {
  return { bytes, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.length) }
}

/** Who wrote a batch, for the header. All -1 without idempotence. */
export interface BatchIdentity {
  readonly producerId: number
  readonly producerEpoch: number
  readonly baseSequence: number
  readonly transactional: boolean
}

/**
 * One batch under construction. The buffer never grows: `append` answers false when a record does not fit, and the
 * batch is as it was before.
 */
export class RecordBatchBuilder implements ByteSource {
  readonly bytes: Buffer
  readonly view: DataView
  /** Position after the last record. */
  length: number = HEADER_BYTES
  count = 0
  /** Bytes of the values that came through `append`. */
  valueBytes = 0
  /** Timestamp of the first record. */
  baseTimestampMs = -1
  maxTimestampMs = -1
  readonly #maxRecords: number

  /** @param maxRecords more than these do not fit, whatever their size */
  constructor(capacity: number, maxRecords = 0x7fffffff) {
    this.#maxRecords = maxRecords
    this.bytes = Buffer.allocUnsafeSlow(capacity)
    this.view = new DataView(this.bytes.buffer)
  }

  /** Starts again in the same buffer. */
  reset(): void {
    this.length = HEADER_BYTES
    this.count = 0
    this.valueBytes = 0
    this.baseTimestampMs = this.maxTimestampMs = -1
  }

  /**
   * Adds a record.
   *
   * @param keyLength -1 when the key is null
   * @param headers the headers in Kafka's format, `headersLength` bytes from 0 on; see `HeaderWriter`
   */
  append(
    timestampMs: number,
    key: Uint8Array,
    keyStart: number,
    keyLength: number,
    value: Uint8Array | string | null,
    headers: Uint8Array,
    headersLength: number,
  ): boolean {
    if (this.count >= this.#maxRecords) return false
    const { bytes } = this
    const room = bytes.length - this.length - RECORD_OVERHEAD - (keyLength > 0 ? keyLength : 0) - headersLength
    let valueLength = -1
    if (value !== null) {
      valueLength = value.length
      // A text is taken for ASCII and corrected afterwards, which saves a look at every character beforehand. Where a
      // worse text might not fit, its true length is needed first.
      if (typeof value === 'string' && valueLength * 3 > room) valueLength = Buffer.byteLength(value)
    }
    if (valueLength > room) return false
    let at = this.#front(timestampMs, key, keyStart, keyLength, valueLength, headersLength)
    if (valueLength > 0) {
      if (typeof value === 'string') {
        const written = writeUtf8(bytes, value, at)
        if (written !== valueLength) {
          const guessed = at
          valueLength = written
          at = this.#frontEnd(timestampMs, keyLength, valueLength, headersLength)
          if (at !== guessed) bytes.copyWithin(at, guessed, guessed + written)
          this.#front(timestampMs, key, keyStart, keyLength, valueLength, headersLength)
        }
      } else {
        bytes.set(value!, at)
      }
      at += valueLength
      this.valueBytes += valueLength
    }
    if (headersLength === 1) bytes[at++] = headers[0]!
    else {
      put(bytes, at, headers, 0, headersLength)
      at += headersLength
    }
    this.#added(timestampMs, at)
    return true
  }

  /** Adds a record whose key, value and headers are taken over as they stand in `source[start, end)`. */
  appendWire(timestampMs: number, source: ByteSource, start: number, end: number): boolean {
    const tail = end - start
    if (this.count >= this.#maxRecords || tail > this.bytes.length - this.length - FRONT_OVERHEAD) return false
    const delta = this.count === 0 ? 0 : timestampMs - this.baseTimestampMs
    let at = this.#prefix(delta, tail)
    copyBytes(this, at, source, start, tail)
    at += tail
    this.#added(timestampMs, at)
    return true
  }

  #added(timestampMs: number, end: number): void {
    if (this.count === 0) this.baseTimestampMs = this.maxTimestampMs = timestampMs
    else if (timestampMs > this.maxTimestampMs) this.maxTimestampMs = timestampMs
    this.count++
    this.length = end
  }

  /** Writes length, attributes and deltas; gives the position after them. */
  #prefix(delta: number, tail: number): number {
    const { bytes, count } = this
    let at = putVarint(bytes, this.length, 1 + sizeOfVarlong(delta) + sizeOfVarint(count) + tail)
    bytes[at++] = 0
    at = putVarlong(bytes, at, delta)
    return putVarint(bytes, at, count)
  }

  /** Writes everything before the value; gives the position of the value. */
  #front(
    timestampMs: number,
    key: Uint8Array,
    keyStart: number,
    keyLength: number,
    valueLength: number,
    headersLength: number,
  ): number {
    const { bytes } = this
    const delta = this.count === 0 ? 0 : timestampMs - this.baseTimestampMs
    let at = this.#prefix(delta, tailSize(keyLength, valueLength, headersLength))
    at = putVarint(bytes, at, keyLength)
    if (keyLength > 0) {
      put(bytes, at, key, keyStart, keyLength)
      at += keyLength
    }
    return putVarint(bytes, at, valueLength)
  }

  /** Where `#front` would end. */
  #frontEnd(timestampMs: number, keyLength: number, valueLength: number, headersLength: number): number {
    const delta = this.count === 0 ? 0 : timestampMs - this.baseTimestampMs
    const tail = tailSize(keyLength, valueLength, headersLength)
    const body = 1 + sizeOfVarlong(delta) + sizeOfVarint(this.count) + tail
    return this.length + sizeOfVarint(body) + body - Math.max(0, valueLength) - headersLength
  }
}

function tailSize(keyLength: number, valueLength: number, headersLength: number): number {
  return (
    sizeOfVarint(keyLength) +
    (keyLength > 0 ? keyLength : 0) +
    sizeOfVarint(valueLength) +
    (valueLength > 0 ? valueLength : 0) +
    headersLength
  )
}

/** What the header says of the records themselves. */
export interface BatchFacts {
  readonly count: number
  readonly baseTimestampMs: number
  readonly maxTimestampMs: number
  /** Bits of the codec, see `CODEC_BITS`. */
  readonly codec: number
}

/** Writes the header of a batch of our own, except what `identifyBatch` writes. The records stand in `bytes[61, end)`. */
export function writeBatchHeader(bytes: Buffer, end: number, facts: BatchFacts): void {
  bytes.writeInt32BE(end - LENGTH_OVERHEAD, BATCH_LENGTH)
  bytes[MAGIC] = 2
  bytes.writeInt16BE(facts.codec, ATTRIBUTES)
  bytes.writeInt32BE(facts.count - 1, LAST_OFFSET_DELTA)
  bytes.writeBigInt64BE(BigInt(facts.baseTimestampMs), BASE_TIMESTAMP)
  bytes.writeBigInt64BE(BigInt(facts.maxTimestampMs), MAX_TIMESTAMP)
  bytes.writeInt32BE(facts.count, RECORD_COUNT)
}

/** Below this it takes as long to change a checksum as to make it anew. */
const WORTH_CHANGING_BYTES = 4096

/**
 * Makes a batch ready to be sent by this producer: base offset 0, no leader epoch, its producer and sequence, and the
 * CRC. Works on batches of our own and on those of others that are forwarded still compressed.
 *
 * @param hasCrc whether the batch has the CRC of what it holds. Then the records are not looked at, and damage that they have taken
 *   since it was verified is found by the broker
 */
export function identifyBatch(bytes: Buffer, end: number, identity: BatchIdentity, hasCrc = false): void {
  const isChanged = hasCrc && end >= WORTH_CHANGING_BYTES
  const before = isChanged ? crc32c(bytes, ATTRIBUTES, HEADER_BYTES) : 0
  bytes.fill(0, BASE_OFFSET, BATCH_LENGTH)
  bytes.writeInt32BE(-1, LEADER_EPOCH)
  // Codec only: CreateTime, not control, no delete horizon.
  bytes.writeInt16BE(
    (bytes[ATTRIBUTES + 1]! & CODEC_MASK) | (identity.transactional ? TRANSACTIONAL_BIT : 0),
    ATTRIBUTES,
  )
  bytes.writeBigInt64BE(BigInt(identity.producerId), PRODUCER_ID)
  bytes.writeInt16BE(identity.producerEpoch, PRODUCER_EPOCH)
  bytes.writeInt32BE(identity.baseSequence, BASE_SEQUENCE)
  const crc = isChanged
    ? changedCrc32c(bytes.readUInt32BE(CRC), before, crc32c(bytes, ATTRIBUTES, HEADER_BYTES), end - HEADER_BYTES)
    : crc32c(bytes, ATTRIBUTES, end)
  bytes.writeUInt32BE(crc, CRC)
}

/** Copies bytes of which there may be more than wanted. */
function put(target: Buffer, at: number, source: Uint8Array, start: number, length: number): void {
  if (length === source.length) target.set(source, at)
  else if (length <= 32) for (let i = 0; i < length; i++) target[at + i] = source[start + i]!
  else target.set(source.subarray(start, start + length), at)
}

/** Up to here eight bytes at a time are faster than the native copy, which costs 40 ns before it begins (Node 24). */
const SHORT_COPY = 160

/**
 * Copies a stretch of bytes. Below `SHORT_COPY` in words of eight bytes, of which the last two may overlap: 4 ns for 8
 * bytes, 24 ns for 100. V8 keeps the 64-bit words in registers; no BigInt is made.
 */
function copyBytes(target: ByteSource, at: number, source: ByteSource, start: number, length: number): void {
  if (length > SHORT_COPY) {
    source.bytes.copy(target.bytes, at, start, start + length)
  } else if (length >= 8) {
    const to = target.view
    const from = source.view
    const last = length - 8
    for (let i = 0; i < last; i += 8) to.setBigUint64(at + i, from.getBigUint64(start + i, true), true)
    to.setBigUint64(at + last, from.getBigUint64(start + last, true), true)
  } else {
    for (let i = 0; i < length; i++) target.bytes[at + i] = source.bytes[start + i]!
  }
}
