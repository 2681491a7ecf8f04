/**
 * How the leader of a classic group shares partitions out. Every assignor gives each partition of a subscribed topic to
 * exactly one member that subscribes to it; results equal Java's for `range` and `roundrobin`, and agree with Java's
 * rules for `cooperative-sticky`, so that members of both kinds may lead the same group in turn.
 */
import {
  allPartitions,
  emptyAssignment,
  type Assignment,
  type GroupMember,
  type PartitionCounts,
} from './assignment.ts'
import { assignSticky, withholdTransfers } from './sticky-assignment.ts'
import type { AssignorName } from '../properties/value-types.ts'

export interface Assignor {
  /** Whether members keep their partitions over a rebalance and give up only what is taken away (KIP-429). */
  readonly isCooperative: boolean
  assign(members: readonly GroupMember[], counts: PartitionCounts): Assignment
}

export const assignorByName: { readonly [name in AssignorName]: Assignor } = {
  range: { isCooperative: false, assign: assignRange },
  roundrobin: { isCooperative: false, assign: assignRoundRobin },
  'cooperative-sticky': {
    isCooperative: true,
    assign: (members, counts) => withholdTransfers(members, assignSticky(inOrder(members), counts)),
  },
}

/** Per topic a run of neighbouring partitions for each member; the first members get one more when it does not come out even. */
function assignRange(members: readonly GroupMember[], counts: PartitionCounts): Assignment {
  const assignment = emptyAssignment(members)
  const ordered = inOrder(members)
  for (const [topic, count] of counts) {
    const subscribers = ordered.filter(({ topics }) => topics.includes(topic))
    const share = Math.floor(count / subscribers.length)
    const larger = count % subscribers.length
    let next = 0
    subscribers.forEach(({ memberId }, i) => {
      const end = next + share + (i < larger ? 1 : 0)
      while (next < end) assignment.get(memberId)!.push({ topic, partition: next++ })
    })
  }
  return assignment
}

/** All partitions in order, dealt out in turn to the members that subscribe to their topic. */
function assignRoundRobin(members: readonly GroupMember[], counts: PartitionCounts): Assignment {
  const assignment = emptyAssignment(members)
  const ordered = inOrder(members)
  let turn = 0
  for (const each of allPartitions(counts)) {
    if (!ordered.some(({ topics }) => topics.includes(each.topic))) continue
    while (!ordered[turn % ordered.length]!.topics.includes(each.topic)) turn++
    assignment.get(ordered[turn++ % ordered.length]!.memberId)!.push(each)
  }
  return assignment
}

/** Java's order of members: static ones by instance id, then the others by member id. */
function inOrder(members: readonly GroupMember[]): GroupMember[] {
  const rank = ({ instanceId, memberId }: GroupMember): string =>
    instanceId === null ? `1${memberId}` : `0${instanceId}`
  return [...members].sort((a, b) => (rank(a) < rank(b) ? -1 : rank(a) > rank(b) ? 1 : 0))
}
