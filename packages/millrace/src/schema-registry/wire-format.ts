/**
 * How a record says which schema it was written with. Confluent's wire format, version 0, in front of the data:
 *
 * ```
 * 0x00 | schema id, 4 bytes, big-endian | data                        Avro, JSON Schema
 * 0x00 | schema id, 4 bytes, big-endian | message indexes | data      Protobuf
 * ```
 *
 * Message indexes lead to the message type in its file: the first one counts from the outermost messages, each other one from those
 * nested in it. They are written as zigzag varints, the number of indexes first; `[0]`, the first message, as the single byte 0.
 *
 * The other form has the same in a header of the record, `__key_schema_id` or `__value_schema_id`, and the data alone in the key or value.
 * The header begins with 0x00 and the schema id, or with 0x01 and the 16 bytes of a GUID.
 *
 * @see https://docs.confluent.io/platform/current/schema-registry/fundamentals/serdes-develop/index.html#wire-format
 */

/** Bytes before the data, or before the message indexes. */
export const PREFIX_BYTES = 5

export const SCHEMA_ID_HEADERS = { key: '__key_schema_id', value: '__value_schema_id' } as const

/** Where the schema id of a key or value is: in front of the data, or in a header. */
export const SCHEMA_ID_LOCATIONS = ['prefix', 'header'] as const
export type SchemaIdLocation = (typeof SCHEMA_ID_LOCATIONS)[number]

const MAGIC_ID = 0
const MAGIC_GUID = 1
const GUID_BYTES = 16

/** The schema id in front of the data; undefined where there is none. */
export function schemaIdOf(bytes: Uint8Array): number | undefined {
  if (bytes.length < PREFIX_BYTES || bytes[0] !== MAGIC_ID) return undefined
  return ((bytes[1]! << 24) | (bytes[2]! << 16) | (bytes[3]! << 8) | bytes[4]!) >>> 0
}

/** Data with the schema id in front of it. */
export function withSchemaId(id: number, data: Uint8Array, indexes?: readonly number[]): Buffer {
  const path = indexes === undefined ? undefined : messageIndexBytes(indexes)
  const start = PREFIX_BYTES + (path?.length ?? 0)
  const bytes = Buffer.allocUnsafe(start + data.length)
  writePrefix(bytes, id)
  path?.copy(bytes, PREFIX_BYTES)
  bytes.set(data, start)
  return bytes
}

/** Writes the magic byte and a schema id to the start of a buffer. */
export function writePrefix(bytes: Buffer, id: number): void {
  bytes[0] = MAGIC_ID
  bytes.writeUInt32BE(id, 1)
}

/** A schema as a header names it. */
export type SchemaHeader = { readonly end: number } & ({ readonly id: number } | { readonly guid: string })

/** What a header says; message indexes, if any, begin at `end`. Undefined for what is none of the known forms. */
export function readSchemaHeader(bytes: Buffer): SchemaHeader | undefined {
  const id = schemaIdOf(bytes)
  if (id !== undefined) return { id, end: PREFIX_BYTES }
  if (bytes[0] !== MAGIC_GUID || bytes.length < 1 + GUID_BYTES) return undefined
  const hex = bytes.toString('hex', 1, 1 + GUID_BYTES)
  const guid = hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
  return { guid, end: 1 + GUID_BYTES }
}

/** Message indexes, and where the data begins. */
export interface MessageIndexes {
  readonly indexes: readonly number[]
  readonly end: number
}

const FIRST_MESSAGE = [0] as const
/** Messages are not nested deeper by people; it bounds what is read from bytes that are something else. */
const DEEPEST = 100

/** @returns undefined for bytes that are no message indexes */
export function readMessageIndexes(bytes: Uint8Array, start: number): MessageIndexes | undefined {
  if (bytes[start] === 0) return { indexes: FIRST_MESSAGE, end: start + 1 }
  const count = readZigzag(bytes, start)
  if (count === undefined || count.value < 1 || count.value > DEEPEST) return undefined
  const indexes: number[] = []
  let { end } = count
  for (let i = 0; i < count.value; i++) {
    const index = readZigzag(bytes, end)
    if (index === undefined || index.value < 0) return undefined
    indexes.push(index.value)
    end = index.end
  }
  return { indexes, end }
}

export function messageIndexBytes(indexes: readonly number[]): Buffer {
  if (indexes.length === 1 && indexes[0] === 0) return Buffer.of(0)
  const bytes: number[] = []
  for (const value of [indexes.length, ...indexes]) {
    let rest = value * 2
    for (; rest >= 0x80; rest = Math.floor(rest / 128)) bytes.push((rest & 0x7f) | 0x80)
    bytes.push(rest)
  }
  return Buffer.from(bytes)
}

function readZigzag(bytes: Uint8Array, start: number): { readonly value: number; readonly end: number } | undefined {
  let value = 0
  for (let i = 0; i < 5; i++) {
    const byte = bytes[start + i]
    if (byte === undefined) return undefined
    value += (byte & 0x7f) * 128 ** i
    if (byte < 0x80) return { value: value % 2 === 0 ? value / 2 : -(value + 1) / 2, end: start + i + 1 }
  }
  return undefined
}
