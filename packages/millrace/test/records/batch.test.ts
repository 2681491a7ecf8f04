import { describe, expect, test } from 'vitest'
import { OffsetLedger } from '../../src/kafka/consumer/commits/offset-ledger.ts'
import { Batch } from '../../src/records/batch.ts'
import { batchOf, ORIGIN } from '../support/batches.ts'

/** A batch of records at some offsets that was read from a partition, and what may be committed of it. */
function read(
  offsets: readonly number[],
  nextOffset = offsets.at(-1)! + 1,
): { batch: Batch; committable: () => number } {
  const ledger = new OffsetLedger()
  ledger.assign('orders', 3, offsets[0]!)
  const made = batchOf(offsets.map((offset) => `v${offset}`))
  const records = { ...made.records, offsets: Float64Array.from(offsets) }
  const storage = {
    byteLength: made.byteLength,
    count: offsets.length,
    firstOffset: offsets[0]!,
    lastOffset: offsets.at(-1)!,
    locate: () => records,
    raw: undefined,
  }
  const range = { firstOffset: offsets[0]!, lastOffset: offsets.at(-1)!, nextOffset }
  const batch = new Batch(ORIGIN, storage, ledger.track('orders', 3, offsets[0]!, nextOffset - 1), { range })
  return { batch, committable: () => ledger.committable()[0]?.offset ?? offsets[0]! }
}

const valuesOf = (batch: Batch): string[] => Array.from({ length: batch.length }, (_, row) => String(batch.value(row)))

describe('a batch that is cut', () => {
  test('has rows, offsets and an acknowledgement of its own in each part', () => {
    // Compaction has left gaps, and a transaction marker follows.
    const { batch, committable } = read([3, 4, 8, 9], 12)
    const [before, from] = batch.cut(2)
    expect([valuesOf(before), valuesOf(from)]).toEqual([
      ['v3', 'v4'],
      ['v8', 'v9'],
    ])
    expect(before.range).toEqual({ firstOffset: 3, lastOffset: 7, nextOffset: 8 })
    expect(from.range).toEqual({ firstOffset: 8, lastOffset: 9, nextOffset: 12 })
    before.ack()
    expect(committable()).toBe(Number(before.nextOffset))
    from.ack()
    expect(committable()).toBe(Number(from.nextOffset))
  })

  test('commits the slices that were acknowledged, and none behind them (I1, I2)', () => {
    const { batch, committable } = read([0, 1, 2, 3, 4, 5, 6])
    const slices = [...batch.slices(3)]
    expect(slices.map(valuesOf)).toEqual([['v0', 'v1', 'v2'], ['v3', 'v4', 'v5'], ['v6']])
    expect(slices.map(({ range }) => range.nextOffset)).toEqual([3, 6, 7])
    slices[1]!.ack()
    expect(committable()).toBe(0)
    slices[0]!.ack()
    expect(committable()).toBe(6)
    slices[2]!.ack()
    expect(committable()).toBe(7)
  })

  test('leaves slices that were not taken unacknowledged', () => {
    const { batch, committable } = read([0, 1, 2, 3, 4])
    batch.slices(2).next().value!.ack()
    expect(committable()).toBe(2)
  })

  test('returns slices of the requested size each time', () => {
    const sizes = [2, 1, 9]
    const slices = read([0, 1, 2, 3, 4]).batch.slices(() => sizes.shift()!)
    expect([...slices].map(({ length }) => length)).toEqual([2, 1, 2])
  })

  test('comes as it is when it is small enough, or empty', () => {
    const { batch } = read([0, 1])
    expect([...batch.slices(2)]).toEqual([batch])
    const empty = batch.derive({ rows: new Int32Array(0) })
    expect([...empty.slices(2)]).toEqual([empty])
  })

  test('takes along what stages have made of its rows', () => {
    const { batch } = read([0, 1, 2, 3])
    const made = batch.derive({
      rows: Int32Array.of(0, 2, 3),
      documents: ['d0', 'd2', 'd3'],
      replaced: Uint8Array.of(0, 1, 0),
      keys: ['k0', undefined, 'k3'],
    })
    made.payloads = [undefined, 'p2', undefined]
    const [before, from] = made.cut(1)
    expect(from).toMatchObject({
      documents: ['d2', 'd3'],
      replaced: Uint8Array.of(1, 0),
      keys: [undefined, 'k3'],
      payloads: ['p2', undefined],
    })
    // A row that was dropped in between goes with those before it.
    expect([before.range.nextOffset, from.range.firstOffset]).toEqual([2, 2])
  })

  test('acknowledges the records before a row', () => {
    const { batch, committable } = read([0, 1, 2, 3])
    batch.ackBefore(0)
    expect(committable()).toBe(0)
    batch.ackBefore(2)
    expect(committable()).toBe(2)
    batch.ackBefore(3)
    expect(committable()).toBe(3)
    batch.ackBefore(4)
    expect(committable()).toBe(4)
  })

  test('does not look for offsets where the source tracks none', () => {
    const { batch } = read([0, 1, 2, 3])
    let acknowledged = 0
    const storage = {
      byteLength: 4,
      count: 4,
      firstOffset: 0,
      lastOffset: 3,
      locate: () => {
        throw new Error('located')
      },
      raw: undefined,
    }
    const made = new Batch(batch.origin, storage, { ack: () => acknowledged++ }, { documents: [1, 2, 3, 4] })
    const slices = [...made.slices(2)]
    expect(slices.map(({ documents }) => documents)).toEqual([
      [1, 2],
      [3, 4],
    ])
    for (const slice of slices) slice.ack()
    expect(acknowledged).toBe(1)
  })
})

describe('a batch that is released', () => {
  /** A batch of four rows, and how often its memory was given back. */
  function releasable(): { batch: Batch; freed: () => number } {
    const made = batchOf(['a', 'b', 'c', 'd'])
    let freed = 0
    const storage = {
      byteLength: made.byteLength,
      count: 4,
      firstOffset: 0,
      lastOffset: 3,
      locate: () => made.records,
      release: () => freed++,
      raw: undefined,
    }
    return { batch: new Batch(ORIGIN, storage, { ack() {} }), freed: () => freed }
  }
  const closed = expect.objectContaining({ code: 'CLOSED' })

  test('gives its memory back, once, and can be read no more', () => {
    const { batch, freed } = releasable()
    const derived = batch.derive({ rows: Int32Array.of(1, 2) })
    expect(valuesOf(derived)).toEqual(['b', 'c'])
    batch.release()
    batch.release()
    expect(freed()).toBe(1)
    for (const each of [batch, derived]) {
      expect(() => each.value(0)).toThrow(closed)
      expect(() => each.offset(0)).toThrow(closed)
    }
    expect(batch.range).toEqual({ firstOffset: 0, lastOffset: 3, nextOffset: 4 })
  })

  test('keeps the memory for slices that are still read, whatever their order', () => {
    const { batch, freed } = releasable()
    const [first, second] = [...batch.slices(2)] as [Batch, Batch]
    second.release()
    expect(freed()).toBe(0)
    expect(valuesOf(first)).toEqual(['a', 'b'])
    expect(() => second.value(0)).toThrow(closed)
    first.release()
    expect(freed()).toBe(1)
  })

  test('keeps the memory for slices that were never taken', () => {
    const { batch, freed } = releasable()
    for (const slice of batch.slices(2)) {
      slice.release()
      break
    }
    expect(freed()).toBe(0)
  })

  test('keeps the memory for the other part of a cut', () => {
    const { batch, freed } = releasable()
    const [before, from] = batch.cut(1)
    before.release()
    expect([valuesOf(from), valuesOf(batch)]).toEqual([
      ['b', 'c', 'd'],
      ['a', 'b', 'c', 'd'],
    ])
    from.release()
    expect(freed()).toBe(0)
  })
})
