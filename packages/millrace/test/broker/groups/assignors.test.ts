import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ASSIGNORS, type AssignableMember, type Partitions } from '../../../src/broker/groups/assignors.ts'

const TOPICS = ['a', 'b', 'c']
const TOPIC_COUNTS = fc
  .record({ a: fc.nat(8), b: fc.nat(8), c: fc.nat(8) })
  .map((counts) => new Map(Object.entries(counts)))
const MEMBERS = fc.array(fc.subarray(TOPICS), { minLength: 1, maxLength: 5 }).map((lists) =>
  lists.map((topics, i): AssignableMember => ({
    memberId: `m${i}`,
    instanceId: null,
    topicIds: new Set(topics),
    target: new Map(),
  })),
)

/** Topic and partition of everything that members have. */
function assignedIn(assignments: ReadonlyMap<string, Partitions>): string[] {
  return [...assignments.values()].flatMap((assignment) =>
    [...assignment].flatMap(([topic, list]) => [...list].map((partition) => `${topic}-${partition}`)),
  )
}

const sizeOf = (assignment: Partitions): number => [...assignment.values()].reduce((sum, { size }) => sum + size, 0)

describe.each(Object.keys(ASSIGNORS))('assignor %s', (name) => {
  const assign = ASSIGNORS[name]!

  test('gives every partition that is subscribed to exactly one member that subscribes to it', () => {
    fc.assert(
      fc.property(MEMBERS, TOPIC_COUNTS, (members, counts) => {
        const assignments = assign(members, counts)
        const wanted = [...counts].flatMap(([topic, count]) =>
          members.some(({ topicIds }) => topicIds.has(topic))
            ? Array.from({ length: count }, (_, i) => `${topic}-${i}`)
            : [],
        )
        expect(assignedIn(assignments).toSorted()).toEqual(wanted.toSorted())
        for (const { memberId, topicIds } of members)
          expect([...assignments.get(memberId)!.keys()].filter((topic) => !topicIds.has(topic))).toEqual([])
      }),
    )
  })
})

describe('assignor uniform', () => {
  const same = (count: number, targets: readonly Partitions[] = []): AssignableMember[] =>
    Array.from({ length: count }, (_, i) => ({
      memberId: `m${i}`,
      instanceId: null,
      topicIds: new Set(TOPICS),
      target: targets[i] ?? new Map(),
    }))

  test('gives members with the same subscription equally many partitions, or one more', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 6 }), TOPIC_COUNTS, (count, counts) => {
        const sizes = [...ASSIGNORS['uniform']!(same(count), counts).values()].map(sizeOf)
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1)
      }),
    )
  })

  test('moves no more than a new member has to get', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5 }), TOPIC_COUNTS, (count, counts) => {
        const before = ASSIGNORS['uniform']!(same(count), counts)
        const after = ASSIGNORS['uniform']!(same(count + 1, [...before.values()]), counts)
        const newcomer = sizeOf(after.get(`m${count}`)!)
        const kept = [...before].reduce((sum, [member, assignment]) => {
          const now = assignedIn(new Map([[member, after.get(member)!]]))
          return sum + assignedIn(new Map([[member, assignment]])).filter((each) => now.includes(each)).length
        }, 0)
        expect(kept).toBe(assignedIn(before).length - newcomer)
      }),
    )
  })
})

test('assignor range gives a member the same partitions of topics with equally many', () => {
  const members = ['x', 'y'].map((memberId): AssignableMember => ({
    memberId,
    instanceId: null,
    topicIds: new Set(['a', 'b']),
    target: new Map(),
  }))
  const assignments = ASSIGNORS['range']!(
    members,
    new Map([
      ['a', 3],
      ['b', 3],
    ]),
  )
  expect(assignments.get('x')).toEqual(
    new Map([
      ['a', new Set([0, 1])],
      ['b', new Set([0, 1])],
    ]),
  )
  expect(assignments.get('y')).toEqual(
    new Map([
      ['a', new Set([2])],
      ['b', new Set([2])],
    ]),
  )
})

test('assignor range counts static members first, by their instance ids', () => {
  const member = (memberId: string, instanceId: string | null): AssignableMember => ({
    memberId,
    instanceId,
    topicIds: new Set(['a']),
    target: new Map(),
  })
  const members = [member('a', null), member('b', 'two'), member('c', 'one')]
  const assignments = ASSIGNORS['range']!(members, new Map([['a', 3]]))
  const first = ['c', 'b', 'a'].map((id) => [...assignments.get(id)!.get('a')!])
  expect(first).toEqual([[0], [1], [2]])
})
