/** Which schemas the records of a batch name. */
import { FIELDS, KEY, KEY_LENGTH, VALUE, VALUE_LENGTH, type Batch } from '../../records/batch.ts'
import { hasHeaders, schemaHeaderOf } from '../../schema-registry/record-headers.ts'
import { PREFIX_BYTES, readSchemaHeader } from '../../schema-registry/wire-format.ts'

/** A schema by its id, or by its GUID. */
export type SchemaId = number | string

/** The schemas of the keys or values of a batch for which `isWanted` is true; undefined when there are none. */
export function schemaIdsIn(
  batch: Batch,
  part: 'key' | 'value',
  isWanted: (id: SchemaId) => boolean,
): Set<SchemaId> | undefined {
  const { bytes, fields } = batch.records
  const { length, rows } = batch
  const [at, size] = part === 'key' ? [KEY, KEY_LENGTH] : [VALUE, VALUE_LENGTH]
  let wanted: Set<SchemaId> | undefined
  let last = -1
  for (let row = 0; row < length; row++) {
    const record = rows === undefined ? row : rows[row]!
    const field = record * FIELDS
    const start = fields[field + at]!
    let id: SchemaId | undefined
    if (fields[field + size]! >= PREFIX_BYTES && bytes[start] === 0) {
      const number = bytes.readUInt32BE(start + 1)
      if (number === last && !hasHeaders(fields, field)) continue
      last = number
      id = number
    }
    const header = fields[field + size]! < 0 ? undefined : schemaHeaderOf(batch, record, part)
    const named = header === undefined ? undefined : readSchemaHeader(header)
    if (named !== undefined) id = 'id' in named ? named.id : named.guid
    if (id !== undefined && isWanted(id)) (wanted ??= new Set()).add(id)
  }
  return wanted
}
