/**
 * Values as the rows of stage graphs (Conveyor), and back.
 *
 * An object is the row itself. Anything else becomes `{_kafka_payload: x}`: the value of JSON that is no object, the text of
 * what is not JSON (malformed UTF-8 read as U+FFFD), null for a tombstone. On request a row gets the origin of its record:
 * `_kafka_key` (text, only if there is one), `_kafka_partition`, `_kafka_offset`, `_kafka_timestamp` (only if it is known).
 * Values and keys in a format of Kafka's own serializers, such as integers, are `_kafka_payload` and `_kafka_key` as they are.
 */
import { isUtf8 } from 'node:buffer'
import { codecByName, keyCodecByName } from '../../codecs/index.ts'
import { isSchemaCodec, TEXT_KEYS } from '../../contracts/codec-names.ts'
import type { Codec, KeyCodec } from '../../contracts/codec.ts'
import type { Sink } from '../../contracts/sink.ts'
import type { RowFailed } from '../../contracts/stage.ts'
import { FIELDS, VALUE, VALUE_LENGTH, type Batch, type Payload } from '../../records/batch.ts'
import { DecodeError, EncodeError } from '../../errors/index.ts'
import { exactRow } from '../../records/row-digits.ts'
import type { FieldScanner } from '../../codecs/field-scanner.ts'
import { jsonCodec, reasonOf } from '../../codecs/json.ts'
import { JSON_DECODING, watchDigits } from '../../codecs/decoded-digits.ts'

/** Columns that say where a record came from. */
export const ORIGIN_COLUMNS = ['_kafka_key', '_kafka_partition', '_kafka_offset', '_kafka_timestamp'] as const
/** Column of a value that is no object. */
export const PAYLOAD = '_kafka_payload'

type WritableRow = { [column: string]: unknown }

/** Which rows are encoded again; the others go out as the bytes that were read. */
export type WrittenRows = 'changed' | 'values' | 'all'

/** How values and keys are read or written, where that is not JSON and text. */
export interface RowFormats {
  readonly values?: Codec | undefined
  readonly keys?: KeyCodec | undefined
  /** Whether a document of `values` is a row, and not the only column of one. */
  readonly hasSchema?: boolean
  /** Reads the fields that are looked at, where no others are; JSON only. */
  readonly scanner?: FieldScanner | undefined
}

/** Of the codecs of a Kafka source or sink. */
export function rowFormats({
  valueCodec,
  keyCodec,
  valueSchema,
  keySchema,
}: Pick<Sink, 'valueCodec' | 'keyCodec' | 'valueSchema' | 'keySchema'>): RowFormats {
  const isText = valueCodec === 'json' || valueCodec === 'bytes'
  return {
    values: isText ? undefined : codecByName(valueCodec, '', valueSchema),
    keys: keyCodec === undefined || keyCodec === TEXT_KEYS ? undefined : keyCodecByName(keyCodec, '', keySchema),
    hasSchema: isSchemaCodec(valueCodec),
  }
}

/**
 * Gives every row of a batch its document.
 * @param failed told of each row that is not in the format, which stays without a document
 * @throws {DecodeError} without `failed`, for the first one
 */
export function decodeRows(batch: Batch, withOrigin: boolean, formats: RowFormats = {}, failed?: RowFailed): void {
  const { length } = batch
  const documents: unknown[] = []
  const { values, keys } = formats
  const setDigits = watchDigits({
    values: values === undefined ? JSON_DECODING : values.digits,
    wrapper: PAYLOAD,
    ...(withOrigin && keys !== undefined
      ? { keys: keys.digits, withKey: (key: unknown) => ({ _kafka_key: key }) }
      : {}),
  })
  for (let row = 0; row < length; row++) {
    try {
      const document = decodeRow(batch, row, formats)
      if (withOrigin) addOrigin(document, batch, row, formats.keys)
      documents.push(document)
    } catch (error) {
      if (failed === undefined || !(error instanceof DecodeError)) throw error
      documents.push(undefined)
      failed(row, error)
    }
  }
  batch.documents = documents
  setDigits(batch)
}

function decodeRow(batch: Batch, row: number, { values, scanner, hasSchema = false }: RowFormats): WritableRow {
  const { bytes, fields } = batch.records
  const field = batch.recordOf(row) * FIELDS
  const start = fields[field + VALUE]!
  const size = fields[field + VALUE_LENGTH]!
  if (size < 0) return { [PAYLOAD]: null }
  if (values === undefined)
    return (scanner?.read(bytes, start, start + size) as WritableRow) ?? parseRow(bytes, start, start + size)
  const document = decoded(batch, row, values) as WritableRow
  return hasSchema ? document : { [PAYLOAD]: document['value'] }
}

function parseRow(bytes: Buffer, start: number, end: number): WritableRow {
  const text = bytes.toString('utf8', start, end)
  if (text.includes('\uFFFD') && !isUtf8(bytes.subarray(start, end))) return { [PAYLOAD]: text }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return { [PAYLOAD]: text }
  }
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as WritableRow)
    : { [PAYLOAD]: value }
}

function decoded(batch: Batch, row: number, codec: Codec): unknown {
  try {
    return codec.decode(batch.value(row), batch, row)
  } catch (cause) {
    throw cause instanceof DecodeError ? unreadable(batch, row, codec, cause) : cause
  }
}

/** What was wrong with a record, with its place. */
export function unreadable(
  batch: Batch,
  row: number,
  { name }: { readonly name: string },
  cause: DecodeError,
): DecodeError {
  const { topic, partition } = batch
  const offset = batch.offset(row)
  return new DecodeError(
    cause.part,
    `Cannot decode the ${cause.part} at offset ${offset} of "${topic}" partition ${partition} as ${name}: ${cause.message}`,
    { cause: cause.cause ?? cause, topic, partition, offset, component: 'kafka' },
  )
}

function addOrigin(document: WritableRow, batch: Batch, row: number, keys: KeyCodec | undefined): void {
  const key = batch.key(row)
  const timestamp = batch.timestampMs(row)
  if (key !== null) document['_kafka_key'] = keys === undefined ? key.toString() : decodedKey(batch, row, keys)
  document['_kafka_partition'] = batch.partition
  document['_kafka_offset'] = Number(batch.offset(row))
  if (timestamp >= 0) document['_kafka_timestamp'] = timestamp
}

function decodedKey(batch: Batch, row: number, keys: KeyCodec): unknown {
  try {
    return keys.decode(batch.key(row), batch, row)
  } catch (cause) {
    throw cause instanceof DecodeError ? unreadable(batch, row, keys, cause) : cause
  }
}

/**
 * Writes changed rows, or more of them, into `payloads`; every other one goes out as the bytes that came in.
 *
 * @param hidden columns that are left out
 * @param which rows are written: those that a stage changed, all that are no tombstones, or all
 * @param formats where values are not JSON: the codec writes the only column of a row, or with a schema the row
 * @param failed told of each row that cannot be written, which must not go out
 * @throws {EncodeError} without `failed`, for what JSON or the codec cannot hold
 */
export function encodeRows(
  batch: Batch,
  hidden: ReadonlySet<string>,
  which: WrittenRows,
  formats: RowFormats = {},
  failed?: RowFailed,
): void {
  const { documents, replaced, length } = batch
  if (documents === undefined || (replaced === undefined && which === 'changed')) return
  const payloads: (Payload | undefined)[] = []
  for (let row = 0; row < length; row++) {
    const isWritten = which === 'all' || replaced?.[row] === 1 || (which === 'values' && !batch.isTombstone(row))
    try {
      payloads.push(isWritten ? encodeRow(batch, row, documents[row] as WritableRow, hidden, formats) : undefined)
    } catch (error) {
      if (failed === undefined || !(error instanceof EncodeError)) throw error
      payloads.push(undefined)
      failed(row, error)
    }
  }
  batch.payloads = payloads
}

const NONE: ReadonlySet<string> = new Set()

/** A row as JSON text, with all its columns. @throws {EncodeError} */
export function rowText(batch: Batch, row: number): string {
  return encodeRow(batch, row, batch.documents![row] as WritableRow, NONE) as string
}

function encodeRow(
  batch: Batch,
  row: number,
  document: WritableRow,
  hidden: ReadonlySet<string>,
  { values, hasSchema = false }: RowFormats = {},
): Payload {
  const visible =
    hidden.size === 0 ? document : Object.fromEntries(Object.entries(document).filter(([name]) => !hidden.has(name)))
  try {
    if (values !== undefined && !hasSchema) return values.encode(onlyColumn(visible))
    const exact = exactRow(visible, batch, row, PAYLOAD) as WritableRow
    return values === undefined ? jsonCodec.encode(exact) : values.encode(withoutPayload(exact))
  } catch (cause) {
    throw unwritable(batch, row, cause)
  }
}

/** A tombstone, and what is no object, are in a column of their own. */
function withoutPayload(row: WritableRow): WritableRow {
  return Object.hasOwn(row, PAYLOAD) && Object.keys(row).length === 1 ? { value: row[PAYLOAD] } : row
}

/** A row of one column, whatever its name, as the document that a codec of single values takes; others it refuses itself. */
function onlyColumn(row: WritableRow): WritableRow {
  const cells = Object.values(row)
  return cells.length === 1 ? { value: cells[0] } : row
}

/** With its place. */
export function unwritable(batch: Batch, row: number, cause: unknown): EncodeError {
  const { topic, partition } = batch
  const offset = batch.offset(row)
  return new EncodeError(
    `${reasonOf(cause)}, in the record made from offset ${offset} of "${topic}" partition ${partition}`,
    { cause, topic, partition, offset, component: 'kafka' },
  )
}
