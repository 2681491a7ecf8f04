import { describe, expect, test } from 'vitest'
import { Batch } from '../../src/records/batch.ts'
import { LocatedRecordsBuilder, storageOfLocated } from '../../src/records/located-records-builder.ts'
import { batchOf, ORIGIN } from '../support/batches.ts'

const NOTHING = { ack: () => {} }

describe('located records builder', () => {
  test('says of a value alone that it has no key, no headers and no time', () => {
    const builder = new LocatedRecordsBuilder(1)
    builder.addValue(7, 2, 5)
    const batch = new Batch(ORIGIN, storageOfLocated(builder.finish(Buffer.from('--abc--'))), NOTHING)
    expect(batch.value(0)?.toString()).toBe('abc')
    expect(batch.key(0)).toBeNull()
    expect(batch.headers(0)).toEqual([])
    expect(batch.timestampMs(0)).toBe(-1)
    expect(batch.offset(0)).toBe(7n)
  })

  test.each([0, 1, 3, 100])('holds more records than the %i it was made for', (capacity) => {
    const builder = new LocatedRecordsBuilder(capacity)
    for (let i = 0; i < 10; i++) builder.addValue(100 + i, i, i + 1)
    const records = builder.finish(Buffer.from('0123456789'))
    const batch = new Batch(ORIGIN, storageOfLocated(records), NOTHING)
    expect(Array.from({ length: 10 }, (_, i) => batch.value(i)!.toString()).join('')).toBe('0123456789')
    expect([...records.offsets]).toEqual([100, 101, 102, 103, 104, 105, 106, 107, 108, 109])
    expect([batch.firstOffset, batch.lastOffset, batch.length]).toEqual([100n, 109n, 10])
  })

  test('moves a record to where its bytes were copied, headers included', () => {
    const from = batchOf(['first', { key: 'k', value: null, headers: [['h', 'x']], timestampMs: 5 }], 40)
    const builder = new LocatedRecordsBuilder(1)
    builder.addMoved(from.records, 1, 3)
    const bytes = Buffer.concat([Buffer.from('...'), from.records.bytes])
    const batch = new Batch(ORIGIN, storageOfLocated(builder.finish(bytes)), NOTHING)
    expect(batch.key(0)?.toString()).toBe('k')
    expect(batch.value(0)).toBeNull()
    expect(batch.headers(0)).toEqual([['h', Buffer.from('x')]])
    expect([batch.offset(0), batch.timestampMs(0)]).toEqual([41n, 5])
  })
})
