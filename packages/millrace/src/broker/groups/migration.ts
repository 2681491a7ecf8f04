/**
 * How groups change their protocol while they have members (KIP-848).
 *
 * | when | then |
 * |---|---|
 * | a member of the consumer protocol comes to a classic group of consumers | the group becomes one of the consumer protocol; its members stay, with what they have, and still speak the classic protocol |
 * | the last member of the consumer protocol leaves classic ones behind | the group becomes a classic one, and rebalances |
 */
import { isMillraceError } from '../../errors/index.ts'
import { decodeAssignment, decodeSubscription, encodeAssignment } from '../../kafka/group/classic-subscription.ts'
import type { TopicPartition } from '../../kafka/topic-partition.ts'
import type { Cluster } from '../cluster/cluster.ts'
import type { Partitions } from './assignors.ts'
import type { ClassicGroup } from './classic-group.ts'
import type { ConsumerGroup } from './consumer-group.ts'
import type { ConsumerMember } from './consumer-member.ts'
import { Member } from './member.ts'
import { NO_PARTITIONS } from './partition-sets.ts'
import { CONSUMERS } from './protocol-selection.ts'

/** Partitions by the ids of their topics; those of topics that there are not are left out. */
export function withIds(partitions: readonly TopicPartition[], cluster: Cluster): Partitions {
  const sets = new Map<string, Set<number>>()
  for (const { topic, partition } of partitions) {
    const id = cluster.topic(topic)?.id
    if (id === undefined) continue
    const set = sets.get(id)
    if (set === undefined) sets.set(id, new Set([partition]))
    else set.add(partition)
  }
  return sets
}

/** An assignment as members of the classic protocol get it. */
export function assignmentOf(partitions: Partitions, cluster: Cluster): Buffer {
  return encodeAssignment(
    [...partitions].flatMap(([topicId, list]) => {
      const topic = cluster.topicById(topicId)?.name
      return topic === undefined ? [] : [...list].map((partition) => ({ topic, partition }))
    }),
  )
}

/** The members of a classic group as members of one of the consumer protocol; `undefined` when they are no consumers. */
export function convertedMembers(group: ClassicGroup, cluster: Cluster): ConsumerMember[] | undefined {
  if (group.protocolType !== CONSUMERS) return undefined
  try {
    return [...group.members.values()].map((member) => converted(member, group, cluster))
  } catch (error) {
    // What an assignor of their own has written cannot be read.
    if (isMillraceError(error)) return undefined
    throw error
  }
}

function converted(member: Member, { generationId, protocolName }: ClassicGroup, cluster: Cluster): ConsumerMember {
  const { topics, rackId } = decodeSubscription(member.metadataOf(protocolName ?? member.protocols[0]!.name))
  const assigned =
    member.assignment.length === 0 ? NO_PARTITIONS : withIds(decodeAssignment(member.assignment), cluster)
  return {
    memberId: member.id,
    instanceId: member.instanceId,
    rackId,
    clientId: member.clientId,
    clientHost: member.clientHost,
    rebalanceTimeoutMs: member.rebalanceTimeoutMs,
    topics: topics.toSorted(),
    pattern: null,
    assignor: null,
    current: {
      state: 'Stable',
      epoch: generationId,
      previousEpoch: generationId,
      assigned,
      revoking: NO_PARTITIONS,
    },
    target: assigned,
    isAway: false,
    classic: { sessionTimeoutMs: member.sessionTimeoutMs, protocols: member.protocols, stopJoinTimer: undefined },
    stopTimers: [],
  }
}

/** The members of a group that all speak the classic protocol. */
export function classicMembersOf({ members }: ConsumerGroup, cluster: Cluster): Member[] {
  return [...members.values()].flatMap(({ memberId, classic, target, ...options }) => {
    if (classic === undefined) return []
    const { sessionTimeoutMs, protocols } = classic
    const member = new Member(memberId, { ...options, sessionTimeoutMs, protocols })
    member.assignment = assignmentOf(target, cluster)
    return [member]
  })
}
