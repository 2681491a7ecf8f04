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

/** The members that claim a partition in the latest generation of those that do. */
interface Claim {
  readonly partition: TopicPartition
  readonly generation: number
  readonly members: readonly GroupMember[]
}

/**
 * Who holds each partition: the members that got it in the latest generation, as a member that missed a rebalance claims
 * partitions that others have been given since. Two claims of one generation cannot both be right, so neither counts as an
 * owner's; but both may be reading.
 */
function latestClaims(members: readonly GroupMember[]): Map<string, Claim> {
  const latest = new Map<string, Claim>()
  for (const member of members) {
    const { generation } = member
    for (const partition of member.owned) {
      const key = keyOf(partition.topic, partition.partition)
      const known = latest.get(key)
      if (known === undefined || generation > known.generation)
        latest.set(key, { partition, generation, members: [member] })
      else if (generation === known.generation && !known.members.includes(member))
        latest.set(key, { partition, generation, members: [...known.members, member] })
    }
  }
  return latest
}

/** Who may keep what it claims. */
function validOwners(members: readonly GroupMember[], counts: PartitionCounts): Map<string, GroupMember> {
  const owners = new Map<string, GroupMember>()
  for (const [key, { partition, members: claimants }] of latestClaims(members)) {
    const [owner] = claimants as [GroupMember]
    if (
      claimants.length === 1 &&
      partition.partition < (counts.get(partition.topic) ?? 0) &&
      owner.topics.includes(partition.topic)
    )
      owners.set(key, owner)
  }
  return owners
}

/**
 * Leaves out what somebody else still holds: it is given away in the next rebalance, after the owner has let go (I3). A claim that
 * is out of date holds nothing, and gives its member no right to what another one holds (KIP-792).
 */
export function withholdTransfers(members: readonly GroupMember[], target: Assignment): Assignment {
  const claims = latestClaims(members)
  const assignment: Assignment = new Map()
  for (const [memberId, partitions] of target) {
    assignment.set(
      memberId,
      partitions.filter(({ topic, partition }) => {
        const holders = claims.get(keyOf(topic, partition))?.members ?? []
        return holders.every((holder) => holder.memberId === memberId)
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
