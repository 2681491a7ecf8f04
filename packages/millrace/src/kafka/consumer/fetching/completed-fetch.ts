/**
 * What one fetch brought for one partition, and how it is cut into batches.
 *
 * Control batches and the records of aborted transactions are left out here. The rule for the latter is that of Java's
 * `CompletedFetch`: the broker lists the aborted transactions that overlap with what it sent, the earlier ones included;
 * walking through the batches, a producer counts as aborting from the first offset of its transaction to its ABORT
 * marker, and its transactional batches are dropped meanwhile.
 * @see https://cwiki.apache.org/confluence/display/KAFKA/KIP-98+-+Exactly+Once+Delivery+and+Transactional+Messaging
 */
import { ABORT_MARKER, readControlType } from '../../protocol/control-record.ts'
import type { AbortedTransaction } from '../../protocol/fetch.ts'
import { type FetchedBatches, FetchedRecords, recordsBefore } from '../../protocol/locate-records.ts'
import { mostPlainBytes } from '../../protocol/compression/plain-size.ts'
import { HEADER_BYTES, RecordBatchReader } from '../../protocol/record-batch.ts'
import type { TimestampType } from '../../../records/record.ts'
import type { FetchedFrame } from './fetched-frame.ts'

/** Bounds of one slice, so that no step works on it for long: about 20 ms of JSON parsing. */
export interface SliceBounds {
  readonly maxBytes: number
  /** Of what it decompresses to; a batch that may be larger is a slice by itself. */
  readonly maxPlainBytes: number
  readonly maxRecords: number
}

export interface FetchSlice {
  /** Undefined when everything up to `nextOffset` was control batches or aborted records. */
  readonly records: FetchedRecords | undefined
  readonly timestampType: TimestampType
  /** The offset after everything this slice stands for. */
  readonly nextOffset: number
  /** Epoch of the leader that wrote it. */
  readonly leaderEpoch: number
}

/**
 * A compressed batch of so many bytes that may decompress to so many is a slice by itself: to join it with others would only copy it
 * once more. Of a few bytes the codec may not say how little they decompress to.
 */
const ALONE_BYTES = 16 * 1024
const ALONE_PLAIN_BYTES = 128 * 1024

/** Last offset that the whole record batches of a fetch reach, plus one, and the epoch of the leader that wrote it, up to one that is damaged; undefined when there is no whole batch. @throws {CorruptRecordError} when the first is damaged */
export function nextOffsetOf(
  records: Buffer,
  reader: RecordBatchReader,
  topic: string,
  partition: number,
): { readonly offset: number; readonly leaderEpoch: number } | undefined {
  let next: { offset: number; leaderEpoch: number } | undefined
  reader.reset(records, topic, partition, { checkCrcs: false })
  try {
    while (reader.next()) {
      next ??= { offset: 0, leaderEpoch: 0 }
      next.offset = reader.lastOffset + 1
      next.leaderEpoch = reader.leaderEpoch
    }
  } catch (error) {
    if (next === undefined) throw error
  }
  return next
}

/** How the records of a partition are read. */
export interface ReadOptions {
  /** `check.crcs` */
  readonly checkCrcs: boolean
  readonly maxDecompressedBytes: number
}

export class CompletedFetch {
  readonly topic: string
  readonly partition: number
  readonly byteLength: number
  /** Epoch of the leader that wrote the record before `position`; -1 when it is not known. */
  epochBefore = -1
  #bytes: Buffer
  #position: number
  readonly #reader = new RecordBatchReader()
  /** Aborted transactions that begin later than what was walked so far, by first offset. */
  readonly #aborted: AbortedTransaction[]
  readonly #aborting = new Set<number>()
  readonly #maxDecompressedBytes: number
  #pending = true
  /** What is wrong with the next record batch. */
  #damage: unknown
  /** Whose memory the bytes are; undefined when they are a copy. */
  #frame: FetchedFrame | undefined

  /**
   * @param position offset that was asked for; the first record batch may begin before it
   * @param aborted of a `read_committed` fetch, in any order; empty otherwise
   * @param frame in which the bytes lie; held until `end`
   */
  constructor(
    bytes: Buffer,
    topic: string,
    partition: number,
    position: number,
    aborted: readonly AbortedTransaction[],
    options: ReadOptions,
    frame?: FetchedFrame,
  ) {
    frame?.hold()
    this.#frame = frame
    this.topic = topic
    this.partition = partition
    this.byteLength = bytes.length
    this.#bytes = bytes
    this.#position = position
    this.#aborted = aborted.toSorted((a, b) => a.firstOffset - b.firstOffset)
    this.#maxDecompressedBytes = options.maxDecompressedBytes
    this.#reader.reset(bytes, topic, partition, options)
    this.#advance()
  }

  /** Copies what is left, so that the rest of the answer that it is a part of can be freed, where that is much. */
  detach(): void {
    if (2 * this.#bytes.length >= this.#bytes.buffer.byteLength) return
    this.#bytes = Buffer.from(this.#bytes)
    this.#reader.bytes = this.#bytes
    this.end()
  }

  /** Nothing more is taken of it; what was taken is held by its own. */
  end(): void {
    this.#frame?.letGo()
    this.#frame = undefined
  }

  get isDone(): boolean {
    return !this.#pending
  }

  /** Offset of the first record that `next` has not returned. */
  get position(): number {
    return this.#position
  }

  /**
   * The next stretch of records. What lies before a damaged record batch comes first.
   * @throws {CorruptRecordError}
   */
  next(bounds: SliceBounds): FetchSlice {
    const reader = this.#reader
    if (this.#damage !== undefined) throw this.#damage
    const maxPlainBytes = Math.min(bounds.maxPlainBytes, this.#maxDecompressedBytes)
    let plain = 0
    const ranges: number[] = []
    let bytes = 0
    let records = 0
    let isAlone = false
    let nextOffset = this.#position
    let { leaderEpoch } = reader
    let timestampType: TimestampType = 'CreateTime'
    while (this.#pending && this.#damage === undefined) {
      // So that the offset after a slice has the epoch of all of it.
      if (nextOffset > this.#position && reader.leaderEpoch !== leaderEpoch) break
      leaderEpoch = reader.leaderEpoch
      const size = reader.end - reader.start
      const plainSize = this.#mostPlainBytes()
      const wasAlone = isAlone
      isAlone = reader.codec !== 'none' && size >= ALONE_BYTES && plainSize >= ALONE_PLAIN_BYTES
      if (
        records > 0 &&
        (isAlone ||
          wasAlone ||
          bytes + size > bounds.maxBytes ||
          plain + plainSize > maxPlainBytes ||
          records + reader.count > bounds.maxRecords ||
          reader.timestampType !== timestampType)
      )
        break
      if (this.#isDelivered()) {
        ranges.push(reader.start, reader.end)
        bytes += size
        plain += plainSize
        records += reader.count
        timestampType = reader.timestampType
      }
      nextOffset = reader.lastOffset + 1
      this.#advance()
    }
    const fromOffset = this.#position
    this.#position = nextOffset
    this.epochBefore = leaderEpoch
    if (ranges.length === 0) return { records: undefined, timestampType, nextOffset, leaderEpoch }
    const located = this.#recordsOf({
      topic: this.topic,
      partition: this.partition,
      bytes: this.#bytes,
      ranges: Int32Array.from(ranges),
      fromOffset,
      maxDecompressedBytes: this.#maxDecompressedBytes,
      frame: this.#frame,
    })
    return { records: located, timestampType, nextOffset: this.#position, leaderEpoch }
  }

  /** @throws {CorruptRecordError} when nothing of them can be read, as far as they are looked at here */
  #recordsOf(batches: FetchedBatches): FetchedRecords {
    try {
      return new FetchedRecords(batches)
    } catch (error) {
      const readable = recordsBefore(error, batches)
      if (readable === undefined) throw error
      this.#damage = error
      this.#pending = true
      this.#position = readable.lastOffset + 1
      return readable
    }
  }

  /** Moves to the next record batch; what is wrong with it is thrown when its turn comes. */
  #advance(): void {
    try {
      this.#pending = this.#reader.next()
    } catch (error) {
      this.#damage = error
    }
  }

  #mostPlainBytes(): number {
    const { codec, bytes, start, end } = this.#reader
    return codec === 'none' ? end - start : mostPlainBytes(codec, bytes.subarray(start + HEADER_BYTES, end))
  }

  /** Whether the batch under the cursor holds records for the reader; keeps account of aborted transactions. */
  #isDelivered(): boolean {
    const reader = this.#reader
    while (this.#aborted.length > 0 && this.#aborted[0]!.firstOffset <= reader.lastOffset)
      this.#aborting.add(this.#aborted.shift()!.producerId)
    if (reader.isControl) {
      if (this.#aborting.has(reader.producerId) && readControlType(reader) === ABORT_MARKER)
        this.#aborting.delete(reader.producerId)
      return false
    }
    if (reader.isTransactional && this.#aborting.has(reader.producerId)) return false
    return reader.count > 0 && reader.lastOffset >= this.#position
  }
}
