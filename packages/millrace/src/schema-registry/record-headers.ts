/**
 * Schema ids in headers of records: finding them, and writing them there.
 *
 * Codecs put the id in front of the data, and the header of a record that was read goes along with it. So before records are written,
 * the two are brought together: a new value must not keep the header of the old one, and a sink that writes ids into headers takes them
 * from in front of the data.
 */
import { type Batch, BODY, END, FIELDS, VALUE, VALUE_LENGTH, type Payload } from '../records/batch.ts'
import { BatchWriter } from '../records/batch-writer.ts'
import type { Header } from '../records/record.ts'
import { readHeaders } from '../records/views.ts'
import {
  PREFIX_BYTES,
  readMessageIndexes,
  SCHEMA_ID_HEADERS,
  type SchemaIdLocation,
  schemaIdOf,
} from './wire-format.ts'

type Part = 'key' | 'value'
const HEADER_BYTES = { key: Buffer.from(SCHEMA_ID_HEADERS.key), value: Buffer.from(SCHEMA_ID_HEADERS.value) } as const

/** Whether a record has headers. One without them has a single byte, their number, behind its value. */
export function hasHeaders(fields: Int32Array, field: number): boolean {
  return (
    fields[field + BODY]! >= 0 &&
    fields[field + END]! - fields[field + VALUE]! - Math.max(0, fields[field + VALUE_LENGTH]!) > 1
  )
}

/** The header that names the schema of a key or value; undefined where there is none. */
export function schemaHeaderOf(batch: Batch, record: number, part: Part): Buffer | undefined {
  const { bytes, fields } = batch.records
  const field = record * FIELDS
  if (!hasHeaders(fields, field)) return undefined
  const start = fields[field + VALUE]! + Math.max(0, fields[field + VALUE_LENGTH]!)
  // Seldom there, so the headers are not taken apart to see that.
  if (bytes.subarray(start, fields[field + END]).indexOf(HEADER_BYTES[part]) < 0) return undefined
  return schemaHeaderIn(readHeaders(bytes, start), part)
}

/** The same in a list of headers. */
export function schemaHeaderIn(
  headers: Iterable<readonly [name: string, value: Uint8Array | string | null]>,
  part: Part,
): Buffer | undefined {
  for (const [name, value] of headers)
    if (name === SCHEMA_ID_HEADERS[part] && value !== null) return Buffer.from(value as Uint8Array)
  return undefined
}

/** Parts an id, and message indexes behind it, from the data; undefined where there are none. */
export function splitSchemaId(
  bytes: Buffer,
  hasIndexes: boolean,
): { readonly header: Buffer; readonly data: Buffer } | undefined {
  if (schemaIdOf(bytes) === undefined) return undefined
  const end = hasIndexes ? readMessageIndexes(bytes, PREFIX_BYTES)?.end : PREFIX_BYTES
  return end === undefined ? undefined : { header: bytes.subarray(0, end), data: bytes.subarray(end) }
}

/** A key or value that has a schema. */
export interface SchemaPart {
  readonly part: Part
  /** Whether message indexes come behind the id, as with Protobuf. */
  readonly hasIndexes: boolean
}

/** Makes headers and data of the records that a sink writes agree. */
export class SchemaHeaders {
  readonly #parts: readonly SchemaPart[]
  readonly #location: SchemaIdLocation
  /** What became of batches, as one that is written again must be the same one. */
  readonly #settled = new WeakMap<Batch, Batch>()

  constructor(parts: readonly SchemaPart[], location: SchemaIdLocation) {
    this.#parts = parts
    this.#location = location
  }

  /** The batch to write in place of one: with the same rows, or the same batch where nothing has to be changed. */
  settle(batch: Batch): Batch {
    const isAsRead = batch.payloads === undefined && batch.keys === undefined
    if (isAsRead && this.#location === 'prefix') return batch
    let settled = this.#settled.get(batch)
    if (settled === undefined) this.#settled.set(batch, (settled = this.#write(batch)))
    return settled
  }

  #write(batch: Batch): Batch {
    const changes = Array.from({ length: batch.length }, (_, row) => this.#changesOf(batch, row))
    if (changes.every((change) => change === undefined)) return batch
    const writer = new BatchWriter(batch, Math.ceil(batch.byteLength / Math.max(1, batch.length)) + 64)
    for (const [row, change] of changes.entries()) {
      const { value = valueOf(batch, row), key = keyOf(batch, row), headers } = change ?? {}
      writer.add(row, { value, key, ...(headers === undefined ? {} : { headers, replacesHeaders: true }) })
    }
    return writer.finish()!
  }

  #changesOf(
    batch: Batch,
    row: number,
  ): { value?: Payload; key?: Payload; readonly headers: readonly Header[] } | undefined {
    let headers: readonly Header[] | undefined
    const changed: { value?: Payload; key?: Payload } = {}
    for (const { part, hasIndexes } of this.#parts) {
      const made = part === 'value' ? batch.payloads?.[row] : batch.keys?.[row]
      const stored = schemaHeaderOf(batch, batch.recordOf(row), part)
      // What was read keeps the header that it came with.
      if (made === undefined && (stored !== undefined || this.#location === 'prefix')) continue
      const bytes = made ?? (part === 'value' ? batch.value(row) : batch.key(row))
      const named = this.#location === 'header' && Buffer.isBuffer(bytes) ? splitSchemaId(bytes, hasIndexes) : undefined
      if (named === undefined && stored === undefined) continue
      const name = SCHEMA_ID_HEADERS[part]
      headers = (headers ?? batch.headers(row)).filter(([one]) => one !== name)
      if (named === undefined) continue
      headers = [...headers, [name, named.header]]
      changed[part] = named.data
    }
    return headers === undefined ? undefined : { ...changed, headers }
  }
}

function valueOf(batch: Batch, row: number): Payload {
  const made = batch.payloads?.[row]
  return made === undefined ? batch.value(row) : made
}

function keyOf(batch: Batch, row: number): Payload {
  const made = batch.keys?.[row]
  return made === undefined ? batch.key(row) : made
}
