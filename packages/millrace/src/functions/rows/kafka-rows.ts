/**
 * Values as the rows of stage graphs (Conveyor), and back.
 *
 * An object is the row itself. Anything else becomes `{_kafka_payload: x}`: the value of JSON that is no object, the text of
 * what is not JSON (malformed UTF-8 read as U+FFFD), null for a tombstone. On request a row gets the origin of its record:
 * `_kafka_key` (text, only if there is one), `_kafka_partition`, `_kafka_offset`, `_kafka_timestamp` (only if it is known).
 */
import { isUtf8 } from 'node:buffer'
import { FIELDS, VALUE, VALUE_LENGTH, type Batch, type Payload } from '../../records/batch.ts'
import { EncodeError } from '../../errors/index.ts'
import { unchangedWithExactIntegers, withExactIntegers } from '../../records/exact-integers.ts'
import type { FieldScanner } from '../../codecs/field-scanner.ts'
import { jsonCodec, reasonOf } from '../../codecs/json.ts'

/** Columns that say where a record came from. */
export const ORIGIN_COLUMNS = ['_kafka_key', '_kafka_partition', '_kafka_offset', '_kafka_timestamp'] as const
const PAYLOAD = '_kafka_payload'

type WritableRow = { [column: string]: unknown }

/**
 * Gives every row of a batch its document.
 * @param scanner reads the fields that are looked at, where no others are
 */
export function decodeRows(batch: Batch, withOrigin: boolean, scanner?: FieldScanner): void {
  const length = batch.length
  const documents: unknown[] = []
  const { bytes, fields } = batch.records
  const { rows } = batch
  for (let row = 0; row < length; row++) {
    const field = (rows === undefined ? row : rows[row]!) * FIELDS
    const start = fields[field + VALUE]!
    const size = fields[field + VALUE_LENGTH]!
    const document: WritableRow =
      size < 0
        ? { [PAYLOAD]: null }
        : (scanner?.read(bytes, start, start + size) ?? parseRow(bytes, start, start + size))
    if (withOrigin) addOrigin(document, batch, row)
    documents.push(document)
  }
  batch.documents = documents
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

function addOrigin(document: WritableRow, batch: Batch, row: number): void {
  const key = batch.key(row)
  const timestamp = batch.timestampMs(row)
  if (key !== null) document['_kafka_key'] = key.toString()
  document['_kafka_partition'] = batch.partition
  document['_kafka_offset'] = Number(batch.offset(row))
  if (timestamp >= 0) document['_kafka_timestamp'] = timestamp
}

/**
 * Writes changed rows, or all of them, into `payloads`; every other one goes out as the bytes that came in.
 *
 * @param hidden columns that are left out
 * @throws {EncodeError} for what JSON cannot hold
 */
export function encodeRows(batch: Batch, hidden: ReadonlySet<string>, all: boolean): void {
  const { documents, replaced, length } = batch
  if (documents === undefined || (replaced === undefined && !all)) return
  const payloads: (Payload | undefined)[] = []
  for (let row = 0; row < length; row++) {
    payloads.push(
      all || replaced![row] === 1 ? encodeRow(batch, row, documents[row] as WritableRow, hidden) : undefined,
    )
  }
  batch.payloads = payloads
}

const NONE: ReadonlySet<string> = new Set()

/** A row as JSON text, with all its columns. @throws {EncodeError} */
export function rowText(batch: Batch, row: number): string {
  return encodeRow(batch, row, batch.documents![row] as WritableRow, NONE)
}

function encodeRow(batch: Batch, row: number, document: WritableRow, hidden: ReadonlySet<string>): string {
  const visible =
    hidden.size === 0 ? document : Object.fromEntries(Object.entries(document).filter(([name]) => !hidden.has(name)))
  try {
    const text = jsonCodec.encode(visible)
    const original = batch.value(row)
    if (original === null || PAYLOAD in document) return text
    return batch.replaced?.[row] === 1
      ? withExactIntegers(visible, text, original)
      : unchangedWithExactIntegers(visible, text, original)
  } catch (cause) {
    const { topic, partition } = batch
    const offset = batch.offset(row)
    throw new EncodeError(
      `${reasonOf(cause)}, in the record made from offset ${offset} of "${topic}" partition ${partition}`,
      { cause, topic, partition, offset, component: 'kafka' },
    )
  }
}
