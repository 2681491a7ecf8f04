import { describe, expect, test } from 'vitest'
import { CorruptRecordError } from '../../../src/errors/index.ts'
import { ABORT_MARKER, COMMIT_MARKER, readControlType } from '../../../src/kafka/protocol/control-record.ts'
import { RecordBatchReader } from '../../../src/kafka/protocol/record-batch.ts'
import { encodeRecordBatch, type RecordInput } from '../../support/encode-record-batch.ts'

const CONTROL = 0x30

/** A reader that stands on a control batch, behind another batch. */
function at(records: readonly RecordInput[], lastOffsetDelta = 0): RecordBatchReader {
  const reader = new RecordBatchReader()
  reader.reset(
    Buffer.concat([
      encodeRecordBatch({ records: [{ value: null }] }),
      encodeRecordBatch({ records, baseOffset: 9, attributes: CONTROL, lastOffsetDelta }),
    ]),
    'orders',
    3,
  )
  reader.next()
  reader.next()
  return reader
}

function marker(version: number, type: number, more = Buffer.alloc(0)): RecordInput {
  const key = Buffer.alloc(4)
  key.writeInt16BE(version, 0)
  key.writeInt16BE(type, 2)
  return { key: Buffer.concat([key, more]), value: Buffer.alloc(6) }
}

describe('control record', () => {
  test.each([
    { name: 'an abort', record: marker(0, 0), type: ABORT_MARKER },
    { name: 'a commit', record: marker(0, 1), type: COMMIT_MARKER },
    { name: 'a type of the controller', record: marker(0, 2), type: 2 },
    { name: 'a later version with more fields', record: marker(1, 1, Buffer.alloc(8)), type: COMMIT_MARKER },
  ])('says $name', ({ record, type }) => {
    const reader = at([record])
    expect(reader.isControl && reader.isTransactional).toBe(true)
    expect(readControlType(reader)).toBe(type)
  })

  test('says nothing when compaction has taken it', () => {
    expect(readControlType(at([]))).toBeUndefined()
  })

  test.each([
    { name: 'no key', record: { key: null, value: null } },
    { name: 'a short key', record: { key: Buffer.alloc(3), value: null } },
    { name: 'a negative version', record: marker(-1, 0) },
  ])('is refused with $name', ({ record }) => {
    const reader = at([record])
    expect(() => readControlType(reader)).toThrow(CorruptRecordError)
    expect(() => readControlType(reader)).toThrow(
      /^Cannot read the transaction marker at offset 9 of topic "orders" partition 3 as its key must/,
    )
  })
})
