/**
 * Batches of rows that were made here, not read: from a file, or of rows of several batches.
 */
import {
  Batch,
  BODY,
  END,
  FIELDS,
  KEY,
  KEY_LENGTH,
  VALUE,
  VALUE_LENGTH,
  type Acknowledgement,
  type BatchOrigin,
  type LocatedRecords,
} from '../batch.ts'

const NOTHING_TO_COMMIT: Acknowledgement = { ack() {} }

/** Where rows come from that no partition holds. */
export function originOf(component: string, topic = component): BatchOrigin {
  return { component, topic, partition: 0, partitionCount: -1, timestampType: 'CreateTime' }
}

export interface RowsOptions {
  readonly origin: BatchOrigin
  readonly acknowledgement?: Acknowledgement
  /** Offset of the first row. */
  readonly firstOffset?: number
  /** What they weigh, for back-pressure. */
  readonly byteLength?: number
}

/** A batch of rows without key and headers. Their values are written as JSON when somebody asks for bytes. */
export function batchOfRows(
  rows: readonly unknown[],
  { origin, acknowledgement = NOTHING_TO_COMMIT, firstOffset = 0, byteLength = rows.length * 100 }: RowsOptions,
): Batch {
  const count = rows.length
  const lastOffset = firstOffset + Math.max(0, count - 1)
  const storage = {
    byteLength,
    count,
    firstOffset,
    lastOffset,
    raw: undefined,
    locate: () => written(rows, firstOffset),
  }
  return new Batch(origin, storage, acknowledgement, { documents: [...rows] })
}

function written(rows: readonly unknown[], firstOffset: number): LocatedRecords {
  const count = rows.length
  const values = rows.map((row) => Buffer.from(JSON.stringify(row)))
  const fields = new Int32Array(count * FIELDS)
  let position = 0
  values.forEach(({ length }, i) => {
    const at = i * FIELDS
    fields[at + BODY] = -1
    fields[at + KEY] = position
    fields[at + KEY_LENGTH] = -1
    fields[at + VALUE] = position
    fields[at + VALUE_LENGTH] = length
    position += length
    fields[at + END] = position
  })
  const offsets = Float64Array.from({ length: count }, (_, i) => firstOffset + i)
  return {
    bytes: Buffer.concat(values, position),
    count,
    fields,
    offsets,
    timestamps: new Float64Array(count).fill(-1),
  }
}

/** A row of a batch that is kept for later. */
export interface KeptRow {
  readonly batch: Batch
  readonly row: number
}

/**
 * A batch of rows of several batches, in a new order. Keys, headers, times and the bytes of values that nobody changed are
 * copied; offsets too, though they are of different partitions then.
 */
export function gather(kept: readonly KeptRow[], origin: BatchOrigin, acknowledgement: Acknowledgement): Batch {
  const count = kept.length
  const fields = new Int32Array(count * FIELDS)
  const offsets = new Float64Array(count)
  const timestamps = new Float64Array(count)
  const replaced = new Uint8Array(count)
  const documents: unknown[] = []
  const keys = kept.some(({ batch }) => batch.keys !== undefined)
    ? kept.map(({ batch, row }) => batch.keys?.[row])
    : undefined
  const parts: Buffer[] = []
  let size = 0
  kept.forEach(({ batch, row }, i) => {
    const { records } = batch
    const record = batch.recordOf(row)
    const [from, to] = [record * FIELDS, i * FIELDS]
    const start =
      records.fields[from + BODY]! < 0
        ? Math.min(records.fields[from + KEY]!, records.fields[from + VALUE]!)
        : records.fields[from + BODY]!
    const end = Math.max(start, records.fields[from + END]!)
    const shift = size - start
    fields[to + BODY] = records.fields[from + BODY]! < 0 ? -1 : size
    fields[to + KEY] = records.fields[from + KEY]! + shift
    fields[to + KEY_LENGTH] = records.fields[from + KEY_LENGTH]!
    fields[to + VALUE] = records.fields[from + VALUE]! + shift
    fields[to + VALUE_LENGTH] = records.fields[from + VALUE_LENGTH]!
    fields[to + END] = end + shift
    parts.push(records.bytes.subarray(start, end))
    size += end - start
    offsets[i] = records.offsets[record]!
    timestamps[i] = records.timestamps[record]!
    documents.push(batch.documents?.[row])
    replaced[i] = batch.replaced?.[row] ?? 0
  })
  const located: LocatedRecords = { bytes: Buffer.concat(parts, size), count, fields, offsets, timestamps }
  const storage = {
    byteLength: size,
    count,
    firstOffset: 0,
    lastOffset: Math.max(0, count - 1),
    raw: undefined,
    locate: () => located,
  }
  return new Batch(origin, storage, acknowledgement, { documents, replaced, keys })
}
