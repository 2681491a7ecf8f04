/**
 * What travels through a pipeline: a batch of records of one topic partition.
 *
 * A batch keeps the bytes as they came in (`LocatedRecords.bytes`) and typed arrays that say where each record lies. A
 * stage never copies: a filter narrows `rows`, a change puts a document beside a row. So there are two numbers:
 *
 * - a *record* index points into the stored records (`fields`, `offsets`, `timestamps`);
 * - a *row* is what is left of the batch, in order. `rows[row]` is its record; without `rows`, row and record are equal.
 *
 * A batch can be cut between two rows. Then rows, offsets (`firstOffset`, `lastOffset`, `nextOffset`) and acknowledgement of each
 * part describe that part alone; `OffsetRange` is the one description of it.
 */
import { type Acknowledgement, type AcknowledgementParts, splitAt } from './acknowledgement.ts'
import type { LocatedRecords, RawRecordBatches, RecordStorage } from './record-storage.ts'
import { BatchRecord } from './batch-record.ts'
import { Lease } from './lease.ts'
import type { ConsumerRecord, Header, TimestampType } from './record.ts'
import type { MovedFields } from './moved-fields.ts'
import { numbersFrom, pickFrom } from './rows.ts'
import type { DigitsIn, SourceIn, SourcesIn } from './sources.ts'
import { viewOf, readHeaders } from './views.ts'

/** Number of `fields` per record. */
export const FIELDS = 6
/** Position of the key length, where the part of a Kafka record begins that does not depend on its place in a batch; -1 when the bytes are not in Kafka's format. */
export const BODY = 0
/** Position of the key. */
export const KEY = 1
/** Length of the key; -1 when it is null. */
export const KEY_LENGTH = 2
/** Position of the value. */
export const VALUE = 3
/** Length of the value; -1 when it is null (a tombstone). */
export const VALUE_LENGTH = 4
/** Position after the record. Between the value and here lie the headers, in Kafka's format, when BODY is not -1. */
export const END = 5

export type { LocatedRecords, RawRecordBatches, RecordStorage } from './record-storage.ts'

/** Where the records of a batch came from. */
export interface BatchOrigin {
  /** Name of the source component. */
  readonly component: string
  /** Topic; for other systems the name of what was read, for instance a path. */
  readonly topic: string
  /** Number of the partition, from 0 on. */
  readonly partition: number
  /** Number of partitions of the topic; a sink with as many may keep the partition. Below 0 for rows that no partition holds. */
  readonly partitionCount: number
  /** Distinguishes readers: two of them may read topics with one name on two clusters. */
  readonly reader?: symbol
  /** Whether timestamps are those of the records, or when the broker appended them. */
  readonly timestampType: TimestampType
}

export type { Acknowledgement } from './acknowledgement.ts'

/** The offsets that a batch, or a part of one, covers. */
export interface OffsetRange {
  readonly firstOffset: number
  readonly lastOffset: number
  /** Where reading goes on behind it: after `lastOffset`, and after what holds no records, such as transaction markers. */
  readonly nextOffset: number
}

/** Bytes that take the place of a value or a key. */
export type Payload = string | Buffer | null

/** See `sourcesOf`. */
export type RowSource = SourceIn<Batch>
export type Sources = SourcesIn<Batch>
/** See `row-digits.ts`. */
export type Digits = DigitsIn<Batch>

/** Changes that a stage made to a batch. All arrays are by row. */
export interface BatchChanges {
  readonly rows?: Int32Array | undefined
  readonly documents?: unknown[] | undefined
  readonly replaced?: Uint8Array | undefined
  readonly keys?: (Payload | undefined)[] | undefined
  readonly sources?: Sources | undefined
  readonly digits?: Digits | undefined
  readonly moved?: readonly MovedFields[] | undefined
  /** Of a part of the stored records; by default the offsets that were stored. */
  readonly range?: OffsetRange | undefined
}

/**
 * Records of one topic partition, in order, as views into the bytes as they were fetched. Rows are numbered from 0; what is not asked for
 * is not parsed. Call `ack` when all of them are dealt with, and nothing of it is read again.
 */
export class Batch {
  /** Where its records came from. */
  readonly origin: BatchOrigin
  /** Record of each row; undefined when every record is a row. */
  readonly rows: Int32Array | undefined
  /** Parsed value by row, `undefined` where it was not asked for yet; filled by `codecs/`. */
  documents: unknown[] | undefined
  /** 1 for each row whose document is no longer what the bytes say; undefined when none was replaced. */
  readonly replaced: Uint8Array | undefined
  /** What a codec made of the replaced rows, `undefined` for the others; set by the encode step. */
  payloads: (Payload | undefined)[] | undefined
  /** Keys that take the place of the stored ones, `undefined` where the stored one stays. */
  keys: (Payload | undefined)[] | undefined
  /** Where the digits of numbers are that documents have as doubles; undefined where values are JSON. Set when they are decoded. */
  digits: Digits | undefined
  /** Fields that stages copied; undefined where there are none. */
  readonly moved: readonly MovedFields[] | undefined
  /** What its stored records were made of; undefined where they are the records that were read. */
  readonly sources: Sources | undefined

  readonly #storage: RecordStorage
  readonly #acknowledgement: Acknowledgement
  readonly #lease: Lease
  readonly #range: OffsetRange | undefined

  /** Programs get batches from `KafkaSource.batches`. */
  constructor(
    origin: BatchOrigin,
    storage: RecordStorage,
    acknowledgement: Acknowledgement,
    changes: BatchChanges = {},
    lease: Lease = new Lease(storage),
  ) {
    this.origin = origin
    this.#storage = storage
    this.#acknowledgement = acknowledgement
    this.#lease = lease
    this.rows = changes.rows
    this.documents = changes.documents
    this.replaced = changes.replaced
    this.keys = changes.keys
    this.sources = changes.sources
    this.digits = changes.digits
    this.moved = changes.moved
    this.#range = changes.range
  }

  /** Name of the topic. */
  get topic(): string {
    return this.origin.topic
  }
  /** Number of the partition, from 0 on. */
  get partition(): number {
    return this.origin.partition
  }
  /** Number of rows. */
  get length(): number {
    return this.rows === undefined ? this.#storage.count : this.rows.length
  }
  /** Bytes that are held as long as the batch lives. */
  get byteLength(): number {
    return this.#storage.byteLength
  }
  /** Timestamp of the newest record that is stored, in milliseconds since 1970; undefined when that is not known without reading the records. */
  get newestTimestamp(): number | undefined {
    return this.#storage.newestTimestamp
  }
  /** Offset of the first row. */
  get firstOffset(): bigint {
    return BigInt(this.range.firstOffset)
  }
  /** Offset of the last row. */
  get lastOffset(): bigint {
    return BigInt(this.range.lastOffset)
  }
  /** The offset that is committed when the batch, and everything before it, is acknowledged. */
  get nextOffset(): bigint {
    return BigInt(this.range.nextOffset)
  }
  /** The offsets that the batch covers: all that its acknowledgement stands for. */
  get range(): OffsetRange {
    if (this.#range !== undefined) return this.#range
    const { firstOffset, lastOffset } = this.#storage
    return { firstOffset, lastOffset, nextOffset: lastOffset + 1 }
  }
  /** Whether the stored bytes can go out as they are: no row was dropped or changed, and they are whole record batches. */
  get raw(): RawRecordBatches | undefined {
    return this.rows === undefined &&
      this.replaced === undefined &&
      this.keys === undefined &&
      this.payloads === undefined
      ? this.#storage.raw
      : undefined
  }
  /** The stored records, located on first use. Loops over many records should read this once. */
  get records(): LocatedRecords {
    return this.#lease.records
  }

  /**
   * After `records` has thrown: the rows before what cannot be read, with an acknowledgement of their own; undefined when there are
   * none. Of a batch as it was read.
   */
  readable(error: unknown): Batch | undefined {
    const storage = this.#storage.readable?.(error)
    if (storage === undefined) return undefined
    const { lastOffset } = storage
    const range = { firstOffset: this.range.firstOffset, lastOffset, nextOffset: lastOffset + 1 }
    return new Batch(this.origin, storage, splitAt(this.#acknowledgement, range.nextOffset)[0], { range })
  }

  /** Acknowledges every record of the batch as it was read, dropped rows included (I1). */
  ack(): void {
    this.#acknowledgement.ack()
  }

  /**
   * Acknowledges the records before a row, and leaves the others to `ack`. Rows must be in the order in which they were read.
   * Where the source tracks whole batches only, it hears of it when everything is acknowledged.
   */
  ackBefore(row: number): void {
    if (row >= this.length) return this.ack()
    if (row > 0) this.#splitBefore(this.#acknowledgement, row)[0].ack()
  }

  /**
   * Frees the memory of its records at once, where otherwise the garbage collector would have to come for it: a third of all CPU where
   * much is read. Nothing of the batch may be read afterwards: its methods throw, and views of values and keys that were kept are
   * empty. It says nothing of acknowledgement, is never needed, and does nothing for parts that `cut` has made.
   */
  release(): void {
    this.#lease.end()
  }

  /** What `ack` calls; for callers that keep rows back but not the bytes of their batch. */
  get acknowledgement(): Acknowledgement {
    return this.#acknowledgement
  }

  /** The rows before one, and the others; both must be there. Rows must be in the order in which they were read. */
  cut(row: number): readonly [before: Batch, from: Batch] {
    const [before, from] = this.#splitBefore(this.#acknowledgement, row)
    return [this.#part(0, row, before), this.#part(row, this.length, from)]
  }

  /** The rows from `start` to `end`, exclusive, with an acknowledgement that was made for `rangeOf` them. */
  section(start: number, end: number, acknowledgement: Acknowledgement): Batch {
    const range = this.rangeOf(start, end)
    return start === 0 && end === this.length
      ? this.derive({ rows: this.rows, range }, acknowledgement)
      : this.#part(start, end, acknowledgement, range)
  }

  /**
   * The same rows in the same order, in batches of at most `maxRows`, each with an acknowledgement of its own (I1). A batch
   * that is small enough comes as it is. Rows must be in the order in which they were read.
   *
   * @param maxRows a number, or a function that is called for each slice
   */
  *slices(maxRows: number | (() => number)): Generator<Batch, void, undefined> {
    const { length } = this
    let rest = this.#acknowledgement
    let start = 0
    do {
      const end = Math.min(start + (typeof maxRows === 'number' ? maxRows : maxRows()), length)
      if (start === 0 && end === length) yield this
      else {
        let acknowledgement = rest
        if (end < length) [acknowledgement, rest] = this.#splitBefore(rest, end)
        // The last slice has the lease of the batch itself.
        yield this.#part(start, end, acknowledgement, undefined, end < length ? this.#lease.part() : this.#lease)
      }
      start = end
    } while (start < length)
  }

  /** The batch that a stage leaves: same storage, same acknowledgement unless told otherwise, other rows or documents. */
  derive(changes: BatchChanges, acknowledgement: Acknowledgement = this.#acknowledgement): Batch {
    return this.#derived(changes, acknowledgement, this.#lease)
  }

  #derived(changes: BatchChanges, acknowledgement: Acknowledgement, lease: Lease): Batch {
    return new Batch(
      this.origin,
      this.#storage,
      acknowledgement,
      { range: this.#range, moved: this.moved, sources: this.sources, digits: this.digits, ...changes },
      lease,
    )
  }

  #splitBefore(acknowledgement: Acknowledgement, row: number): AcknowledgementParts {
    // Rows that were made of others need all of these, whatever their own offsets are.
    if (this.sources !== undefined) return splitAt({ ack: () => acknowledgement.ack() }, row)
    // The offset is not looked at where nothing tracks it, as finding it may mean to write records that were made up.
    const offset = acknowledgement.split === undefined ? row : this.records.offsets[this.recordOf(row)]!
    return splitAt(acknowledgement, offset)
  }

  #part(
    start: number,
    end: number,
    acknowledgement: Acknowledgement,
    range = this.#acknowledgement.split === undefined ? this.#range : this.rangeOf(start, end),
    lease = this.#lease.part(), // which nobody ends
  ): Batch {
    const rows = this.rows?.slice(start, end) ?? numbersFrom(start, end)
    const changes = {
      rows,
      documents: this.documents?.slice(start, end),
      replaced: this.replaced?.slice(start, end),
      range,
    }
    const part = this.#derived(changes, acknowledgement, lease)
    part.payloads = this.payloads?.slice(start, end)
    part.keys = this.keys?.slice(start, end)
    return part
  }

  /** The offsets that the rows from `start` to `end`, exclusive, cover. Rows must be in the order in which they were read. */
  rangeOf(start: number, end: number): OffsetRange {
    const { firstOffset, lastOffset, nextOffset } = this.range
    const before = (row: number): number => this.records.offsets[this.recordOf(row)]!
    return {
      firstOffset: start === 0 ? firstOffset : before(start),
      lastOffset: end === this.length ? lastOffset : before(end) - 1,
      nextOffset: end === this.length ? nextOffset : before(end),
    }
  }

  /** The batch with the first `count` of some rows, in ascending order; undefined when none is left. What was made of them goes along. */
  pick(kept: ArrayLike<number>, count: number = kept.length): Batch | undefined {
    if (count === 0) return undefined
    if (count === this.length) return this
    const { documents, replaced } = this
    const rows = new Int32Array(count)
    const keptReplaced = replaced && new Uint8Array(count)
    for (let i = 0; i < count; i++) {
      const row = kept[i]!
      rows[i] = this.recordOf(row)
      if (keptReplaced !== undefined) keptReplaced[i] = replaced![row]!
    }
    const batch = this.derive({ rows, documents: pickFrom(documents, kept, count), replaced: keptReplaced })
    batch.payloads = pickFrom(this.payloads, kept, count)
    batch.keys = pickFrom(this.keys, kept, count)
    return batch
  }

  /** The batch without some rows; undefined when none is left. */
  without(rows: { readonly size: number; has(row: number): boolean }): Batch | undefined {
    if (rows.size === 0) return this
    const kept: number[] = []
    for (let row = 0; row < this.length; row++) if (!rows.has(row)) kept.push(row)
    return this.pick(kept)
  }

  /** Index into `records` of a row. */
  recordOf(row: number): number {
    return this.rows === undefined ? row : this.rows[row]!
  }

  /** Stored value of a row, `null` for a tombstone. A view: no bytes are copied. */
  value(row: number): Buffer | null {
    const { bytes, fields } = this.records
    const field = this.recordOf(row) * FIELDS
    const length = fields[field + VALUE_LENGTH]!
    return length < 0 ? null : viewOf(bytes, fields[field + VALUE]!, length)
  }

  /** Whether a row is a tombstone, and no stage has made a document of it. */
  isTombstone(row: number): boolean {
    return this.replaced?.[row] !== 1 && this.records.fields[this.recordOf(row) * FIELDS + VALUE_LENGTH]! < 0
  }

  /** Stored key of a row. A view: no bytes are copied. */
  key(row: number): Buffer | null {
    const { bytes, fields } = this.records
    const field = this.recordOf(row) * FIELDS
    const length = fields[field + KEY_LENGTH]!
    return length < 0 ? null : viewOf(bytes, fields[field + KEY]!, length)
  }

  /** Offset of a row. */
  offset(row: number): bigint {
    return BigInt(this.records.offsets[this.recordOf(row)]!)
  }

  /** Milliseconds since 1970; -1 when the record has none. */
  timestampMs(row: number): number {
    return this.records.timestamps[this.recordOf(row)]!
  }

  /** Headers of a row, in their order. */
  headers(row: number): readonly Header[] {
    const { bytes, fields } = this.records
    const field = this.recordOf(row) * FIELDS
    if (fields[field + BODY]! < 0) return []
    return readHeaders(bytes, fields[field + VALUE]! + Math.max(0, fields[field + VALUE_LENGTH]!))
  }

  /** One row as an object. */
  record(row: number): ConsumerRecord {
    return new BatchRecord(this, row)
  }
}
