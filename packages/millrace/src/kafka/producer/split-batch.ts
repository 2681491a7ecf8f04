/**
 * Splits a record batch that the broker found too large (MESSAGE_TOO_LARGE, RECORD_LIST_TOO_LARGE): in the middle, or around a
 * record that is larger than all others together, as that is nearly always what is too large. Takes records out of one that the broker has named (INVALID_RECORD).
 */
import { type Codec, CODECS } from '../protocol/compression/codecs.ts'
import type { ProducerOptions } from './options.ts'
import { BatchBuffer, ProducerBatch } from './partition-queue.ts'
import { BASE_TIMESTAMP, ATTRIBUTES, CODEC_MASK, HEADER_BYTES } from '../protocol/record-batch.ts'
import { type ByteSource, byteSource, RECORD_OVERHEAD } from '../protocol/record-batch-builder.ts'
import { decompress } from '../protocol/compression/compression.ts'
import { endOfVarint, varintAt, VARLONG_BYTES, varlongAt } from '../../records/varint.ts'

/**
 * Two or three batches with all the records in their order, closed with the same codec. The batch itself is left alone.
 * @param own codec and level of the batches that are made here; one that was forwarded may have another codec, with levels of its own
 */
export function splitBatch(
  batch: ProducerBatch,
  own: Pick<ProducerOptions, 'compression' | 'compressionLevel'>,
): ProducerBatch[] {
  const { count } = batch.closed!
  const { codec, source, baseTimestampMs } = recordsOf(batch)
  const cursor = new RecordCursor(source.bytes)
  const part = (from: number, to: number): ProducerBatch => {
    const start = cursor.position
    const boundary = cursor.positionAfter(to - from)
    cursor.position = start
    // A shorter offset delta makes a record smaller; the first timestamp delta is measured anew and may be longer.
    const buffer = new BatchBuffer(HEADER_BYTES + (boundary - start) + (to - from) * 10 + RECORD_OVERHEAD)
    for (let i = from; i < to; i++) {
      cursor.next()
      buffer.builder.appendWire(baseTimestampMs + cursor.timestampDelta, source, cursor.tail, cursor.position)
    }
    const made = new ProducerBatch(batch.queue, batch.createdAt, buffer.capacity, buffer, batch.transaction)
    made.rows = batch.rows?.slice(from, to)
    if (batch.rows === undefined) made.firstRow = batch.firstRow + from
    for (const { ticket, start: first, end: last } of batch.segments) {
      if (first < to && last > from)
        made.segments.push({ ticket, start: Math.max(first, from) - from, end: Math.min(last, to) - from })
    }
    made.attempts = batch.attempts
    made.refusals = batch.refusals
    made.ambiguous = batch.ambiguous
    made.lastError = made.lastAnswer = batch.lastAnswer
    made.close(codec, codec === own.compression ? own.compressionLevel : undefined)
    // Their sum is right, and each is as far as records are alike.
    made.valueBytes = Math.round((batch.valueBytes * to) / count) - Math.round((batch.valueBytes * from) / count)
    if (codec !== 'none') made.dropBuffer()
    return made
  }
  const ends = [...boundaries(new RecordCursor(source.bytes), count), count]
  return ends.map((end, i) => part(ends[i - 1] ?? 0, end))
}

/**
 * The records of a batch without some that the broker has refused, closed with the same codec. The batch itself is left alone.
 * @param left indexes of those; others have to be there
 */
export function batchWithout(
  batch: ProducerBatch,
  left: { has(index: number): boolean; readonly size: number },
  own: Pick<ProducerOptions, 'compression' | 'compressionLevel'>,
): ProducerBatch {
  const { queue, createdAt, transaction, segments, rows, firstRow } = batch
  const { count } = batch.closed!
  const { codec, source, baseTimestampMs } = recordsOf(batch)
  const cursor = new RecordCursor(source.bytes)
  const buffer = new BatchBuffer(HEADER_BYTES + source.bytes.length + count * 10 + RECORD_OVERHEAD)
  const made = new ProducerBatch(queue, createdAt, buffer.capacity, buffer, transaction)
  let segment = 0
  for (let i = 0; i < count; i++) {
    cursor.next()
    while (segments[segment]!.end <= i) segment++
    if (left.has(i)) continue
    buffer.builder.appendWire(baseTimestampMs + cursor.timestampDelta, source, cursor.tail, cursor.position)
    made.assign(segments[segment]!.ticket, rows === undefined ? firstRow + i : rows[i]!)
  }
  made.attempts = batch.attempts
  made.refusals = batch.refusals
  made.ambiguous = batch.ambiguous
  made.lastError = made.lastAnswer = batch.lastAnswer
  made.close(codec, codec === own.compression ? own.compressionLevel : undefined)
  made.valueBytes = Math.round((batch.valueBytes * (count - left.size)) / count)
  if (codec !== 'none') made.dropBuffer()
  return made
}

function recordsOf({ closed }: ProducerBatch): {
  readonly codec: Codec
  readonly source: ByteSource
  readonly baseTimestampMs: number
} {
  const { bytes, end } = closed!
  const codec = CODECS[bytes[ATTRIBUTES + 1]! & CODEC_MASK]!
  const compressed = bytes.subarray(HEADER_BYTES, end)
  const source = byteSource(codec === 'none' ? compressed : decompress(codec, compressed))
  return { codec, source, baseTimestampMs: Number(bytes.readBigInt64BE(BASE_TIMESTAMP)) }
}

/** Indexes of the records that the second and later parts begin with. */
function boundaries(cursor: RecordCursor, count: number): number[] {
  let largest = 0
  let largestBytes = 0
  for (let i = 0; i < count; i++) {
    const start = cursor.position
    cursor.next()
    if (cursor.position - start <= largestBytes) continue
    largest = i
    largestBytes = cursor.position - start
  }
  if (largestBytes * 2 <= cursor.position) return [count >> 1]
  return [largest, largest + 1].filter((index) => index > 0 && index < count)
}

/** Walks over the records of a batch that we have made ourselves or that was checked when it was fetched. */
class RecordCursor {
  position = 0
  /** Position of the key length of the current record; `position` is behind the record. */
  tail = 0
  timestampDelta = 0
  readonly #bytes: Buffer

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  next(): void {
    const bytes = this.#bytes
    const start = this.#after(this.position)
    const end = start + varintAt(bytes, this.position)
    const delta = start + 1
    const offset = this.#after(delta)
    this.timestampDelta = varlongAt(bytes, delta)
    this.tail = this.#after(offset)
    this.position = end
  }

  positionAfter(count: number): number {
    for (let i = 0; i < count; i++) this.next()
    return this.position
  }

  #after(position: number): number {
    return endOfVarint(this.#bytes, position, this.#bytes.length, VARLONG_BYTES)
  }
}
