import { describe, expect, test } from 'vitest'
import type { Batch } from '../../src/records/batch.ts'
import { SchemaHeaders, schemaHeaderIn, splitSchemaId } from '../../src/schema-registry/record-headers.ts'
import { SCHEMA_ID_HEADERS, withSchemaId } from '../../src/schema-registry/wire-format.ts'
import { batchOf } from '../support/batches.ts'

const VALUE = SCHEMA_ID_HEADERS.value
const KEY = SCHEMA_ID_HEADERS.key
const PARTS = [
  { part: 'value', hasIndexes: false },
  { part: 'key', hasIndexes: false },
] as const

/** The id 7 as a header has it. The text of the headers of batches made by hand is UTF-8, which it is, too. */
const SEVEN = '\0\0\0\0\u0007'

function recordOf(batch: Batch, row: number): object {
  const { key, value, headers } = batch.record(row)
  return {
    key: key && Buffer.from(key),
    value: value && Buffer.from(value),
    headers: headers.map(([name, one]) => [name, one?.toString('hex')]),
  }
}

describe('schema ids in headers', () => {
  test('are taken from in front of keys and values, whose other headers stay', () => {
    const batch = batchOf([
      { key: withSchemaId(3, Buffer.from('k')), value: withSchemaId(4, Buffer.from('v')), headers: [['a', 'b']] },
      { key: null, value: null },
      { key: 'text', value: 'text' },
    ])
    const headers = new SchemaHeaders(PARTS, 'header')
    const settled = headers.settle(batch)
    expect(recordOf(settled, 0)).toEqual({
      key: Buffer.from('k'),
      value: Buffer.from('v'),
      headers: [
        ['a', '62'],
        [VALUE, '0000000004'],
        [KEY, '0000000003'],
      ],
    })
    expect(recordOf(settled, 1)).toEqual({ key: null, value: null, headers: [] })
    expect(recordOf(settled, 2)).toEqual({ key: Buffer.from('text'), value: Buffer.from('text'), headers: [] })
    expect(settled.offset(2)).toBe(102n)
    // What is written again is the same batch, so that its delivery is found.
    expect(headers.settle(batch)).toBe(settled)
  })

  test('are those of the new value, if a stage has made one', () => {
    const batch = batchOf([
      { value: 'read', headers: [[VALUE, SEVEN]] },
      { value: 'kept', headers: [[VALUE, SEVEN]] },
    ])
    batch.payloads = [withSchemaId(9, Buffer.from('new')), undefined]
    const inFront = new SchemaHeaders(PARTS, 'prefix').settle(batch)
    expect(recordOf(inFront, 0)).toMatchObject({ value: withSchemaId(9, Buffer.from('new')), headers: [] })
    expect(recordOf(inFront, 1)).toMatchObject({ value: Buffer.from('kept'), headers: [[VALUE, '0000000007']] })
    const inHeader = new SchemaHeaders(PARTS, 'header').settle(batch)
    expect(recordOf(inHeader, 0)).toMatchObject({ value: Buffer.from('new'), headers: [[VALUE, '0000000009']] })
    expect(recordOf(inHeader, 1)).toMatchObject({ value: Buffer.from('kept'), headers: [[VALUE, '0000000007']] })
  })

  test('leave a batch as it is where nothing has to be changed', () => {
    const batch = batchOf([{ value: withSchemaId(1, Buffer.from('v')) }, 'text'])
    expect(new SchemaHeaders(PARTS, 'prefix').settle(batch)).toBe(batch)
    batch.payloads = [withSchemaId(2, Buffer.from('v')), undefined]
    const headers = new SchemaHeaders(PARTS, 'prefix')
    expect(headers.settle(batch)).toBe(batch)
    expect(headers.settle(batch)).toBe(batch)
  })

  test('have the message indexes of Protobuf behind them', () => {
    const bytes = withSchemaId(1, Buffer.from('data'), [1, 2])
    expect(splitSchemaId(bytes, true)).toEqual({
      header: bytes.subarray(0, -4),
      data: Buffer.from('data'),
    })
    expect(splitSchemaId(Buffer.from('text'), true)).toBeUndefined()
    expect(splitSchemaId(withSchemaId(1, Buffer.from('ff', 'hex')), true)).toBeUndefined()
  })

  test('are found by their names', () => {
    const headers = [
      ['x', Buffer.from('y')],
      [VALUE, null],
      [VALUE, Buffer.from('z')],
    ] as const
    expect(schemaHeaderIn(headers, 'value')).toEqual(Buffer.from('z'))
    expect(schemaHeaderIn(headers, 'key')).toBeUndefined()
  })
})
