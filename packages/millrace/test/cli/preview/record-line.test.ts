import { describe, expect, test } from 'vitest'
import { parseLine, recordLine, valueLine } from '../../../src/cli/preview/record-line.ts'
import { batchOf } from '../../support/batches.ts'

describe('a record as a line of JSON', () => {
  test('has its place, time, key, headers and value', () => {
    const batch = batchOf([
      {
        key: 'c-7',
        value: '{"a":1}',
        headers: [
          ['trace', 'x'],
          ['tag', '1'],
          ['tag', null],
        ],
        timestampMs: 1_767_225_600_000,
      },
    ])
    expect(JSON.parse(recordLine(batch, 0, 'json'))).toEqual({
      topic: 'orders',
      partition: 3,
      offset: 100,
      timestamp: '2026-01-01T00:00:00.000Z',
      key: 'c-7',
      headers: { trace: 'x', tag: ['1', null] },
      value: { a: 1 },
    })
  })

  test.each([
    { name: 'a tombstone', value: null, line: '"value":null}', only: 'null' },
    {
      name: 'JSON digit by digit',
      value: '{"id": 12345678901234567890, "x":1.0}',
      line: '"value":{"id": 12345678901234567890, "x":1.0}}',
      only: '{"id": 12345678901234567890, "x":1.0}',
    },
    { name: 'JSON in several lines', value: '{\n "a":\r\n 1}', line: '"value":{  "a":  1}}', only: '{  "a":  1}' },
    {
      name: 'other text',
      value: 'no "JSON"\n',
      line: '"value":"no \\"JSON\\"\\n","valueEncoding":"text"}',
      only: 'no "JSON"\n',
    },
    {
      name: 'other bytes',
      value: Buffer.from([255, 0, 1]),
      line: '"value":"/wAB","valueEncoding":"base64"}',
      only: '/wAB',
    },
    { name: 'an empty value', value: '', line: '"value":"","valueEncoding":"text"}', only: '' },
  ])('shows $name', ({ value, line, only }) => {
    const batch = batchOf([{ value }])
    expect(recordLine(batch, 0, 'json').endsWith(line)).toBe(true)
    expect(valueLine(batch, 0, 'json')).toBe(only)
  })

  test('shows what one of Kafka’s own formats says', () => {
    const long = Buffer.alloc(8)
    long.writeBigInt64BE(-5n)
    expect(valueLine(batchOf([{ value: long }]), 0, 'long')).toBe('-5')
  })

  test('shows what takes the place of key and value', () => {
    const batch = batchOf([{ key: 'old', value: '{"a":1}' }])
    batch.keys = ['new']
    batch.payloads = ['{"a":2}']
    expect(JSON.parse(recordLine(batch, 0, 'json'))).toMatchObject({ key: 'new', value: { a: 2 } })
  })

  test('marks how a key that is not text is shown', () => {
    expect(JSON.parse(recordLine(batchOf([{ key: Buffer.from([255]), value: '1' }]), 0, 'json'))).toMatchObject({
      key: '/w==',
      keyEncoding: 'base64',
    })
  })

  // The base64 of such a header looked like text.
  test('marks which headers are not text', () => {
    const bytes = Buffer.from([255])
    const shown = (headers: [string, Buffer][]): unknown =>
      JSON.parse(recordLine(batchOf([{ value: '1', headers }]), 0, 'json'))
    const headers: [string, Buffer][] = [
      ['a', Buffer.from('/w==')],
      ['b', bytes],
    ]
    expect(shown(headers)).toMatchObject({ headers: { a: '/w==', b: '/w==' }, headersEncoding: { b: 'base64' } })
    expect(shown(headers.slice(0, 1))).not.toHaveProperty('headersEncoding')
  })
})

test('a line that is parsed is written back digit by digit', () => {
  const line = '{"value":{"id":12345678901234567890,"x":1.0,"y":[1e3,2]}}'
  expect(JSON.stringify(parseLine(line))).toBe(line)
})
