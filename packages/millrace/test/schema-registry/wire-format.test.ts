import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  messageIndexBytes,
  readMessageIndexes,
  readSchemaHeader,
  schemaIdOf,
  withSchemaId,
} from '../../src/schema-registry/wire-format.ts'

describe('the schema id in front of the data', () => {
  test('is written and read', () => {
    const bytes = withSchemaId(0x01020304, Buffer.from('data'))
    expect(bytes.toString('hex')).toBe(`0001020304${Buffer.from('data').toString('hex')}`)
    expect(schemaIdOf(bytes)).toBe(0x01020304)
  })

  test('is unsigned', () => {
    expect(schemaIdOf(withSchemaId(0xffffffff, Buffer.alloc(0)))).toBe(0xffffffff)
  })

  test.each(['', '00', '00000001', '0100000001', '7b22'])('is not there in %s', (hex) => {
    expect(schemaIdOf(Buffer.from(hex, 'hex'))).toBeUndefined()
  })
})

describe('message indexes', () => {
  test.each([
    { indexes: [0], hex: '00' },
    { indexes: [1], hex: '0202' },
    { indexes: [0, 0], hex: '040000' },
    { indexes: [1, 0], hex: '040200' },
    { indexes: [2, 1, 300], hex: '060402d804' },
  ])('$indexes are $hex', ({ indexes, hex }) => {
    expect(messageIndexBytes(indexes).toString('hex')).toBe(hex)
    expect(readMessageIndexes(Buffer.from(hex, 'hex'), 0)).toEqual({ indexes, end: hex.length / 2 })
  })

  test('the first message may also be written in full', () => {
    expect(readMessageIndexes(Buffer.from('0200', 'hex'), 0)).toEqual({ indexes: [0], end: 2 })
  })

  test.each(['', '02', '0201', '01', 'ffffffffffff', `ca01${'00'.repeat(101)}`])('are not there in %s', (hex) => {
    expect(readMessageIndexes(Buffer.from(hex, 'hex'), 0)).toBeUndefined()
  })

  test('read as they were written, whatever they are', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(100_000), { minLength: 1, maxLength: 20 }), fc.nat(5), (indexes, start) => {
        const bytes = Buffer.concat([Buffer.alloc(start, 0xff), messageIndexBytes(indexes), Buffer.from([7])])
        expect(readMessageIndexes(bytes, start)).toEqual({ indexes, end: bytes.length - 1 })
      }),
    )
  })
})

describe('a header', () => {
  test('holds a schema id', () => {
    expect(readSchemaHeader(Buffer.from('0000000005', 'hex'))).toEqual({ id: 5, end: 5 })
  })

  test('holds a GUID, before message indexes', () => {
    const bytes = Buffer.from(`01${'89791762233641869674299b90a802e2'}00`, 'hex')
    expect(readSchemaHeader(bytes)).toEqual({ guid: '89791762-2336-4186-9674-299b90a802e2', end: 17 })
  })

  test.each(['', '01', '0189791762', '02aabbccdd'])('holds neither in %s', (hex) => {
    expect(readSchemaHeader(Buffer.from(hex, 'hex'))).toBeUndefined()
  })
})
