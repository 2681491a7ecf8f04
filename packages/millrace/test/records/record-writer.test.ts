import { describe, expect, test } from 'vitest'
import { Batch, BODY, END, FIELDS, type LocatedRecords, type Payload } from '../../src/records/batch.ts'
import { RecordWriter } from '../../src/records/record-writer.ts'
import { storageOfLocated } from '../../src/records/located-records-builder.ts'
import { ORIGIN } from '../support/batches.ts'
import { encodeRecord, varint } from '../support/encode-record-batch.ts'

type Headers = readonly (readonly [name: string, value: string | null])[]

const bytesOf = (payload: Payload): Buffer | null => (payload === null ? null : Buffer.from(payload))

/** A record from the key on, by the plain encoder: behind its length, attributes and two deltas of a byte each. */
function encoded(key: Payload, value: Payload, headers: Headers): Buffer {
  const record = encodeRecord(
    {
      key: bytesOf(key),
      value: bytesOf(value),
      headers: headers.map(([name, text]) => [name, bytesOf(text)] as const),
    },
    0,
  )
  const lengthBytes = record.findIndex((byte) => byte < 128) + 1
  return record.subarray(lengthBytes + 3)
}

const stretch = ({ bytes, fields }: LocatedRecords, record: number): Buffer =>
  bytes.subarray(fields[record * FIELDS + BODY], fields[record * FIELDS + END])

const RECORDS: readonly { name: string; key: Payload; value: Payload; headers: Headers }[] = [
  { name: 'key and value', key: 'k', value: 'v', headers: [] },
  { name: 'neither key nor value', key: null, value: null, headers: [] },
  { name: 'key and value of no bytes', key: '', value: Buffer.alloc(0), headers: [] },
  { name: 'text beyond ASCII', key: 'Straße', value: '水車 🌊'.repeat(40), headers: [['größe', '٣']] },
  { name: 'bytes', key: Buffer.from([0, 255]), value: Buffer.alloc(9000, 7), headers: [] },
  {
    name: 'headers of one name, one of them null',
    key: null,
    value: 'v',
    headers: [
      ['h', '1'],
      ['h', null],
      ['h', ''],
    ],
  },
  { name: 'a long header', key: 'k', value: null, headers: [['h', 'x'.repeat(5000)]] },
]

describe('record writer', () => {
  test.each(RECORDS)('writes as Kafka does: $name', ({ key, value, headers }) => {
    const writer = new RecordWriter(1, 0)
    writer.add(0, -1, key, value, headers)
    expect(stretch(writer.finish(), 0)).toEqual(encoded(key, value, headers))
  })

  test('finds again what it wrote, however little room was expected', () => {
    const writer = new RecordWriter(0, 0)
    RECORDS.forEach(({ key, value, headers }, i) => writer.add(50 + 2 * i, 1000 + i, key, value, headers))
    expect(writer.count).toBe(RECORDS.length)
    const batch = new Batch(ORIGIN, storageOfLocated(writer.finish()), { ack: () => {} })
    RECORDS.forEach(({ key, value, headers }, row) => {
      expect(batch.key(row)).toEqual(bytesOf(key))
      expect(batch.value(row)).toEqual(bytesOf(value))
      expect(batch.headers(row)).toEqual(headers.map(([name, text]) => [name, bytesOf(text)]))
      expect([batch.offset(row), batch.timestampMs(row)]).toEqual([BigInt(50 + 2 * row), 1000 + row])
    })
  })

  test.each([0, 1, 200])('puts %i stored headers behind the new ones', (count) => {
    const stored: Headers = Array.from({ length: count }, (_, i) => [`old-${i}`, `${i}`])
    const bytes = Buffer.concat([
      Buffer.from('before'),
      varint(count),
      encoded('k', 'v', stored).subarray(encoded('k', 'v', []).length - 1 + varint(count).length),
      Buffer.from('after'),
    ])
    const writer = new RecordWriter(1, 16)
    writer.add(0, -1, 'k', 'v', [['new', null]], { bytes, start: 6, end: bytes.length - 5 })
    expect(stretch(writer.finish(), 0)).toEqual(encoded('k', 'v', [['new', null], ...stored]))
  })
})
