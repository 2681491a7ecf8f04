/**
 * Batches of rows that were made here, not read: from a file, or of rows of several batches.
 */
import {
  Batch,
  BODY,
  END,
  FIELDS,
  KEY,
  VALUE,
  type Acknowledgement,
  type BatchOrigin,
  type Digits,
  type LocatedRecords,
  type RecordStorage,
  type RowSource,
  type Sources,
} from '../../records/batch.ts'
import { stringifyExactly } from '../../records/exact-numbers.ts'
import { NO_ACKNOWLEDGEMENT } from '../../records/acknowledgement.ts'
import { exactRow, hasDigits, JSON_DIGITS, NO_DIGITS } from '../../records/row-digits.ts'
import { PAYLOAD } from './kafka-rows.ts'
import { LocatedRecordsBuilder, storageOfLocated } from '../../records/located-records-builder.ts'

/** Where rows come from that no partition holds. */
export function syntheticOrigin(component: string, topic = component): BatchOrigin {
  return { component, topic, partition: 0, partitionCount: -1, timestampType: 'CreateTime' }
}

export interface RowsOptions {
  readonly origin: BatchOrigin
  readonly acknowledgement?: Acknowledgement
  /** Offset of the first row. */
  readonly firstOffset?: number
  /** What they weigh, for back-pressure. */
  readonly byteLength?: number
  /** Their JSON, where it says more than the rows. */
  readonly texts?: readonly string[]
  /** What they were made of, where that is known. */
  readonly sources?: Sources
}

/** A batch of rows without key and headers. Their values are written as JSON when somebody asks for bytes. */
export function batchOfRows(
  rows: readonly unknown[],
  {
    origin,
    acknowledgement = NO_ACKNOWLEDGEMENT,
    firstOffset = 0,
    byteLength = rows.length * 100,
    texts,
    sources,
  }: RowsOptions,
): Batch {
  const count = rows.length
  const lastOffset = firstOffset + Math.max(0, count - 1)
  const storage = {
    byteLength,
    count,
    firstOffset,
    lastOffset,
    raw: undefined,
    locate: () => written(texts ?? rows.map((row) => stringifyExactly(row)), firstOffset),
  }
  return new Batch(origin, storage, acknowledgement, { documents: [...rows], sources })
}

function written(texts: readonly string[], firstOffset: number): LocatedRecords {
  const values = texts.map((text) => Buffer.from(text))
  const records = new LocatedRecordsBuilder(values.length)
  let position = 0
  values.forEach(({ length }, i) => records.addValue(firstOffset + i, position, (position += length)))
  return records.finish(Buffer.concat(values, position))
}

/** A row of a batch that is kept for later. */
export type KeptRow = RowSource

/**
 * A batch of rows of several batches, in a new order. Keys, headers, times and the bytes of values that nobody changed are
 * copied; offsets too, though they are of different partitions then.
 */
export function gather(kept: readonly KeptRow[], origin: BatchOrigin, acknowledgement: Acknowledgement): Batch {
  const gathered = new LocatedRecordsBuilder(kept.length)
  const replaced = new Uint8Array(kept.length)
  const documents: unknown[] = []
  const keys = kept.some(({ batch }) => batch.keys !== undefined)
    ? kept.map(({ batch, row }) => batch.keys?.[row])
    : undefined
  const parts: Buffer[] = []
  let size = 0
  kept.forEach(({ batch, row }, i) => {
    const { records } = batch
    const record = batch.recordOf(row)
    const start = startOf(records, record)
    const end = records.fields[record * FIELDS + END]!
    gathered.addMoved(records, record, size - start)
    parts.push(records.bytes.subarray(start, end))
    size += end - start
    documents.push(batch.documents?.[row])
    replaced[i] = batch.replaced?.[row] ?? 0
  })
  const storage = storageOfLocated(gathered.finish(Buffer.concat(parts, size)))
  return new Batch(origin, storage, acknowledgement, {
    documents,
    replaced,
    keys,
    sources: sourcesOfKept(kept, storage),
    digits: digitsOfKept(kept),
  })
}

/** Where gathered rows came from. Their bytes are copies of what was read, so the batches need not be held for them. */
function sourcesOfKept(kept: readonly KeptRow[], storage: RecordStorage): Sources {
  const origins = kept.map(({ batch }) => batch.origin)
  const made = new Map(kept.flatMap((row, record) => (row.batch.sources === undefined ? [] : [[record, row]])))
  return {
    of(record) {
      const before = made.get(record)
      if (before !== undefined) return [before]
      const rows = Int32Array.of(record)
      return [{ batch: new Batch(origins[record]!, storage, NO_ACKNOWLEDGEMENT, { rows }), row: 0 }]
    },
  }
}

/** Those of the batches that rows are gathered from; bytes and headers are copies, so what decoded them reads these, too. */
function digitsOfKept(kept: readonly KeptRow[]): Digits | undefined {
  const [first, ...others] = new Set(kept.map(({ batch }) => (isAsRead(batch) ? batch.digits : batch)))
  if (others.length === 0 && !(first instanceof Batch)) return first
  const own = kept.map(({ batch, row }) => {
    if (isAsRead(batch)) return batch.digits ?? JSON_DIGITS
    return hasDigits(batch, row) ? digitsOfMadeRow(batch, row) : NO_DIGITS
  })
  return {
    mayDiffer: (batch, row) => own[batch.recordOf(row)]!.mayDiffer(batch, row),
    exact: (batch, row) => own[batch.recordOf(row)]!.exact(batch, row),
  }
}

/** Whether the fields of rows are where they were read. */
function isAsRead({ sources, moved }: Batch): boolean {
  return sources === undefined && moved === undefined
}

/** Of a row that a stage made: those that it has now. */
function digitsOfMadeRow(batch: Batch, row: number): Digits {
  return {
    mayDiffer: () => hasDigits(batch, row),
    exact: () => exactRow(batch.documents?.[row], batch, row),
  }
}

/**
 * A batch with a column of which more digits are known than its doubles hold.
 *
 * @param after the batch with the column
 * @param before the same rows without it
 * @param exact cells with their digits, by row; others are in no need of that
 */
export function withDigitsOfColumn(
  after: Batch,
  before: Batch,
  column: string,
  exact: ReadonlyMap<number, unknown>,
): Batch {
  if (exact.size === 0) return after
  const rowsOf = new Map<number, number[]>()
  for (let row = 0; row < before.length; row++) {
    const record = before.recordOf(row)
    const known = rowsOf.get(record)
    if (known === undefined) rowsOf.set(record, [row])
    else known.push(row)
  }
  const exactAt = (row: number): unknown => {
    const was = exactRow(before.documents![row], before, row, PAYLOAD) as object
    return exact.has(row) ? { ...was, [column]: exact.get(row) } : was
  }
  const digits: Digits = {
    mayDiffer: (batch, row) => rowsOf.get(batch.recordOf(row))!.some((one) => exact.has(one) || hasDigits(before, one)),
    exact(batch, row) {
      const [first, ...others] = rowsOf.get(batch.recordOf(row))!.map(exactAt)
      // Rows of one record, as `$unwind` makes them, are not told apart here; their numbers are, where they differ.
      return others.length === 0 ? first : { [' of rows']: [first, ...others] }
    },
  }
  const sources: Sources = before.sources ?? {
    of: (record) => [{ batch: before.derive({ rows: Int32Array.of(record) }), row: 0 }],
  }
  return after.derive({
    rows: after.rows,
    documents: after.documents,
    replaced: after.replaced,
    keys: after.keys,
    moved: undefined,
    sources: { of: (record) => sources.of(record) },
    digits,
  })
}

/** Where the bytes of a record begin that a sink may need. */
function startOf({ fields }: LocatedRecords, record: number): number {
  const at = record * FIELDS
  return fields[at + BODY]! < 0 ? Math.min(fields[at + KEY]!, fields[at + VALUE]!) : fields[at + BODY]!
}
