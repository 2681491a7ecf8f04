/**
 * Appends the rows of a batch. Rows that nobody changed are taken over as they stand in the bytes that were read.
 */
import {
  type Batch,
  BODY,
  END,
  FIELDS,
  KEY,
  KEY_LENGTH,
  type Payload,
  VALUE,
  VALUE_LENGTH,
} from '../../records/batch.ts'
import type { MillraceError } from '../../errors/index.ts'
import { viewOf } from '../../records/views.ts'
import type { ProducerBatch } from './partition-queue.ts'
import type { Accumulator } from './accumulator.ts'
import { type ByteSource, byteSource, NO_HEADERS } from '../protocol/record-batch-builder.ts'
import { RecordAppendJob, mustFit, scratch, type Stop } from './append-job.ts'
import type { Ticket } from './reports.ts'

/** Where the rows of a batch go. */
export interface Route {
  readonly topic: string
  /**
   * A partition for all rows, `keep` for the partition that they came from, or a function of the row; the partitioner decides by
   * default, and where the function returns undefined.
   */
  readonly partition?: number | 'keep' | ((row: number) => number | undefined) | undefined
}

export class AppendBatch extends RecordAppendJob {
  readonly #batch: Batch
  readonly #route: Route
  readonly #source: ByteSource
  readonly #now = Date.now()

  constructor(
    batch: Batch,
    route: Route,
    ticket: Ticket,
    accumulator: Accumulator,
    maxRecordBytes: number,
    batchClosed: () => void,
  ) {
    super(ticket, accumulator, maxRecordBytes, batchClosed)
    this.#batch = batch
    this.#route = route
    this.#source = byteSource(batch.records.bytes)
  }

  override refuseTopic(_topic: string, error: MillraceError): void {
    this.abandon(error)
  }

  protected override append(end: number): Stop | undefined {
    const { ticket, accumulator } = this
    const source = this.#source
    const { rows, payloads, keys, records } = this.#batch
    const { fields, timestamps } = records
    const { bytes } = source
    const topic = accumulator.topic(this.#route.topic)
    if (topic === undefined) {
      this.missingTopic = this.#route.topic
      return 'unknown topic'
    }
    const { partition: chosen } = this.#route
    const partitionOf = typeof chosen === 'function' ? chosen : undefined
    const fixed = chosen === 'keep' ? this.#batch.partition : typeof chosen === 'function' ? undefined : chosen
    for (let row = this.next; row < end; row++) {
      const record = rows === undefined ? row : rows[row]!
      const field = record * FIELDS
      const body = fields[field + BODY]!
      const payload: Payload | undefined = payloads === undefined ? undefined : payloads[row]
      const newKey: Payload | undefined = keys === undefined ? undefined : keys[row]
      const stamp = timestamps[record]!
      const timestampMs = stamp < 0 ? this.#now : stamp
      let keyBytes: Uint8Array = bytes
      let keyStart = fields[field + KEY]!
      let keyLength = fields[field + KEY_LENGTH]!
      if (newKey !== undefined) {
        keyStart = 0
        keyLength = -1
        if (typeof newKey === 'string') {
          keyLength = scratch.write(newKey)
          keyBytes = scratch.bytes
        } else if (newKey !== null) {
          keyBytes = newKey
          keyLength = newKey.length
        }
      }
      let partition = partitionOf === undefined ? fixed : partitionOf(row)
      if (partition === undefined) {
        partition = topic.settle(
          topic.partitioner(
            keyBytes,
            keyStart,
            keyLength,
            topic.count,
            topic.wantsRecord ? this.#batch.record(row) : undefined,
          ),
        )
      }
      const queue = this.queueOf(topic, partition)
      if (queue instanceof Error) {
        ticket.refused(row, queue)
        this.next = row + 1
        continue
      }
      const isVerbatim = body >= 0 && payload === undefined && newKey === undefined
      let batch = queue.open
      if (
        batch !== undefined &&
        isVerbatim &&
        batch.buffer!.builder.appendWire(timestampMs, source, body, fields[field + END]!)
      ) {
        batch.assign(ticket, row)
        this.next = row + 1
        continue
      }
      if (
        batch === undefined ||
        isVerbatim ||
        !this.#rebuild(batch, timestampMs, keyBytes, keyStart, keyLength, payload, field)
      ) {
        const size = this.#sizeOf(keyLength, payload, field)
        const refusal = this.refusal(queue, size)
        if (refusal !== undefined) {
          ticket.refused(row, refusal)
          this.next = row + 1
          continue
        }
        batch = this.nextBatch(topic, queue, size)
        if (batch === undefined) return 'no memory'
        mustFit(
          isVerbatim
            ? batch.buffer!.builder.appendWire(timestampMs, source, body, fields[field + END]!)
            : this.#rebuild(batch, timestampMs, keyBytes, keyStart, keyLength, payload, field),
        )
      }
      batch.assign(ticket, row)
      this.next = row + 1
    }
    return undefined
  }

  /** Appends a record of which key or value are new; its headers stay. */
  #rebuild(
    batch: ProducerBatch,
    timestampMs: number,
    key: Uint8Array,
    keyStart: number,
    keyLength: number,
    payload: Payload | undefined,
    field: number,
  ): boolean {
    const { bytes, fields } = this.#batch.records
    const valueLength = fields[field + VALUE_LENGTH]!
    const valueStart = fields[field + VALUE]!
    const value = payload === undefined ? (valueLength < 0 ? null : viewOf(bytes, valueStart, valueLength)) : payload
    const { builder } = batch.buffer!
    if (fields[field + BODY]! < 0) return builder.append(timestampMs, key, keyStart, keyLength, value, NO_HEADERS, 1)
    const headersStart = valueStart + (valueLength > 0 ? valueLength : 0)
    const headersLength = fields[field + END]! - headersStart
    // Nearly always there are none.
    if (headersLength === 1) return builder.append(timestampMs, key, keyStart, keyLength, value, NO_HEADERS, 1)
    return builder.append(
      timestampMs,
      key,
      keyStart,
      keyLength,
      value,
      viewOf(bytes, headersStart, headersLength),
      headersLength,
    )
  }

  /** Bytes of key, value and headers. */
  #sizeOf(keyLength: number, payload: Payload | undefined, field: number): number {
    const { fields } = this.#batch.records
    const stored = Math.max(0, fields[field + VALUE_LENGTH]!)
    const value =
      payload === undefined
        ? stored
        : payload === null
          ? 0
          : typeof payload === 'string'
            ? Buffer.byteLength(payload)
            : payload.length
    const headers = fields[field + BODY]! < 0 ? 1 : fields[field + END]! - fields[field + VALUE]! - stored
    return Math.max(0, keyLength) + value + headers
  }
}
