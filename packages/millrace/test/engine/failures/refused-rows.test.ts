import { describe, expect, test } from 'vitest'
import { RefusedRows } from '../../../src/engine/failures/refused-rows.ts'
import { DeliveryError } from '../../../src/errors/index.ts'
import { Batch } from '../../../src/records/batch.ts'
import { NO_ACKNOWLEDGEMENT } from '../../../src/records/acknowledgement.ts'
import { makeRecords } from '../../../src/records/make-records.ts'
import { UnwindStage } from '../../../src/stages/unwind.ts'
import { batchOfDocuments } from '../../support/batches.ts'

const SINK = {}
const TOO_LARGE = new DeliveryError('too large', { code: 'RECORD_TOO_LARGE' })

function refused(batch: Batch, ...rows: number[]): RefusedRows {
  const found = new RefusedRows()
  found.add(SINK, batch, new Map(rows.map((row) => [row, TOO_LARGE])))
  return found
}

/** Rows that are laid out again: `each` of them for each row of a batch, as $unwind makes them. */
function unwound(batch: Batch, each: number): Batch {
  const values = Array.from({ length: batch.length * each }, (_, i) => ({ key: null, value: String(i), headers: [] }))
  return new Batch(batch.origin, makeRecords(values as never), NO_ACKNOWLEDGEMENT, {
    sources: { of: (record) => [{ batch, row: Math.floor(record / each) }] },
  })
}

const TEN = batchOfDocuments(Array.from({ length: 10 }, (_, n) => ({ n })))

describe('rows that a sink refused', () => {
  test('are found again in other batches of the same records, for this sink only', () => {
    const rows = refused(TEN, 3, 7)
    const [before, from] = TEN.cut(5)
    expect([...rows.of(SINK, before)!.keys()]).toEqual([3])
    expect([...rows.of(SINK, from)!.keys()]).toEqual([2])
    expect([...rows.of(SINK, TEN.without(new Set([0, 1]))!)!.keys()]).toEqual([1, 5])
    expect(rows.of({}, TEN)).toBeUndefined()
  })

  test('are distinguished from others that were made of the same record, also when some of these are left out', () => {
    const rows = refused(unwound(TEN, 3), 10) // the second of the fourth record
    expect([...rows.of(SINK, unwound(TEN, 3))!.keys()]).toEqual([10])
    expect([...rows.of(SINK, unwound(TEN.cut(3)[1], 3))!.keys()]).toEqual([1])
    expect([...rows.of(SINK, unwound(TEN, 3).without(new Set([9]))!)!.keys()]).toEqual([9])
    expect(rows.of(SINK, unwound(TEN, 3).without(new Set([10]))!)).toBeUndefined()
  })

  // With exactly_once, all that $unwind had made of a record was left out with the one document that was too large.
  test('are distinguished from others that $unwind made of the same record', () => {
    const unwind = new UnwindStage({ path: '$i' })
    const documents = [1, 2].map((n) => ({ n, i: ['a', 'b', 'c'] }))
    const batch = (): Batch => {
      const read = batchOfDocuments(documents)
      read.documents = [...documents]
      return unwind.process(read)!
    }
    const rows = refused(batch(), 1, 5)
    expect([...rows.of(SINK, batch())!.keys()]).toEqual([1, 5])
  })

  test('are news once', () => {
    const rows = refused(TEN, 3)
    expect([rows.takeNews(), rows.takeNews()]).toEqual([true, false])
    rows.add(SINK, TEN, new Map([[3, TOO_LARGE]]))
    expect(rows.takeNews()).toBe(false)
  })

  test('are forgotten when offsets behind them were committed', () => {
    const rows = refused(TEN, 3, 7)
    const { topic, partition } = TEN
    rows.forget({
      offsets: [
        { topic, partition, offset: 107 },
        { topic, partition: partition + 1, offset: 200 },
      ],
    })
    expect([...rows.of(SINK, TEN)!.keys()]).toEqual([7])
    rows.forget({ offsets: [{ topic, partition, offset: 108 }] })
    expect(rows.of(SINK, TEN)).toBeUndefined()
  })
})
