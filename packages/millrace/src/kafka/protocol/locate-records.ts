/**
 * Finds the records in record batches: decompresses what is compressed and notes where each key and value lies, in typed
 * arrays and without an object per record. The hottest loop of the system.
 */
import { FIELDS, type LocatedRecords, type RawRecordBatches, type RecordStorage } from '../../records/batch.ts'
import { BatchTooLargeError, RecordError } from '../../errors/index.ts'
import { dropBefore, keepFirst } from '../../records/located-parts.ts'
import { freeMemory } from '../../records/lease.ts'
import { type FetchedBatches, corruptBatch, tooLarge } from './fetched-batches.ts'
import { type Codec, CODECS } from './compression/codecs.ts'
import { decompress } from './compression/compression.ts'
import {
  ATTRIBUTES,
  BASE_OFFSET,
  BASE_TIMESTAMP,
  CODEC_MASK,
  corruptRecord,
  HEADER_BYTES,
  LAST_OFFSET_DELTA,
  LOG_APPEND_TIME_BIT,
  MAX_TIMESTAMP,
  MIN_RECORD_BYTES,
  readInt64,
  RECORD_COUNT,
} from './record-batch.ts'
import { endOfVarint, VARINT_BYTES, varintAt, VARLONG_BYTES, varlongAt, zigzagAt } from '../../records/varint.ts'

export type { FetchedBatches } from './fetched-batches.ts'

/** Positions in located bytes are 32-bit numbers. */
const MAX_LOCATED_BYTES = 2 ** 31 - 1

/**
 * Record batches whose records are located on demand.
 *
 * `firstOffset` and `lastOffset` are the offsets that the batches cover; compaction may have removed the records there,
 * and even all of them: `count` may be 0. The position to fetch next is `lastOffset + 1`.
 */
export class FetchedRecords implements RecordStorage {
  /** Bytes of the record batches as they were fetched. */
  readonly fetchedBytes: number
  readonly count: number
  readonly firstOffset: number
  readonly lastOffset: number
  readonly newestTimestamp: number | undefined
  readonly #batches: FetchedBatches
  readonly #raw: RawRecordBatches | undefined
  #located: LocatedRecords | undefined
  /** Bytes that were made to locate the records. */
  #locatedBytes = 0
  #isReleased = false

  /**
   * Reads the headers only, except when `fromOffset` lies within the first batch: then its records are located at once,
   * because `count` must be exact.
   *
   * @throws {CorruptRecordError} see `locate`; only when `fromOffset` lies within a batch
   */
  constructor(batches: FetchedBatches) {
    const { bytes, ranges, fromOffset } = batches
    let byteLength = 0
    let count = 0
    for (let i = 0; i < ranges.length; i += 2) {
      byteLength += ranges[i + 1]! - ranges[i]!
      count += bytes.readInt32BE(ranges[i]! + RECORD_COUNT)
    }
    this.#batches = batches
    this.fetchedBytes = byteLength
    const baseOffset = ranges.length === 0 ? fromOffset : readInt64(bytes, ranges[0]! + BASE_OFFSET)
    this.firstOffset = Math.max(baseOffset, fromOffset)
    const last = ranges.length - 2
    const { untilOffset = Infinity } = batches
    this.lastOffset = last < 0 ? fromOffset - 1 : Math.min(lastOffsetOf(bytes, ranges[last]!), untilOffset - 1)
    // Of the last record batch: those before it are older, or nearly as new.
    const newest = last < 0 ? -1 : readInt64(bytes, ranges[last]! + MAX_TIMESTAMP)
    this.newestTimestamp = newest < 0 ? undefined : newest
    const isCut = baseOffset < fromOffset || untilOffset !== Infinity
    this.#located = isCut ? dropBefore(fromOffset, this.#locate()) : undefined
    this.count = this.#located?.count ?? count
    this.#raw = isCut ? undefined : { bytes, ranges }
    batches.frame?.hold()
  }

  get raw(): RawRecordBatches | undefined {
    return this.#isReleased ? undefined : this.#raw
  }

  /**
   * Finds the records. Positions point into the fetched bytes when no batch is compressed, else into a copy.
   *
   * @throws {CorruptRecordError} {BatchTooLargeError} with topic, partition and the first offset that cannot be read
   */
  locate(): LocatedRecords {
    return (this.#located ??= this.#locate())
  }

  release(): void {
    if (this.#isReleased) return
    this.#isReleased = true
    const located = this.#located
    this.#located = undefined
    if (located !== undefined) {
      if (located.bytes !== this.#batches.bytes) freeMemory(located.bytes)
      freeMemory(located.fields)
      freeMemory(located.offsets)
      freeMemory(located.timestamps)
    }
    this.#batches.frame?.letGo()
  }

  readable(error: unknown): FetchedRecords | undefined {
    return recordsBefore(error, this.#batches)
  }

  /** Bytes that were fetched and, as soon as the records are located, those that were made of them. */
  get byteLength(): number {
    return this.fetchedBytes + this.#locatedBytes
  }

  #locate(): LocatedRecords {
    const located = locateRecords(this.#batches)
    const { bytes, fields, offsets, timestamps } = located
    this.#locatedBytes =
      (bytes === this.#batches.bytes ? 0 : bytes.length) +
      fields.byteLength +
      offsets.byteLength +
      timestamps.byteLength
    return located
  }
}

/** What lies before the record, or the record batch, that an error says cannot be read; undefined when that is nothing. */
export function recordsBefore(error: unknown, batches: FetchedBatches): FetchedRecords | undefined {
  const { bytes, ranges } = batches
  if (!(error instanceof RecordError) || error.offset === undefined) return undefined
  const untilOffset = Number(error.offset)
  let end = 0
  while (end < ranges.length && lastOffsetOf(bytes, ranges[end]!) + 1 < untilOffset) end += 2
  // Of the batch with the record that cannot be read, those before it.
  if (end < ranges.length && readInt64(bytes, ranges[end]! + BASE_OFFSET) < untilOffset) end += 2
  if (end === 0) return undefined
  const before = new FetchedRecords({ ...batches, ranges: ranges.subarray(0, end), untilOffset })
  return before.count === 0 ? undefined : before
}

function lastOffsetOf(bytes: Buffer, batch: number): number {
  return readInt64(bytes, batch + BASE_OFFSET) + bytes.readInt32BE(batch + LAST_OFFSET_DELTA)
}

/** Where the uncompressed records of each batch lie. */
interface PlainRecords {
  readonly bytes: Buffer
  /** Start and end of the records of each batch, without its header, in pairs. */
  readonly ranges: Int32Array
}

function locateRecords(batches: FetchedBatches): LocatedRecords {
  const { bytes: fetched, ranges } = batches
  const plain = decompressBatches(batches)
  let count = 0
  for (let i = 0; i < ranges.length; i += 2) {
    const expected = fetched.readInt32BE(ranges[i]! + RECORD_COUNT)
    // Before anything of that size is allocated.
    if (expected * MIN_RECORD_BYTES > plain.ranges[i + 1]! - plain.ranges[i]!) {
      throw corruptBatch(
        batches,
        i,
        `its record count must fit into ${plain.ranges[i + 1]! - plain.ranges[i]!} bytes: current value is ${expected}`,
      )
    }
    count += expected
  }
  const located = {
    bytes: plain.bytes,
    count,
    fields: new Int32Array(count * FIELDS),
    offsets: new Float64Array(count),
    timestamps: new Float64Array(count),
  }
  let first = 0
  for (let i = 0; i < ranges.length; i += 2) {
    const batch = ranges[i]!
    const end = first + fetched.readInt32BE(batch + RECORD_COUNT)
    const baseOffset = readInt64(fetched, batch + BASE_OFFSET)
    const lastOffset = baseOffset + fetched.readInt32BE(batch + LAST_OFFSET_DELTA)
    const failed = locateBatch(
      located,
      plain.ranges[i]!,
      plain.ranges[i + 1]!,
      first,
      end,
      baseOffset,
      lastOffset,
      readInt64(fetched, batch + BASE_TIMESTAMP),
    )
    if (failed !== NONE) {
      if (batches.untilOffset !== undefined) return keepFirst(failed, located)
      const offset = failed === first ? baseOffset : located.offsets[failed - 1]! + 1
      const reason =
        failed === end
          ? 'more bytes follow than its record count says'
          : `record ${failed - first + 1} of ${end - first} in its batch is malformed`
      throw corruptRecord(
        `Cannot read the record at offset ${offset}`,
        reason,
        batches.topic,
        batches.partition,
        offset,
      )
    }
    if ((fetched.readInt16BE(batch + ATTRIBUTES) & LOG_APPEND_TIME_BIT) !== 0)
      located.timestamps.fill(readInt64(fetched, batch + MAX_TIMESTAMP), first, end)
    first = end
  }
  return located
}

function decompressBatches(batches: FetchedBatches): PlainRecords {
  const { bytes, ranges } = batches
  const plainRanges = new Int32Array(ranges.length)
  let compressed = false
  for (let i = 0; i < ranges.length; i += 2) {
    plainRanges[i] = ranges[i]! + HEADER_BYTES
    plainRanges[i + 1] = ranges[i + 1]!
    compressed ||= codecOf(batches, i) !== 'none'
  }
  if (!compressed) return { bytes, ranges: plainRanges }
  const parts: Buffer[] = []
  let total = 0
  for (let i = 0; i < ranges.length; i += 2) {
    const part = decompressBatch(batches, i, bytes.subarray(plainRanges[i], plainRanges[i + 1]))
    parts.push(part)
    plainRanges[i] = total
    plainRanges[i + 1] = total += part.length
    if (total > MAX_LOCATED_BYTES)
      throw tooLarge(batches, i, `it and those fetched with it decompress to more than ${MAX_LOCATED_BYTES} bytes`)
  }
  return { bytes: parts.length === 1 ? parts[0]! : Buffer.concat(parts, total), ranges: plainRanges }
}

function codecOf(batches: FetchedBatches, i: number): Codec {
  return CODECS[batches.bytes.readInt16BE(batches.ranges[i]! + ATTRIBUTES) & CODEC_MASK]!
}

function decompressBatch(batches: FetchedBatches, i: number, payload: Buffer): Buffer {
  if (payload.length === 0) return payload // emptied by compaction, which keeps the codec bits
  try {
    return decompress(codecOf(batches, i), payload, batches.maxDecompressedBytes)
  } catch (cause) {
    if (cause instanceof BatchTooLargeError)
      throw tooLarge(
        batches,
        i,
        `its ${payload.length} bytes decompress to more than ${batches.maxDecompressedBytes}: raise maxDecompressedBytes if there is memory for it`,
        cause,
      )
    throw corruptBatch(batches, i, (cause as Error).message.replace(/^Cannot/, 'one cannot'), cause)
  }
}

const NONE = -1

/**
 * Locates records `first` to `last` (exclusive) of `located`, which lie in `bytes[position, end)`.
 *
 * Lengths and deltas are varints, nearly always of one or two bytes, and are read here instead of by a function each.
 * A read may pass the end of a malformed record, does no harm there (an element beyond the array counts as 0), and is
 * found out: no length is negative and so the position only grows, and it must be at the record's end in the end.
 *
 * @returns index of the first record that is malformed; `last` when bytes are left over; NONE when all is well
 */
function locateBatch(
  located: LocatedRecords,
  position: number,
  end: number,
  first: number,
  last: number,
  baseOffset: number,
  lastOffset: number,
  baseTimestamp: number,
): number {
  const { bytes, fields, offsets, timestamps } = located
  let field = first * FIELDS
  let expected = baseOffset // least offset that the next record may have
  for (let i = first; i < last; i++) {
    // length
    let byte = bytes[position++]!
    let bits = byte
    if (byte > 127) {
      byte = bytes[position++]!
      bits = (bits & 127) | (byte << 7)
      if (byte > 127) {
        const next = endOfVarint(bytes, position - 2, end, VARINT_BYTES)
        if (next < 0) return i
        bits = zigzagAt(bytes, position - 2)
        position = next
      }
    }
    const recordEnd = position + ((bits >>> 1) ^ -(bits & 1))
    if (recordEnd > end || recordEnd < position) return i

    // attributes (unused) and timestamp delta
    bits = byte = bytes[position + 1]!
    position += 2
    if (byte > 127) {
      byte = bytes[position++]!
      bits = (bits & 127) | (byte << 7)
    }
    if (byte < 128) timestamps[i] = baseTimestamp + ((bits >>> 1) ^ -(bits & 1))
    else {
      const next = endOfVarint(bytes, position - 2, recordEnd, VARLONG_BYTES)
      if (next < 0) return i
      timestamps[i] = baseTimestamp + varlongAt(bytes, position - 2)
      position = next
    }

    // offset delta
    byte = bytes[position++]!
    bits = byte
    if (byte > 127) {
      byte = bytes[position++]!
      bits = (bits & 127) | (byte << 7)
      if (byte > 127) {
        const next = endOfVarint(bytes, position - 2, recordEnd, VARINT_BYTES)
        if (next < 0) return i
        bits = zigzagAt(bytes, position - 2)
        position = next
      }
    }
    const offset = baseOffset + ((bits >>> 1) ^ -(bits & 1))
    if (offset < expected || offset > lastOffset) return i
    offsets[i] = offset
    expected = offset + 1

    // key
    fields[field] = position
    byte = bytes[position++]!
    bits = byte
    if (byte > 127) {
      byte = bytes[position++]!
      bits = (bits & 127) | (byte << 7)
      if (byte > 127) {
        const next = endOfVarint(bytes, position - 2, recordEnd, VARINT_BYTES)
        if (next < 0) return i
        bits = zigzagAt(bytes, position - 2)
        position = next
      }
    }
    let length = (bits >>> 1) ^ -(bits & 1)
    fields[field + 1] = position
    fields[field + 2] = length
    if (length > 0) position += length
    else if (length < -1) return i

    // value
    byte = bytes[position++]!
    bits = byte
    if (byte > 127) {
      byte = bytes[position++]!
      bits = (bits & 127) | (byte << 7)
      if (byte > 127) {
        const next = endOfVarint(bytes, position - 2, recordEnd, VARINT_BYTES)
        if (next < 0) return i
        bits = zigzagAt(bytes, position - 2)
        position = next
      }
    }
    length = (bits >>> 1) ^ -(bits & 1)
    fields[field + 3] = position
    fields[field + 4] = length
    if (length > 0) position += length
    else if (length < -1) return i

    // headers
    if (bytes[position] === 0) position++
    else position = endOfHeaders(bytes, position, recordEnd)
    if (position !== recordEnd) return i
    fields[field + 5] = recordEnd
    field += FIELDS
  }
  return position === end ? NONE : last
}

/** Walks over the headers of a record; the position after them, or -1 when they are malformed. */
function endOfHeaders(bytes: Buffer, position: number, end: number): number {
  let next = endOfVarint(bytes, position, end, VARINT_BYTES)
  if (next < 0) return -1
  const count = varintAt(bytes, position)
  if (count < 0) return -1
  for (let parts = 2 * count; parts > 0; parts--) {
    position = next
    next = endOfVarint(bytes, position, end, VARINT_BYTES)
    if (next < 0) return -1
    const length = varintAt(bytes, position)
    const isName = parts % 2 === 0
    if (length < (isName ? 0 : -1)) return -1 // a value may be null, a name not
    next += Math.max(0, length)
  }
  return next
}
