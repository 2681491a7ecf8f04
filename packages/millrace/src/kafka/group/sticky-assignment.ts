/**
 * Sticky and balanced: members keep what they have as long as no single move would even things out, and a partition that
 * changes hands is given to nobody until its owner has let go of it (KIP-429).
 */
import { byTopic, keyOf, type TopicPartition } from '../topic-partition.ts'
import {
  allPartitions,
  emptyAssignment,
  type Assignment,
  type GroupMember,
  type PartitionCounts,
} from './assignment.ts'

/**
 * The assignment to end up with, whoever owns what at the moment.
 *
 * Balanced means: no partition can move to a member that subscribes to its topic and has at least two partitions fewer.
 * @param members in a fixed order, which decides between equals
 */
export function assignSticky(members: readonly GroupMember[], counts: PartitionCounts): Assignment {
  const assignment = emptyAssignment(members)
  if (members.length === 0) return assignment
  const load = (member: GroupMember): number => assignment.get(member.memberId)!.length
  const subscribers = new Map<string, GroupMember[]>()
  for (const topic of counts.keys())
    subscribers.set(
      topic,
      members.filter(({ topics }) => topics.includes(topic)),
    )
  const least = (topic: string): GroupMember | undefined => leastLoaded(subscribers.get(topic)!, load)

  const owners = validOwners(members, counts)
  const free: TopicPartition[] = []
  for (const each of allPartitions(counts)) {
    const owner = owners.get(keyOf(each.topic, each.partition))
    if (owner === undefined) free.push(each)
    else assignment.get(owner.memberId)!.push(each)
  }
  // Topics that few members read come first, because these members cannot make up for it elsewhere.
  free.sort((a, b) => subscribers.get(a.topic)!.length - subscribers.get(b.topic)!.length)
  for (const each of free) {
    const member = least(each.topic)
    if (member !== undefined) assignment.get(member.memberId)!.push(each)
  }
  while (moveOne(members, assignment, load, least));
  return assignment
}

/** Takes one partition from a member with the most to one with at least two fewer. Each move lowers the sum of squares, so this comes to an end. */
function moveOne(
  members: readonly GroupMember[],
  assignment: Assignment,
  load: (member: GroupMember) => number,
  least: (topic: string) => GroupMember | undefined,
): boolean {
  for (const from of [...members].sort((a, b) => load(b) - load(a))) {
    const held = assignment.get(from.memberId)!
    let best: { to: GroupMember; topic: string } | undefined
    for (const topic of byTopic(held).keys()) {
      const to = least(topic)
      if (to !== undefined && load(from) - load(to) >= 2 && (best === undefined || load(to) < load(best.to)))
        best = { to, topic }
    }
    if (best === undefined) continue
    const index = held.findLastIndex(({ topic }) => topic === best.topic)
    assignment.get(best.to.memberId)!.push(...held.splice(index, 1))
    return true
  }
  return false
}

/**
 * Who may keep what it claims: the member that got it in the latest generation, as a member that missed a rebalance
 * claims partitions that others have been given since. Two claims of one generation cannot both be right, so neither counts.
 */
function validOwners(members: readonly GroupMember[], counts: PartitionCounts): Map<string, GroupMember> {
  const best = new Map<string, { owner: GroupMember | undefined; generation: number }>()
  for (const member of members) {
    for (const { topic, partition } of member.owned) {
      if (partition >= (counts.get(topic) ?? 0) || !member.topics.includes(topic)) continue
      const key = keyOf(topic, partition)
      const known = best.get(key)
      if (known === undefined || member.generation > known.generation)
        best.set(key, { owner: member, generation: member.generation })
      else if (member.generation === known.generation && known.owner !== member) known.owner = undefined
    }
  }
  const owners = new Map<string, GroupMember>()
  for (const [key, { owner }] of best) if (owner !== undefined) owners.set(key, owner)
  return owners
}

/** Leaves out what somebody else still holds: it is given away in the next rebalance, after the owner has let go (I3). */
export function withholdTransfers(members: readonly GroupMember[], target: Assignment): Assignment {
  const holders = new Map<string, Set<string>>()
  for (const { memberId, owned } of members) {
    for (const { topic, partition } of owned) {
      const key = keyOf(topic, partition)
      const known = holders.get(key)
      if (known === undefined) holders.set(key, new Set([memberId]))
      else known.add(memberId)
    }
  }
  const assignment: Assignment = new Map()
  for (const [memberId, partitions] of target) {
    assignment.set(
      memberId,
      partitions.filter(({ topic, partition }) => {
        const held = holders.get(keyOf(topic, partition))
        return held === undefined || held.has(memberId)
      }),
    )
  }
  return assignment
}

function leastLoaded(members: readonly GroupMember[], load: (member: GroupMember) => number): GroupMember | undefined {
  let least: GroupMember | undefined
  for (const member of members) if (least === undefined || load(member) < load(least)) least = member
  return least
}
