import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { eventText, parseEvent, rawMember, valueOf } from '../../src/events/envelope.ts'
import { stringifyExactly } from '../../src/records/exact-numbers.ts'
import { batchOf } from '../support/batches.ts'

const BARE = { stream: 'orders', namespace: 'kafka', includeKey: false, includeHeaders: false, includePosition: true }
const NOW = '2026-01-31T12:00:00.000Z'

describe('the event of a record', () => {
  const headers = [
    ['trace', 'a'],
    ['empty', null],
    ['trace', 'b'],
  ] as const

  test('says what the record holds and where it came from', () => {
    const batch = batchOf([{ key: 'k1', value: '{"id": 1.0}', headers, timestampMs: 1_700_000_000_123 }])
    expect(eventText(batch, 0, batch.value(0), { ...BARE, includeKey: true, includeHeaders: true }, NOW)).toBe(
      '{"event_type":"record","stream":"orders","namespace":"kafka","timestamp":"2026-01-31T12:00:00.000Z","data":{"id": 1.0},' +
        '"metadata":{"position":"orders:3:100","kafka_partition":3,"kafka_offset":100,"kafka_timestamp":1700000000123,' +
        '"kafka_key":"k1","kafka_headers":{"trace":"b","empty":null}}}',
    )
  })

  test.each([
    { name: 'an object', value: '{"a":1}', data: { a: 1 } },
    { name: 'a number', value: '12.50', data: 12.5 },
    { name: 'JSON null', value: 'null', data: null },
    { name: 'JSON text', value: '"hello"', data: 'hello' },
    { name: 'other text', value: 'hello', data: 'hello', encoding: 'text' },
    { name: 'nothing at all', value: '', data: '', encoding: 'text' },
    { name: 'a tombstone', value: null, data: null, encoding: 'tombstone' },
    { name: 'bytes', value: Buffer.from([0, 255]), data: 'AP8=', encoding: 'base64' },
  ])('holds $name', ({ value, data, encoding }) => {
    const batch = batchOf([value])
    const event = parseEvent(eventText(batch, 0, batch.value(0), BARE, NOW))!
    expect(JSON.parse(stringifyExactly(event.data))).toEqual(data)
    expect(event.metadata!['kafka_encoding']).toBe(encoding)
    expect(event.metadata).not.toHaveProperty('kafka_key')
    expect(event.metadata).not.toHaveProperty('kafka_headers')
  })
})

test('every value comes out of its event as the bytes that went in', () => {
  const value = fc.oneof(
    fc.json({ noUnicodeString: false }),
    fc.json().map((text) => JSON.stringify(JSON.parse(text), undefined, 2)),
    fc.json().map((text) => ` ${text}\r\n`),
    fc.string(),
    fc.uint8Array().map((bytes) => Buffer.from(bytes)),
    fc.bigInt().map(String),
    fc.constant(null),
  )
  fc.assert(
    fc.property(value, (stored) => {
      const batch = batchOf([stored])
      const text = eventText(batch, 0, batch.value(0), BARE, NOW)
      const out = valueOf(parseEvent(text)!, text)
      // White space around it as well: a line feed at its end was lost.
      const expected = stored === null ? null : Buffer.from(stored)
      expect(out === null ? null : Buffer.from(out)).toEqual(expected)
    }),
  )
})

test('finds the characters of a member wherever it stands', () => {
  fc.assert(
    fc.property(
      fc.dictionary(fc.string(), fc.jsonValue()),
      fc.jsonValue(),
      fc.integer({ min: 0, max: 4 }),
      (others, data, indent) => {
        const text = JSON.stringify({ ...others, data, last: others }, undefined, indent)
        expect(JSON.parse(rawMember(text, 'data')!)).toEqual(JSON.parse(JSON.stringify(data)))
      },
    ),
  )
  expect(rawMember('{"a":{"data":1}}', 'data')).toBeUndefined()
  expect(rawMember('{"x":"\\"data\\":1,","data" : [1, "}"] }', 'data')).toBe(' [1, "}"] ')
})

test.each([
  '',
  'hello',
  '{"a":1}',
  '{"event_type":"record"}',
  '["event_type"]',
  '{"event_type":"record","stream":"s"}',
  '{"event_type":1,"stream":"s","data":1}',
])('takes %j for no event', (text) => expect(parseEvent(text)).toBeUndefined())
