/**
 * The bytes of a partition: record batches one after the other, in pieces of memory, so that a range of them is one view
 * that can be sent without a copy.
 *
 * Bytes never change once they are written: a response that is still being sent keeps them alive by itself.
 */
import {
  BASE_OFFSET,
  BATCH_LENGTH,
  LAST_OFFSET_DELTA,
  LENGTH_OVERHEAD,
  MAX_TIMESTAMP,
  readInt64,
} from '../../kafka/protocol/record-batch.ts'
import type { LogFiles, LogHistory, StoredSegment } from './log-files.ts'

const FIRST_CAPACITY = 16 * 1024
/** A segment that holds more begins a new one. A fetch is answered from one segment. */
const SEGMENT_BYTES = 4 * 1024 * 1024

export class Segment {
  /** Offset of the first record that it was begun with. */
  readonly baseOffset: number
  bytes: Buffer
  length = 0
  maxTimestampMs = -1
  /** Base offset and position of each batch. */
  readonly #offsets: number[] = []
  readonly #positions: number[] = []

  constructor(baseOffset: number, capacity: number) {
    this.baseOffset = baseOffset
    this.bytes = Buffer.allocUnsafeSlow(capacity)
  }

  get batches(): number {
    return this.#offsets.length
  }

  position(batch: number): number {
    return this.#positions[batch] ?? this.length
  }

  /** First offset of a batch. */
  offset(batch: number): number {
    return this.#offsets[batch]!
  }

  /** The last batch that begins at or before an offset; 0 when there is none. */
  batchAt(offset: number): number {
    let low = 0
    let high = this.#offsets.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if (this.#offsets[middle]! <= offset) low = middle
      else high = middle - 1
    }
    return low
  }

  lastOffsetOf(batch: number): number {
    return this.#offsets[batch]! + this.bytes.readInt32BE(this.#positions[batch]! + LAST_OFFSET_DELTA)
  }

  maxTimestampOf(batch: number): number {
    return readInt64(this.bytes, this.#positions[batch]! + MAX_TIMESTAMP)
  }

  /** @param capacity bytes that the segment may have at most */
  append(batch: Buffer, capacity: number): void {
    const end = this.length + batch.length
    if (end > this.bytes.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(end, Math.min(capacity, 2 * this.bytes.length)))
      this.bytes.copy(larger, 0, 0, this.length)
      this.bytes = larger
    }
    batch.copy(this.bytes, this.length)
    this.#index(end)
  }

  /** Takes the bytes of a file over, as they are. */
  adopt(bytes: Buffer): void {
    this.bytes = bytes
    while (this.length < bytes.length)
      this.#index(this.length + LENGTH_OVERHEAD + bytes.readInt32BE(this.length + BATCH_LENGTH))
  }

  /** Notes the batch that has been written behind the last one. */
  #index(end: number): void {
    const start = this.length
    this.#offsets.push(readInt64(this.bytes, start + BASE_OFFSET))
    this.#positions.push(start)
    this.length = end
    this.maxTimestampMs = Math.max(this.maxTimestampMs, readInt64(this.bytes, start + MAX_TIMESTAMP))
  }
}

/** A range of record batches, the last of which may be incomplete. */
export interface LogSlice {
  readonly bytes: Buffer
  /** Offset of the first record of the first batch; it may lie before the one asked for. */
  readonly firstOffset: number
  /** Offset after the last record. */
  readonly endOffset: number
}

/** A record batch and where it is. */
export interface StoredBatch {
  readonly bytes: Buffer
  readonly baseOffset: number
  readonly lastOffset: number
  readonly maxTimestampMs: number
}

export class Segments {
  readonly #files: LogFiles | undefined
  #list: Segment[] = []
  /** Of all batches. */
  bytes = 0

  /** @param files where everything is also written */
  constructor(files: LogFiles | undefined) {
    this.#files = files
  }

  /** Takes over what the files hold. */
  restore(stored: readonly StoredSegment[]): void {
    for (const { baseOffset, bytes } of stored) {
      const segment = new Segment(baseOffset, 0)
      segment.adopt(bytes)
      this.#list.push(segment)
      this.bytes += bytes.length
    }
  }

  append(batch: Buffer, baseOffset: number): void {
    const isNew = needsNext(this.#list, batch)
    // If it cannot be written, nothing has changed here.
    if (isNew) this.#files?.roll(baseOffset)
    this.#files?.append(batch)
    appendTo(this.#list, batch, baseOffset)
    this.bytes += batch.length
  }

  /** First offset of the oldest segment; `undefined` when there is none. */
  get oldest(): Segment | undefined {
    return this.#list[0]
  }

  get count(): number {
    return this.#list.length
  }

  /** First offset after the oldest segment. */
  get secondOffset(): number | undefined {
    return this.#list[1]?.baseOffset
  }

  dropOldest(): void {
    this.#files?.dropOldest()
    this.bytes -= this.#list.shift()?.length ?? 0
  }

  /**
   * Replaces everything by other batches.
   *
   * @param startOffset of the first segment
   */
  replace(batches: readonly StoredBatch[], startOffset: number, history: LogHistory): void {
    const list: Segment[] = []
    let endOffset = startOffset
    for (const { bytes, lastOffset } of batches) {
      // Where one segment ends, the next begins, also where offsets are missing.
      appendTo(list, bytes, endOffset)
      endOffset = lastOffset + 1
    }
    const stored = list.map(({ baseOffset, bytes, length }) => ({ baseOffset, bytes: bytes.subarray(0, length) }))
    this.#files?.replace(stored.length > 0 ? stored : [{ baseOffset: history.endOffset, bytes: NOTHING }], history)
    this.#list = list
    this.bytes = list.reduce((sum, { length }) => sum + length, 0)
  }

  /**
   * Batches from the one that holds `from`, or the next one when compaction has removed it, up to `before`. The last one may be
   * cut off, as Kafka does it: clients have to expect that.
   *
   * @param maxBytes most bytes; the first batch is given even if it is larger when `atLeastOne` is set
   * @param before batches that end at or after it are left out
   */
  read(from: number, before: number, maxBytes: number, atLeastOne: boolean): LogSlice | undefined {
    for (let i = this.#segmentAt(from); i < this.#list.length; i++) {
      const segment = this.#list[i]!
      if (segment.batches === 0) continue
      let first = segment.batchAt(from)
      if (segment.lastOffsetOf(first) < from) first++
      if (first === segment.batches) continue
      if (segment.lastOffsetOf(first) >= before) return undefined
      const start = segment.position(first)
      const firstEnd = segment.position(first + 1)
      if (firstEnd - start > maxBytes && !atLeastOne) return undefined
      let last = first
      while (
        last + 1 < segment.batches &&
        segment.lastOffsetOf(last + 1) < before &&
        segment.position(last + 1) - start < maxBytes
      )
        last++
      const end = Math.min(segment.position(last + 1), Math.max(firstEnd, start + maxBytes))
      return {
        bytes: segment.bytes.subarray(start, end),
        firstOffset: segment.offset(first),
        endOffset: segment.lastOffsetOf(last) + 1,
      }
    }
    return undefined
  }

  /** All batches from the one that holds `from`. */
  *batchesFrom(from: number): Generator<StoredBatch> {
    for (let i = this.#segmentAt(from); i < this.#list.length; i++) {
      const segment = this.#list[i]!
      for (let batch = segment.batchAt(from); batch < segment.batches; batch++) {
        const lastOffset = segment.lastOffsetOf(batch)
        if (lastOffset < from) continue
        yield {
          bytes: segment.bytes.subarray(segment.position(batch), segment.position(batch + 1)),
          baseOffset: segment.offset(batch),
          lastOffset,
          maxTimestampMs: segment.maxTimestampOf(batch),
        }
      }
    }
  }

  /** The first batch at or after `from` that has a record of at least that time. */
  firstSince(timestampMs: number, from: number): StoredBatch | undefined {
    for (let i = this.#segmentAt(from); i < this.#list.length; i++) {
      const segment = this.#list[i]!
      if (segment.maxTimestampMs < timestampMs) continue
      for (const batch of this.batchesFrom(Math.max(from, segment.baseOffset)))
        if (batch.maxTimestampMs >= timestampMs) return batch
    }
    return undefined
  }

  #segmentAt(offset: number): number {
    let i = this.#list.length - 1
    while (i > 0 && this.#list[i]!.baseOffset > offset) i--
    return Math.max(0, i)
  }
}

const NOTHING = Buffer.alloc(0)

function needsNext(list: readonly Segment[], batch: Buffer): boolean {
  const last = list.at(-1)
  return last === undefined || last.length + batch.length > SEGMENT_BYTES
}

/** @param baseOffset of the segment, if the batch begins one */
function appendTo(list: Segment[], batch: Buffer, baseOffset: number): void {
  if (needsNext(list, batch)) {
    // A partition that has filled a segment will fill another one.
    const capacity = list.length === 0 ? FIRST_CAPACITY : SEGMENT_BYTES
    list.push(new Segment(baseOffset, Math.max(capacity, batch.length)))
  }
  list.at(-1)!.append(batch, SEGMENT_BYTES)
}
