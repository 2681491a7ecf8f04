import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Acknowledgement, splitAt } from '../../../../src/records/acknowledgement.ts'
import { AbortedError, UnexpectedError } from '../../../../src/errors/index.ts'
import { OffsetLedger } from '../../../../src/kafka/consumer/commits/offset-ledger.ts'

const T = 't'
const never = new AbortController().signal

function ledgerAt(position: number): OffsetLedger {
  const ledger = new OffsetLedger()
  ledger.assign(T, 0, position)
  return ledger
}
const committable = (ledger: OffsetLedger): number | undefined =>
  ledger.committable([{ topic: T, partition: 0 }])[0]?.offset

describe('offset ledger', () => {
  test('keeps the commit below the oldest unacknowledged batch', () => {
    const ledger = ledgerAt(10)
    const first = ledger.track(T, 0, 10, 19)
    const second = ledger.track(T, 0, 20, 24)
    const third = ledger.track(T, 0, 30, 39)
    third.ack()
    second.ack()
    expect(committable(ledger)).toBeUndefined()
    first.ack()
    expect(committable(ledger)).toBe(40)
  })

  test('returns nothing that was committed before, and nothing at the start', () => {
    const ledger = ledgerAt(5)
    expect(ledger.committable()).toEqual([])
    ledger.track(T, 0, 5, 5).ack()
    expect(ledger.committable()).toEqual([{ topic: T, partition: 0, offset: 6 }])
    ledger.committed([{ topic: T, partition: 0, offset: 6 }])
    expect(ledger.committable()).toEqual([])
  })

  test('counts a batch once, however often it is acknowledged', () => {
    const ledger = ledgerAt(0)
    const first = ledger.track(T, 0, 0, 0)
    ledger.track(T, 0, 1, 1)
    first.ack()
    first.ack()
    expect([ledger.outstanding(), committable(ledger)]).toEqual([1, 1])
  })

  test('takes back the rest of a batch that is delivered later, and commits up to there', () => {
    const ledger = ledgerAt(0)
    ledger.track(T, 0, 0, 9).ack()
    const [done, rest] = splitAt(ledger.track(T, 0, 10, 19), 14)
    done.ack()
    ledger.untrack(T, 0, 14)
    expect([ledger.outstanding(), committable(ledger)]).toEqual([0, 14])
    rest.ack()
    expect(committable(ledger)).toBe(14)
    const again = ledger.track(T, 0, 14, 19)
    expect([ledger.outstanding(), committable(ledger)]).toEqual([1, 14])
    again.ack()
    expect([ledger.outstanding(), committable(ledger)]).toEqual([0, 20])
  })

  test.each([
    { name: 'at once when nothing is outstanding', act: (ledger: OffsetLedger) => ledger.skip(T, 0, 8), after: 8 },
    {
      name: 'with the batch before them',
      act: (ledger: OffsetLedger) => {
        const batch = ledger.track(T, 0, 0, 4)
        ledger.skip(T, 0, 8)
        expect(committable(ledger)).toBeUndefined()
        batch.ack()
      },
      after: 8,
    },
    {
      name: 'with a batch that was acknowledged while an earlier one is not',
      act: (ledger: OffsetLedger) => {
        const first = ledger.track(T, 0, 0, 1)
        ledger.track(T, 0, 2, 3).ack()
        ledger.skip(T, 0, 8)
        expect(committable(ledger)).toBeUndefined()
        first.ack()
      },
      after: 8,
    },
    {
      name: 'never backwards',
      act: (ledger: OffsetLedger) => {
        ledger.track(T, 0, 0, 9).ack()
        ledger.skip(T, 0, 8)
      },
      after: 10,
    },
  ])('moves over offsets without records $name', ({ act, after }) => {
    const ledger = ledgerAt(0)
    act(ledger)
    expect(committable(ledger)).toBe(after)
  })

  describe('a batch that is split', () => {
    test('counts each part separately', () => {
      const ledger = ledgerAt(0)
      const [before, from] = splitAt(ledger.track(T, 0, 0, 9), 4)
      ledger.skip(T, 0, 12)
      expect(ledger.outstanding()).toBe(2)
      before.ack()
      expect([ledger.outstanding(), committable(ledger)]).toEqual([1, 4])
      from.ack()
      expect([ledger.outstanding(), committable(ledger)]).toEqual([0, 12])
    })

    test('is not committed past its first part (I2)', () => {
      const ledger = ledgerAt(0)
      const [before, from] = splitAt(ledger.track(T, 0, 0, 9), 4)
      const [middle, last] = splitAt(from, 7)
      ledger.track(T, 0, 10, 19).ack()
      last.ack()
      middle.ack()
      expect(committable(ledger)).toBeUndefined()
      before.ack()
      expect(committable(ledger)).toBe(20)
    })

    test('is acknowledged as a whole by the acknowledgement that was split', () => {
      const ledger = ledgerAt(0)
      const whole = ledger.track(T, 0, 0, 9)
      const [before] = splitAt(whole, 4)
      splitAt(before, 2)[1].ack()
      whole.ack()
      expect([ledger.outstanding(), committable(ledger)]).toEqual([0, 10])
    })

    test('has an empty part where there is nothing before or after the offset', () => {
      const ledger = ledgerAt(0)
      const [nothing, all] = splitAt(ledger.track(T, 0, 5, 9), 5)
      nothing.ack()
      expect([ledger.outstanding(), committable(ledger)]).toEqual([1, undefined])
      const [everything, none] = splitAt(all, 10)
      none.ack()
      expect(committable(ledger)).toBeUndefined()
      everything.ack()
      expect(committable(ledger)).toBe(10)
    })

    test('does nothing after the partition was revoked, and says so (I3)', () => {
      const ledger = ledgerAt(0)
      const whole = ledger.track(T, 0, 0, 9)
      const [before] = splitAt(whole, 4)
      expect([whole.isVoid, before.isVoid]).toEqual([false, false])
      ledger.revoke([{ topic: T, partition: 0 }])
      ledger.assign(T, 0, 0)
      before.ack()
      splitAt(whole, 6)[0].ack()
      expect([whole.isVoid, before.isVoid, committable(ledger)]).toEqual([true, true, undefined])
    })
  })

  // A commit whose answer came after the partition had gone looked as if it had failed.
  test('says how far a partition was committed, even when it has gone meanwhile', () => {
    const ledger = ledgerAt(0)
    const followed = ledger.followed(T, 0)!
    ledger.track(T, 0, 0, 9).ack()
    const offsets = ledger.committable()
    ledger.revoke([{ topic: T, partition: 0 }])
    ledger.assign(T, 0, 0)
    ledger.committed(offsets)
    expect([followed.committed, ledger.followed(T, 0)!.committed]).toEqual([10, 0])
  })

  test('reports when a committable offset moves on', () => {
    const ledger = ledgerAt(0)
    let moves = 0
    ledger.onAdvance = () => moves++
    const first = ledger.track(T, 0, 0, 4)
    ledger.track(T, 0, 5, 9).ack()
    expect(moves).toBe(0)
    first.ack()
    expect(moves).toBe(1)
  })

  test('refuses batches that are out of order', () => {
    const ledger = ledgerAt(0)
    ledger.track(T, 0, 0, 9)
    expect(() => ledger.track(T, 0, 9, 12)).toThrow(UnexpectedError)
    expect(() => ledger.track(T, 0, 20, 19)).toThrow(UnexpectedError)
  })

  test('an acknowledgement after the partition was revoked does nothing, even when it was assigned again', () => {
    const ledger = ledgerAt(0)
    const old = ledger.track(T, 0, 0, 9)
    ledger.revoke([{ topic: T, partition: 0 }])
    expect(ledger.outstanding()).toBe(0)
    old.ack()
    expect(ledger.committable()).toEqual([])
    ledger.assign(T, 0, 5)
    const fresh = ledger.track(T, 0, 5, 9)
    old.ack()
    expect([ledger.outstanding(), committable(ledger)]).toEqual([1, undefined])
    fresh.ack()
    expect([ledger.outstanding(), committable(ledger)]).toEqual([0, 10])
  })

  test('a revocation that is carried out late leaves the next assignment alone (I3)', () => {
    const ledger = ledgerAt(0)
    const before = ledger.track(T, 0, 0, 9)
    const letGo = ledger.revocation([{ topic: T, partition: 0 }])
    ledger.assign(T, 0, 0)
    letGo()
    before.ack()
    expect(committable(ledger)).toBeUndefined()
    ledger.track(T, 0, 0, 4).ack()
    expect(committable(ledger)).toBe(5)
  })

  test('returns a start that is not committed, once', () => {
    const ledger = new OffsetLedger()
    ledger.assign(T, 0, 0, false)
    expect(committable(ledger)).toBe(0)
    ledger.committed([{ topic: T, partition: 0, offset: 0 }])
    expect(committable(ledger)).toBeUndefined()
  })

  test('takes no note of a commit that is not of this assignment', () => {
    const ledger = ledgerAt(100)
    ledger.track(T, 0, 100, 109).ack()
    ledger.assign(T, 0, 20)
    ledger.committed([
      { topic: T, partition: 0, offset: 110 },
      { topic: 'other', partition: 3, offset: 1 },
    ])
    ledger.track(T, 0, 20, 29).ack()
    expect(committable(ledger)).toBe(30)
  })

  test('does not track what is not assigned', () => {
    const ledger = new OffsetLedger()
    ledger.track(T, 0, 0, 9).ack()
    ledger.skip(T, 0, 20)
    expect([ledger.outstanding(), ledger.committable()]).toEqual([0, []])
  })

  describe('drained', () => {
    test('resolves with the last acknowledgement of the partitions asked for', async () => {
      const ledger = ledgerAt(0)
      ledger.assign(T, 1, 0)
      const mine = [ledger.track(T, 0, 0, 0), ledger.track(T, 0, 1, 1)]
      ledger.track(T, 1, 0, 0)
      let isDrained = false
      const drained = ledger.drained([{ topic: T, partition: 0 }], never).then(() => (isDrained = true))
      mine[1]!.ack()
      await new Promise(setImmediate)
      expect(isDrained).toBe(false)
      mine[0]!.ack()
      await drained
    })

    test('does not wait for partitions that are revoked', async () => {
      const ledger = ledgerAt(0)
      ledger.track(T, 0, 0, 0)
      const drained = ledger.drained(undefined, never)
      ledger.revoke([{ topic: T, partition: 0 }])
      await drained
    })

    test('rejects when the signal fires first, and at once when it has', async () => {
      const ledger = ledgerAt(0)
      ledger.track(T, 0, 0, 0)
      const controller = new AbortController()
      const drained = ledger.drained(undefined, controller.signal)
      controller.abort()
      await expect(drained).rejects.toThrow(AbortedError)
      await expect(ledger.drained(undefined, controller.signal)).rejects.toThrow(AbortedError)
      await expect(ledger.drained([{ topic: T, partition: 9 }], controller.signal)).resolves.toBeUndefined()
    })
  })

  /** One step of a consumer; numbers choose among the partitions and among the open batches. */
  const step = fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        do: fc.constant('track' as const),
        partition: fc.nat(2),
        gap: fc.nat(3),
        count: fc.integer({ min: 1, max: 5 }),
      }),
    },
    { weight: 4, arbitrary: fc.record({ do: fc.constant('ack' as const), choice: fc.nat(1000) }) },
    {
      weight: 2,
      arbitrary: fc.record({
        do: fc.constant('split' as const),
        choice: fc.nat(1000),
        at: fc.integer({ min: -1, max: 6 }),
      }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('skip' as const), partition: fc.nat(2), by: fc.nat(4) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('commit' as const) }) },
    {
      weight: 1,
      arbitrary: fc.record({ do: fc.constant('reassign' as const), partition: fc.nat(2), back: fc.nat(10) }),
    },
  )

  test('never passes an unacknowledged record, and forgets none that is acknowledged, in any order of events', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const ledger = new OffsetLedger()
        // The model knows each record by itself: for each partition the offsets that are open, and where it ends.
        const model = [0, 1, 2].map(() => ({ open: new Set<number>(), starts: [] as number[], end: 0, committed: 0 }))
        model.forEach((_, partition) => ledger.assign(T, partition, 0))
        const handed: { ack: Acknowledgement; partition: number; offsets: number[]; epoch: object }[] = []
        for (const each of steps) {
          if (each.do === 'track') {
            const state = model[each.partition]!
            const first = state.end + each.gap
            const offsets = Array.from({ length: each.count }, (_, i) => first + i)
            const ack = ledger.track(T, each.partition, first, first + each.count - 1)
            for (const offset of offsets) state.open.add(offset)
            state.starts.push(first)
            state.end = first + each.count
            handed.push({ ack, partition: each.partition, offsets, epoch: state })
          } else if (each.do === 'ack' && handed.length > 0) {
            const { ack, partition, offsets, epoch } = handed[each.choice % handed.length]!
            ack.ack()
            if (model[partition] === epoch) for (const offset of offsets) model[partition].open.delete(offset)
          } else if (each.do === 'split' && handed.length > 0) {
            const { ack, offsets, ...rest } = handed[each.choice % handed.length]!
            if (offsets.length === 0) continue
            const at = offsets[0]! + each.at
            const isWithin = at > offsets[0]! && at <= offsets.at(-1)!
            if (isWithin && model[rest.partition] === rest.epoch) model[rest.partition]!.starts.push(at)
            const [before, from] = splitAt(ack, at)
            handed.push({ ack: before, offsets: offsets.filter((offset) => offset < at), ...rest })
            handed.push({ ack: from, offsets: offsets.filter((offset) => offset >= at), ...rest })
          } else if (each.do === 'skip') {
            const state = model[each.partition]!
            state.end += each.by
            ledger.skip(T, each.partition, state.end)
          } else if (each.do === 'commit') {
            const offsets = ledger.committable()
            for (const { partition, offset } of offsets) model[partition]!.committed = offset
            ledger.committed(offsets)
            expect(ledger.committable()).toEqual([])
          } else if (each.do === 'reassign') {
            const position = Math.max(0, model[each.partition]!.end - each.back)
            model[each.partition] = { open: new Set(), starts: [], end: position, committed: position }
            ledger.assign(T, each.partition, position)
          }
          model.forEach((state, partition) => {
            const expected = state.open.size === 0 ? state.end : Math.min(...state.open)
            const offset = ledger.committable([{ topic: T, partition }])[0]?.offset ?? state.committed
            // Offsets of a gap before an open batch may wait with it, but never the other way round.
            expect(offset).toBeLessThanOrEqual(expected)
            if (state.open.size === 0) expect(offset).toBe(expected)
            const parts = new Set([...state.open].map((o) => Math.max(...state.starts.filter((start) => start <= o))))
            expect(ledger.outstanding([{ topic: T, partition }])).toBe(parts.size)
          })
        }
      }),
      { numRuns: 300 },
    )
  })

  test('knows the epoch of the leader that wrote the record before a committable offset', () => {
    const ledger = new OffsetLedger()
    ledger.assign('t', 0, 10)
    ledger.reachEpoch('t', 0, 10, 3)
    const first = ledger.track('t', 0, 10, 19)
    ledger.reachEpoch('t', 0, 20, 5)
    const second = ledger.track('t', 0, 20, 29)
    first.ack()
    expect(ledger.committable()).toEqual([{ topic: 't', partition: 0, offset: 20, leaderEpoch: 3 }])
    second.ack()
    expect(ledger.committable()).toEqual([{ topic: 't', partition: 0, offset: 30, leaderEpoch: 5 }])
  })
})
