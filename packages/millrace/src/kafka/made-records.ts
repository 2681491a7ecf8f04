/**
 * Records made in memory, laid out as Kafka does from the key on, so that any sink can take them in a batch and a Kafka
 * sink copies them as they are, headers included.
 */
import {
  BODY,
  END,
  FIELDS,
  KEY,
  KEY_LENGTH,
  VALUE,
  VALUE_LENGTH,
  type LocatedRecords,
  type RecordStorage,
} from '../batch.ts'
import type { ProducerRecord } from '../record.ts'
import { HeaderWriter, putVarint } from './protocol/record-batch-builder.ts'
import { VARINT_BYTES } from './protocol/varint.ts'

/** @param records need a timestamp each; their `topic` and `partition` are not kept. Offsets count from 0 */
export function makeRecords(records: readonly (ProducerRecord & { readonly timestampMs: number })[]): RecordStorage {
  const count = records.length
  const fields = new Int32Array(count * FIELDS)
  const parts: Uint8Array[] = []
  const headerWriter = new HeaderWriter()
  let position = 0
  const append = (bytes: Uint8Array): number => {
    const start = position
    parts.push(bytes)
    position += bytes.length
    return start
  }
  const appendSized = (content: Buffer | string | null | undefined): readonly [start: number, length: number] => {
    const bytes = typeof content === 'string' ? Buffer.from(content) : content
    const length = bytes?.length ?? -1
    const prefix = Buffer.alloc(VARINT_BYTES)
    append(prefix.subarray(0, putVarint(prefix, 0, length)))
    return [bytes ? append(bytes) : position, length]
  }
  records.forEach(({ key, value, headers = [] }, i) => {
    const at = i * FIELDS
    fields[at + BODY] = position
    ;[fields[at + KEY], fields[at + KEY_LENGTH]] = appendSized(key)
    ;[fields[at + VALUE], fields[at + VALUE_LENGTH]] = appendSized(value)
    const length = headerWriter.write(headers)
    append(Uint8Array.from(headerWriter.bytes.subarray(0, length)))
    fields[at + END] = position
  })
  const located: LocatedRecords = {
    bytes: Buffer.concat(parts),
    count,
    fields,
    offsets: Float64Array.from(records, (_, i) => i),
    timestamps: Float64Array.from(records, ({ timestampMs }) => timestampMs),
  }
  return {
    byteLength: located.bytes.length,
    count,
    firstOffset: 0,
    lastOffset: count - 1,
    raw: undefined,
    locate: () => located,
  }
}
