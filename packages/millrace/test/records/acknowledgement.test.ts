import { describe, expect, test } from 'vitest'
import {
  type Acknowledgement,
  SharedAcknowledgement,
  splitAt,
  WatchedAcknowledgement,
} from '../../src/records/acknowledgement.ts'
import { OffsetLedger } from '../../src/kafka/consumer/commits/offset-ledger.ts'

/** An acknowledgement of offsets 0 to 9, and what may be committed. */
function tracked(): { acknowledgement: Acknowledgement; committable: () => number } {
  const ledger = new OffsetLedger()
  ledger.assign('t', 0, 0)
  const acknowledgement = ledger.track('t', 0, 0, 9)
  return { acknowledgement, committable: () => ledger.committable()[0]?.offset ?? 0 }
}

/** One that knows no offsets. */
function counted(): { acknowledgement: Acknowledgement; times: () => number } {
  let times = 0
  return { acknowledgement: { ack: () => times++ }, times: () => times }
}

describe('an acknowledgement that cannot be split', () => {
  test('counts when all of its parts do, once', () => {
    const { acknowledgement, times } = counted()
    const [before, from] = splitAt(acknowledgement, 5)
    const [middle, last] = splitAt(from, 7)
    for (const part of [last, before, before]) part.ack()
    expect(times()).toBe(0)
    middle.ack()
    last.ack()
    expect(times()).toBe(1)
  })
})

describe('a shared acknowledgement', () => {
  test('counts when it is released and all shares are acknowledged', () => {
    const { acknowledgement, times } = counted()
    const shared = new SharedAcknowledgement([acknowledgement])
    const shares = [shared.share(), shared.share()]
    for (const share of shares) share.ack()
    shares[0]!.ack()
    expect(times()).toBe(0)
    shared.release()
    expect(times()).toBe(1)
  })

  test('acknowledges several targets together, which cannot be split', () => {
    const targets = [counted(), tracked()] as const
    const shared = new SharedAcknowledgement(targets.map(({ acknowledgement }) => acknowledgement))
    const [before, from] = splitAt(shared.share(), 5)
    shared.release()
    before.ack()
    expect([targets[0].times(), targets[1].committable()]).toEqual([0, 0])
    from.ack()
    expect([targets[0].times(), targets[1].committable()]).toEqual([1, 10])
  })

  test('counts each run of offsets separately, wherever its shares are split', () => {
    const { acknowledgement, committable } = tracked()
    const shared = new SharedAcknowledgement([acknowledgement])
    const [one, two] = [shared.share(), shared.share()]
    shared.release()
    const [oneBefore, oneFrom] = splitAt(one, 6)
    const [twoBefore, twoFrom] = splitAt(two, 3)
    oneBefore.ack()
    expect(committable()).toBe(0)
    twoBefore.ack()
    expect(committable()).toBe(3)
    twoFrom.ack()
    expect(committable()).toBe(6)
    oneFrom.ack()
    expect(committable()).toBe(10)
  })

  test('counts a share once, before and after it is split', () => {
    const { acknowledgement, committable } = tracked()
    const shared = new SharedAcknowledgement([acknowledgement])
    const [one, two] = [shared.share(), shared.share()]
    shared.release()
    const parts = splitAt(one, 5)
    for (const each of [one, one, ...parts]) each.ack()
    expect(committable()).toBe(0)
    two.ack()
    for (const part of splitAt(two, 7)) part.ack()
    expect(committable()).toBe(10)
  })

  test('gives shares of what was split before', () => {
    const { acknowledgement, committable } = tracked()
    const shared = new SharedAcknowledgement([acknowledgement])
    const [before, from] = splitAt(shared.share(), 5)
    const late = shared.share()
    shared.release()
    before.ack()
    from.ack()
    expect(committable()).toBe(0)
    late.ack()
    expect(committable()).toBe(10)
  })
})

describe('an acknowledgement that is split several times', () => {
  test.each([
    { name: 'behind the first place', at: [3, 7] },
    { name: 'before it', at: [7, 3] },
    { name: 'at the same place', at: [5, 5] },
  ])('$name, covers the same offsets in the same parts', ({ at }) => {
    const { acknowledgement, committable } = tracked()
    const [first] = splitAt(acknowledgement, at[0]!)
    const [second, rest] = splitAt(acknowledgement, at[1]!)
    second.ack()
    expect(committable()).toBe(at[1])
    first.ack()
    expect(committable()).toBe(Math.max(...at))
    rest.ack()
    expect(committable()).toBe(10)
  })
})

describe('a watched acknowledgement', () => {
  test('reports once when all of it is acknowledged', () => {
    const { acknowledgement, committable } = tracked()
    let times = 0
    const watched = new WatchedAcknowledgement(acknowledgement, () => times++)
    const [before, from] = splitAt(watched, 4)
    before.ack()
    before.ack()
    expect([times, committable()]).toEqual([0, 4])
    from.ack()
    watched.ack()
    expect([times, committable()]).toEqual([1, 10])
  })
})
