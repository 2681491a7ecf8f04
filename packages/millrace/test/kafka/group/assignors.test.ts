import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Assignment, GroupMember } from '../../../src/kafka/group/assignment.ts'
import { assignorByName } from '../../../src/kafka/group/assignors.ts'
import { assignSticky } from '../../../src/kafka/group/sticky-assignment.ts'
import { ASSIGNORS } from '../../../src/kafka/properties/value-types.ts'
import { comparePartitions, type TopicPartition } from '../../../src/kafka/topic-partition.ts'

/** `a-0 a-1` as partitions. */
const partitions = (text: string): TopicPartition[] =>
  text
    .split(' ')
    .filter(Boolean)
    .map((each) => ({
      topic: each.slice(0, each.lastIndexOf('-')),
      partition: Number(each.slice(each.lastIndexOf('-') + 1)),
    }))
const text = (list: readonly TopicPartition[]): string =>
  list
    .toSorted(comparePartitions)
    .map(({ topic, partition }) => `${topic}-${partition}`)
    .join(' ')
const shown = (assignment: Assignment): Record<string, string> =>
  Object.fromEntries([...assignment].map(([id, list]) => [id, text(list)]))
const member = (
  memberId: string,
  topics: string,
  owned = '',
  generation = owned === '' ? -1 : 5,
  instanceId: string | null = null,
): GroupMember => ({
  memberId,
  instanceId,
  topics: topics.split(' '),
  owned: partitions(owned),
  generation,
})

describe('results of Java’s assignors for the same group', () => {
  const members = [member('m2', 'a b'), member('m1', 'a'), { ...member('m3', 'a b gone'), instanceId: 'z-static' }]
  const counts = new Map([
    ['a', 5],
    ['b', 4],
  ])
  test.each([
    { name: 'range' as const, expected: { m1: 'a-2 a-3', m2: 'a-4 b-2 b-3', m3: 'a-0 a-1 b-0 b-1' } },
    { name: 'roundrobin' as const, expected: { m1: 'a-1 a-4', m2: 'a-2 b-0 b-2', m3: 'a-0 a-3 b-1 b-3' } },
  ])('$name', ({ name, expected }) => {
    expect(shown(assignorByName[name].assign(members, counts))).toEqual(expected)
  })
})

describe('cooperative-sticky', () => {
  const assign = (members: GroupMember[], count: number): Record<string, string> =>
    shown(assignorByName['cooperative-sticky'].assign(members, new Map([['a', count]])))

  test('takes only the surplus from each member, and assigns it to no member yet', () => {
    const members = [member('m1', 'a', 'a-0 a-1 a-2'), member('m2', 'a', 'a-3 a-4 a-5'), member('m3', 'a')]
    expect(assign(members, 6)).toEqual({ m1: 'a-0 a-1', m2: 'a-3 a-4', m3: '' })
  })
  test('assigns what no member holds any more in the next rebalance', () => {
    const members = [member('m1', 'a', 'a-0 a-1'), member('m2', 'a', 'a-3 a-4'), member('m3', 'a')]
    expect(assign(members, 6)).toEqual({ m1: 'a-0 a-1', m2: 'a-3 a-4', m3: 'a-2 a-5' })
  })
  test('believes the claim of the latest generation', () => {
    const members = [member('m1', 'a', 'a-0 a-1', 4), member('m2', 'a', 'a-0 a-1', 5)]
    // Balance takes one from m2. That m1 claimed it once gives it no right to what m2 holds until the next rebalance.
    expect(assign(members, 2)).toEqual({ m1: '', m2: 'a-0' })
    expect(assign([member('m1', 'a', 'a-0', 4), member('m2', 'a', 'a-0', 5)], 1)).toEqual({ m1: '', m2: 'a-0' })
  })
  test('a member that no longer reads a topic keeps nothing of it, and no member gets it before that is done', () => {
    const members = [member('m1', 'b', 'a-0'), member('m2', 'a')]
    expect(assign(members, 1)).toEqual({ m1: '', m2: '' })
  })
  test('partitions that are gone belong to no member', () => {
    expect(assign([member('m1', 'a', 'a-0 a-1 a-7')], 2)).toEqual({ m1: 'a-0 a-1' })
  })
})

/** A group with any subscriptions, and claims as they are in real groups and worse. */
const group = fc.record({
  counts: fc
    .dictionary(fc.constantFrom('a', 'b', 'c', 'd'), fc.nat(9))
    .map((counts) => new Map(Object.entries(counts))),
  members: fc.uniqueArray(
    fc.record({
      memberId: fc.string({ minLength: 1, maxLength: 3 }),
      instanceId: fc.constant(null),
      topics: fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd', 'missing')),
      owned: fc.uniqueArray(fc.record({ topic: fc.constantFrom('a', 'b', 'c', 'd'), partition: fc.nat(9) }), {
        selector: ({ topic, partition }) => `${topic}-${partition}`,
        maxLength: 8,
      }),
      generation: fc.integer({ min: -1, max: 3 }),
    }),
    { selector: ({ memberId }) => memberId, minLength: 1, maxLength: 6 },
  ),
})

const wanted = (members: readonly GroupMember[], counts: ReadonlyMap<string, number>): string =>
  text(
    [...counts].flatMap(([topic, count]) =>
      members.some(({ topics }) => topics.includes(topic))
        ? Array.from({ length: count }, (_, partition) => ({ topic, partition }))
        : [],
    ),
  )

/** No partition can move to a member that reads its topic and has at least two fewer. */
function expectBalance(members: readonly GroupMember[], assignment: Assignment): void {
  for (const from of members) {
    for (const { topic } of assignment.get(from.memberId)!) {
      for (const to of members) {
        if (to.topics.includes(topic))
          expect(assignment.get(from.memberId)!.length - assignment.get(to.memberId)!.length).toBeLessThan(2)
      }
    }
  }
}

describe('any group', () => {
  test.each(ASSIGNORS.filter((name) => name !== 'cooperative-sticky'))(
    '%s gives each partition to exactly one member that reads its topic',
    (name) => {
      fc.assert(
        fc.property(group, ({ members, counts }) => {
          const assignment = assignorByName[name].assign(members, counts)
          expect(text([...assignment.values()].flat())).toBe(wanted(members, counts))
          for (const { memberId, topics } of members)
            for (const { topic } of assignment.get(memberId)!) expect(topics).toContain(topic)
        }),
      )
    },
  )

  test('cooperative-sticky never gives to one what another says it holds, and comes to rest balanced and complete', () => {
    fc.assert(
      fc.property(group, ({ members, counts }) => {
        let generation = 4
        let current: GroupMember[] = members
        for (let round = 0; ; round++) {
          const assignment = assignorByName['cooperative-sticky'].assign(current, counts)
          for (const { memberId } of current) {
            for (const each of assignment.get(memberId)!) {
              const isMine = current
                .find((one) => one.memberId === memberId)!
                .owned.some((o) => text([o]) === text([each]))
              const isHeld = current.some(
                (one) => one.memberId !== memberId && one.owned.some((o) => text([o]) === text([each])),
              )
              expect(isHeld && !isMine).toBe(false)
            }
          }
          const next = current.map((one) => ({ ...one, owned: assignment.get(one.memberId)!, generation }))
          const isAtRest = next.every((one, i) => text(one.owned) === text(current[i]!.owned))
          generation++
          current = next
          if (isAtRest) break
          // First what is too much goes, then it is given out: claims that contradict one another cost one round more.
          expect(round).toBeLessThan(4)
        }
        const final = new Map(current.map(({ memberId, owned }) => [memberId, [...owned]]))
        expect(text([...final.values()].flat())).toBe(wanted(members, counts))
        expectBalance(current, final)
      }),
    )
  })

  test('a member that leaves takes nothing from the others, when all read the same topics', () => {
    fc.assert(
      fc.property(group, fc.nat(), ({ members, counts }, choice) => {
        const alike = members.map((one) => ({ ...one, topics: ['a', 'b', 'c', 'd'] }))
        const before = assignSticky(alike, counts)
        const left = alike
          .filter((_, i) => i !== choice % alike.length)
          .map((one) => ({ ...one, owned: before.get(one.memberId)!, generation: 9 }))
        const after = assignSticky(left, counts)
        for (const { memberId, owned } of left) expect(after.get(memberId)).toEqual(expect.arrayContaining([...owned]))
      }),
    )
  })

  test('a member that comes takes from the others only its share, in a large group too', () => {
    const members = Array.from({ length: 50 }, (_, i) => member(`m${i}`, 'a'))
    const counts = new Map([['a', 5000]])
    const before = assignSticky(members, counts)
    const settled = members.map((one) => ({ ...one, owned: before.get(one.memberId)!, generation: 1 }))
    const after = assignSticky([...settled, member('new', 'a')], counts)
    expect(after.get('new')).toHaveLength(98)
    expect(Math.max(...[...after.values()].map((list) => list.length)) - 98).toBeLessThan(2)
    const kept = settled.flatMap(({ memberId, owned }) => {
      const still = new Set(after.get(memberId)!.map(({ partition }) => partition))
      return owned.filter(({ partition }) => still.has(partition))
    })
    expect(kept).toHaveLength(5000 - 98)
  })
})
